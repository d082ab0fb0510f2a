"""What each scheme gives and costs beside its verdicts, over all attacks: read off the cells, nothing typed by hand.

Every play in which nobody misbehaves has the same lawful path, so the least disturbed cell tells what that path gives
by itself; an attack that makes it give more, or miss more, stands by name beside it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from attacks.lab.results.types import Cell, Matrix
from attacks.report.page import Page, counted, join

JUDGED = ("BREACH", "FAILS", "OUTSIDE MODEL", "CONCEDED", "AS PLAIN", "AS CLAIMED", "HELD")


class Worst(NamedTuple):
    """How many texts, and the attacks under which it is reached; none of them where the count is 0."""

    texts: int
    attacks: tuple[str, ...]


Complaints = dict[str, dict[str, int]]  # honest check -> attack -> how often


class SchemeScore(NamedTuple):
    """One scheme over all its cells that were judged. Counts are of texts, but for the two of alarms.

    `unpromised` counts evaded texts that the claim does not promise: of a wiretap those that were sent before a warrant
    was served.

    `honest_alarms` are those of the play in which nobody misbehaves: false ones, or the lawful access noticed. `alarms`
    are those that an attack adds to them.
    """

    scheme: str
    entitled: int
    lawful: int
    overreached: int
    evaded: int
    unpromised: int
    most_overreached: Worst
    most_evaded: Worst
    most_framed: Worst
    added_over_plain: Worst
    honest_alarms: dict[str, int]
    alarms: Complaints


def rows(matrix: Matrix) -> list[SchemeScore]:
    """Return one row for each scheme that has a judged cell, in the matrix's order."""
    by_scheme: dict[str, list[Cell]] = defaultdict(list)
    for cell in matrix.cells:
        if cell.verdict in JUDGED:
            by_scheme[cell.scheme].append(cell)
    return [_row(name, by_scheme[name]) for name in matrix.manifest.schemes if name in by_scheme]


def _row(scheme: str, cells: Sequence[Cell]) -> SchemeScore:
    calm = min(cells, key=_disturbance)
    return SchemeScore(
        scheme,
        entitled=calm.entitled,
        lawful=calm.lawful,
        overreached=calm.overreached,
        evaded=calm.evaded,
        unpromised=calm.evaded - calm.unkept,
        most_overreached=_worst([(cell.overreached, cell.attack) for cell in cells]),
        most_evaded=_worst([(cell.evaded, cell.attack) for cell in cells]),
        most_framed=_worst([(cell.framed, cell.attack) for cell in cells]),
        added_over_plain=_worst([(cell.added_over_plain, cell.attack) for cell in cells]),
        honest_alarms=dict(_times(calm)),
        alarms=_complaints(cells, _times(calm)),
    )


def _disturbance(cell: Cell) -> int:
    texts = cell.overreached + cell.evaded + cell.lost + cell.forged + cell.duplicated + cell.framed
    return texts + sum(raised.times for raised in cell.alarms)


def _times(cell: Cell) -> Counter[str]:
    """Return how often each honest check complained."""
    times: Counter[str] = Counter()
    for raised in cell.alarms:
        times[raised.check] += raised.times
    return times


def _complaints(cells: Sequence[Cell], usual: Counter[str]) -> Complaints:
    found: Complaints = {}
    for cell in cells:
        for check, times in (_times(cell) - usual).items():
            found.setdefault(check, {})[cell.attack] = times
    return found


def _worst(counted: Sequence[tuple[int, str]]) -> Worst:
    most = max(count for count, _ in counted)
    return Worst(most, tuple(attack for count, attack in counted if count == most) if most > 0 else ())


def draw(page: Page, matrix: Matrix) -> None:
    """Draw the lawful path in numbers, then what attacks change of it and which checks complained, by scheme."""
    found = rows(matrix)
    if not found:
        return
    page.heading("The lawful path, nobody corrupted (texts)")
    counts = [(row.entitled, row.lawful, row.overreached, row.evaded, row.unpromised) for row in found]
    numbers = [(row.scheme, *map(str, each)) for row, each in zip(found, counts, strict=True)]
    page.table(("scheme", "entitled", "lawful", "overreached", "evaded", "of them not promised"), numbers, range(1, 6))
    page.gap()
    page.heading("Under attack")
    for row in found:
        page.line(row.scheme, indent=2)
        _draw_attacked(page, row)


def _draw_attacked(page: Page, row: SchemeScore) -> None:
    said = [("over plain", _said(row.added_over_plain))]
    if row.most_overreached.texts > row.overreached:
        said.append(("overreached", _said(row.most_overreached)))
    if row.most_evaded.texts > row.evaded:
        said.append(("evaded", _said(row.most_evaded)))
    if row.most_framed.texts:
        said.append(("framed", _said(row.most_framed)))
    under = {check: join([f"{attack} {times}" for attack, times in each.items()]) for check, each in row.alarms.items()}
    said += [("alarm", f"{check}: {attacks}") for check, attacks in under.items()] or [("alarm", "none")]
    said += [("unprovoked", f"{check}: {times} with nobody corrupted") for check, times in row.honest_alarms.items()]
    page.fields(said, indent=4)


def _said(worst: Worst) -> str:
    return f"{counted(worst.texts, 'text')} under {join(worst.attacks)}" if worst.texts > 0 else "0 texts"
