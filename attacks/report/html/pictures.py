"""What the drawings of attacks.report.svg show, as plain data: where each text stands, and what happens to it when.

A text stands at the same place in every drawing of a page: in the block of its day, covered texts first, then others of
the people whom a warrant names, then the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, NamedTuple

from msgspec import UNSET

from attacks.lab.results.details import ScenarioTexts, StateTaken, joined, unpacked
from attacks.lab.results.types import Alarms, Cell
from attacks.lab.simulation.scenario import Scenario

Who = Literal["law", "other"]


class Layout(NamedTuple):
    """The texts of each day in the order of their places, those that a warrant covers, and the others of its people.

    A drawing of the law outlines the `covered` texts. `days` holds every text once.
    """

    days: tuple[tuple[int, ...], ...]
    covered: frozenset[int]
    named: frozenset[int]


class Strip(NamedTuple):
    """The texts that somebody reads: the law (blue, covered texts are outlined) or somebody else (vermilion)."""

    who: Who
    texts: frozenset[int]


class Timeline(NamedTuple):
    """One cell over the days: what its coalition reads, above what the law reads; each None if there is no such part.

    `taken` says when states are taken (filled mark, hollow on the evenings `or_on`) or parties taken over (bar);
    `alarms` counts by day; `first_days`: by the day on which a check first complained, since the file says no more.
    """

    coalition: Strip | None
    law: Strip | None
    taken: tuple[StateTaken, ...]
    alarms: dict[int, int]
    first_days: bool = False


def layout(scenario: Scenario, texts: ScenarioTexts) -> Layout:
    """Return where the texts of a scenario stand."""
    covered = frozenset[int]().union(*map(unpacked, texts.covered))
    targets = set(scenario.targets)
    named = frozenset(
        said.id for said in scenario.texts() if not targets.isdisjoint(scenario.people(said)) and said.id not in covered
    )

    def place(number: int) -> tuple[int, int]:
        return (0 if number in covered else 1 if number in named else 2), number

    days = tuple(tuple(sorted(unpacked(day), key=place)) for day in texts.days)
    return Layout(days, covered, named)


def timeline(cell: Cell) -> Timeline | None:
    """Return what happens in a cell over the days; None if its file does not say it, or nobody reads anything."""
    if cell.texts is UNSET or not (cell.texts.opened or cell.texts.lawful):
        return None
    return Timeline(
        coalition=Strip("other", unpacked(cell.texts.opened)) if cell.texts.opened else None,
        law=Strip("law", unpacked(joined(cell.texts.lawful))) if cell.texts.lawful else None,
        taken=() if cell.taken is UNSET else cell.taken,
        alarms=alarms_by_day(cell.alarms),
        first_days=any(raised.days is UNSET for raised in cell.alarms),
    )


def alarms_by_day(raised: Iterable[Alarms]) -> dict[int, int]:
    """Return how many alarms there are on each day; all of a check on its first day, where a file says no other."""
    counts = Counter[int]()
    for each in raised:
        counts += Counter(
            {each.first_day: each.times}
            if each.days is UNSET
            else {int(day): times for day, times in each.days.times.items()}
        )
    return dict(sorted(counts.items()))
