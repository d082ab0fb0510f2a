"""Compares two matrices: verdicts, texts opened, shown, missed and lost, and alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import UNSET

from attacks.lab.comparison import texts
from attacks.lab.comparison.difference import (
    Change,
    Difference,
    Rows,
    Severity,
    count,
    differences,
    gone_or_new,
    same_play,
)
from attacks.lab.comparison.directions import directions, value
from attacks.lab.results.rows import row
from attacks.lab.results.types import Alarms, Cell, Matrix

WORSE = {
    each: number
    for number, each in enumerate(("HELD", "AS CLAIMED", "AS PLAIN", "CONCEDED", "OUTSIDE MODEL", "FAILS", "BREACH"))
}  # the verdicts over what was measured, in order
OTHERS = ("coalition", "services", "access.promise")  # what is no count, and is compared all the same


def compare(old: Matrix, new: Matrix) -> Iterator[Difference]:
    """Yield every difference. Raise NotComparable for another scenario, or other parameters of a scheme in both."""
    same_play(old.manifest, new.manifest)
    lost = list(_lost("scheme", old.manifest.schemes, new.manifest.schemes, old.cells))
    lost += _lost("attack", old.manifest.attacks, new.manifest.attacks, old.cells)
    gone = {each.row[0] for each in lost}
    yield from lost
    yield from cells([each for each in old.cells if not {each.scheme, each.attack} & gone], new.cells)


def _lost(what: str, old: Iterable[str], new: Iterable[str], played: Iterable[Cell]) -> Iterator[Difference]:
    """Yield one difference for a scheme or attack that is gone, and not one for each of its cells."""
    kept = set(new)
    counts = Counter(getattr(cell, what) for cell in played)
    for name in old:
        if name not in kept:
            said = "1 cell" if counts[name] == 1 else f"{counts[name]} cells"
            yield Difference(severity="regression", row=(name,), what=what, old=said, new=None)


def cells(old: Iterable[Cell], new: Iterable[Cell]) -> Iterator[Difference]:
    """Yield the differences of cells that were played alike."""
    before, after = _keyed(old), _keyed(new)
    yield from gone_or_new(_rows(before), _rows(after), "verdict")
    for key in before.keys() & after.keys():
        yield from differences(key, _changes(before[key], after[key]))


def _keyed(cells: Iterable[Cell]) -> dict[tuple[str, ...], Cell]:
    return {(cell.scheme, cell.attack): cell for cell in cells}


def _rows(cells: dict[tuple[str, ...], Cell]) -> Rows:
    return {key: row(cell) for key, cell in cells.items()}


def _changes(old: Cell, new: Cell) -> Iterator[Change]:
    if old.verdict != new.verdict:
        yield Change(_verdict(old.verdict, new.verdict), "verdict", old.verdict, new.verdict)
    if not (_measured(old) and _measured(new)):
        return
    changes = list(_counts(old, new))
    if old.texts is not UNSET and new.texts is not UNSET:
        changes = texts.with_lists(changes, old.texts, new.texts)
    yield from changes
    yield from _derived(old, new, {each.severity for each in changes})
    yield from alarms(old.alarms, new.alarms)


def _measured(cell: Cell) -> bool:
    """Return whether a cell has counts: also if a property of the scheme fails, so that nothing is concluded."""
    return cell.verdict in WORSE or (cell.verdict == "INCONCLUSIVE" and cell.sent > 0)


def _counts(old: Cell, new: Cell) -> Iterator[Change]:
    """Yield the changes of all counts, each by the direction in which its type says that it is worse."""
    before, after, declared = row(old), row(new), directions(Cell)
    opened_fewer = new.exposed.total < old.exposed.total or not old.exposed.total
    for name in before:
        if UNSET in (_field(old, name), _field(new, name)):
            continue  # a file that is older than the field
        worse = declared[name].worse if name in declared else ""
        if worse and not (worse == "fewer" and opened_fewer):
            yield from count(name, before[name], after[name], worse)
        elif (name in declared or name in OTHERS) and before[name] != after[name]:
            yield Change("changed", name, before[name], after[name])


def _field(cell: Cell, name: str) -> object:
    """Return the field of a cell that a column is part of."""
    return getattr(cell, name.partition(".")[0])


def _derived(old: Cell, new: Cell, told: set[Severity]) -> Iterator[Change]:
    """Yield the changes of counts that are derived from others, where no count of the cell has changed that way."""
    for name, (worse, derived) in directions(Cell).items():
        if derived and worse:
            changes = count(name, value(old, name), value(new, name), worse)
            yield from (each for each in changes if each.severity not in told)


def _verdict(old: str, new: str) -> Literal["regression", "improvement", "changed"]:
    """Return the severity: a regression is a new breach or failure, a worse verdict, or a verdict that is gone."""
    if new == "BREACH" or (new == "FAILS" and old not in WORSE) or (old in WORSE and new not in WORSE):
        return "regression"
    if old in WORSE and new in WORSE:
        return "regression" if WORSE[new] > WORSE[old] else "improvement"
    return "improvement" if new in WORSE and old != "NOT_APPLICABLE" else "changed"


def alarms(old: Iterable[Alarms], new: Iterable[Alarms]) -> Iterator[Change]:
    """Yield changes by honest check.

    Fewer complaints are worse; more may be better or false, so they are only "changed".
    """
    before, after = times(old), times(new)
    for check in before.keys() | after.keys():
        if before[check] != after[check]:
            yield Change(
                "regression" if after[check] < before[check] else "changed",
                f"alarms.{check}",
                before[check],
                after[check],
            )


def times(found: Iterable[Alarms]) -> Counter[str]:
    """Return how often each honest check complained, in all parties together."""
    counted: Counter[str] = Counter()
    for each in found:
        counted[each.check] += each.times
    return counted
