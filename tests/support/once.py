"""Plays and analyses that the tests of a module share: the same scheme, scenario, attack and rules give the same ones.

tests/lab/test_determinism.py shows that they do. The last few analyses are kept, because one is large; of honest plays
in the small scenario all that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from attacks.lab.simulation import play as simulation
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.trail import Trail
from attacks.lab.verdict import analysis
from attacks.lab.verdict.judging.exercise import Exercise
from escrow.scheme import Scheme

KEPT = 12  # of analyses
PLAYS = 128  # of plays: all those of a few schemes, since a second command plays each after all others
HONEST = 64  # of analyses of honest plays: fewer than there are schemes would be none, for the same reason
MODULES = (
    "attacks.lab.verdict.evaluation",
    "attacks.lab.verdict.judging.exercise",
    "attacks.lab.evidence.explain",
)


class Kept:
    """The last results of a function, by what it was asked."""

    def __init__(self, made: Callable[..., Any], most: int) -> None:
        self.made, self.most, self.found = made, most, dict[Any, Any]()

    def __call__(self, key: Any, *given: Any, **others: Any) -> Any:
        """Return the result that is kept under a key, or make it."""
        result = self.found.pop(key) if key in self.found else self.made(*given, **others)
        self.found[key] = result
        for oldest in list(self.found)[: -self.most]:
            del self.found[oldest]
        return result


def trail_of(scheme: Scheme, scenario: Scenario) -> Trail:
    """Play honestly, and return the evenings, from which plays under attack go on."""
    trail = Trail()
    simulation.play(scheme, scenario, trail=trail)
    return trail


@contextmanager
def once(honest_only: bool = False) -> Iterator[None]:
    """Share plays and analyses until the end, of honest plays alone if told so; and what fires in exercise plays."""
    honest, plays = Kept(trail_of, HONEST if honest_only else KEPT), Kept(simulation.play, PLAYS)
    analyses, exercised = Kept(analysis.Analysis, HONEST if honest_only else KEPT), Kept(Exercise._of, HONEST)

    def play(
        scheme: Scheme, scenario: Scenario, attack: Attack | None = None, trail: Trail | None = None, **others: Any
    ) -> Record:
        if any(others.values()) or (honest_only and attack):
            return simulation.play(scheme, scenario, attack, trail=trail, **others)
        if attack:
            return plays((scheme, scenario, attack.name, attack.strategy), scheme, scenario, attack, trail=trail)
        found = honest((scheme, scenario), scheme, scenario)
        if trail is not None:
            vars(trail).update(vars(found))
        return found.record

    def analysed(scheme: Scheme, record: Record, attacks: Iterable[Attack], **others: Any) -> analysis.Analysis:
        attacks = tuple(attacks)
        kept = any(each is record for each in (*plays.found.values(), *(each.record for each in honest.found.values())))
        if not kept or others.get("isolated") or others.get("door"):
            return analysis.Analysis(scheme, record, attacks, **others)
        taken = others.get("taken")
        names = tuple(each.name for each in attacks)
        key = scheme, id(record), names, None if taken is None else tuple(taken)
        found = analyses(key, scheme, record, attacks, taken=taken)
        return found if found.record is record else analysis.Analysis(scheme, record, attacks, **others)

    def fired(self: Exercise, scheme: Scheme) -> frozenset[str]:
        names = tuple(each.name for each in self.every)
        return exercised.made(self, scheme) if self.isolated else exercised((scheme, names), self, scheme)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exercise, "_of", fired)
        for module in MODULES:
            patch.setattr(f"{module}.play", play)
            patch.setattr(f"{module}.Analysis", analysed)
        yield
