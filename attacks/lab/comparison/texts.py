"""Which texts two cells, or two coalitions, list differently, beside their counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attacks.lab.comparison.difference import Change
from attacks.lab.comparison.directions import directions
from attacks.lab.results.details import LISTS, CellTexts, joined, packed, unpacked
from attacks.lab.results.types import Cell

LISTED = {count: name for name, count in LISTS.items() if name not in ("opened", "fabricated")}  # by their numbers


def with_lists(changes: Iterable[Change], old: CellTexts, new: CellTexts) -> list[Change]:
    """Return the changes of a cell's counts with the texts, and those of counts that stay the same but count others.

    What is opened is one change, in place of those by whose texts and when.
    """
    lists, opened = _listed(old, new), _opened(old, new)
    kept = [each for each in changes if not (opened and each.what.startswith("exposed."))]
    there = {each.what for each in kept}
    counted = [
        each._replace(more=more, fewer=fewer) for each in kept for more, fewer in [lists.get(each.what, ("", ""))]
    ]
    return [*opened, *counted, *(_others(name, old, *each) for name, each in lists.items() if name not in there)]


def _opened(old: CellTexts, new: CellTexts) -> list[Change]:
    """Return the change in what is opened: how many the coalitions open, and which texts any coalition of them does."""
    counts = len(unpacked(old.opened)), len(unpacked(new.opened))
    more, fewer = apart(old.reached, new.reached)
    if not (more or fewer or counts[0] != counts[1]):
        return []
    worse = bool(more) or counts[1] > counts[0]
    return [Change("regression" if worse else "improvement", "opened", *counts, more, fewer)]


def _listed(old: CellTexts, new: CellTexts) -> dict[str, tuple[str, str]]:
    """Return for each count of texts which of them are in the later cell alone, and which in the earlier alone."""
    return {name: apart(_ids(old, name), _ids(new, name)) for name in LISTED if _ids(old, name) != _ids(new, name)}


def _ids(cell: CellTexts, name: str) -> str:
    listed: str | dict[Any, str] = getattr(cell, LISTED[name])
    return listed if isinstance(listed, str) else joined(listed)


def apart(old: str, new: str) -> tuple[str, str]:
    """Return the texts that stand in the later list alone, and in the earlier alone."""
    return packed(unpacked(new) - unpacked(old)), packed(unpacked(old) - unpacked(new))


def _others(name: str, old: CellTexts, more: str, fewer: str) -> Change:
    """Return the change of a count that stayed the same, but counts other texts: more of what is bad is worse."""
    count = len(unpacked(_ids(old, name)))
    return Change("regression" if directions(Cell)[name].worse else "changed", name, count, count, more, fewer)
