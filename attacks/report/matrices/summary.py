"""A few questions that are put to every scheme, each answered by one number out of the cells: README's table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from attacks import registry
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.simulation.attack import Attack, Column
from attacks.report.page import Page

NOT_ASKED = "–"  # no attack behind the column applies


def columns(attacks: Iterable[Attack]) -> list[tuple[Column, list[str]]]:
    """Return the columns that these attacks declare themselves, each with the names of the attacks behind it."""
    found: dict[Column, list[str]] = {}
    for attack in attacks:
        if (column := vars(type(attack)).get("column")) is not None:
            found.setdefault(column, []).append(attack.name)
    return sorted(found.items(), key=lambda each: each[0].place)


def draw_summary(page: Page, matrix: Matrix) -> None:
    """Draw one row a scheme. A column stands there if all attacks behind it were played."""
    played = set(matrix.manifest.attacks)
    shown = [(column, names) for column, names in columns(registry.attacks().values()) if played.issuperset(names)]
    if not shown:
        return
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    rows = [
        [scheme, *(figure(column, [cells[scheme, name] for name in names]) for column, names in shown)]
        for scheme in matrix.manifest.schemes
    ]
    page.gap()
    page.table(["", *(column.title for column, _ in shown)], rows)


def figure(column: Column, cells: Sequence[Cell]) -> str:
    """Return the largest figure of the attacks that apply, and whose keys gave it where the column says so."""
    most = largest(column, cells)
    if most is None:
        return NOT_ASKED
    counted = count(column, most)
    return f"{counted} ({most.whose})" if column.by_whom and counted else str(counted)


def largest(column: Column, cells: Sequence[Cell]) -> Cell | None:
    """Return the cell with the largest figure, of those whose attack applies; None if none does."""
    played = (cell for cell in cells if cell.verdict != "NOT_APPLICABLE")
    return max(played, key=lambda cell: count(column, cell), default=None)


def count(column: Column, cell: Cell) -> int:
    """Return the figure of a cell that a column shows."""
    found: int = attrgetter(column.figure)(cell)
    return found
