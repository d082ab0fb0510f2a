"""A wrong use of the command line in one line, with the word that was perhaps meant.

Names of schemes, attacks, scenarios and principals are looked up elsewhere, and use the same function for the hint.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import click

from escrow.registry import closest


class Mistyped(NamedTuple):
    """A word that is none of those known, and what kind of word it should be."""

    what: str
    given: str
    known: Sequence[str]


def sentence(error: click.UsageError) -> str:
    """Return what is wrong, what was perhaps meant, and where the help is."""
    path = error.ctx.command_path if error.ctx else "escrow-lab"
    word = _word(error)
    message = error.format_message().rstrip(".")
    if word is not None:
        said = f"no {word.what} is called {word.given!r}" if word.what else message
        hint = closest(word.known, word.given)
        message = f"{said}; {hint}" if hint else said
    return f"{message} ({path} --help)"


def _word(error: click.UsageError) -> Mistyped | None:
    """Return the unknown command, option or choice that an error is about; None for any other error."""
    command = error.ctx.command if error.ctx else None
    if isinstance(error, click.NoSuchOption):
        options = [name for each in command.params for name in each.opts] if command else []
        return Mistyped("option", error.option_name, [*options, "--help"])
    if isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Choice):
        found = re.match(r"'(.*?)' is not one of", error.message)
        return Mistyped("", found[1], list(map(str, error.param.type.choices))) if found else None
    if isinstance(command, click.Group) and (found := re.match(r"No such command '(.*?)'", error.message)):
        return Mistyped("command", found[1], command.list_commands(error.ctx)) if error.ctx else None
    return None
