"""`escrow-lab anatomy`."""

from __future__ import annotations

from functools import partial

import click

from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, names, play
from attacks.lab.verdict.anatomy import anatomy
from attacks.report.anatomy import draw_anatomy

BY_BYTES = click.Option(
    ["--bytes", "by_bytes"],
    is_flag=True,
    help="Also say what follows by bytes alone, from two plays whose every cryptographic operation is recorded.",
)


@command("anatomy", names(), play(), format_(), destination(), own=[click.Argument(["scheme"]), BY_BYTES])
def anatomy_command(invocation: Invocation, scheme: str, by_bytes: bool) -> CommandResult:
    """Measure who can open what: every minimal coalition and what it opens, promises and mathematics apart."""
    chosen, attacks = invocation.scheme(scheme), list(invocation.attacks.values())
    with invocation.progress() as progress:
        result = anatomy(chosen, attacks, invocation.scenario, progress, by_bytes=by_bytes)
    return CommandResult(partial(draw_anatomy, anatomy=result), result)
