"""`escrow-lab schemes`."""

from __future__ import annotations

from functools import partial

from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, names, selection
from attacks.report import cards


@command("schemes", names(), selection(), format_(), destination())
def schemes_command(invocation: Invocation) -> CommandResult:
    """List the schemes: this project's, those of plug-ins, those of installed packages."""
    found = cards.cards(invocation.selected()[0])
    return CommandResult(partial(cards.draw_list, result=found), found)
