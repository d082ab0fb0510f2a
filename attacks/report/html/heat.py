"""The map of attacks: each of them a row, schemes side by side, the colour by what opens beyond plain encryption."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.lab.results.types import Cell
from attacks.report.html.entries import EntryGroup, PageEntries, PageEntry
from attacks.report.html.words import number, texts
from attacks.report.matrices import grid

SHARES = (0.2, 0.4)  # of all texts, where the second and the third shade begin


@dataclass(frozen=True)
class CellTally:
    """What stands in the map for one cell, and in words. `kind` is its class, `missing` and `false` more numbers."""

    kind: str
    shown: str
    mark: str
    missing: int
    false: int
    lost: bool
    said: str


@dataclass(frozen=True)
class MapCell:
    """A cell of the map: its tally, and the run that it leads to, if it was played; "" where the file has no cell."""

    tally: CellTally
    run: str
    reason: str


@dataclass(frozen=True)
class MapRow:
    """An attack, and its cells scheme by scheme."""

    attack: PageEntry
    places: tuple[MapCell, ...]


@dataclass(frozen=True)
class MapGroup:
    """The attacks in which the same people cheat."""

    title: str
    rows: tuple[MapRow, ...]


def rows_of(
    entries: PageEntries, cells: dict[tuple[str, str], Cell], runs: dict[tuple[str, str], str]
) -> tuple[MapGroup, ...]:
    """Return the map. `runs` are the ids of the cells that have a section of their own."""
    return tuple(
        MapGroup(group.title, tuple(_row(attack, entries.schemes, cells, runs) for attack in group.entries))
        for group in entries.attacks
    )


def _row(
    attack: PageEntry,
    families: tuple[EntryGroup, ...],
    cells: dict[tuple[str, str], Cell],
    runs: dict[tuple[str, str], str],
) -> MapRow:
    places = []
    for scheme in (each for family in families for each in family.entries):
        key = scheme.name, attack.name
        cell = cells.get(key)
        reason = cell.reason if cell is not None and cell.verdict == "NOT_APPLICABLE" else ""
        places.append(MapCell(tally(cell, cells.get((grid.PLAIN, attack.name))), runs.get(key, ""), reason))
    return MapRow(attack, tuple(places))


def tally(cell: Cell | None, plain: Cell | None) -> CellTally:
    """Return what the map has for a cell, beside that of plain under the same attack; the text's grid has the same."""
    if cell is None:
        return CellTally("na", "", "", 0, 0, False, "not in this file")
    if cell.verdict == "NOT_APPLICABLE":
        return CellTally("na", "·", "", 0, 0, False, "does not apply")
    if cell.verdict in grid.UNTESTED and not cell.exposed.total:
        return CellTally("na", "?", "", 0, 0, False, "not known")
    mark, failed = grid.MARKS.get(cell.verdict, ""), grid.failed(cell)
    lost = cell.verdict == "FAILS" and not failed
    more = grid.over(cell, plain)
    kind, shown = _kind(cell, plain, failed), _shown(cell, more)
    return CellTally(kind, shown, mark, cell.unkept, grid.false(cell), lost, _said(cell, more, lost))


def _shown(cell: Cell, more: int | None) -> str:
    if more is None:
        return number(cell.exposed.total)
    if more:
        return f"+{number(more)}" if more > 0 else number(more)
    return "=" if cell.exposed.total else "0"


def beyond(cell: Cell, plain: Cell | None) -> int:
    """Return how many texts more than plain a cell opens, or fewer; an attack that plain is not open to opens none."""
    more = grid.over(cell, plain)
    return (0 if cell.scheme == grid.PLAIN else cell.exposed.total) if more is None else more


def _kind(cell: Cell, plain: Cell | None, failed: int) -> str:
    """Return the class of a cell: one of four shades for more than plain, and others."""
    more = beyond(cell, plain)
    if more > 0:
        return shade(more, cell.sent)
    if more < 0:
        return "less"
    if cell.scheme == grid.PLAIN and cell.exposed.total:
        return "base"
    return "miss" if failed else "same" if cell.exposed.total else "zero"


def shade(more: int, sent: int) -> str:
    """Return the class of so many texts beyond plain."""
    if more >= sent:
        return "k4"
    return f"k{1 + sum(more >= share * sent for share in SHARES)}"


def bins(sent: int) -> tuple[tuple[str, str], ...]:
    """Return the class of each shade, and its texts in words."""
    second, third = (-int(-share * sent // 1) for share in SHARES)
    return (
        ("k1", f"1–{number(second - 1)} more"),
        ("k2", f"{number(second)}–{number(third - 1)}"),
        ("k3", f"{number(third)}–{number(sent - 1)}"),
        ("k4", f"all {number(sent)}"),
    )


def _said(cell: Cell, more: int | None, lost: bool) -> str:
    """Return the tally in words."""
    if more is None:
        words = [f"{texts(cell.exposed.total)} opened"]
    elif more == 0:
        words = ["as many texts as under plain" if cell.exposed.total else "no text opened"]
    else:
        words = [f"{texts(abs(more))} {'more' if more > 0 else 'fewer'} than under plain"]
    if cell.excluded:
        words.append(f"the claim excludes {number(cell.excluded)}")
    if cell.unkept:
        words.append(f"{texts(cell.unkept)} that the lawful access fails to give")
    if false := grid.false(cell):
        words.append(f"{texts(false)} that somebody has wrong")
    if lost:
        words.append("texts do not arrive")
    return "; ".join(words)


__all__ = ["CellTally", "MapCell", "MapGroup", "MapRow", "bins", "rows_of", "shade", "tally"]
