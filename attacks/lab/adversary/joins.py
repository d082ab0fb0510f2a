"""Hash joins: which facts a rule is applied to when one of them arrives.

A plan adds one argument after another, each looked up by the fields that must equal those already bound. Equalities
that follow from others count too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from escrow.codec import Fact
from escrow.derivation import Rule
from escrow.errors import Forged

Premises = tuple[int, ...]
Table = dict[Any, int | list[int]]  # facts by key: nearly always one, so a list is made for the second only
Getter = Callable[[Any], Any]
Fire = Callable[[Premises, Sequence[Fact]], None]
Join = Callable[[int, Fact, Sequence[int]], None]  # an arriving fact, and those that its first look-up found
Lookup = tuple[Getter, Table, bool]  # the key to ask for, where, and whether to pass the arriving fact over


class JoinStep(NamedTuple):
    """One join: the argument it adds, the fields looked up there, and the bound arguments' fields that they equal."""

    position: int
    mine: tuple[str, ...]
    theirs: tuple[tuple[int, str], ...]


def plan_of(rule: Rule, start: int) -> list[JoinStep]:
    """The other arguments, each time the one with the most equalities to those already bound."""
    classes, bound, steps = _classes(rule), [start], []
    while len(bound) < len(rule.takes):
        free = [position for position in range(len(rule.takes)) if position not in bound]
        steps.append(max((_tie(classes, each, bound) for each in free), key=lambda step: len(step.mine)))
        bound.append(steps[-1].position)
    return steps


def _classes(rule: Rule) -> list[dict[int, str]]:
    """Fields that must all be equal, at most one of each argument: the equalities, and what follows from them."""
    classes: list[dict[int, str]] = []
    for each in rule.equalities:
        fields = {each.left: each.left_path, each.right: each.right_path}
        for other in list(classes):
            if fields.items() & other.items() and all(fields.get(at, path) == path for at, path in other.items()):
                classes.remove(other)
                fields |= other
        classes.append(fields)
    return classes


def _tie(classes: list[dict[int, str]], position: int, bound: list[int]) -> JoinStep:
    """All that ties an argument to the bound ones; of equal fields preferably those of one bound argument."""
    common = [each for each in classes if position in each and any(at in each for at in bound)]
    favourite = max(bound, key=lambda at: sum(at in each for each in common))
    ties = set()
    for each in common:
        source = favourite if favourite in each else next(at for at in bound if at in each)
        ties.add((each[position], (source, each[source])))
    return JoinStep(position, tuple(mine for mine, _ in sorted(ties)), tuple(theirs for _, theirs in sorted(ties)))


def getter(kind: type[Fact], paths: tuple[str, ...]) -> Getter:
    """Reads the value of one path, the tuple of several, None for none.

    What is not a field may be a property that decodes hostile bytes; where it is Forged the fact joins nothing, so its
    key is an object that equals no other.
    """
    if not paths:
        return lambda fact: None
    read = attrgetter(*paths)
    if all(path in kind.__struct_fields__ for path in paths):
        return read

    def read_or_nothing(fact: Fact) -> Any:
        try:
            return read(fact)
        except Forged:
            return object()

    return read_or_nothing


def pair_join(pass_over: bool, facts: Sequence[Fact], first: bool, fire: Fire) -> Join:
    def join(number: int, fact: Fact, others: Sequence[int]) -> None:
        for other in others:
            if not (pass_over and other == number):
                if first:
                    fire((number, other), (fact, facts[other]))
                else:
                    fire((other, number), (facts[other], fact))

    return join


def long_join(pass_over: bool, rest: list[Lookup], facts: Sequence[Fact], restore: Getter, fire: Fire) -> Join:
    """`restore` brings what was bound in the order of the plan into the order of the arguments."""

    def join(number: int, fact: Fact, others: Sequence[int]) -> None:
        rows = [((number, each), (fact, facts[each])) for each in others if not (pass_over and each == number)]
        for lookup in rest:
            rows = list(_longer(rows, lookup, number, facts))
        for premises, bound in rows:
            fire(restore(premises), restore(bound))

    return join


def _longer(
    rows: list[tuple[Any, Any]], lookup: Lookup, number: int, facts: Sequence[Fact]
) -> Iterator[tuple[Any, Any]]:
    key, table, pass_over = lookup
    for premises, bound in rows:
        found = table.get(key(bound))
        if found is not None:
            for each in found if isinstance(found, list) else (found,):
                if not (pass_over and each == number):
                    yield (*premises, each), (*bound, facts[each])
