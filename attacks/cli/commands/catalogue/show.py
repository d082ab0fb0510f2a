"""`escrow-lab show`."""

from __future__ import annotations

from functools import partial

import click

from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, names
from attacks.report import cards
from escrow.registry import unknown


@command("show", names(), format_(), destination(), own=[click.Argument(["name"])])
def show_command(invocation: Invocation, name: str) -> CommandResult:
    """Print the card of a scheme or attack: its protocol, its claim, its weak point, its source."""
    things = [each[name] for each in (invocation.schemes, invocation.attacks) if name in each]
    if not things:
        raise unknown((*invocation.schemes, *invocation.attacks), name, "scheme or attack")
    found = cards.cards(things)
    return CommandResult(partial(cards.draw_cards, result=found), found)
