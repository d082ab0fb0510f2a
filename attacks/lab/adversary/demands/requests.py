"""Requests to officials: demanded by what was heard, shown with the orders that exist and those that a search finds.

A subject of a request is demanded by the narrowest order that covers it, signed by the court's key: whoever holds that
key can show it. Where an official refuses it, other orders are searched (attacks.lab.adversary.demands.search).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

from attacks.lab.adversary.answers.services import Failed
from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.demands.constants import Constants, constants_of
from attacks.lab.adversary.demands.refusal import Refusal
from attacks.lab.adversary.demands.search import Asked, Demands, narrowest, subject_of
from attacks.lab.adversary.edges import Premises
from attacks.lab.adversary.timing import evenings
from attacks.lab.adversary.timing.service_time import ServiceTime
from attacks.lab.adversary.view import View, words_of
from escrow import codec
from escrow.codec import Fact
from escrow.derivation import Checks, Service
from escrow.e2ee.device import Device
from escrow.principal import handlers_of, of_kind, revive
from escrow.scheme import RequestSubject
from escrow.warrant import Authority, AuthorityKey, Court, CourtKey, Demand, Official, Order, Warrant, in_force

F = TypeVar("F", bound=Fact)
ROUNDS = 2  # of serving


def dates(warrant: Warrant, day: int) -> Checks:
    """Yield the check on dates that officials of all schemes share."""
    yield "warrant in force", in_force(warrant, day)


class Requests:
    """The requests that can be put to the officials of a view, in its closure.

    `stranger` is a key of an authority that everyone can make.
    """

    def __init__(self, view: View, closure: Closure, stranger: AuthorityKey) -> None:
        self.view, self.closure, self._stranger = view, closure, stranger

    def put(self, scheme: object) -> tuple[Refusal, ...]:
        """Put all requests to the services of a scheme. Return the checks that refuse every order that was tried."""
        self.closure.learn(self._stranger)
        self._demand()
        return self._serve(words_of(scheme).services, constants_of(scheme))

    def _demand(self) -> None:
        """Demand, for each subject of a request, the narrowest order that covers it, signed by the court's key."""
        self._demanded: dict[tuple[str, int], Order] = {}
        self._found: dict[tuple[tuple[str, ...], int], list[Order]] = defaultdict(list)
        for subject in self._of(RequestSubject):
            if subject.people and (subject.people[0], subject.day) not in self._demanded:
                order = narrowest(self._stranger.public, subject.people[0], subject.day, self.view.days)
                self._demanded[subject.people[0], subject.day] = order
                self.closure.learn(Demand(order))
        self._sign()
        self._keys = {key.public: key for key in self._of(AuthorityKey)}
        issued = [codec.decode(each, Warrant) for each in self.view.warrants]
        self._issued = [each for each in issued if each in self.closure.ids and each.order.authority in self._keys]

    def _sign(self) -> None:
        """Let each key of a court sign what is demanded."""
        self.closure.run()
        self._signed: dict[Order, list[Warrant]] = defaultdict(list)
        for warrant in self._of(Warrant):
            self._signed[warrant.order].append(warrant)

    def _serve(self, services: Sequence[Service], constants: Constants) -> tuple[Refusal, ...]:
        """Put requests to the officials; search orders for those that the narrowest one does not open.

        Twice at most: what an order gives (another official's signature on it, say) may be asked with in turn.
        """
        courts = self._of(CourtKey)
        names = sorted({name for subject in self._of(RequestSubject) for name in subject.people})
        authorities = [self._stranger.public, *(each for each in self._keys if each != self._stranger.public)]
        orders = [warrant.order for warrant in self._issued]
        search = Demands(constants, courts, authorities, orders, names, self.view.days)
        for _ in range(ROUNDS):
            time = ServiceTime(self.closure, self.closure.edges, self.view.days, self._takes, self._answers)
            for service in services:  # an answer is a fact that the official's secret had given before
                judged = self._judge(service, search, time) if courts else None
                self.closure.serve(service, self._candidates, self._requester, judged, time)
            for subject, demanded in (found := search.found()).items():
                self._found[subject] += sorted(demanded, key=codec.encode)
                for order in demanded:
                    self.closure.learn(Demand(order))
            if not found:
                break
            self._sign()
        return search.refusals()

    def _judge(
        self, service: Service, search: Demands, time: ServiceTime
    ) -> Callable[[Premises, Premises, Fact, Failed], None]:
        """Return a function that searches orders for a request which the narrowest order does not open."""
        holder = service.holder_at
        facts, hopeless, answering = self.closure.facts, search.hopeless(service), set[int]()

        def judge(premises: Premises, request: Premises, warrant: Fact, failed: Failed) -> None:
            by_anybody = isinstance(warrant, Warrant) and warrant.order.authority == self._stranger.public
            secret = premises[holder]
            if by_anybody and failed is not None and failed <= hopeless:
                if secret not in answering:
                    answering.add(secret)
                    search.answers(service, time.able(service, secret, request))
                return
            shown = tuple(facts[each] for each in request)
            able = time.able(service, secret, request)
            days = evenings.numbers(evenings.union(able.values()))
            daily = service.timed or any(map(self._own_dates, able))
            for day in reversed(days):
                timely = self._timely(next(name for name, on in able.items() if on & evenings.bit(day)), day)
                fields = search.ask(Asked(service, facts[secret], tuple(able), shown, day, timely))
                if not fields or not (daily or fields & {"issued", "expires"}):
                    break  # on other days it would be no other

        return judge

    def _candidates(self, request: tuple[Fact, ...]) -> Iterator[Fact]:
        """Yield the warrants to show with a request, the one of the narrowest order last."""
        yield from self._issued
        people, day = subject_of(request)
        narrow = self._demanded.get((people[0], day)) if people else None
        for order in (*self._found.get((people, day), ()), narrow):
            if order is not None:
                yield from self._signed.get(order, ())

    def _requester(self, warrant: Fact) -> Fact:
        if not isinstance(warrant, Warrant):
            raise TypeError(f"a request is shown with a {type(warrant).__name__}, not with a warrant")
        return self._keys[warrant.order.authority]

    def _takes(self, official: str, warrant: Fact) -> int:
        """Return the evenings on which an official takes a warrant: while it is in force, or as its `timely` says."""
        days = range(self.view.days) if isinstance(warrant, Warrant) else ()
        taken = (day for day in days if all(holds for _, holds in self._timely(official, day)(warrant, day)))
        return evenings.bits(taken)

    def _answers(self, party: str, service: Service) -> bool:
        """Return whether a party may answer requests for a service.

        A user's device, court and authority do not, though they may hold what would answer. An official answers what it
        promised. Who has other methods that answer packets may answer anything with them.
        """
        kinds = self.view.kinds[party]
        if all(issubclass(kind, Device | Authority | Court) and not issubclass(kind, Official) for kind in kinds):
            return False
        own = set(handlers_of(kinds[-1]).values()) - {Official.on_request, Official.on_confidential}
        promised = getattr(getattr(kinds[-1], "promise", None), "__service__", None)
        return bool(own) or (promised is not None and promised.name == service.name)

    def _timely(self, official: str, day: int) -> Callable[[Any, int], Checks]:
        """Return the checks on dates of an official as it is on this evening."""
        if self._own_dates(official) and (state := self.view.states[official][day]):
            return of_kind(revive(state, self.view.kinds[official][day]), Official).timely
        return dates

    def _own_dates(self, official: str) -> bool:
        """Return whether an official has other checks on dates than all have."""
        kind = self.view.kinds[official][-1]
        return issubclass(kind, Official) and kind.timely is not Official.timely

    def _of(self, kind: type[F]) -> list[F]:
        return [cast(F, self.closure.facts[number]) for number in self.closure.of_kind(kind)]
