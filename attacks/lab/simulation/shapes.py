"""The scenarios that come with the lab, by name; and a scenario with other warrants, or other meetings.

A scenario of the lab is a file in `attacks/scenarios`, as any other scenario file. A file whose name ends in `.toml` is
TOML; any other is JSON. In a scenario with other warrants or meetings the users, and who writes to whom, stay as they
are:

  warrants   prospective    each is served on the first day that it covers, as for a wiretap
             retrospective  each is served on the day after the last one, as for an archive
  meetings   none, all, or so many pairs of users compare safety numbers; `@DAY` says when
"""

from __future__ import annotations

import errno
import os
import random
import re
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Literal

import msgspec

from attacks.lab.simulation import handed_in
from attacks.lab.simulation.scenario import SafetyNumberComparison, Scenario, WarrantSpec, default
from escrow.errors import Malformed
from escrow.registry import closest

FOLDER = Path(__file__).parents[2] / "scenarios"
SMOKE = {"users": 4, "groups": 2, "days": 5, "messages": 24}
WarrantKind = Literal["prospective", "retrospective"]
_MEETINGS = re.compile(r"(none|all|\d{1,4})(?:@(\d{1,4}))?")


def shapes() -> dict[str, Path]:
    """Return the file of every scenario that comes with the lab, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.json"))}


def read(named: Path) -> Scenario:
    """Return the scenario that comes with the lab under this name, or else the one in this file, unchecked.

    Raise Malformed if there is no such file, or if it holds no scenario. A file that is called like a scenario of the
    lab is read with its folder: `./groups`.
    """
    found = shapes().get(str(named), named)
    if not os.path.lexists(found):
        hint = closest(shapes(), str(named)) or f"the lab has {', '.join(shapes())}"
        raise Malformed(f"{named}: {os.strerror(errno.ENOENT)}; {hint}")
    data = handed_in.content(found)
    try:
        return handed_in.decoded(data, Scenario, toml=named.suffix == ".toml")
    except ValueError as error:
        raise Malformed(f"{named} is not a scenario: {error}") from None


def chosen(
    given: Path | Scenario | None, smoke: bool, sizes: Mapping[str, int | None], numbers: Mapping[str, int | None]
) -> Scenario:
    """Return the scenario that a user asks for, checked.

    Args:
        given: a scenario, its name in the lab, or its file; None for the default scenario's kind.
        smoke: whether the sizes that are not given are small ones.
        sizes: the arguments of `default`; None where there is none.
        numbers: fields of any scenario to change, such as `seed` and `work`; None where there is nothing to change.

    Raises:
        Malformed: the sizes make no scenario, the file holds none, or sizes are asked of a scenario that is given.
    """
    if given is None:
        usual = default(**(SMOKE if smoke else {}) | _without_none(sizes))
        return msgspec.structs.replace(usual, **_without_none(numbers)).check()
    if fixed := [*(["smoke"] if smoke else []), *_without_none(sizes)]:
        raise Malformed(f"{fixed[0]} has no effect on a scenario that is given; change that one")
    found = given if isinstance(given, Scenario) else read(given)
    try:
        return msgspec.structs.replace(found, **_without_none(numbers)).check()
    except Malformed as error:
        raise Malformed(f"{'this' if found is given else given} is not a scenario: {error}") from None


def _without_none(values: Mapping[str, int | None]) -> dict[str, int]:
    return {name: value for name, value in values.items() if value is not None}


# --- other warrants, other meetings ---


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
