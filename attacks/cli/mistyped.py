"""A wrong use of the command line in one line, with the word that was perhaps meant.

Names of schemes, attacks, scenarios and principals are looked up elsewhere, and use the same function for the hint.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import click

from escrow.registry import closest

ELSEWHERE = {"--scheme": "--only", "--attack": "--only"}  # an option of other commands -> the one that serves here


class Mistyped(NamedTuple):
    """A word that is none of those known, what kind of word it should be, and which was `meant` if that is certain."""

    what: str
    given: str
    known: Sequence[str]
    meant: str = ""


def sentence(error: click.UsageError) -> str:
    """Return what is wrong, what was perhaps meant, and where the help is."""
    path = error.ctx.command_path if error.ctx else "escrow-lab"
    word = _word(error)
    message = error.format_message().rstrip(".")
    if word is not None:
        said = f"no {word.what} is called {word.given!r}" if word.what else message
        hint = f"did you mean {word.meant}?" if word.meant else closest(word.known, word.given)
        message = f"{said}; {hint}" if hint else said
    return f"{message} ({path} --help)"


def _word(error: click.UsageError) -> Mistyped | None:
    """Return the unknown command, option or choice that an error is about; None for any other error."""
    command = error.ctx.command if error.ctx else None
    if isinstance(error, click.NoSuchOption):
        params = command.params if command else []
        options = [name for each in params if isinstance(each, click.Option) for name in each.opts]
        if (meant := ELSEWHERE.get(error.option_name)) in options:
            return Mistyped("option", error.option_name, [meant], meant)
        return Mistyped("option", error.option_name, [*options, "--help"])
    if isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Choice):
        found = re.match(r"'(.*?)' is not one of", error.message)
        return Mistyped("", found[1], list(map(str, error.param.type.choices))) if found else None
    if isinstance(command, click.Group) and (found := re.match(r"No such command '(.*?)'", error.message)):
        return Mistyped("command", found[1], command.list_commands(error.ctx)) if error.ctx else None
    return None
