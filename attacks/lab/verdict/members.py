"""Who is surely in a coalition: its thresholds stand for many choices, and what is said of it must hold for each.

A member of a threshold is written as a coalition, or as several with "or" between them. One principal may stand for
several members of it, or beside it, and counts once: "agent-1" with "any 2 of {agent-1@0; agent-1@1; agent-2}" may be
agent-1 alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import combinations, product
from math import comb, prod

from attacks.lab.adversary.coalitions import Coalition, CoalitionThreshold, Seizure, parse

TRIED = 5_000  # choices of members that are tried one by one


@lru_cache(10_000)
def fewest(coalition: Coalition, among: frozenset[str]) -> int:
    """Return the least number of distinct principals of `among` in any choice of members, or a number below that.

    It is exact where each member of a threshold is one principal, and where there are no more than TRIED choices.
    """
    sure = frozenset(each.principal for each in coalition.members) & among
    if not coalition.thresholds:
        return len(sure)
    ways = [[_choices(of, among) for of in each.of] for each in coalition.thresholds]
    single = all(len(way) == 1 and len(way[0]) < 2 for each in ways for way in each)
    if len(ways) == 1 and (single or prod(map(len, ways[0])) * comb(len(ways[0]), coalition.thresholds[0].t) > TRIED):
        return len(sure) + _counted(coalition.thresholds[0].t, ways[0], sure)
    sizes = [
        prod(map(len, each)) * comb(len(each), gate.t) for each, gate in zip(ways, coalition.thresholds, strict=True)
    ]
    if prod(sizes) > TRIED:
        return len(sure) + max(
            _counted(gate.t, each, sure) for each, gate in zip(ways, coalition.thresholds, strict=True)
        )
    every = (list(_unions(each, gate.t)) for each, gate in zip(ways, coalition.thresholds, strict=True))
    return min((len(sure.union(*chosen)) for chosen in product(*every)), default=0)


def _unions(ways: list[list[frozenset[str]]], t: int) -> Iterator[frozenset[str]]:
    """Yield the principals of every choice of t members, each in one of its ways."""
    for members in combinations(ways, t):
        for chosen in product(*members):
            yield frozenset[str]().union(*chosen)


def _counted(t: int, ways: list[list[frozenset[str]]], sure: frozenset[str]) -> int:
    """Return how many principals beyond the sure ones it takes, if each serves every member that it stands in."""
    serves: dict[str, int] = {}
    for way in ways:
        if any(each <= sure for each in way):
            t -= 1  # it adds nobody
            continue
        for name in frozenset[str]().union(*way) - sure:
            serves[name] = serves.get(name, 0) + 1
    found = 0
    for count in sorted(serves.values(), reverse=True):
        if t <= 0:
            break
        t, found = t - count, found + 1
    return found


def seizures_in(coalition: Coalition, among: frozenset[str]) -> list[Seizure]:
    """Return the seizures of these principals that stand anywhere in a coalition."""
    found = [each for each in coalition.members if each.principal in among]
    for gate in coalition.thresholds:
        for of in gate.of:
            for each in _alternatives(of):
                found += seizures_in(each, among)
    return found


def _choices(of: str, among: frozenset[str]) -> list[frozenset[str]]:
    """Return the principals of `among` in each way to be one member; of a threshold inside it, in none for sure."""
    return [frozenset(each.principal for each in way.members) & among for way in _alternatives(of)]


@cache
def _alternatives(of: str) -> tuple[Coalition, ...]:
    """Return the coalitions that a threshold's member is printed as."""
    return tuple(map(_read, _split(of, " or ")))


def _read(text: str) -> Coalition:
    parts = _split(text, ", ")
    wide = [re.fullmatch(r"any (\d+) of \{(.*)\}", each) for each in parts]
    gates = (CoalitionThreshold(int(each[1]), tuple(_split(each[2], "; "))) for each in wide if each)
    plain = ", ".join(each for each, gate in zip(parts, wide, strict=True) if gate is None)
    return Coalition(parse(plain, re.findall(r"[^,\s@][^,@]*", plain)).members, tuple(gates))


def _split(text: str, at: str) -> list[str]:
    """Return the parts of a text between separators that stand in no braces."""
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if not depth and text.startswith(at, place):
            parts.append(text[begin:place])
            begin = place + len(at)
    return [*parts, text[begin:]]
