"""Strips: every text of a scenario as a square, filled where somebody reads it; ten days a row."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from attacks.report.html.pictures import Layout, Strip
from attacks.report.page import counted
from attacks.report.svg.elements import element, path, picture, together, use
from attacks.report.svg.squares import BLOCK, GAP, STEP, crowded, filled, grid, height, outline

ROW, HALF = 10, 5  # days in a row of a strip, and of a timeline
FILL = {"law": "law", "other": "oth"}


def definitions(layout: Layout) -> Markup:
    """Return what all strips and timelines of a page share, which must stand in the page once, before them."""
    shared = [
        shape
        for name, days in (*_named(layout, "row", ROW), *_named(layout, "half", HALF))
        for shape in (
            element("path", id=f"{name}-off", d=filled(layout, days, range(sum(map(len, layout.days))))),
            element("path", id=f"{name}-grid", d=grid(layout, days)),
            element("path", id=f"{name}-ring", d=_ring(layout, days)),
        )
    ]
    shared += [element("g", *_labels(days), id=f"{name}-days") for name, days in halves(layout)]
    return element("svg", element("defs", *shared), width=0, height=0, class_="defs", aria_hidden="true")


def strip(layout: Layout, shown: Strip) -> Markup:
    """Return a strip; that of the law outlines the texts that a warrant covers."""
    down = height(layout) + GAP
    rows = []
    for number, (name, days) in enumerate(_named(layout, "row", ROW)):
        drawn = squares(layout, shown, name, days, outlined=shown.who == "law")
        rows.append(element("g", drawn, transform=f"translate(0 {number * down})") if number else drawn)
    wide = STEP * min(ROW, len(layout.days)) - GAP
    return picture(in_words(layout, shown), wide, down * len(rows) - GAP, *rows, class_="strip")


def meaning(layout: Layout) -> str:
    """Return what the squares or bars of a strip are, as a sentence."""
    if not crowded(layout):
        return "One block a day, one square a text, in the same place in every strip."
    kinds = "texts that a warrant covers, others of the people whom one names, the rest"
    return f"One block a day; in it bars, from the left {kinds}: as wide as there are such texts, as high as are read."


def squares(layout: Layout, shown: Strip, name: str, days: range, *, outlined: bool) -> Markup:
    """Return the blocks of these days in one row; `name` is that of what `definitions` defines for it."""
    return together(
        use(f"{name}-off", "off"),
        path(filled(layout, days, shown.texts), FILL[shown.who]),
        use(f"{name}-grid", "grid"),
        use(f"{name}-ring", "ring") if outlined else "",
    )


def halves(layout: Layout) -> Iterator[tuple[str, range]]:
    """Yield the rows of a timeline: the name of what is defined for each, and its days."""
    return _named(layout, "half", HALF)


def in_words(layout: Layout, shown: Strip) -> str:
    """Return how many texts a strip shows as read."""
    covered = len(shown.texts & layout.covered)
    if shown.who == "other":
        beside = f", {covered} of them covered by a warrant" if layout.covered else ""
        return f"{len(shown.texts)} of {counted(sum(map(len, layout.days)), 'text')}{beside}"
    more = len(shown.texts) - covered
    beside = f", and {more} that no warrant covers" if more else ""
    return f"the law reads {covered} of {counted(len(layout.covered), 'covered text')}{beside}"


def _named(layout: Layout, name: str, most: int) -> Iterator[tuple[str, range]]:
    for first in range(0, len(layout.days), most):
        yield f"{name}-{first}", range(first, min(first + most, len(layout.days)))


def _labels(days: range) -> Iterator[Markup]:
    for place, day in enumerate(days):
        yield element("text", f"day {day}", x=place * STEP + BLOCK / 2, y=4.6, class_="day")


def _ring(layout: Layout, days: range) -> str:
    """Return the outline of the covered texts, which stand first in each block."""
    return "".join(
        outline(place * STEP, sum(text in layout.covered for text in layout.days[day]), layout, day)
        for place, day in enumerate(days)
    )
