"""Two runs beside each other."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attacks.cli.options import FILE, command, destination, format_

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job

RUNS = [
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


@command("compare", format_(), destination(), own=RUNS)
def compare_command(job: Job, old: Path, new: Path, tolerance: int) -> Answer:
    """Compare two runs of one kind: what got worse, what got better, what is new and what is gone.

    OLD and NEW are what `matrix`, `anatomy` and `bench` write as json, `matrix --resume` in its FILE, or `pytest
    --benchmark-json`. Exits with 1 if anything got worse: a verdict, a count of texts, operations or bytes, a ratio of
    times beyond the tolerance, or a row that is gone.
    """
    from attacks.cli.exit_codes import NOT_MET, OK, CannotCompare
    from attacks.cli.job import Answer
    from attacks.lab.comparison import files
    from attacks.report.comparison import draw_comparison

    runs = files.read(old), files.read(new)
    try:
        found = files.compare(*runs, tolerance)
    except files.NotComparable as error:
        raise CannotCompare(f"{old} and {new} cannot be compared: {error}") from None
    return Answer(partial(draw_comparison, comparison=found), found, NOT_MET if found.regressions else OK)
