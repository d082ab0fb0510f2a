"""Hash joins: which facts a rule is applied to when one of them arrives.

A plan adds one argument after another, each looked up by the fields that must equal those already bound. Equalities
that follow from others count too. For `open(field, message, key)` on "field.chain = message.chain, field.n = message.n,
message.key = key.public" there are three plans, one for each argument that may arrive last:

  field arrives     messages by (chain, n) of the field; then keys by (public) of that message
  message arrives   fields by (chain, n) of the message; then keys by (public) of the message
  key arrives       messages by (key) of the key; then fields by (chain, n) of that message

Three tables serve them: fields by (chain, n), messages by (chain, n) and by (key), keys by (public).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from attacks.lab.adversary.edges import Premises
from escrow.codec import Fact
from escrow.derivation import Rule
from escrow.errors import Forged

Table = dict[Any, int | list[int]]  # facts by key: nearly always one, so a list is made for the second only
Getter = Callable[[Any], Any]
Fire = Callable[[Premises, Sequence[Fact]], None]
Join = Callable[[int, Fact, Sequence[int]], None]  # an arriving fact, and those that its first look-up found
Lookup = tuple[Getter, Table, bool]  # the key to ask for, where, and whether to pass the arriving fact over
Uses = tuple[list[tuple[Getter, Table]], list[Fire], list[tuple[Getter, Table, Join]]]


class JoinStep(NamedTuple):
    """One join: the argument it adds, the fields looked up there, and the bound arguments' fields that they equal."""

    position: int
    mine: tuple[str, ...]
    theirs: tuple[tuple[int, str], ...]


class Joins:
    """The joins of all rules of a closure, and the tables in which they find facts. `facts` are the closure's."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        self._facts = facts
        self._tables: dict[tuple[type, tuple[str, ...]], Table] = {}
        self._single: list[tuple[type, Fire]] = []
        self._joins: list[tuple[type, tuple[Getter, Table, Join]]] = []
        self._uses: dict[type, Uses] = {}

    def add(self, rule: Rule, fire: Fire) -> None:
        """Call `fire` with every set of facts that fits the rule's types and equalities."""
        if not rule.takes:
            fire((), ())  # what everybody can make
        elif len(rule.takes) == 1:
            self._single.append((rule.takes[0], fire))
        else:
            self._joins.extend((kind, self._join(rule, start, fire)) for start, kind in enumerate(rule.takes))

    def arrive(self, number: int) -> None:
        """Enter a fact into the tables, and apply each rule to it and to the facts that arrived before."""
        fact = self._facts[number]
        columns, single, joins = self._uses.get(type(fact)) or self._uses_of(type(fact))
        for get, table in columns:
            key = get(fact)
            found = table.setdefault(key, number)
            if found is not number:
                if isinstance(found, list):
                    found.append(number)
                else:
                    table[key] = [found, number]
        for fire in single:
            fire((number,), (fact,))
        for get, table, join in joins:
            others = table.get(get(fact))
            if others is not None:
                join(number, fact, others if isinstance(others, list) else (others,))

    def _uses_of(self, kind: type) -> Uses:
        """Return, for facts of this type, the tables they stand in, the rules of one argument, the joins they start."""
        columns = [
            (getter(base, paths), table) for (base, paths), table in self._tables.items() if issubclass(kind, base)
        ]
        single = [fire for base, fire in self._single if issubclass(kind, base)]
        joins = [join for base, join in self._joins if issubclass(kind, base)]
        self._uses[kind] = columns, single, joins
        return columns, single, joins

    def _join(self, rule: Rule, start: int, fire: Fire) -> tuple[Getter, Table, Join]:
        """Return where to look when a fact arrives as argument `start` of `rule`, and what to do with what is there."""
        plan = plan_of(rule, start)
        (get, table, pass_over), *rest = [self._compile(rule, start, plan, place) for place in range(len(plan))]
        if not rest:  # two arguments: the common case has a join of its own, which is quicker
            return get, table, _pair_join(pass_over, self._facts, start == 0, fire)
        order = [start, *(step.position for step in plan)]
        restore = itemgetter(*map(order.index, range(len(order))))
        return get, table, _long_join(pass_over, rest, self._facts, restore, fire)

    def _compile(self, rule: Rule, start: int, plan: Sequence[JoinStep], place: int) -> Lookup:
        """Return the look-up of one step; its key is read from the arriving fact, or from the facts bound by then.

        A fact that fits two arguments of one rule meets itself once: where it arrives as the earlier of the two.
        """
        step, order = plan[place], [start, *(earlier.position for earlier in plan[:place])]
        kind, arriving = rule.takes[step.position], rule.takes[start]
        table = self._tables.setdefault((kind, step.mine), {})
        pass_over = step.position < start and (issubclass(kind, arriving) or issubclass(arriving, kind))
        gets = [(order.index(at), getter(rule.takes[at], (path,))) for at, path in step.theirs]
        sources = {at for at, _ in gets}
        if len(sources) > 1:  # the key comes from several bound facts
            return lambda bound: tuple([get(bound[at]) for at, get in gets]), table, pass_over
        at = sources.pop() if sources else 0
        read = getter(rule.takes[order[at]], tuple(path for _, path in step.theirs))
        return read if place == 0 else lambda bound: read(bound[at]), table, pass_over


# --- plans ---


@cache
def plan_of(rule: Rule, start: int) -> tuple[JoinStep, ...]:
    """Return the other arguments in turn, each time the one with the most equalities to those already bound."""
    classes, bound, steps = _classes(rule), [start], list[JoinStep]()
    while len(bound) < len(rule.takes):
        free = [position for position in range(len(rule.takes)) if position not in bound]
        steps.append(max((_tie(classes, each, bound) for each in free), key=lambda step: len(step.mine)))
        bound.append(steps[-1].position)
    return tuple(steps)


def _classes(rule: Rule) -> list[dict[int, str]]:
    """Return the sets of fields that must all be equal, at most one of each argument.

    From "a.id = b.id, b.id = recipe.a" comes one set, {a.id, b.id, recipe.a}: so a recipe can be looked up by an `a`.
    Where two sets share a field but name different fields of one argument, they stay apart.
    """
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
    """Return all that ties an argument to the bound ones; of equal fields preferably those of one bound argument."""
    common = [each for each in classes if position in each and any(at in each for at in bound)]
    favourite = max(bound, key=lambda at: sum(at in each for each in common))
    ties = set()
    for each in common:
        source = favourite if favourite in each else next(at for at in bound if at in each)
        ties.add((each[position], (source, each[source])))
    return JoinStep(position, tuple(mine for mine, _ in sorted(ties)), tuple(theirs for _, theirs in sorted(ties)))


def getter(kind: type[Fact], paths: tuple[str, ...]) -> Getter:
    """Return a function that reads the value of one path, the tuple of several, or None for no path.

    A path that is no field may be a property that decodes hostile bytes. Where it is Forged the fact joins nothing: its
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


# --- joins ---


def _pair_join(pass_over: bool, facts: Sequence[Fact], first: bool, fire: Fire) -> Join:
    """Return the join of a rule of two arguments; `first`: the arriving fact is the first of them."""

    def join(number: int, fact: Fact, others: Sequence[int]) -> None:
        for other in others:
            if not (pass_over and other == number):
                if first:
                    fire((number, other), (fact, facts[other]))
                else:
                    fire((other, number), (facts[other], fact))

    return join


def _long_join(pass_over: bool, rest: list[Lookup], facts: Sequence[Fact], restore: Getter, fire: Fire) -> Join:
    """Return the join of a rule of three arguments or more.

    `restore` brings what was bound in the order of the plan into the order of the arguments.
    """

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
    """Yield each row with one more argument bound, in every way that the look-up finds."""
    key, table, pass_over = lookup
    for premises, bound in rows:
        found = table.get(key(bound))
        if found is not None:
            for each in found if isinstance(found, list) else (found,):
                if not (pass_over and each == number):
                    yield (*premises, each), (*bound, facts[each])
