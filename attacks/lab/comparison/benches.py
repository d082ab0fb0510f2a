"""Compares two measurements of overhead: exact counts, ratios of times, and, for information only, times.

It reads the results of `bench` and those that pytest-benchmark writes (`--benchmark-json`): there the ratios stand in
the `extra_info` of each benchmark, in names that begin with `over_`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from attacks.lab.comparison.difference import (
    Change,
    Difference,
    Rows,
    Severity,
    count,
    differences,
    gone_or_new,
    ratio,
    same_parameters,
)
from attacks.lab.costs.measure import Overhead
from attacks.lab.results.bounds import Result, once
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.rows import Row, row

RATIO = "over_"
TURNS = 10  # with fewer, a median is too uncertain for a ratio to count


class Stats(msgspec.Struct, frozen=True):
    """The median of a benchmark's rounds as pytest-benchmark measured it, in seconds."""

    median: float


class Benchmark(msgspec.Struct, frozen=True):
    """One benchmark; `extra_info` is what it noted itself."""

    fullname: str
    stats: Stats
    extra_info: dict[str, Any] = {}


class Recorded(msgspec.Struct, frozen=True):
    """The part of pytest-benchmark's JSON that is read here."""

    machine_info: dict[str, msgspec.Raw]
    benchmarks: tuple[Benchmark, ...]

    def __post_init__(self) -> None:
        """Raise ValueError if a benchmark appears twice."""
        once("the list of benchmarks", [each.fullname for each in self.benchmarks])


def compare(old: Overhead, new: Overhead, tolerance: float) -> Iterator[Difference]:
    """Yield every difference.

    Raise NotComparable for texts of another size, or other parameters of a scheme in both.
    """
    if old.text != new.text:
        raise NotComparable(f"the texts are of {old.text} and {new.text} bytes")
    same_parameters(old.parameters, new.parameters, {*old.schemes} & {*new.schemes})
    before, after = _keyed(old.exact), _keyed(new.exact)
    yield from gone_or_new(before, after, "mail")
    for key in before.keys() & after.keys():
        yield from differences(key, _counts(before[key], after[key]))
    one, other = old.timing, new.timing
    alike = one.messages == other.messages and min(one.repeats, other.repeats) >= TURNS
    before, after = _keyed(old.timing.rows), _keyed(new.timing.rows)
    yield from gone_or_new(before, after, "microseconds")
    for key in before.keys() & after.keys():
        yield from differences(key, _times(before[key], after[key], tolerance, alike))


def _keyed(rows: Iterable[Result]) -> Rows:
    flat = [row(each) for each in rows]
    return {tuple(str(each[name]) for name in ("scheme", "job", "level") if name in each): each for each in flat}


def _counts(old: Row, new: Row) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        yield from count(name, old.get(name), new.get(name), "fewer" if name == "texts" else "more")


def _times(old: Row, new: Row, tolerance: float, alike: bool = True) -> Iterator[Change]:
    """Yield the changes of times. Only a ratio can count against a run, since other times depend on the machine.

    A ratio of unequal numbers of turns does not count either, because one-time work weighs more among fewer texts.
    """
    for name in old.keys() & new.keys():
        severity: Severity | None = None if name.startswith(RATIO) and alike else "advisory"
        yield from ratio(name, old[name], new[name], tolerance, severity)


def compare_recorded(old: Recorded, new: Recorded, tolerance: float) -> Iterator[Difference]:
    """Yield every difference. Raise NotComparable for a benchmark of another number of texts."""
    before, after = _by_name(old), _by_name(new)
    yield from gone_or_new(before, after, "median")
    for key in before.keys() & after.keys():
        texts = before[key].get("texts"), after[key].get("texts")
        if texts[0] != texts[1]:
            raise NotComparable(f"{key[0]} is of {texts[0]} and {texts[1]} texts")
        yield from differences(key, _times(before[key], after[key], tolerance))


def _by_name(recorded: Recorded) -> Rows:
    return {(each.fullname,): {"median": each.stats.median, **each.extra_info} for each in recorded.benchmarks}
