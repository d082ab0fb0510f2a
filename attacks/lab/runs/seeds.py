"""How much the counts of a matrix depend on the seed: the same cells, played under several seeds in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from statistics import median_low
from typing import Annotated, Literal

import msgspec

from attacks.lab.results.bounds import Count, Result, once
from attacks.lab.results.types import Cell, Manifest, Matrix


class Spread(Result, frozen=True, kw_only=True):
    """The least, median and greatest of some counts. The median of an even number of counts is the lower one."""

    least: Count
    median: Count
    most: Count


class SeededCell(Result, frozen=True, kw_only=True):
    """One scheme under one attack over all seeds. Counts are of texts, but for `alarms`, the complaints.

    `verdicts` says how often each verdict was given. A seed under which the cell was not judged counts nowhere else.
    """

    scheme: str
    attack: str
    verdicts: dict[str, Count]
    sent: Spread
    opened: Spread
    excluded: Spread
    overreached: Spread
    evaded: Spread
    added_over_plain: Spread
    alarms: Spread


class Sensitivity(Result, frozen=True, kw_only=True):
    """The cells of a matrix over several seeds. `manifest` is that of the first seed."""

    schema: Literal["escrow-lab/sensitivity/1"] = "escrow-lab/sensitivity/1"
    manifest: Manifest
    seeds: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
    cells: tuple[SeededCell, ...]

    def __post_init__(self) -> None:
        """Raise ValueError if a seed or a cell appears twice."""
        once("the list of seeds", self.seeds)
        once("the list of cells", [(cell.scheme, cell.attack) for cell in self.cells])


COUNTS: dict[str, Callable[[Cell], int]] = {
    "sent": lambda cell: cell.sent,
    "opened": lambda cell: cell.exposed.total,
    "excluded": lambda cell: cell.excluded,
    "overreached": lambda cell: cell.overreached,
    "evaded": lambda cell: cell.evaded,
    "added_over_plain": lambda cell: cell.added_over_plain,
    "alarms": lambda cell: cell.complaints,
}
UNJUDGED = frozenset({"NOT_APPLICABLE", "TIMEOUT", "ERROR"})


def sensitivity(runs: Iterable[Matrix]) -> Sensitivity:
    """Return the spread of every cell's counts over runs that differ in their seed alone; at least one run."""
    matrices = list(runs)
    first = matrices[0].manifest
    by_place: dict[tuple[str, str], list[Cell]] = {}
    for each in matrices:
        for cell in each.cells:
            by_place.setdefault((cell.scheme, cell.attack), []).append(cell)
    return Sensitivity(
        manifest=first,
        seeds=tuple(each.manifest.scenario.seed for each in matrices),
        cells=tuple(_seeded(*place, cells) for place, cells in by_place.items()),
    )


def _seeded(scheme: str, attack: str, cells: list[Cell]) -> SeededCell:
    judged = [cell for cell in cells if cell.verdict not in UNJUDGED]
    return SeededCell(
        scheme=scheme,
        attack=attack,
        verdicts=dict(Counter(cell.verdict for cell in cells)),
        **{name: spread([count(cell) for cell in judged]) for name, count in COUNTS.items()},
    )


def spread(counts: list[int]) -> Spread:
    """Return the spread of these counts; all 0 if there are none."""
    return Spread(least=min(counts, default=0), median=median_low(counts or [0]), most=max(counts, default=0))
