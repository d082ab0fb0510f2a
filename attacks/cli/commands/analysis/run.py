"""`escrow-lab run`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import click

from attacks.cli.cells import play_cells
from attacks.cli.completion import names_of
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, jobs, names, play, policy
from attacks.report import cards
from attacks.report.matrices.matrix import draw_run

OWN = [
    click.Argument(["attack"], shell_complete=names_of("attacks")),
    click.Option(
        ["--scheme", "wanted"],
        multiple=True,
        metavar="NAME",
        shell_complete=names_of("schemes"),
        help="Play on this scheme only.",
    ),
]


@command("run", names(), play(), jobs(), policy(), format_(), destination(), own=OWN)
def run_command(invocation: Invocation, attack: str, wanted: Sequence[str]) -> CommandResult:
    """Play one attack on every scheme, or on those named, and say what it read and who noticed."""
    chosen = invocation.attack(attack)
    schemes = [invocation.scheme(name) for name in dict.fromkeys(wanted)] or list(invocation.schemes.values())
    result = play_cells(invocation, schemes, [chosen])
    draw = partial(draw_run, card=cards.card(chosen), matrix=result)
    return CommandResult(draw, result, invocation.judge(result.cells), people=True)
