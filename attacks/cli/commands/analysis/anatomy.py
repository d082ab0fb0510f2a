"""`escrow-lab anatomy`."""

from __future__ import annotations

from functools import partial

import click

from attacks.cli.completion import names_of
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import EVENINGS, command, destination, format_, names, play
from attacks.lab.verdict.access.anatomy import anatomy
from attacks.report.anatomy import PICTURES, draw_anatomy, pictures

BY_BYTES = click.Option(
    ["--bytes", "by_bytes"],
    is_flag=True,
    help="Also say what follows by bytes alone, from two plays whose every cryptographic operation is recorded.",
)


@command(
    "anatomy",
    names(),
    play(),
    format_(drawn=PICTURES),
    destination(),
    own=[click.Argument(["scheme"], shell_complete=names_of("schemes")), BY_BYTES, EVENINGS],
)
def anatomy_command(invocation: Invocation, scheme: str, by_bytes: bool, evenings: bool) -> CommandResult:
    """Measure who can open what: every minimal coalition, promises and mathematics apart.

    A coalition is names with commas between them; semicolons stand between coalitions. `explain --coalition` opens the
    number of texts that stands before it. svg draws the access structure, dot is for Graphviz.
    """
    chosen, attacks = invocation.scheme(scheme), list(invocation.attacks.values())
    with invocation.progress() as progress:
        result = anatomy(chosen, attacks, invocation.scenario, progress, by_bytes=by_bytes)
    return CommandResult(
        partial(draw_anatomy, anatomy=result, evenings=evenings), result, people=True, drawn=pictures(result)
    )
