"""A proof as steps that can be shown: each fact in a few words, the rule that gives it, and what it is given by.

Guards and witnesses are left out, since they are public and cost nothing. A rule of one premise that is applied again
and again is one step: a chain key 9 steps on is "next_chain_key, 9 times" above the first.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.proof import Given, Proof, RuleStep, guesses, prove
from attacks.lab.adversary.timing.evenings import on_evening
from attacks.lab.adversary.work import bits_of, fact_of, in_words
from attacks.lab.results.details import MOST_STEPS, Derivation, DerivationStep, StateTaken
from attacks.lab.simulation.attack import Attack
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from attacks.lab.verdict.judging.reach import Reach
from escrow.codec import Fact, Public
from escrow.e2ee.content import Direct, InGroup

SHOWN = 8  # hexadecimal digits of a byte string
WIDEST = 100  # characters of a fact, and of where it is from, in a result


class ProofSteps:
    """The facts of one proof: those given, and those made by a rule or an official's answer."""

    def __init__(self, closure: Closure, proof: Proof) -> None:
        self.closure = closure
        self.made = {each.conclusion: each for each in proof if isinstance(each, RuleStep)}
        self.given = {each.fact: each for each in proof if isinstance(each, Given)}
        self.uses = Counter(fact for step in self.made.values() for fact in self._needed(step))

    def _needed(self, step: RuleStep) -> tuple[int, ...]:
        """Return a step's premises without guards and witnesses, in the order of its arguments."""
        edges = self.closure.edges
        if gate := edges.gate(step.edge):
            return (*edges.paying(gate), *step.premises[len(gate.guards) :])
        return tuple(edges.guessed.get(each, each) for each in edges.needs(step.edge))

    def run(self, fact: int) -> list[RuleStep]:
        """Return the step that makes the fact, and the steps before it by the same rule of one premise each."""
        run = [self.made[fact]]
        while True:
            before = self._needed(run[-1])
            step = self.made.get(before[0]) if len(before) == 1 else None
            if step is None or step.rule != run[0].rule or self.uses[before[0]] > 1:
                return run
            run.append(step)

    def below(self, fact: int) -> tuple[int, ...]:
        """Return what a fact is made from, each once; nothing for one that is given."""
        return tuple(dict.fromkeys(self._needed(self.run(fact)[-1]))) if fact in self.made else ()

    def how(self, fact: int) -> str:
        """Return the rule that makes a fact, and how often it is applied; or the officials who answer."""
        run = self.run(fact)
        if service := self.closure.edges.service(run[0].edge):
            return f"{', '.join(service.kind.holders)} answers"
        return run[0].rule.rsplit(".", 1)[1] + (f", {len(run)} times" if len(run) > 1 else "")

    def whence(self, fact: int) -> str:
        """Return where a given fact is from."""
        given = self.given[fact]
        if given.holder is None:
            return "anybody can make it"
        if given.holder == "network":
            return "heard by the network"
        return f"{given.holder}, {on_evening(given.evening or 0).removeprefix('on ')}"


def derivation(analysis: Analysis, attack: Attack, found: Reach, taken: Iterable[StateTaken]) -> Derivation | None:
    """Return how a cell's coalition opens the first text that the claim excludes, or else the first that it opens.

    None if it opens no text. `taken` says when its states are stolen.
    """
    members, opened = found.taken()
    if not opened:
        return None
    if not found.corrupted:
        last = analysis.record.scenario.days - 1
        members = tuple(Seizure(each.who, (last if each.how == "kept" else each.day,)) for each in taken)
    text, name = min(opened & found.excluded.keys() or opened), SERVED if attack.served else MATHEMATICS
    for number in analysis.numbers(name)[text]:
        if proof := prove(analysis.labels, [number], members, name):
            guessed = [each.principal for each in guesses(analysis.labels, [number], members, name)]
            paid = {fact_of(each): bits_of(each) for each in guessed}
            return _level_by_level(ProofSteps(analysis.closure, proof), text, number, paid)
    return None


def _level_by_level(steps: ProofSteps, text: int, root: int, paid: dict[int, float]) -> Derivation:
    """Return the first steps of a proof, those next to the text before those further away."""
    place, waiting = {root: 0}, deque([root])
    while waiting:
        for fact in steps.below(waiting.popleft()):
            if fact not in place:
                place[fact] = len(place)
                waiting.append(fact)
    kept = [fact for fact, at in place.items() if at < MOST_STEPS]

    def step(fact: int) -> DerivationStep:
        how = in_words(paid[fact]) if fact in paid else steps.how(fact) if fact in steps.made else steps.whence(fact)
        below = tuple(at for each in steps.below(fact) if (at := place[each]) < MOST_STEPS)
        return DerivationStep(how=_cut(how), fact=_cut(describe(steps.closure.facts[fact])), premises=below)

    return Derivation(text=text, steps=tuple(map(step, kept)), left_out=len(place) - len(kept))


def _cut(words: str) -> str:
    return words if len(words) <= WIDEST else words[: WIDEST - 1] + "…"


# --- facts in a few words ---


def describe(fact: Fact) -> str:
    """Return a fact's type and public fields, byte strings by their first digits."""
    shown = ", ".join(f"{name} {_value(getattr(fact, name))}" for name in _public(type(fact)))
    return f"{type(fact).__name__} {shown}".rstrip()


@cache
def _public(kind: type[Fact]) -> tuple[str, ...]:
    """Return the fields that hold no secret: names, numbers, other facts, and bytes that are public by their type."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(name for name in kind.__struct_fields__ if any(map(_is_public, _alternatives(hints[name]))))


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _is_public(hint: Any) -> bool:
    named = hint in (Public, int, str, tuple[str, ...], Direct, InGroup)
    return named or (isinstance(hint, type) and issubclass(hint, Fact))


def _value(value: object) -> str:
    if isinstance(value, Fact):
        return f"({describe(value)})"
    if isinstance(value, bytes):
        return short(value) if value else "none"
    return " and ".join(value) if isinstance(value, tuple) else str(value)


def short(value: bytes) -> str:
    """Return the first digits of a byte string."""
    return value.hex()[:SHOWN] + ("…" if len(value.hex()) > SHOWN else "")
