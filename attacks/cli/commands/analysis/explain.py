"""`escrow-lab explain`."""

from __future__ import annotations

from functools import partial

import click

from attacks.cli.completion import names_of
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import check_evenings, coalition, command, destination, format_, names, play
from attacks.lab.evidence.explain import explain, explain_attack
from attacks.report.page import WIDE
from attacks.report.proofs import Explanation, draw_lines

OWN = [
    click.Argument(["scheme"], shell_complete=names_of("schemes")),
    coalition(required=False),
    click.Option(
        ["--attack"],
        metavar="NAME",
        shell_complete=names_of("attacks"),
        help="Explain in the play of this attack, by default what its cell's coalition opens.",
    ),
    click.Option(["--message"], type=click.IntRange(0), metavar="N", help="Explain text number N, not just any text."),
]


@command("explain", names(), play(), format_(rows=False), destination(), own=OWN)
def explain_command(
    invocation: Invocation, scheme: str, coalition: str | None, attack: str | None, message: int | None
) -> CommandResult:
    """Print how a coalition derives a plaintext: every step from what it took, down to the bytes."""
    chosen, scenario = invocation.scheme(scheme), invocation.scenario
    if message is not None and message >= scenario.messages:
        raise click.UsageError(f"the texts of the scenario are 0 to {scenario.messages - 1}, not {message}")
    coalition = coalition or ""
    if not (coalition or attack):
        raise click.UsageError("Missing option '--coalition', or '--attack'.")
    check_evenings(invocation, coalition)
    given = coalition, message, list(invocation.attacks.values())
    if attack:
        lines = partial(explain_attack, chosen, scenario, invocation.attack(attack), *given)
    else:
        lines = partial(explain, chosen, scenario, *given)
    if invocation.format_ == "json":
        data = Explanation(scheme=scheme, coalition=coalition, message=message, lines=tuple(lines(width=WIDE)))
        return CommandResult(partial(draw_lines, lines=data.lines), data)
    return CommandResult(lambda page: draw_lines(page, lines(width=page.width)))
