"""When honest officials answer a request: time in the services of a closure.

An answer needs an evening on which the official's state gives the secret that answers, everything in the request had
been heard, held or could be made, and the official takes the warrant. A thief must have the rest by the last of these
evenings: what is taken later comes too late to be asked with (`adversary.labelling.labels` cuts the labels there).
Set-up is no such evening, because nobody makes requests before the first day.

Example: on evening d the agent holds the key of day d, from which no other day's key follows. The field of day 3 is
heard on day 3, so it is opened on evening 3 only; the court's key, taken on evening 5, has the field opened no more. If
the key of day d is the hash of that of day d + 1, the agent can open the field on every evening from 3 on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from attacks.lab.adversary.edges import Edges, Premises
from attacks.lab.adversary.facts import FREE, NETWORK, FactTable
from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.evenings import WHENEVER
from attacks.lab.adversary.work import bits_of
from escrow.codec import Fact
from escrow.derivation import Checks, Service

On = tuple[tuple[str, int], ...]  # officials, and the evenings on which each answers, as bits
Answers = Callable[[str, Service], bool]  # whether a party of this name answers requests for a service
Checked = Callable[..., Checks]  # the checks of a service, by which it is known
Takes = Callable[[str, Fact], int]  # an official's name and a warrant -> the evenings on which it takes the warrant


class ServiceTime:
    """Finds the evenings of each answer, as bits, in a closure that has run.

    `days` is the length of the play; `takes` and `answers` say which warrants an official takes, and whom it serves.
    """

    def __init__(self, table: FactTable, edges: Edges, days: int, takes: Takes, answers: Answers) -> None:
        self.last, self._takes, self._answers = days - 1, takes, answers
        self._days = evenings.until(self.last) & evenings.since(0)
        self._table, self._edges = table, edges
        self._answering: dict[int, dict[str, int]] = {}  # by secret
        self._able: dict[
            tuple[Checked, int, int], dict[str, int]
        ] = {}  # by service, secret, and when a request is ready
        self._answered: dict[tuple[Checked, int, int, int], On] = {}  # and by warrant
        self._ready: dict[int, int] = {}  # by fact
        self._all_ready: dict[Premises, int] = {}  # by facts of one request
        self._taken: dict[tuple[str, int], int] = {}
        self._makers: dict[int, list[int]] = defaultdict(list)
        self._scanned: set[int] = set()  # numbers of the rules whose edges are in `_makers`
        self._complete: set[type[Fact]] = set()  # kinds of facts all of whose makers are there

    def of(self, service: Service, secret: int, request: Premises, warrant: int) -> On:
        """Return the evenings on which officials answer. Those who never answer are left out.

        Args:
            service: What they answer.
            secret: The fact that the answer is computed with.
            request: All facts of the request, the warrant and the requester's key among them.
            warrant: The warrant.
        """
        key = service.checks, secret, self.ready(request), warrant
        if (found := self._answered.get(key)) is None:
            able = self.able(service, secret, request).items()
            found = tuple((holder, on) for holder, held in able if (on := held & self._takes_on(holder, warrant)))
            self._answered[key] = found
        return found

    def able(self, service: Service, secret: int, request: Premises) -> dict[str, int]:
        """Return the evenings on which officials answer, by their names, if they take the warrant."""
        key = service.checks, secret, (ready := self.ready(request))
        if (found := self._able.get(key)) is None:
            serving = (each for each in self.answering(secret).items() if self._answers(each[0], service))
            found = self._able[key] = {holder: on for holder, held in serving if (on := held & ready)}
        return found

    def answering(self, secret: int) -> dict[str, int]:
        """Return the evenings on which a party's state gives a secret, held or made of what it holds, by party."""
        if (found := self._answering.get(secret)) is None:
            steps, held = list(self._steps(secret, lambda _: False)), self._table.held
            facts = {secret, *(each for edge in steps for each in self._edges.needs(edge))}
            holders = {holder for each in facts for holder, _ in held.get(each, ()) if not bits_of(holder)}

            def given(holder: str) -> Callable[[int], int]:
                return lambda fact: self._heard(fact) | dict(held.get(fact, ())).get(holder, 0)

            alone = {holder: self._evenings(steps, given(holder))(secret) & self._days for holder in holders}
            found = self._answering[secret] = {holder: on for holder, on in sorted(alone.items()) if on}
        return found

    def ready(self, facts: Premises) -> int:
        """Return the evenings by which all these facts had been heard or held, or could be made of what had been."""
        if (common := self._all_ready.get(facts)) is None:
            common = WHENEVER
            for fact in facts:
                if fact not in self._ready:
                    self._make_ready(fact)
                common &= self._ready[fact]
            self._all_ready[facts] = common
        return common

    def _make_ready(self, fact: int) -> None:
        """Find the evenings of a fact and of all that it is made of, back to what nobody can have earlier."""
        known, given = self._ready, dict[int, int]()

        def of(each: int) -> int:
            if (found := known.get(each)) is None and (found := given.get(each)) is None:
                found = given[each] = self._given(each)
            return found

        def ends(each: int) -> bool:
            return each in known or of(each) == WHENEVER

        steps = list(self._steps(fact, ends))
        made, behind = self._evenings(steps, of), (each for edge in steps for each in self._edges.needs(edge))
        known |= {each: made(each) for each in (fact, *behind)}  # of what else these steps give, others may be unread

    def _takes_on(self, holder: str, warrant: int) -> int:
        if (found := self._taken.get((holder, warrant))) is None:
            found = self._taken[holder, warrant] = self._takes(holder, self._table.facts[warrant])
        return found

    def _heard(self, fact: int) -> int:
        how = self._table.assumed(fact)
        return WHENEVER if how & FREE else evenings.since(self._table.heard_on(fact)) if how & NETWORK else 0

    def _given(self, fact: int) -> int:
        """Return all evenings from the first one on which the fact had been heard, or anybody held it."""
        held = (evenings.since(evenings.first(on)) for _, on in self._table.held.get(fact, ()))
        return evenings.union((self._heard(fact), *held))

    # --- facts that are made of others ---

    def _evenings(self, steps: Sequence[int], given: Callable[[int], int]) -> Callable[[int], int]:
        """Return a function of a fact: its evenings, given, or as the least fixpoint over the steps that lead to it."""
        known: dict[int, int] = {}

        def of(each: int) -> int:
            return known[each] if each in known else given(each)

        grew = True
        while grew:
            grew = False
            for edge in reversed(steps):  # they were found from the fact backwards
                on = self._on(edge, of)
                for made in self._edges.gives(edge):
                    before = of(made)
                    if on & ~before:
                        known[made], grew = before | on, True
        return of

    def _on(self, edge: int, of: Callable[[int], int]) -> int:
        """Return the evenings on which all that an edge needs is there."""
        if (gate := self._edges.gate(edge)) is None:
            on = WHENEVER
        else:
            at_least = [WHENEVER] + [0] * gate.t  # at_least[k]: the evenings on which k of the members are there
            for same in gate.members.values():
                member = evenings.union(map(of, same))
                for k in range(gate.t, 0, -1):
                    at_least[k] |= at_least[k - 1] & member
            on = at_least[gate.t]
        for each in self._edges.paying(gate) if gate else self._edges.needs(edge):
            on &= of(each)
        return on

    def _steps(self, fact: int, is_given: Callable[[int], bool]) -> Iterator[int]:
        """Yield every firing and gate from which a fact comes, back to what is given."""
        waiting, met, seen = [fact], {fact}, set[int]()
        while waiting:
            if is_given(each := waiting.pop()):
                continue
            for edge in self._making(each):
                if edge not in seen:
                    seen.add(edge)
                    yield edge
                    fresh = set(self._edges.needs(edge)) - met
                    met |= fresh
                    waiting += fresh

    def _making(self, fact: int) -> Sequence[int]:
        """Return the edges that conclude a fact. A rule's edges are read when a fact is asked for that it may give."""
        kind, edges = type(self._table.facts[fact]), self._edges
        for number, rule in enumerate(edges.rules if kind not in self._complete else ()):
            alike = any(issubclass(kind, give) or issubclass(give, kind) for give in rule.gives)
            if alike and number not in self._scanned:
                self._scanned.add(number)
                for edge in edges.of_rule(number):
                    for made in edges.gives(edge):
                        self._makers[made].append(edge)
        self._complete.add(kind)
        return self._makers.get(fact, ())
