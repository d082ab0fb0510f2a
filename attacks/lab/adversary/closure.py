"""The closure adversary: with everybody's secrets in, apply the library's own functions until nothing new appears.

Facts are interned to integers. Each rule is a hash join on the equalities that its marking names, planned once for
every argument that may arrive last. What made what from what is recorded: an and/or graph whose every node is real
bytes; `attacks.lab.adversary.labels` reads from it who can derive a fact.

Modules: `facts` (what is there), `edges` (what gives what), `joins` (which rules an arriving fact meets), `application`
(run a rule), `services` (ask an honest official).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attacks.lab.adversary.application import Application
from attacks.lab.adversary.edges import Edges
from attacks.lab.adversary.facts import FactTable
from attacks.lab.adversary.joins import Joins
from attacks.lab.adversary.services import Candidates, Desk
from escrow.codec import Fact
from escrow.derivation import Rule, Service


class Closure(FactTable):
    """Facts, what is assumed of them, and every edge between them.

    learn … run … then read the edges; after more learning or serving, `run` goes on where it stopped. `fired` and
    `forged` count what came of the rules, by name.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        super().__init__()
        self.rules: list[Rule] = list(dict.fromkeys(rules))
        self.edges = Edges(self.rules)
        self._application = Application(self, self.edges)
        self.fired, self.forged = self._application.fired, self._application.forged
        self._joins = Joins(self.facts)
        for number, rule in enumerate(self.rules):
            self._joins.add(rule, self._application.fire(number))

    def run(self) -> None:
        """Apply the rules until nothing new appears. Forged is counted; any other exception is a defect and escapes."""
        waiting, arrive = self._waiting, self._joins.arrive
        while waiting:
            arrive(waiting.popleft())

    def serve(self, service: Service, candidates: Candidates, requester: Callable[[Fact], Fact]) -> int:
        """Add what honest officials answer to requests, and return how many service edges are new; then `run` again.

        A request is, for one firing of the service's rule, facts that give the rule's arguments as `service.given`
        says.

        Args:
            service: What officials answer, and what they check before. Its rule must be one of this closure's
                (ValueError).
            candidates: The warrants to show with these request facts.
            requester: The key that signs a request with this warrant. All must be facts of this closure (KeyError):
                what nobody holds cannot be shown.
        """
        services = self.edges.services
        desk, before = Desk(self._application, service, candidates), len(services)
        answered = services.shown_by_firing(service.name)  # by an earlier call
        for number in self.edges.firings_of(service.rule):
            _, premises, _ = self.edges.firing(number)
            served = {tuple(services.premises(at)) for at in answered.get(number, ())}
            for request in desk.requests(premises):
                for warrant in desk.fitting(premises, request):
                    shown = (*request, self.ids[warrant], self.ids[requester(warrant)])
                    if shown not in served:
                        served.add(shown)
                        desk.answer(number, premises, shown)
        return len(services) - before
