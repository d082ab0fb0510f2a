"""The options that commands share, in groups, and how a command's body becomes a click command.

A body takes an Invocation, which holds the shared options, and its own arguments; it returns a CommandResult.
"""

from __future__ import annotations

import inspect
import pathlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from attacks.cli.completion import names_of
from attacks.cli.invocation import CommandResult, Invocation, run
from attacks.lab.simulation.shapes import shapes
from escrow.signatures import MOST_BITS

Body = Callable[..., CommandResult]

LARGEST_SEED = 2**63 - 1  # what fits a JSON integer everywhere
FILE = click.Path(path_type=pathlib.Path)
WITHOUT_ROWS = ("table", "json")
ENTRIES = names_of("schemes", "attacks")
FORMATS = (*WITHOUT_ROWS, "jsonl", "md", "csv")


def _option(*names: str, **settings: Any) -> click.Option:
    return click.Option(names, **settings)


def _count(least: int = 1, most: int | None = None) -> click.IntRange:
    return click.IntRange(least, most)


EVENINGS = _option("--evenings", is_flag=True, help="Print what each coalition opens by evening of its seizure, too.")
VERDICTS = _option("--verdicts", is_flag=True, help="Print the verdict of every cell, too, and what decided it.")


def plugin() -> click.Option:
    """Return the option that loads a file of a third party."""
    return _option("--plugin", "plugins", multiple=True, type=FILE, metavar="FILE.py", help="Load a plug-in.")


def names() -> list[click.Option]:
    """Return the options of commands that look up schemes or attacks."""
    return [
        plugin(),
        _option("--set", "settings", multiple=True, metavar="SCHEME.PARAM=VALUE", help="Change a scheme's parameter."),
    ]


def selection() -> list[click.Option]:
    """Return the options of commands that run over many schemes or attacks."""
    return [
        _option(
            "--only",
            multiple=True,
            metavar="GLOB",
            shell_complete=ENTRIES,
            help="Keep only the schemes, or attacks, whose name matches.",
        ),
        _option(
            "--skip",
            multiple=True,
            metavar="GLOB",
            shell_complete=ENTRIES,
            help="Leave out schemes and attacks whose name matches.",
        ),
    ]


def play() -> list[click.Option]:
    """Return the options of commands that play a scenario."""
    return [
        _option("--seed", type=_count(0, LARGEST_SEED), help="Use this seed instead of the published one."),
        _option("--users", type=_count(2), help="Number of users."),
        _option("--groups", type=_count(0), help="Number of groups."),
        _option("--days", type=_count(), help="Number of days."),
        _option("--messages", type=_count(), help="Number of texts."),
        _option("--work", type=_count(0, MOST_BITS), help="Count what at most 2^WORK guesses open.  [default: 60]"),
        _option("--smoke", is_flag=True, help="Use a small scenario, for a first look."),
        _option(
            "--warrants",
            type=click.Choice(["prospective", "retrospective"]),
            help="Serve every warrant on the first day that it covers, or on the day after the last.",
        ),
        _option(
            "--meetings",
            metavar="COUNT[@DAY]",
            help="Let COUNT pairs of users (or none, or all) compare safety numbers, on this day or on days drawn.",
        ),
        _option(
            "--scenario",
            "scenario_file",
            type=FILE,
            metavar="NAME|FILE",
            help=f"Play a scenario of the lab ({', '.join(shapes())}), or that of a file: "
            "FILE.toml as `init scenario` writes it, or FILE.json as in a result's manifest.",
        ),
    ]


def coalition(required: bool = False) -> click.Option:
    """Return the option that says whose state an adversary takes."""
    meaning = (
        "Whose state is taken: on that evening (agent-1@3, dealer@set-up), or on every evening. agent-* means several; "
        "network is implied."
    )
    return _option("--coalition", required=required, metavar="NAME[@DAY],…", help=meaning)


def jobs() -> list[click.Option]:
    """Return the options of commands that play many cells."""
    return [
        _option("--jobs", type=_count(), help="Number of processes; by default one for each core."),
        _option("--isolate", is_flag=True, help="Run the adversary in a separate process."),
        _option(
            "--strategies",
            type=click.Choice(["ends", "all", "narrowest"]),
            default="ends",
            help="Play these strategies of each attack. ends: the narrowest, the widest, and one between if the "
            "narrowest is noticed and reads less. all: every one. narrowest: that one alone.",
        ),
    ]


def policy() -> list[click.Option]:
    """Return the options of commands that judge cells."""
    return [
        _option(
            "--fail-on",
            type=click.Choice(["breach", "unexpected", "regression"]),
            help="Exit with 1 if there is such a cell. breach: any breach. unexpected: a breach that opens texts which "
            "stay closed in plain, or with texts overreached, forged, duplicated or framed. regression: one that is "
            "worse than in --baseline.",
        ),
        _option(
            "--baseline",
            type=FILE,
            metavar="FILE.json",
            help="A matrix of the same scenario; cells not played now count only if their scheme or attack is gone.",
        ),
    ]


def format_(rows: bool = True, drawn: Sequence[str] = ()) -> list[click.Option]:
    """Return the option of commands whose result is data; `rows` is False for a tree, which has no rows.

    `drawn` are forms that only this command's result has.
    """
    choice = click.Choice([*(FORMATS if rows else WITHOUT_ROWS), *drawn])
    meaning = (
        "jsonl and csv hold one record for each row of the result, json holds all of it; md is for people."
        if rows
        else None
    )
    usual = "table, or what the name of -o ends in"
    return [_option("--format", "format_", type=choice, default=None, show_default=usual, help=meaning)]


def _by_ending(output: str, options: Iterable[click.Parameter]) -> str:
    """Return the format that the name of a file ends in, if the command has it; a table otherwise."""
    ending = pathlib.Path(output).suffix.removeprefix(".")
    known = (each.type.choices for each in options if each.name == "format_" and isinstance(each.type, click.Choice))
    return ending if ending in next(known, ()) else "table"


def destination() -> list[click.Option]:
    """Return the options of commands whose result may be written to a file."""
    return [
        _option("-o", "output", default="-", metavar="FILE", help="Write to this file; - is stdout."),
        _option("--force", is_flag=True, help="Overwrite the file."),
    ]


def terminal() -> list[click.Option]:
    """Return the options of every command."""
    when = click.Choice(["auto", "always", "never"])
    return [
        _option("--quiet", is_flag=True, help="Print no notes and no progress on stderr."),
        _option("--no-progress", is_flag=True, help="Show no progress bar."),
        _option("--color", type=when, default="auto", help="When to write colours; auto means on a terminal."),
        _option("--debug", is_flag=True, help="Show the traceback of an error."),
    ]


def command(name: str, *groups: Sequence[click.Option], own: Sequence[click.Parameter] = ()) -> Callable[[Body], Any]:
    """Return a decorator that makes a body a click command: its own parameters first, then these shared options."""

    def mark(body: Body) -> click.Command:
        def callback(**given: Any) -> int:
            if given.get("format_", "table") is None:
                given["format_"] = _by_ending(given.get("output", ""), parameters)
            return run(body, given)

        parameters = [*own, *(option for group in (*groups, terminal()) for option in group)]
        said = inspect.getdoc(body) or ""
        brief = said.split("\n\n")[0]  # whole in a list of commands, where click would cut it off
        return click.Command(name, callback=callback, params=parameters, help=said, short_help=brief)

    return mark


def check_evenings(invocation: Invocation, coalition: str) -> None:
    """Raise UsageError if --coalition names an evening that the scenario does not have; the play checks the names."""
    days = invocation.scenario.days
    for evenings in re.findall(r"@(?:set-up)?([\d\s,-]*)", coalition):
        for evening in re.findall(r"\d+", evenings):
            if len(evening) > len(str(days)) or int(evening) >= days:
                raise click.UsageError(f"the evenings of the scenario are 0 to {days - 1}, not {evening}")
