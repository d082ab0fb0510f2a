"""The same scenario with other warrants, or other meetings: the users, and who writes to whom, stay as they are.

warrants   prospective    each is served on the first day that it covers, as for a wiretap
retrospective  each is served on the day after the last one, as for an archive
meetings   none, all, or so many pairs of users compare safety numbers; `@DAY` says when
"""

from __future__ import annotations

import random
import re
from itertools import combinations
from typing import Literal

import msgspec

from attacks.lab.simulation.scenario import SafetyNumberComparison, Scenario, WarrantSpec
from escrow.errors import Malformed

WarrantKind = Literal["prospective", "retrospective"]
_MEETINGS = re.compile(r"(none|all|\d{1,4})(?:@(\d{1,4}))?")


def varied(scenario: Scenario, warrants: WarrantKind | None, meetings: str | None) -> Scenario:
    """Return the scenario with warrants of one kind, and with other meetings, where these are given.

    Raise Malformed as `with_warrants` and `with_meetings` do.
    """
    found = scenario if warrants is None else with_warrants(scenario, warrants)
    return found if meetings is None else with_meetings(found, meetings)


def with_warrants(scenario: Scenario, kind: WarrantKind) -> Scenario:
    """Return the scenario with all warrants of one kind. Raise Malformed if no day is left to serve one.

    A retrospective warrant covers no text of the scenario's last day, on which it may be served.
    """
    if kind == "retrospective" and scenario.days < 2:
        raise Malformed("a warrant is served after the days that it covers: a scenario of one day has none left")
    served = _before if kind == "prospective" else _after
    specs = tuple(served(spec, scenario.days) for spec in scenario.warrants)
    return msgspec.structs.replace(scenario, warrants=specs).check()


def _before(spec: WarrantSpec, days: int) -> WarrantSpec:
    return msgspec.structs.replace(spec, issued=spec.first, expires=max(spec.last, spec.expires))


def _after(spec: WarrantSpec, days: int) -> WarrantSpec:
    last = min(spec.last, days - 2)
    first, issued = min(spec.first, last), last + 1
    return msgspec.structs.replace(spec, first=first, last=last, issued=issued, expires=max(issued, spec.expires))


def with_meetings(scenario: Scenario, meetings: str) -> Scenario:
    """Return the scenario in which so many pairs of users compare safety numbers, in the evening.

    The pairs, and their days unless one is given, are drawn by the seed; those of fewer meetings are among those of
    more. Raise Malformed for anything but none, all or a number, with `@` and a day of the scenario behind it or not.
    """
    read = _MEETINGS.fullmatch(meetings)
    if read is None or (read[2] and int(read[2]) >= scenario.days):
        raise Malformed(f"meetings are none, all, or a number, as in 3 or all@6 (a day from 0 to {scenario.days - 1})")
    dice = random.Random(f"meetings {scenario.seed}")  # noqa: S311 (who meets is no secret)
    pairs = list(combinations([user.devices[0] for user in scenario.users], 2))
    dice.shuffle(pairs)
    met = [SafetyNumberComparison(dice.randrange(scenario.days), one, other) for one, other in pairs]
    if read[2]:
        met = [msgspec.structs.replace(each, day=int(read[2])) for each in met]
    count = {"none": 0, "all": len(met)}.get(read[1], int(read[1]) if read[1].isdecimal() else 0)
    if count > len(met):
        raise Malformed(f"{count} pairs of users are to meet, and there are {len(met)}")
    return msgspec.structs.replace(scenario, ceremonies=tuple(met[:count])).check()
