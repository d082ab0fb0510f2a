"""The scenarios that come with the lab, by name: files in `attacks/scenarios`, as any other scenario file.

A file whose name ends in `.toml` is TOML; any other is JSON.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from attacks.lab.simulation import handed_in
from attacks.lab.simulation.scenario import Scenario, default
from escrow.errors import Malformed
from escrow.registry import closest

FOLDER = Path(__file__).parents[2] / "scenarios"
SMOKE = {"users": 4, "groups": 2, "days": 5, "messages": 24}


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
