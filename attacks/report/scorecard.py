"""What each scheme gives and costs beside its verdicts, over all attacks: read off the cells, nothing typed by hand.

Every play in which nobody misbehaves has the same lawful path, so the least disturbed cell tells what that path gives
by itself; an attack that makes it give more, or miss more, stands by name beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from attacks.lab.results import Alarms, Cell, Matrix
from attacks.report.page import Page, join

JUDGED = ("BREACH", "AS CLAIMED", "HELD")


class Worst(NamedTuple):
    """How many texts, and the attacks under which it is reached; none of them where the count is 0."""

    texts: int
    attacks: tuple[str, ...]


class Row(NamedTuple):
    """One scheme over all its cells that were judged. Counts are of texts."""

    scheme: str
    entitled: int
    lawful: int
    overreached: int
    evaded: int
    most_overreached: Worst
    most_evaded: Worst
    added_over_plain: Worst
    alarms: tuple[tuple[str, Alarms], ...]


def rows(matrix: Matrix) -> list[Row]:
    """One row for each scheme that has a judged cell, in the matrix's order."""
    by_scheme: dict[str, list[Cell]] = defaultdict(list)
    for cell in matrix.cells:
        if cell.verdict in JUDGED:
            by_scheme[cell.scheme].append(cell)
    return [_row(name, by_scheme[name]) for name in matrix.manifest.schemes if name in by_scheme]


def _row(scheme: str, cells: Sequence[Cell]) -> Row:
    calm = min(cells, key=_disturbance)
    return Row(
        scheme,
        entitled=calm.entitled,
        lawful=calm.lawful,
        overreached=calm.overreached,
        evaded=calm.evaded,
        most_overreached=_worst([(cell.overreached, cell.attack) for cell in cells]),
        most_evaded=_worst([(cell.evaded, cell.attack) for cell in cells]),
        added_over_plain=_worst([(cell.added_over_plain, cell.attack) for cell in cells]),
        alarms=tuple((cell.attack, raised) for cell in cells for raised in cell.alarms),
    )


def _disturbance(cell: Cell) -> int:
    texts = cell.overreached + cell.evaded + cell.lost + cell.forged + cell.duplicated
    return texts + sum(raised.times for raised in cell.alarms)


def _worst(counted: Sequence[tuple[int, str]]) -> Worst:
    most = max(count for count, _ in counted)
    return Worst(most, tuple(attack for count, attack in counted if count == most) if most > 0 else ())


def draw(page: Page, matrix: Matrix) -> None:
    """The lawful path in numbers, then by scheme what attacks make of it and which honest check complained."""
    found = rows(matrix)
    if not found:
        return
    page.heading("The lawful path, nobody corrupted (texts)")
    numbers = [(row.scheme, str(row.entitled), str(row.lawful), str(row.overreached), str(row.evaded)) for row in found]
    page.table(("scheme", "entitled", "lawful", "overreached", "evaded"), numbers, (1, 2, 3, 4))
    page.gap()
    page.heading("Under attack")
    for row in found:
        page.line(row.scheme, indent=2)
        _draw_attacked(page, row)


def _draw_attacked(page: Page, row: Row) -> None:
    said = [("over plain", _said(row.added_over_plain))]
    if row.most_overreached.texts > row.overreached:
        said.append(("overreached", _said(row.most_overreached)))
    if row.most_evaded.texts > row.evaded:
        said.append(("evaded", _said(row.most_evaded)))
    said.append(("alarms", _alarmed(row.alarms)))
    page.fields(said, indent=4)


def _said(worst: Worst) -> str:
    return f"{worst.texts} texts under {join(worst.attacks)}" if worst.texts > 0 else "0 texts"


def _alarmed(alarms: Sequence[tuple[str, Alarms]]) -> str:
    """By honest check: how often under which attack."""
    times: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for attack, raised in alarms:
        times[raised.check][attack] += raised.times
    counted = {check: join([f"{attack} {count}" for attack, count in each.items()]) for check, each in times.items()}
    return "; ".join(f"{check} ({under})" for check, under in counted.items()) or "none"
