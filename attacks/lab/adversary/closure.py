"""The closure adversary: with everybody's secrets in, apply the library's own functions until nothing new appears.

Facts are interned to integers. Each rule is a hash join on the equalities that its marking names, planned once for
every argument that may arrive last. What made what from what is recorded: an and/or graph whose every node is real
bytes; `attacks.lab.adversary.labelling.labels` reads from it who can derive a fact.

Modules: `facts` (what is there), `edges` (what gives what), `joins` (which rules an arriving fact meets), `application`
(run a rule); `answers.services` (ask an honest official), `answers.pooled` (which partial answers are worth computing),
`timing.service_time` (when officials answer).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from attacks.lab.adversary.application import Application
from attacks.lab.adversary.edges import Edges
from attacks.lab.adversary.facts import FactTable
from attacks.lab.adversary.joins import Joins
from attacks.lab.adversary.work import KNOWN
from escrow.codec import Fact
from escrow.derivation import Rule, RuleError, Service, where

if TYPE_CHECKING:  # a scheme without services does without
    from attacks.lab.adversary.answers.pooled import Judged, PooledRule
    from attacks.lab.adversary.answers.services import Candidates
    from attacks.lab.adversary.timing.service_time import ServiceTime

GENERATIONS = 2_000
MOST = 100


class EndlessRule(RuleError):
    """A rule goes on giving new facts: the message names it, and where it stands."""

    @classmethod
    def of(cls, rules: Iterable[Rule], generations: int, facts: int, given: int) -> EndlessRule:
        """Return the error for these rules, after so many generations or facts. It goes from a worker as it is."""
        names = " and ".join(f"{rule.name} ({where(rule.function)})" for rule in rules)
        after = f"{generations} generations" if generations else f"{facts} facts"
        return cls(
            f"{names} feeds itself without end: stopped after {after}, from {given} given facts; bound it by a guard, "
            f"or raise Forged where it ends"
        )


class Closure(FactTable):
    """Facts, what is assumed of them, and every edge between them.

    learn … run … then read the edges; after more learning or serving, `run` goes on where it stopped. `fired` and
    `forged` count what came of the rules, by name.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__()
        self.rules: list[Rule] = list({rule.name: rule for rule in rules}.values())
        if any(rule.guesses for rule in self.rules):
            self.rules.append(KNOWN)
        self.edges = Edges(self.rules)
        self._application = Application(self, self.edges)
        self.fired, self.forged = self._application.fired, self._application.forged
        self._joins = Joins(self.facts)
        self._pooled: dict[str, PooledRule] = {}
        given = [rule for rule in self.rules if rule is not KNOWN]
        for number, rule in enumerate(given):
            if pooled := self._pooled_rule(rule, given):
                self._pooled[rule.name] = pooled
                pooled.join(self._joins, self._application.fire(number))
            else:
                self._joins.add(rule, self._application.fire(number))

    def _pooled_rule(self, rule: Rule, given: Sequence[Rule]) -> PooledRule | None:
        """Return the rule with its gate, if its answers are pooled for one."""
        if rule.pooled is None:
            return None
        from attacks.lab.adversary.answers.pooled import PooledRule, taker

        gate = taker(rule, given)
        return PooledRule(self, self.edges, rule, rule.pooled, gate) if gate else None

    def run(self) -> None:
        """Apply the rules until nothing new appears. Forged is counted; any other exception is a defect and escapes.

        A generation are the facts that the one before it gave. Where each uses up a given fact, as a guard bounds it,
        there are no more of them than given facts: raise EndlessRule, GENERATIONS after that, or once there are MOST
        facts for each given one.
        """
        waiting, arrive, generation, began = self._waiting, self._joins.arrive, 0, Counter[str]()
        while waiting:
            generation += 1
            if generation % GENERATIONS == 0:
                self._bounded(generation, began)
                began = self.fired.copy()
            for at in range(len(waiting)):
                arrive(waiting.popleft())
                if at % GENERATIONS == GENERATIONS - 1:
                    self._bounded(0, began)

    def _bounded(self, generation: int, began: Counter[str]) -> None:
        """Raise EndlessRule, naming the rules that fired most since `began`, if this goes on beyond its bounds."""
        held = len(self.held)  # most of what is given; the network's facts are counted only where these do not suffice
        if generation <= held + GENERATIONS and len(self.facts) <= MOST * (held + GENERATIONS):
            return
        given = held + len(self.public) - self.public.count(0)
        if generation > given + GENERATIONS or len(self.facts) > MOST * (given + GENERATIONS):
            since = self.fired - began
            most = max(since.values())
            rules = [rule for rule in self.rules if since[rule.name] * 2 > most]
            raise EndlessRule.of(rules, generation, len(self.facts), given)

    def serve(
        self,
        service: Service,
        candidates: Candidates,
        requester: Callable[[Fact], Fact],
        judged: Judged | None = None,
        time: ServiceTime | None = None,
    ) -> int:
        """Add what honest officials answer to requests, and return how many service edges are new; then `run` again.

        A request is, for one firing of the service's rule, facts that give the rule's arguments as `service.given`
        says.

        Args:
            service: What officials answer, and what they check before. Its rule must be one of this closure's
                (ValueError).
            candidates: The warrants to show with these request facts.
            requester: The key that signs a request with this warrant. All must be facts of this closure (KeyError):
                what nobody holds cannot be shown.
            judged: Called for each request that is shown with a new warrant, with the premises of the firing, the
                request facts, the last of these warrants, and the fewest checks that it fails on any evening.
            time: On which evenings there are answers; None: officials answer whenever they are asked.
        """
        from attacks.lab.adversary.answers.services import Desk

        services = self.edges.services
        desk, before = Desk(self._application, service, candidates, requester, time), len(services)
        if pooled := self._pooled.get(service.rule.name):
            pooled.demand(desk, judged)
            self.run()
            judged = None
        answered = services.shown_by_firing(service.name)  # by an earlier call
        for number in self.edges.firings_of(service.rule):
            _, premises, _ = self.edges.firing(number)
            served = {tuple(services.premises(at)) for at in answered.get(number, ())}
            for request, all_shown in desk.asked(premises):
                last = None
                for warrant, shown in all_shown:
                    if shown not in served:
                        served.add(shown)
                        last, failed = warrant, desk.answer(number, premises, shown)
                if judged is not None and last is not None:
                    judged(premises, request, last, failed)
        return len(services) - before
