"""A few questions that are put to every scheme, each answered by one figure out of the cells: README's table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from msgspec import UNSET

from attacks import registry
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.simulation.attack import Attack, Column
from attacks.report.matrices import grid
from attacks.report.page import Page, join

NOT_ASKED = "–"  # no attack behind the column applies


class SummaryFigure(NamedTuple):
    """The smallest figure that is not 0, where a column asks for it, and the largest; None: no attack applies."""

    least: int | None
    most: int | None

    def __str__(self) -> str:
        """Return it in a table: "11–67", or one number."""
        if self.most is None:
            return NOT_ASKED
        return f"{self.least}–{self.most}" if self.least is not None and self.least < self.most else str(self.most)


def columns(attacks: Iterable[Attack]) -> list[tuple[Column, list[str]]]:
    """Return the columns that these attacks declare themselves, each with the names of the attacks behind it."""
    found: dict[Column, list[str]] = {}
    for attack in attacks:
        declared = vars(type(attack)).get("column") or ()
        for column in (declared,) if isinstance(declared, Column) else declared:
            found.setdefault(column, []).append(attack.name)
    return sorted(found.items(), key=lambda each: each[0].place)


def draw_summary(page: Page, matrix: Matrix) -> None:
    """Draw a row for each column whose attacks were all played, the schemes side by side; then who opens the most."""
    played = set(matrix.manifest.attacks)
    shown = [(column, names) for column, names in columns(registry.attacks().values()) if played.issuperset(names)]
    if not shown:
        return
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    schemes = matrix.manifest.schemes
    for block in grid.dealt(schemes, max(1, (page.width - grid.NAME) // (grid.WIDE + 1))):
        page.gap()
        width = grid.room(page, block, [title(column, cells.values()) for column, _ in shown])
        rows = [
            [page.fit(title(column, cells.values()), width), *(_narrow(page, each) for each in row)]
            for column, row in answers(shown, cells, block)
        ]
        page.grid(block, rows, width, grid.WIDE)
    for line in whose(shown, cells, schemes):
        page.line(line)


def answers(
    shown: Sequence[tuple[Column, Sequence[str]]], cells: Mapping[tuple[str, str], Cell], schemes: Sequence[str]
) -> list[tuple[Column, list[SummaryFigure]]]:
    """Return each column with its figure of every scheme. Raise KeyError if a cell of them is not there."""
    return [
        (column, [figure(column, [cells[scheme, name] for name in names]) for scheme in schemes])
        for column, names in shown
    ]


def title(column: Column, cells: Iterable[Cell]) -> str:
    """Return a column's title; if it counts what the law reads, with the number of texts that warrants cover."""
    covered = {cell.entitled for cell in cells if cell.sent}
    return f"{column.title}, of {covered.pop()}" if column.figure == "lawful" and len(covered) == 1 else column.title


def _narrow(page: Page, found: SummaryFigure) -> str:
    """Return a figure for the width that a scheme has."""
    said = str(found)
    return said if len(said) <= grid.WIDE or page.folds else said.replace("–", "–\n")


def whose(
    shown: Sequence[tuple[Column, Sequence[str]]], cells: Mapping[tuple[str, str], Cell], schemes: Sequence[str]
) -> list[str]:
    """Return for each column that asks for it the smallest coalitions that give its figures, in one sentence."""
    said = []
    for column, names in shown:
        by: dict[str, list[str]] = {}
        for scheme in schemes if column.by_whom else ():
            most = largest(column, [cells[scheme, name] for name in names])
            if most is not None and count(column.figure, most):
                by.setdefault(most.whose, []).append(scheme)
        if by:
            found = "; ".join(f"{who} ({join(under)})" for who, under in by.items())
            said.append(f"Smallest coalition, {column.title}: {found}.")
    return said


def figure(column: Column, cells: Sequence[Cell]) -> SummaryFigure:
    """Return the figure of a column, of the attacks that apply."""
    most = largest(column, cells)
    if most is None:
        return SummaryFigure(None, None)
    fewest = [count(column.least, cell) for cell in cells if cell.verdict != "NOT_APPLICABLE"] if column.least else []
    return SummaryFigure(min(filter(None, fewest), default=None), count(column.figure, most))


def largest(column: Column, cells: Sequence[Cell]) -> Cell | None:
    """Return the cell with the largest figure, of those whose attack applies; None if none does."""
    played = (cell for cell in cells if cell.verdict != "NOT_APPLICABLE")
    return max(played, key=lambda cell: count(column.figure, cell), default=None)


def count(name: str, cell: Cell) -> int:
    """Return a field of a cell by its dotted name; 0 where the cell does not say it."""
    outer, _, inner = name.partition(".")
    value = getattr(cell, outer)
    if value is None or value is UNSET:
        return 0
    found: int = attrgetter(inner)(value) if inner else value
    return found
