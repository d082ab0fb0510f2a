"""One cell, played once: a proof is written from it, and a replay is compared with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from attacks.lab.adversary.coalitions import Coalition, Seizure
from attacks.lab.evidence.provenance import coalition_of
from attacks.lab.results.types import Cell
from attacks.lab.simulation.attack import Attack, Cast, Corruption, evenings_of
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.strategies import named, strategies
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.judging.reach import Reach, reach
from escrow import registry
from escrow.registry import UnknownName
from escrow.scheme import Scheme

Members = tuple[Seizure, ...]


def pass_of(attack: Attack) -> Literal["mathematics", "served"]:
    """Return "served" if honest officials answer the attack's requests, else "mathematics"."""
    return "served" if attack.served else "mathematics"


class _Once(Evaluation):
    """An evaluation that keeps each strategy's play."""

    @cached_property
    def _plays(self) -> dict[tuple[str, str], tuple[Analysis, tuple[Corruption, ...]]]:
        return {}

    def under(self, attack: Attack) -> tuple[Analysis, tuple[Corruption, ...]]:
        name = attack.name, attack.strategy
        if name not in self._plays:
            self._plays[name] = super().under(attack)
        return self._plays[name]


class Case:
    """A scheme under an attack, with the rules of `attacks` and of the attack itself.

    `strategy` is the name of the one that the cell shows; if it is None, the cell is played to find it.
    """

    def __init__(
        self,
        scheme: Scheme,
        attack: Attack,
        scenario: Scenario,
        attacks: Sequence[Attack],
        strategy: str | None = None,
    ) -> None:
        self.scheme, self.scenario, self._listed, self._strategy = scheme, scenario, attack, strategy
        self.attacks = tuple({each.name: each for each in (*attacks, attack)}.values())
        self.label_pass = pass_of(attack)
        self._evaluation = _Once(scheme, self.attacks, scenario, byte_pass=registry.is_plugin(scheme))

    @property
    def cast(self) -> Cast:
        """The parties of the play."""
        return self._evaluation.cast

    @cached_property
    def applies(self) -> bool:
        """Whether the attack applies to this scheme and cast."""
        return not self._listed.applies(self.scheme, self.cast)

    @cached_property
    def attack(self) -> Attack:
        """The attack by the strategy that the cell shows. Raise LookupError if it has none of that name."""
        if not self.applies or (self._strategy is None and len(self._strategies) == 1):
            return self._listed
        return named(
            self._listed, self.cell.strategy if self._strategy is None else self._strategy, self.cast, self.scenario
        )

    @cached_property
    def _strategies(self) -> tuple[Attack, ...]:
        return strategies(self._listed, self.cast, self.scenario)

    @property
    def analysis(self) -> Analysis:
        """The analysis of the play under the attack; of the honest play if no one is corrupted."""
        return self._evaluation.under(self.attack)[0]

    @cached_property
    def cell(self) -> Cell:
        """The cell as the matrix has it, without a run of its controls."""
        plain = registry.schemes()["plain"]
        evaluation = self._evaluation if self.scheme == plain else Evaluation(plain, self.attacks, self.scenario)
        itself = self.scheme == plain
        return self._evaluation.cell(self._listed, lambda each: evaluation.opened(each)._replace(itself=itself))[0]

    @cached_property
    def reach(self) -> Reach:
        """The texts that the attack's corruptions open."""
        analysis, corruptions = self._evaluation.under(self.attack)
        return reach(analysis, Judge(analysis.record, self.scheme.claim), self.attack, corruptions)

    @property
    def reached(self) -> tuple[int, ...]:
        """The texts that any corruptions of the attack open, in order."""
        return tuple(sorted(self.reach.masks)) if self.applies else ()

    @property
    def excluded(self) -> tuple[int, ...]:
        """The texts among those reached that the claim excludes, in order."""
        return tuple(sorted(self.reach.excluded)) if self.applies else ()

    @cached_property
    def taken(self) -> dict[str, frozenset[int]]:
        """The evenings on which the attack takes each principal's state. Nothing is played for it."""
        evenings: dict[str, set[int]] = defaultdict(set)
        for each in self.attack.corruptions(self.cast, self.scenario):
            evenings[each.principal].update(evenings_of(each, self.scenario.days))
        return {name: frozenset(on) for name, on in evenings.items()}

    def opened_by(self, members: Members) -> list[int]:
        """Return the texts that these members open, among those that the attack opens."""
        return sorted(self.analysis.opened_by(members, self.label_pass) & self.reach.masks.keys())

    # --- whose state is taken ---

    def best(self) -> Members:
        """Return the cell's coalition, without thresholds, each seizure on evenings on which the attack makes it."""
        coalition, mask = self.reach.best
        members = coalition.members if self.reach.corrupted else self.reach.structure.example(mask).members
        return tuple(dict.fromkeys(each for member in members for each in self._possible(member)))

    def _possible(self, member: Seizure) -> Members:
        """Return one possible evening if the attack takes the principal once, or all of its evenings if it stays."""
        corrupted = any(each.principal == member.principal for each in self.reach.corrupted)
        on = frozenset(member.evenings) & self.taken[member.principal]
        if on and not corrupted:
            return (Seizure(member.principal, tuple(sorted(on))),)
        return self._always(member.principal)

    def _always(self, principal: str) -> Members:
        return tuple(Seizure(principal, (evening,)) for evening in sorted(self.taken[principal]))

    def chosen(self, text: str) -> Members:
        """Return a coalition that was typed.

        Raise UnknownName for a member that the attack does not take on those evenings.
        """
        members: list[Seizure] = []
        for each in coalition_of(text, self.analysis.record).members:
            on = self.taken.get(each.principal, frozenset())
            if not on or not set(each.evenings) <= on:
                does = f"it takes {Seizure(each.principal, tuple(sorted(on)))}" if on else self._whom()
                raise UnknownName(f"{self.attack.name} does not take {each}; {does}")
            members += [each] if each.evenings else self._always(each.principal)
        return tuple(members)

    def _whom(self) -> str:
        return f"it takes {Coalition(tuple(Seizure(name) for name in sorted(self.taken)))}"
