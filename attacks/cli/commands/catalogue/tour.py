"""`escrow-lab tour`."""

from __future__ import annotations

from attacks.cli.cells import play_cells
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_
from attacks.lab.evidence.explain import explain
from attacks.report.page import Page
from attacks.report.touring import MISSED, READ, SCHEMES, draw_tour

THEFT, KEYS = list(READ)[1], SCHEMES[1]  # the attack, and the scheme, of which a derivation is shown


@command("tour", format_(), destination())
def tour_command(invocation: Invocation) -> CommandResult:
    """Look round in a few seconds: plain, one key and shares of a key, side by side.

    A small conversation is played under three schemes: who reads what, who notices, how one text is read, and three
    commands to go on with.
    """
    invocation.smoke = True
    schemes = [invocation.scheme(name) for name in SCHEMES]
    attacks = [invocation.attack(name) for name in (*READ, *MISSED)]
    result = play_cells(invocation, schemes, attacks)
    taken = {(cell.scheme, cell.attack): cell.coalition for cell in result.cells}
    who = ", ".join(taken.get((KEYS, THEFT), ()))

    def draw(page: Page) -> None:
        lines = explain(invocation.scheme(KEYS), invocation.scenario, who, attacks=attacks, width=page.width)
        draw_tour(page, result, {each.name: each.title for each in schemes}, lines)

    return CommandResult(draw, result, invocation.judge(result.cells), people=True)
