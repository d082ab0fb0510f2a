"""Why a coalition can read something: one derivation, down to the bytes, in an order in which it can be executed.

A proof lists what the coalition is given (who held it, on which evening) and each step, after the steps that its
premises come from. It is well founded, no step rests on itself, and short where there is a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

import msgspec

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import Seizure, mask_of
from attacks.lab.adversary.facts import NETWORK
from attacks.lab.adversary.labelling.labels import MATHEMATICS, Labels
from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.evenings import WHENEVER
from escrow.scheme import SET_UP


class Given(msgspec.Struct, frozen=True):
    """A fact (by number) that the coalition has: heard ("network"), out of a seized state, or free (holder None).

    Guards and witnesses are free, whoever held them. `evening` is None for what was held whenever its holder was taken.
    """

    fact: int
    holder: str | None = None
    evening: int | None = None


class RuleStep(msgspec.Struct, frozen=True):
    """`rule` (a full name) applied to `premises` gives `conclusion`; `edge` is its number in the closure.

    Of a threshold rule the last t premises are the members. Of a service (`rule` names its checks) the premises are
    what the requester shows; the official computes firing `closure.edges.services[…].firing` with its own secret.
    """

    edge: int
    rule: str
    premises: tuple[int, ...]
    conclusion: int


Proof = tuple[Given | RuleStep, ...]


def prove(labels: Labels, facts: Iterable[int], coalition: Iterable[Seizure], name: str = MATHEMATICS) -> Proof:
    """Return how the coalition derives those of the facts that it can derive in one pass, each step once.

    What is guessed to derive them with the least work is given like a witness: whoever verifies the steps has it.
    """
    return Prover(labels, coalition, name, asked := tuple(facts)).prove(asked)


class Prover:
    """Proves what one coalition derives in one pass; what it reaches is found once for each set of guesses.

    `only`: if given, nothing is looked at but these facts and what they come from.
    """

    def __init__(
        self, labels: Labels, coalition: Iterable[Seizure], name: str = MATHEMATICS, only: tuple[int, ...] | None = None
    ) -> None:
        self._labels, self._coalition, self._name, self._only = labels, tuple(coalition), name, only
        self._reached: dict[tuple[Seizure, ...], dict[int, Given | RuleStep]] = {}

    def prove(self, facts: Iterable[int]) -> Proof:
        """Return the proof of those of the facts that the coalition can derive, as the function `prove` does."""
        guessed = tuple(guesses(self._labels, facts := tuple(facts), self._coalition, self._name))
        if guessed not in self._reached:
            self._reached[guessed] = _reach(self._labels, (*self._coalition, *guessed), self._name, self._only)
        how, closure = self._reached[guessed], self._labels.closure
        waiting = [fact for fact in facts if fact in how]
        used = set(waiting)
        while waiting:
            found = how[waiting.pop()]
            fresh = _paid(closure, found) - used if isinstance(found, RuleStep) else set()
            used |= fresh
            waiting += fresh
        entries = [each for number, each in how.items() if number in used and number not in closure.edges.guessed]
        return tuple(_in_order(closure, entries))


def guesses(labels: Labels, facts: Iterable[int], coalition: Iterable[Seizure], name: str) -> list[Seizure]:
    """Return the guesses with which a coalition derives these facts, as what it takes beside states."""
    if not labels.work.guesses:
        return []
    held = labels.satisfied(mask_of(labels.atoms, coalition))
    ways = (labels.work.cheapest(labels.priced(name)[fact], held) for fact in facts)
    return [Seizure(each) for each in dict.fromkeys(each for way in ways if way is not None for each in way[1])]


def _in_order(closure: Closure, entries: list[Given | RuleStep]) -> Iterator[Given | RuleStep]:
    """Yield the entries, each step after those of its guards and witnesses that nothing before it lists."""
    listed: set[int] = set()
    for entry in entries:
        if isinstance(entry, RuleStep):
            for premise in entry.premises:
                if premise not in listed and premise not in _paid(closure, entry):
                    listed.add(premise)
                    yield Given(premise, "network" if closure.assumed(premise) & NETWORK else None)
        listed.add(entry.conclusion if isinstance(entry, RuleStep) else entry.fact)
        yield entry


def _paid(closure: Closure, step: RuleStep) -> set[int]:
    """Return the premises of a step that are neither guard nor witness; what may be guessed as `Guessed`."""
    if gate := closure.edges.gate(step.edge):
        return {*closure.edges.paying(gate), *step.premises[len(gate.guards) :]}
    return set(closure.edges.needs(step.edge))


# --- what a coalition reaches, in the order in which it gets there ---


def _reach(
    labels: Labels, coalition: Iterable[Seizure], name: str, only: tuple[int, ...] | None
) -> dict[int, Given | RuleStep]:
    coalition = tuple(sorted(coalition, key=lambda seizure: seizure.evenings))  # of several seizures the first counts
    facts, wanted = (range(len(labels.closure.facts)), None) if only is None else _behind(labels, coalition, only)
    how: dict[int, Given | RuleStep] = dict(_given(labels.closure, coalition, facts))
    depth, stands = dict.fromkeys(how, 0), _standing(labels, coalition, name)
    for edges, looping in labels.parts:
        chosen = edges if wanted is None else [edge for edge in edges if edge in wanted]
        while _advance(labels.closure, chosen, how, depth, stands, shorten=not looping) and looping:
            pass
    return how


def _behind(labels: Labels, coalition: tuple[Seizure, ...], facts: Iterable[int]) -> tuple[Iterable[int], set[int]]:
    """Return these facts and all that they come from, back to what the coalition is given, in order; and the edges."""
    closure, edges = labels.closure, labels.closure.edges
    met, chosen = set(waiting := [*facts]), set[int]()
    while waiting:
        fact = waiting.pop()
        if any(_given(closure, coalition, (fact,))):
            continue
        for edge in labels.makers.of(fact):
            if edge not in chosen:
                chosen.add(edge)
                guards = (
                    edges.firing(edge)[1] if edge < edges.firings else gate.guards if (gate := edges.gate(edge)) else ()
                )
                fresh = {*edges.needs(edge), *guards} - met
                met |= fresh
                waiting += fresh
    return sorted(met), chosen


def _standing(labels: Labels, coalition: tuple[Seizure, ...], name: str) -> Callable[[int], bool]:
    """Return a function that tells whether an edge belongs to a pass, and the coalition can ask its official in time.

    That it has by mathematics and by answers of the same pass, from what it took until the official answers no more.
    """
    atoms, numbers, edges = labels.atoms, labels.priced(name), labels.closure.edges

    @cache
    def taken(until: int) -> int:
        mask = atoms.always("network")
        for each in coalition:
            days = [(day,) for day in range(SET_UP, until + 1)] if not each.evenings else [each.evenings]
            for on in days:
                mask |= atoms.mask(each.principal, evenings.bits(on)) if max(on) <= until else 0
        return labels.satisfied(mask)

    def stands(edge: int) -> bool:
        kind = edges.service_kind(edge)
        if not labels.stands(edge, name) or kind is None or kind.until is None:
            return labels.stands(edge, name)
        return all(labels.opens(numbers[each], taken(kind.until)) for each in edges.needs(edge))

    return stands


def _given(closure: Closure, coalition: tuple[Seizure, ...], facts: Iterable[int]) -> Iterator[tuple[int, Given]]:
    for fact in facts:
        if how := closure.assumed(fact):
            yield fact, Given(fact, "network" if how & NETWORK else None)
        elif held := closure.held.get(fact):
            for seizure in coalition:
                meant = evenings.bits(seizure.evenings)
                on = dict(held).get(seizure.principal, 0)
                if on and not meant & ~on:
                    when = evenings.first(meant) if meant else evenings.first_day(evenings.numbers(on))
                    first = None if on == WHENEVER else when
                    yield fact, Given(fact, seizure.principal, first)
                    break


def _advance(
    closure: Closure,
    edges: Iterable[int],
    how: dict[int, Given | RuleStep],
    depth: dict[int, int],
    stands: Callable[[int], bool],
    shorten: bool,
) -> bool:
    """Take each edge whose premises are there; whether a fact was new.

    Where edges do not feed each other all that make a fact stand before all that use it, so a shorter way may replace
    the first one.
    """
    before = len(how)
    for edge, needs, gives in closure.edges.walk(edges):
        if not how.keys() >= {*needs} or (used := _premises(closure, edge, needs, how)) is None or not stands(edge):
            continue
        deep = 1 + max((depth.get(premise, 0) for premise in used), default=0)
        for fact in gives:
            if fact not in how or (shorten and deep < depth[fact]):
                how.pop(fact, None)
                how[fact], depth[fact] = RuleStep(edge, closure.edges.name_of(edge), used, fact), deep
    return len(how) > before


def _premises(
    closure: Closure, edge: int, needs: Sequence[int], how: dict[int, Given | RuleStep]
) -> tuple[int, ...] | None:
    """Return what an edge whose `needs` are there is applied to, guards included; None if members lack."""
    if edge < closure.edges.firings:
        return closure.edges.firing(edge)[1]
    if gate := closure.edges.gate(edge):
        members = gate.choose(how.__contains__)
        return (*gate.guards, *members) if len(members) == gate.t else None
    return tuple(needs)
