"""Where texts stand in a drawing: a square each, in a block for each day; where a day has too many, bars for them.

A square is 4 × 4, a block 5 squares wide, and blocks are 3 apart. Above `MOST` texts on a day a block has a bar for
each of three kinds of texts (covered by a warrant, others of the people whom one names, the rest): as wide as the
day's share of the kind, and filled as high as the share of it that is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from attacks.report.html.pictures import Layout

SIDE, ACROSS, GAP = 4, 5, 3
BLOCK = SIDE * ACROSS
STEP = BLOCK + GAP
MOST = 40


def height(layout: Layout) -> int:
    """Return how high a block is."""
    most = max(map(len, layout.days), default=0)
    return SIDE * -(-most // ACROSS) if 0 < most <= MOST else BLOCK


def filled(layout: Layout, days: Sequence[int], texts: Collection[int]) -> str:
    """Return the path that fills the places of these texts on these days, whose blocks stand in one row."""
    return "".join(
        f"M{_short(x)} {_short(y)}h{_short(wide)}v{_short(high)}h-{_short(wide)}z"
        for place, day in enumerate(days)
        for x, y, wide, high in _block(layout, day, texts, place * STEP)
    )


def grid(layout: Layout, days: Sequence[int]) -> str:
    """Return the path of the lines between squares; nothing where days are bars."""
    if crowded(layout):
        return ""
    lines = []
    for place, day in enumerate(days):
        rows = -(-len(layout.days[day]) // ACROSS)
        lines += [f"M{place * STEP + column * SIDE} 0v{rows * SIDE}" for column in range(1, ACROSS) if rows]
        lines += [f"M{place * STEP} {row * SIDE}h{BLOCK}" for row in range(1, rows)]
    return "".join(lines)


def outline(left: float, first: int, layout: Layout, day: int) -> str:
    """Return the path around the first so many texts of a day, whose block begins at `left`; nothing around none."""
    if not first:
        return ""
    if crowded(layout):
        return f"M{_short(left)} 0h{_short(BLOCK * first / len(layout.days[day]))}v{BLOCK}H{_short(left)}z"
    rows, more = divmod(first, ACROSS)
    if not rows:
        return f"M{_short(left)} 0h{more * SIDE}v{SIDE}H{_short(left)}z"
    step = f"h-{BLOCK - more * SIDE}v{SIDE}" if more else ""
    return f"M{_short(left)} 0h{BLOCK}v{rows * SIDE}{step}H{_short(left)}z"


def crowded(layout: Layout) -> bool:
    """Return whether a day has so many texts that bars stand for them."""
    return max(map(len, layout.days), default=0) > MOST


def _block(
    layout: Layout, day: int, texts: Collection[int], left: float
) -> Iterator[tuple[float, float, float, float]]:
    """Yield the rectangles (x, y, width, height) of these texts in a day's block."""
    if crowded(layout):
        yield from _bars(layout, day, texts, left)
        return
    places = [place for place, text in enumerate(layout.days[day]) if text in texts]
    for row, runs, rows in _alike(places):
        for first, last in runs:
            yield left + first * SIDE, row * SIDE, (last + 1 - first) * SIDE, rows * SIDE


def _bars(layout: Layout, day: int, texts: Collection[int], left: float) -> Iterator[tuple[float, float, float, float]]:
    of_day = layout.days[day]
    for _, kind in groupby(of_day, lambda text: (text in layout.covered, text in layout.named)):
        mine = tuple(kind)
        wide = BLOCK * len(mine) / len(of_day)
        if read := sum(text in texts for text in mine):
            high = BLOCK * read / len(mine)
            yield left, BLOCK - high, wide, high
        left += wide


def _alike(places: Iterable[int]) -> Iterator[tuple[int, tuple[tuple[int, int], ...], int]]:
    """Yield (the first row, its runs of squares, how many rows below each other have the same runs)."""
    rows = [(row, tuple(_runs([place % ACROSS for place in of_row]))) for row, of_row in _by_row(places)]
    for _, alike in groupby(enumerate(rows), lambda each: (each[1][0] - each[0], each[1][1])):
        found = [row for _, row in alike]
        yield found[0][0], found[0][1], len(found)


def _by_row(places: Iterable[int]) -> Iterator[tuple[int, list[int]]]:
    for row, of_row in groupby(sorted(places), lambda place: place // ACROSS):
        yield row, list(of_row)


def _runs(columns: Iterable[int]) -> Iterator[tuple[int, int]]:
    for _, run in groupby(enumerate(columns), lambda each: each[1] - each[0]):
        found = [column for _, column in run]
        yield found[0], found[-1]


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
