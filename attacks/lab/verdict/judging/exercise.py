"""The fixed exercise play of a scheme: which of its rules fire there, whatever else is played.

It is the honest play in the small scenario and, where that leaves a rule idle, the one with the scheme's default
parameters, and those of the specimens that are made from the scheme. So a verdict does not depend on the other cells of
a run, and what a parameter leaves out is no doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attacks.lab.adversary.view import words_of
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.analysis import Analysis, rules_of
from attacks.registry import specimens
from escrow.codec import Fact
from escrow.derivation import Rule
from escrow.scheme import Scheme
from escrow.warrant import Demand


class Exercise:
    """The rules of one scheme that fire in its exercise plays, each of which is made when it is first needed.

    `known` are those of the honest play in the small scenario, where they are known already.
    """

    def __init__(self, scheme: Scheme, every: Sequence[Attack], *, isolated: bool = False) -> None:
        self.scheme, self.every, self.isolated = scheme, every, isolated
        self.known: frozenset[str] | None = None
        self._fired: set[str] = set()
        self._left = self._plays()

    def idle(self, attack: Attack, fired: frozenset[str]) -> tuple[str, ...]:
        """Return the rules of the scheme and of the attack that fire neither among `fired` nor in any exercise play.

        Rules about demands count only where officials answer requests, and those of sessions only where devices have
        such sessions. The rules of other attacks are their own controls' affair.
        """
        words, replaced = words_of(self.scheme), self.scheme.device.replaces
        rules = [
            rule.name
            for rule in words.rules
            if (words.services or Demand not in rule.takes) and rule.function.__module__ not in replaced
        ]
        rules += derivations_of(attack)
        while missing := [rule for rule in rules if rule not in fired | self._fired]:
            found = next(self._left, None) if self._possible(missing) else None
            if found is None:
                return tuple(missing)
            self._fired |= found
        return ()

    def _possible(self, missing: Sequence[str]) -> bool:
        """Return whether one of these rules could fire in a play: whether each fact that it needs might occur there.

        Bytes are read as any type of their name. So a fact occurs if the scheme has a type of its name, or if another
        rule gives it.
        """
        rules = rules_of(self.scheme, self.every)
        types = words_of(self.scheme).types.union(*(words_of(each).types for each in self.every))
        names = {kind.__name__ for kind in words_of(self.scheme).types}
        there = [kind for kind in types if kind.__name__ in names]

        def occurs(need: type[Fact], taker: Rule) -> bool:
            given = (give for rule in rules if rule is not taker for give in rule.gives)
            return any(issubclass(kind, need) for kind in (*there, *given))

        needs = {rule: [need for at, need in enumerate(rule.takes) if rule.needed[at]] for rule in rules}
        return any(all(occurs(need, rule) for need in needs[rule]) for rule in rules if rule.name in missing)

    def _plays(self) -> Iterator[frozenset[str]]:
        yield self._of(self.scheme) if self.known is None else self.known
        if self.scheme != (usual := self.scheme.usual()):
            yield self._of(usual)
        for specimen in specimens().values():
            if type(specimen) is not type(self.scheme) and isinstance(specimen, type(self.scheme)):
                yield self._of(specimen)

    def _of(self, scheme: Scheme) -> frozenset[str]:
        found = Analysis(scheme, play(scheme, small()), self.every, isolated=self.isolated)
        return found.fired


def derivations_of(attack: Attack) -> list[str]:
    """Return the names of an attack's derivations."""
    return [function.__rule__.name for function in attack.derivations]  # type: ignore[attr-defined]  # `@derivation` sets it
