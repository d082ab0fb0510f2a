"""Requests to honest officials, and what they answer: the service edges of a closure.

An argument of the rule that an official answers with lies somewhere in one argument of its checks: in a request fact
(each is found by all that it must give), in the warrant, or in the official's own secret. For `partial(share,
ciphertext)` behind `agent_checks(share, warrant, field)` with "ciphertext = field.ciphertext", each firing of `partial`
has one share and one ciphertext; the requests are the fields with that ciphertext, each with the warrants that fit.
When an official answers, if it ever does, says `service_time`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from operator import attrgetter
from typing import Any

from attacks.lab.adversary.application import Application
from attacks.lab.adversary.edges import Premises, ServiceEdge, ServiceKind
from attacks.lab.adversary.joins import Getter, getter
from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.service_time import On, ServiceTime
from escrow.codec import Fact
from escrow.derivation import Checks, Service
from escrow.errors import EscrowError

Place = tuple[int, str]  # a premise of the rule, and the field of it that is meant
Candidates = Callable[[tuple[Fact, ...]], Iterable[Fact]]
Failed = frozenset[str] | None  # the checks that a request fails; None if there is no answer whatever is left out


class Desk:
    """Where requests for one service are put: finds, for a firing of its rule, those that an official would answer."""

    def __init__(
        self,
        application: Application,
        service: Service,
        candidates: Candidates,
        requester: Callable[[Fact], Fact],
        time: ServiceTime | None,
    ) -> None:
        self.application, self.service, self.holder = application, service, service.holder_at
        self._table, self._time, self._candidates = application.table, time, candidates
        self._requester = requester
        self._alike: dict[tuple[On, frozenset[str]], ServiceKind] = {}  # one object for all answers of a kind
        self._shown: dict[Premises, list[tuple[Fact, Premises]]] = {}  # by request: several officials hear it
        self._gives: list[tuple[list[Place], Getter]] = []  # of each argument of the checks: where what it gives lies
        for name, kind in zip(service.asks, service.takes, strict=True):
            lies = [(service.rule.place(each), path) for each, (at, path) in service.given.items() if at == name]
            gets = [getter(kind, (path,)) if path else _itself for _, path in lies]
            self._gives.append(([place for place, _ in lies], _all_of(gets)))
        self._index: list[dict[Any, list[int]]] = [defaultdict(list) for _ in service.takes[2:]]
        for index, kind, (_, get) in zip(self._index, service.takes[2:], self._gives[2:], strict=True):
            for number in self._table.of_kind(kind):
                index[get(self._table.facts[number])].append(number)

    def _wanted(self, argument: int, premises: Premises) -> tuple[Any, ...]:
        found = ((self._table.facts[premises[position]], path) for position, path in self._gives[argument][0])
        return tuple(attrgetter(path)(fact) if path else fact for fact, path in found)

    def asked(self, premises: Premises) -> Iterator[tuple[Premises, list[tuple[Fact, Premises]]]]:
        """Yield each request for an answer with these premises: its facts, and each warrant with all that is shown.

        Shown are the request facts, the warrant, and the key that signs the request.
        """
        return ((request, self._fitting(premises, request)) for request in self._requests(premises))

    def _requests(self, premises: Premises) -> Iterator[Premises]:
        """Return the request facts that give these premises, in the order in which the checks take them."""
        secret = self._table.facts[premises[self.holder]]
        if not isinstance(secret, self.service.takes[0]) or self._gives[0][1](secret) != self._wanted(0, premises):
            return iter(())  # what a thief makes of several secrets is no official's
        found = product(*(index.get(self._wanted(2 + at, premises), ()) for at, index in enumerate(self._index)))
        if (time := self._time) is None:
            return found
        return (request for request in found if time.able(self.service, premises[self.holder], request))

    def _fitting(self, premises: Premises, request: Premises) -> list[tuple[Fact, Premises]]:
        """Return those warrants that give what the rule takes from a warrant, each with all that is shown."""
        if (found := self._shown.get(request)) is None:
            ids, warrants = self._table.ids, self._candidates(tuple(self._table.facts[each] for each in request))
            found = [(each, (*request, ids[each], ids[self._requester(each)])) for each in warrants]
            self._shown[request] = found
        if not self._gives[1][0]:
            return found
        wanted = self._wanted(1, premises)
        return [each for each in found if self._gives[1][1](each[0]) == wanted]

    def answer(self, firing: int, premises: Premises, shown: Premises) -> Failed:
        """Add the edges of one answer, which `kinds` returns; `firing` is what the official computes, from `premises`.

        Returns:
            The checks that the request fails, on the evening on which it fails fewest; None if there is no edge.
        """
        kinds = self.kinds(premises, shown)
        for kind in kinds:
            self.application.edges.services.add(ServiceEdge(kind, firing, shown))
        return fewest(kinds)

    def kinds(self, premises: Premises, shown: Premises) -> list[ServiceKind]:
        """Return what there is to say of one answer: once for each set of checks that fail on some evenings.

        There is nothing if no official answers on any evening, or a check raises Forged, whatever else is left out.

        Args:
            premises: Those of the rule that the official answers with, its secret among them.
            shown: The request facts, the warrant, and the key that signs the request.
        """
        secret, warrant = premises[self.holder], shown[-2]
        if self._time is None:
            on: On = tuple((holder, evenings.WHENEVER) for holder, _ in self._table.held.get(secret, ()))
        elif not (on := self._time.of(self.service, secret, shown, warrant)):
            return []
        service, known = self.service, self._table.facts
        facts = [known[secret], known[warrant], *map(known.__getitem__, shown[:-2])]
        try:
            return [*self._kinds(facts, on)] if service.timed else [self._kind(on, _failed(service.checks(*facts)))]
        except (EscrowError, LookupError, ValueError, ArithmeticError):
            # the check expects another form of order; in the play, errors that are not of escrow.errors escape
            self.application.forged[self.service.name] += 1
            return []

    def _kinds(self, facts: list[Fact], on: On) -> Iterator[ServiceKind]:
        """Yield what answers have in common whose checks depend on the evening; `on`: when each official answers."""
        days: dict[frozenset[str], int] = defaultdict(int)  # evenings on which these checks fail
        for day in evenings.numbers(evenings.union(held for _, held in on)):
            days[_failed(self.service.checked(*facts, day=day))] |= evenings.bit(day)
        for failed, these in days.items():
            yield self._kind(tuple((holder, both) for holder, held in on if (both := held & these)), failed)

    def _kind(self, on: On, failed: frozenset[str]) -> ServiceKind:
        if (found := self._alike.get((on, failed))) is None:
            last = None if self._time is None else evenings.last(evenings.union(held for _, held in on))
            until = None if self._time is None or last == self._time.last else last  # nothing is taken after that
            found = ServiceKind(self.service.name, tuple(holder for holder, _ in on), failed, until)
            self._alike[on, failed] = found
        return found


def _failed(checks: Checks) -> frozenset[str]:
    return frozenset([name for name, holds in checks if not holds])


def fewest(kinds: Sequence[ServiceKind]) -> Failed:
    """Return the checks that a request fails on the evening on which it fails fewest; None if there is no answer."""
    return kinds[0].failed if len(kinds) == 1 else min((kind.failed for kind in kinds), key=len, default=None)


def _itself(fact: Fact) -> Fact:
    return fact


def _all_of(gets: list[Getter]) -> Getter:
    return lambda fact: tuple([get(fact) for get in gets])
