"""A second adversary over the rules of toy_rules, too simple to be wrong: it tries every rule on everything it has."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from operator import attrgetter
from typing import Any

from toy_rules import RULES, SERVICE, Field, agent_checks, partial, requester, warrants

from attacks.lab.adversary.closure import Closure
from escrow.codec import Fact
from escrow.derivation import Gate, Rule
from escrow.errors import Forged


def naive(known: set[Fact], world: Collection[Fact] = (), waived: Collection[str] | None = None) -> set[Fact]:
    """All that follows from `known`, by trying everything. Guards and witnesses are taken from `world`, or from what is
    known; `waived` None: no official answers; else honest ones answer unless a check outside `waived` fails."""
    known = set(known)
    while True:
        found = {fact for rule in RULES for fact in _apply(rule, known, {*world, *known})}
        if waived is not None:
            found |= set(_served(known, {*world, *known}, waived))
        if found <= known:
            return known
        known |= found


def _apply(rule: Rule, known: set[Fact], world: set[Fact]) -> Iterator[Fact]:
    found = list(rows(rule, known, world))
    if isinstance(rule, Gate):
        found = list(_subsets(rule, found))
    for row in found:
        try:
            result = rule.function(*row)
        except Forged:
            continue
        yield from result if isinstance(result, tuple) else (result,)


def rows(rule: Rule, known: set[Fact], world: set[Fact]) -> Iterator[tuple[Any, ...]]:
    def extend(row: tuple[Fact, ...]) -> Iterator[tuple[Fact, ...]]:
        if (at := len(row)) == len(rule.takes):
            yield row
            return
        for fact in known if rule.needed[at] else world:
            if isinstance(fact, rule.takes[at]) and _agree(rule, (*row, fact)):
                yield from extend((*row, fact))

    return extend(())


def _agree(rule: Rule, row: tuple[Fact, ...]) -> bool:
    return all(
        attrgetter(each.left_path)(row[each.left]) == attrgetter(each.right_path)(row[each.right])
        for each in rule.equalities
        if max(each.left, each.right) < len(row)
    )


def _subsets(gate: Gate, found: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    gates: dict[Any, dict[Any, Fact]] = {}
    for *earlier, member in found:
        if gate.verify(*earlier, member):
            key = (tuple(earlier), gate.by(member), gate.t(*earlier, member))
            gates.setdefault(key, {})[gate.index(member)] = member
    for (earlier, _, t), members in gates.items():
        for chosen in itertools.islice(itertools.combinations(members.values(), t), 1):
            yield (*earlier, chosen)


def _served(known: set[Fact], world: set[Fact], waived: Collection[str]) -> Iterator[Fact]:
    for share, capsule in rows(SERVICE.rule, world, world):
        for field, warrant in itertools.product(known, warrants(known)):
            if not isinstance(field, Field) or field.capsule != capsule or requester(warrant) not in known:
                continue
            if all(holds or check in waived for check, holds in agent_checks(share, warrant, field)):
                yield partial(share, capsule)


def succeeds(rule: Rule, row: tuple[Any, ...]) -> bool:
    try:
        rule.function(*row)
    except Forged:
        return False
    return True


def edges(closure: Closure) -> set[tuple[Any, ...]]:
    """Every edge of a closure in terms of its facts, whatever their numbers."""

    def facts(numbers: Iterable[int]) -> frozenset[Fact]:
        return frozenset(closure.facts[number] for number in numbers)

    found: set[tuple[Any, ...]] = set()
    for edge in range(len(closure.edges)):
        service = closure.edges.service(edge)
        failed = service.kind.failed if service else None
        found.add(
            (closure.edges.name_of(edge), facts(closure.edges.needs(edge)), facts(closure.edges.gives(edge)), failed)
        )
    return found
