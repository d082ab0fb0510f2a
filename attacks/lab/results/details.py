"""What a matrix says of single texts: which are opened, missed or fabricated, when states are taken, and how one opens.

Texts stand by their numbers in the scenario, from 0 in the order in which they are sent, as ranges: "0-4,7" are the
texts 0 to 4 and 7, and "" is none. `ScenarioTexts` says on which day each is sent, by whom and in which conversation.
Evenings are keys as in an anatomy: "set-up", "0", "1" …; a field that is empty may be left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec

from attacks.lab.results.bounds import Count, Evening, Result
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.content import InGroup, direct

_RANGE = r"(0|[1-9][0-9]{0,6})(-[1-9][0-9]{0,6})?"
Ids = Annotated[str, msgspec.Meta(pattern=rf"^({_RANGE}(,{_RANGE})*)?$")]
_DAY = "(0|[1-9][0-9]{0,2}|1000)"  # a play has no more evenings (attacks.lab.adversary.timing)
_EVENINGS = rf"(set-up|{_DAY}(-{_DAY})?)"
Evenings = Annotated[str, msgspec.Meta(pattern=rf"^({_EVENINGS}(,{_EVENINGS})*)?$")]
WhyMissed = Literal[
    "corrupted sender",
    "other corrupted party",
    "packet lost",
    "sent before the warrant",
    "missed without the attack",
    "unknown",
]
MOST_STEPS = 40  # of a derivation
LISTS = {  # which count of a cell counts the texts that a field of CellTexts lists
    "opened": "exposed.total",
    "excluded": "excluded",
    "over_plain": "added_over_plain",
    "beyond": "beyond",
    "lawful": "lawful",
    "overreached": "overreached",
    "missed": "evaded",
    "unkept": "unkept",
    "misattributed": "misattributed",
    "framed": "framed",
    "fabricated": "fabricated",
}


def packed(ids: Iterable[int]) -> str:
    """Return the numbers of texts as ranges, in ascending order: {0, 1, 2, 7} gives "0-2,7"."""
    runs: list[list[int]] = []
    for each in sorted(set(ids)):
        if runs and runs[-1][1] == each - 1:
            runs[-1][1] = each
        else:
            runs.append([each, each])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


@lru_cache(maxsize=1 << 12)
def unpacked(ids: str) -> frozenset[int]:
    """Return the numbers in ranges. Raise ValueError if these are not what `packed` gives."""
    found: set[int] = set()
    for each in filter(None, ids.split(",")):
        first, _, last = each.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    if packed(found) != ids:
        raise ValueError(f"the texts {ids!r} are not in ascending ranges")
    return frozenset(found)


class Detail(Result, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what stands in a result's JSON, and not in its rows as columns (md, csv)."""


class CellTexts(Detail, frozen=True, kw_only=True):
    """The texts that a cell's counts count.

    `opened` by the cell's coalition, `reached` by it or others of the attack. Of the latter no grant covers `excluded`,
    and `over_plain` do not open in plain. `lawful` are those that the lawful access returns, by the evening on which it
    first does; `fabricated` counts by evening what it returns and nobody sent. `missed` are those that evade it, by the
    reason, where one is known; the claim promises `unkept` all the same.
    """

    opened: Ids = ""
    reached: Ids = ""
    excluded: Ids = ""
    over_plain: Ids = ""
    beyond: Ids = ""
    lawful: dict[str, Ids] = {}
    overreached: Ids = ""
    missed: dict[WhyMissed, Ids] = {}
    unkept: Ids = ""
    misattributed: Ids = ""
    framed: Ids = ""
    fabricated: dict[str, Count] = {}

    def __post_init__(self) -> None:
        """Raise ValueError if a text is missed or first returned twice, or what is part of other texts is not."""
        parts = (
            ("opened", self.opened, self.reached, "reached"),
            ("excluded", self.excluded, self.reached, "reached"),
            ("over_plain", self.over_plain, self.reached, "reached"),
            ("overreached", self.overreached, joined(self.lawful), "lawful"),
            ("unkept", self.unkept, joined(self.missed), "missed"),
        )
        for name, part, whole, of in parts:
            if beside := unpacked(part) - unpacked(whole):
                raise ValueError(f"of the texts {name}, {packed(beside)} are not {of}")

    def check(self, sent: int, counts: Mapping[str, int]) -> None:
        """Raise ValueError if a text is none of those sent, or a count is another than that of the texts."""
        mine = {name: _count(getattr(self, name)) for name in counts}
        if wrong := [f"{name} {counts[name]}, and lists {mine[name]}" for name in counts if mine[name] != counts[name]]:
            raise ValueError(f"a cell counts {'; '.join(wrong)}")
        listed = [
            self.reached,
            self.beyond,
            self.misattributed,
            self.framed,
            *self.lawful.values(),
            *self.missed.values(),
        ]
        if beyond := [each for ids in listed for each in unpacked(ids) if each >= sent]:
            raise ValueError(f"a cell lists the texts {packed(beyond)}, of {sent}")


def _count(listed: str | dict[str, Any]) -> int:
    """Return how many texts a field of `CellTexts` lists or counts."""
    if isinstance(listed, str):
        return len(unpacked(listed))
    return sum(each if isinstance(each, int) else len(unpacked(each)) for each in listed.values())


def joined(of_each: dict[str, str] | dict[WhyMissed, str]) -> str:
    """Return the texts under all keys. Raise ValueError if one stands under two."""
    listed = [number for ids in of_each.values() for number in unpacked(ids)]
    if len(set(listed)) < len(listed):
        raise ValueError(f"a text stands under two of {', '.join(of_each)}")
    return packed(listed)


class UnnoticedTexts(Detail, frozen=True, kw_only=True):
    """The texts that the play opens which reads most and which nobody notices."""

    opened: Ids = ""


class AlarmDays(Detail, frozen=True, kw_only=True):
    """How often a check of a party complained on each day; a file of an earlier version does not say it."""

    times: dict[str, Count] = {}

    def check(self, times: int, first_day: int) -> None:
        """Raise ValueError if these are not so many complaints, or the first day is another."""
        if sum(self.times.values()) != times or min(map(int, self.times), default=first_day) != first_day:
            raise ValueError(f"{times} alarms from day {first_day} on are not those by day: {self.times}")


class StateTaken(Detail, frozen=True, kw_only=True):
    """When a state of the cell's coalition is taken, or the behaviour of one of its parties is taken over.

    `stolen` on an evening; `used`, too, and played with from the next morning on; `turned`: misbehaves from a morning
    on; `kept`: erases nothing from a morning on. `or_on` are the other evenings on which the theft would do as well.
    """

    who: str
    how: Literal["stolen", "used", "turned", "kept"]
    day: Evening
    time: Literal["morning", "evening"]
    or_on: Evenings = ""


class DerivationStep(Result, frozen=True, kw_only=True, array_like=True):
    """One fact of a derivation, by its type and public fields, bytes by their first digits; written as a list.

    `how` is the rule that gives it from `premises` (their places in the list of steps), or the officials that answer
    when they are shown these; without premises it says who has it: a member and the evening, or the network.
    """

    how: str
    fact: str
    premises: tuple[Count, ...] = ()


class Derivation(Detail, frozen=True, kw_only=True):
    """How the cell's coalition opens one text: the fact that it is, what that comes from, and so on, level by level.

    A rule that is applied again and again is one step ("9 times"). `left_out` counts the steps beyond the first
    `MOST_STEPS`. Guards and witnesses are left out: they are public, and cost nothing.
    """

    text: Count
    steps: tuple[DerivationStep, ...]
    left_out: Count = 0

    def __post_init__(self) -> None:
        """Raise ValueError if there is no step, there are too many, or a premise does not come after what it gives."""
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise ValueError(f"a derivation has {len(self.steps)} steps, not 1 to {MOST_STEPS}")
        for place, step in enumerate(self.steps):
            if wrong := [each for each in step.premises if not 0 < each < len(self.steps) or each == place]:
                raise ValueError(f"step {place} of a derivation comes from {wrong[0]}, which is no other step")


class MinimalTexts(Detail, frozen=True, kw_only=True):
    """The texts that a row's coalitions open, no part of them does, and those of them by the evening of the seizure."""

    opened: Ids = ""
    by_day: dict[str, Ids] = {}


class ScenarioTexts(Detail, frozen=True, kw_only=True):
    """The texts of a scenario, which are the same in every cell: by day, sending device and conversation.

    `covered` are those under each warrant, in the order of the scenario's warrants.
    """

    days: tuple[Ids, ...]
    devices: dict[str, Ids]
    conversations: dict[str, Ids]
    covered: tuple[Ids, ...] = ()

    def by_day(self, ids: str) -> tuple[str, ...]:
        """Return those of some texts that are sent on each day: "3-6" over days "0-4" and "5-9" gives "3-4", "5-6"."""
        wanted = unpacked(ids)
        return tuple(packed(wanted & unpacked(day)) for day in self.days)


def texts_of(scenario: Scenario) -> ScenarioTexts:
    """Return the texts of a scenario. Nothing is played for it."""
    days: list[set[int]] = [set() for _ in range(scenario.days)]
    covered: list[set[int]] = [set() for _ in scenario.warrants]
    devices, conversations = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for said in scenario.texts():
        people = scenario.people(said)
        days[said.day].add(said.id)
        devices[said.device].add(said.id)
        conversations[str(InGroup(said.group) if said.group else direct(*people))].add(said.id)
        for under, warrant in zip(covered, scenario.warrants, strict=True):
            if warrant.covers(people, said.day):
                under.add(said.id)
    return ScenarioTexts(
        days=tuple(map(packed, days)),
        devices={name: packed(ids) for name, ids in sorted(devices.items())},
        conversations={name: packed(ids) for name, ids in sorted(conversations.items())},
        covered=tuple(map(packed, covered)),
    )
