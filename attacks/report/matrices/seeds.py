"""The counts of a matrix over several seeds, as a table for each scheme."""

from __future__ import annotations

from itertools import groupby

from attacks.lab.runs.seeds import UNJUDGED, SeededCell, Sensitivity, Spread
from attacks.report.matrices.matrix import described
from attacks.report.page import Page, join

COLUMNS = ("", "verdicts", "opened", "over plain", "evaded", "alarms")


def draw_sensitivity(page: Page, result: Sensitivity) -> None:
    """Draw, by scheme, the median and range of what each attack opened. Attacks that never applied are left out."""
    seeds = result.seeds
    page.line(described(result.manifest.scenario))
    page.line(
        f"Played under {len(seeds)} seeds, {seeds[0]} to {seeds[-1]}. Texts: the median, and in brackets the least and "
        "the greatest where they differ."
    )
    for scheme, cells in groupby(result.cells, lambda cell: cell.scheme):
        rows = [_row(cell) for cell in cells if set(cell.verdicts) - UNJUDGED]
        if rows:
            page.gap()
            page.heading(scheme)
            page.table(COLUMNS, rows, numbers=(2, 3, 4, 5))


def _row(cell: SeededCell) -> tuple[str, ...]:
    given = cell.verdicts
    verdicts = join([name if len(given) == 1 else f"{times} {name}" for name, times in given.items()])
    counts = (cell.opened, cell.added_over_plain, cell.evaded, cell.alarms)
    return (cell.attack, verdicts, *map(in_brackets, counts))


def in_brackets(spread: Spread) -> str:
    """Return the median, and behind it the least and the greatest where they differ."""
    if spread.least == spread.most:
        return str(spread.median)
    return f"{spread.median} ({spread.least}–{spread.most})"
