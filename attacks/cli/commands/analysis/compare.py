"""`escrow-lab compare`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from attacks.cli.exit_codes import NOT_MET, OK, CannotCompare
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import FILE, command, destination, format_
from attacks.lab.comparison import files
from attacks.lab.results.errors import NotComparable
from attacks.report.comparison import draw_comparison

OWN = [
    click.Argument(["old"], type=FILE),
    click.Argument(["new"], type=FILE),
    click.Option(
        ["--tolerance"],
        type=click.IntRange(0),
        default=25,
        show_default=True,
        metavar="PERCENT",
        help="By how much a ratio of times may grow.",
    ),
]


@command("compare", format_(), destination(), own=OWN)
def compare_command(invocation: Invocation, old: Path, new: Path, tolerance: int) -> CommandResult:
    """Compare two runs of one kind: what became worse, what became better, what is new and what is gone.

    OLD and NEW are what `matrix`, `anatomy` and `bench` write as json, `matrix --resume` in its FILE, or `pytest
    --benchmark-json`. The exit code is 1 if anything became worse: a verdict, a count of texts, operations or bytes, a
    ratio of times beyond the tolerance, or a row that is gone.
    """
    runs = files.read(old), files.read(new)
    try:
        found = files.compare(*runs, tolerance)
    except NotComparable as error:
        raise CannotCompare(f"{old} and {new} cannot be compared: {error}") from None
    return CommandResult(
        partial(draw_comparison, comparison=found), found, NOT_MET if found.regressions else OK, people=True
    )
