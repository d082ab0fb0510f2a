"""`escrow-lab show`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import click

from attacks.cli.completion import names_of
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, names
from attacks.report import cards
from attacks.report.glossary import draw_terms, glossary
from escrow.registry import unknown

OWN = [click.Argument(["words"], nargs=-1, required=True, metavar="NAME|TERM", shell_complete=names_of("terms"))]


@command("show", names(), format_(), destination(), own=OWN)
def show_command(invocation: Invocation, words: Sequence[str]) -> CommandResult:
    """Print the card of a scheme or attack (protocol, claim, weak point, source), or a word of the glossary."""
    name = " ".join(words)
    things = [each[name] for each in (invocation.schemes, invocation.attacks) if name in each]
    if things:
        found = cards.cards(things, counted=True)
        return CommandResult(partial(cards.draw_cards, result=found), found)
    known = glossary().terms()
    if name.lower() not in known:
        raise unknown((*invocation.schemes, *invocation.attacks, *known), name, "scheme, attack or term")
    term = glossary().only(name)
    return CommandResult(partial(draw_terms, words=term), term)
