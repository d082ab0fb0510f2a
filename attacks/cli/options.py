"""The options that commands share, in groups, and how a command's body becomes a click command.

A body takes a Job (attacks.cli.job), which knows the shared options, and its own arguments; it returns an Answer.
"""

from __future__ import annotations

import inspect
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import click

Body = Callable[..., Any]

LARGEST_SEED = 2**63 - 1  # what fits a JSON integer everywhere
FILE = click.Path(path_type=pathlib.Path)
WITHOUT_ROWS = ("table", "json")
FORMATS = (*WITHOUT_ROWS, "jsonl", "md", "csv")


def _option(*names: str, **settings: Any) -> click.Option:
    return click.Option(names, **settings)


def _count(least: int = 1, most: int | None = None) -> click.IntRange:
    return click.IntRange(least, most)


def names() -> list[click.Option]:
    """For commands that look schemes or attacks up."""
    return [
        _option("--plugin", "plugins", multiple=True, type=FILE, metavar="FILE.py", help="Load a plug-in."),
        _option("--set", "settings", multiple=True, metavar="SCHEME.PARAM=VALUE", help="Change a scheme's parameter."),
    ]


def selection() -> list[click.Option]:
    """For commands over many schemes or attacks."""
    each = "Schemes and attacks of these names"
    return [
        _option("--only", multiple=True, metavar="GLOB", help=f"{each} only; narrows the list that it fits."),
        _option("--skip", multiple=True, metavar="GLOB", help=f"{each} are left out."),
    ]


def play() -> list[click.Option]:
    """For commands that play a scenario."""
    return [
        _option("--seed", type=_count(0, LARGEST_SEED), help="Another seed than the published one."),
        _option("--users", type=_count(2), help="How many users."),
        _option("--groups", type=_count(0), help="How many groups."),
        _option("--days", type=_count(), help="How many days."),
        _option("--messages", type=_count(), help="How many texts."),
        _option("--smoke", is_flag=True, help="A small scenario, for a first look."),
        _option(
            "--scenario", "scenario_file", type=FILE, metavar="FILE.json", help="A scenario, as in a result's manifest."
        ),
    ]


def coalition(required: bool = False) -> click.Option:
    """Whose state an adversary takes."""
    meaning = "Whose state is taken: on that evening, or on every one. agent-* fits several; network is implied."
    return _option("--coalition", required=required, metavar="NAME[@DAY],…", help=meaning)


def jobs() -> list[click.Option]:
    """For commands that play many cells."""
    return [
        _option("--jobs", type=_count(), help="Processes at once; as many as there are cores, if not given."),
        _option("--isolate", is_flag=True, help="Run the adversary in a process of its own."),
    ]


def policy() -> list[click.Option]:
    """For commands that judge."""
    return [
        _option(
            "--fail-on",
            type=click.Choice(["breach", "unexpected", "regression"]),
            help="Exit with 1 for a breach; for an unexpected one, which opens texts that are closed in plain, or by "
            "which texts are overreached, forged, duplicated or framed; or for a cell worse than in --baseline.",
        ),
        _option(
            "--baseline",
            type=FILE,
            metavar="FILE.json",
            help="A matrix of the same scenario; what was not played now is left out, unless it is there no more.",
        ),
    ]


def format_(rows: bool = True) -> list[click.Option]:
    """For commands whose result is data, in rows or, as a tree is, in none."""
    choice = click.Choice(FORMATS if rows else WITHOUT_ROWS)
    meaning = "jsonl, md and csv hold the result's rows, a record each; json all of it." if rows else None
    return [_option("--format", "format_", type=choice, default="table", show_default=True, help=meaning)]


def destination() -> list[click.Option]:
    """For commands whose result may go to a file."""
    return [
        _option("-o", "output", default="-", metavar="FILE", help="Write to a file; - is stdout."),
        _option("--force", is_flag=True, help="Overwrite the file."),
    ]


def terminal() -> list[click.Option]:
    """For every command."""
    when = click.Choice(["auto", "always", "never"])
    return [
        _option("--quiet", is_flag=True, help="No notes and no progress on stderr."),
        _option("--no-progress", is_flag=True, help="No progress bar."),
        _option("--color", type=when, default="auto", help="Colours: on a terminal, always or never."),
        _option("--debug", is_flag=True, help="Show the traceback of an error."),
    ]


def command(name: str, *groups: Sequence[click.Option], own: Sequence[click.Parameter] = ()) -> Callable[[Body], Any]:
    """Make a body a click command: its own parameters first, then these groups of shared options."""

    def mark(body: Body) -> click.Command:
        def run(**given: Any) -> int:
            from attacks.cli.job import run

            return run(body, given)

        parameters = [*own, *(option for group in (*groups, terminal()) for option in group)]
        return click.Command(name, callback=run, params=parameters, help=inspect.getdoc(body))

    return mark
