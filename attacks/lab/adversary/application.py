"""Apply rules to the facts that a join has found, and record what they give as edges.

Forged means that the arguments do not fit; it is counted. Any other exception is a defect of the rule and escapes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from attacks.lab.adversary.edges import Edges, GateEdge, Premises
from attacks.lab.adversary.facts import FactTable
from attacks.lab.adversary.joins import Fire
from attacks.lab.adversary.work import KNOWN, Guessed, guess_of
from escrow.codec import Fact
from escrow.derivation import Gate, Rule
from escrow.errors import Forged
from escrow.run import current, recalled


class Application:
    """Applies the rules of one closure. `fired` and `forged` count, by a rule's name, what came of it."""

    def __init__(self, table: FactTable, edges: Edges) -> None:
        self.table, self.edges = table, edges
        none = dict.fromkeys((rule.name for rule in edges.rules), 0)  # a name that a Counter has is found sooner
        self.fired, self.forged = Counter[str](none), Counter[str](none)
        self._gate_of: dict[tuple[Any, ...], GateEdge] = {}

    def fire(self, number: int) -> Fire:
        """Return what applies rule number `number` to each set of premises that a join finds."""
        rule = self.edges.rules[number]
        return self._entering(number, rule) if isinstance(rule, Gate) else self._firing(number)

    def _firing(self, number: int) -> Fire:
        rule, add, conclude = self.edges.rules[number], self.edges.fire, self._conclusions
        function, name, fired, forged, made_by = rule.apply, rule.name, self.fired, self.forged, rule.function
        guess = self._guess if rule.guesses else None
        keeps = (run := current.get()) is not None and run.results is not None

        def fire(premises: Premises, arguments: Sequence[Fact]) -> None:
            try:
                if not keeps or forged[name] > fired[name]:  # what mostly refuses is soon done: it is not kept
                    result = function(*arguments)
                else:
                    result = recalled((made_by, *arguments), function, *arguments)
            except Forged:
                forged[name] += 1
                return
            fired[name] += 1
            if conclusions := conclude(result, premises, number):
                add(number, premises if guess is None else guess(rule, premises), conclusions)

        return _each_value_once(rule, fire) if len(rule.takes) > rule.shown and rule.places else fire

    def _guess(self, rule: Rule, premises: Premises) -> Premises:
        """Return premises in which those that can be guessed are had by whoever has the fact, or does the work."""
        changed = list(premises)
        for at, bits in rule.guesses.items():
            changed[at] = number = self.table.learn(Guessed(bits, premises[at]), guess_of(bits, premises[at]))
            if number not in self.edges.guessed:
                self.edges.guessed[number] = premises[at]
                self.edges.fire(self.edges.rules.index(KNOWN), (premises[at],), (number,))
        return tuple(changed)

    def _conclusions(self, result: Any, premises: Premises, rule: int) -> list[int]:
        """Return the numbers of what a rule gave, without what had to be known for it."""
        intern = self.table.intern
        made = [*map(intern, result)] if isinstance(result, tuple) else [intern(result)]
        for each in made:
            if each in premises:
                paid = {premises[at] for at in self.edges.needed_at[rule] if at < len(premises)}
                return [each for each in made if each not in paid]
        return made

    # --- thresholds ---

    def _entering(self, number: int, gate: Gate) -> Fire:
        """Return a function that admits one member to a threshold rule, once it is verified."""

        def enter(premises: Premises, arguments: Sequence[Fact]) -> None:
            *earlier, member = arguments
            try:
                if not gate.verify(*earlier, member):
                    raise Forged("a member does not verify")
                t, index, guards = gate.t(*earlier, member), gate.index(member), premises[:-1]
                key = (number, guards, gate.by(member), t)
            except Forged:
                self.forged[gate.name] += 1
                return
            if (edge := self._gate_of.get(key)) is None:
                edge = self._gate_of[key] = GateEdge(number, guards, t)
                self.edges.gates.append(edge)
            edge.members[index] = (*edge.members.get(index, ()), premises[-1])
            if not edge.ran and len(edge.members) >= t:
                self._combine(gate, edge)

        return enter

    def _combine(self, gate: Gate, edge: GateEdge) -> None:
        """Run a threshold rule once: its members verify, so any others would give the same, Forged included."""
        edge.ran = True
        earlier = [self.table.facts[guard] for guard in edge.guards]
        members = tuple(self.table.facts[member] for member in edge.choose(lambda _: True))
        try:
            result = recalled((gate.function, *earlier, members), gate.function, *earlier, members)
            edge.conclusions = tuple(self._conclusions(result, edge.guards, edge.rule))
        except Forged:
            self.forged[gate.name] += 1
        else:
            self.fired[gate.name] += 1


def _each_value_once(rule: Rule, fire: Fire) -> Fire:
    """Return what applies a rule once for the values that its plain arguments take, whichever facts give them."""
    seen: set[tuple[Any, ...]] = set()
    reads = [(at, attrgetter(path)) for at, path in rule.places.values() if path]

    def once(premises: Premises, arguments: Sequence[Fact]) -> None:
        key = (*premises[: rule.shown], *(read(arguments[at]) for at, read in reads))
        if key not in seen:
            seen.add(key)
            fire(premises, arguments)

    return once
