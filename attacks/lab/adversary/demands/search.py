"""Demands are a search: which orders would an honest official act on, if the court's key signed them?

A thief of the court's key writes what it likes into an order. An official that honours only orders of five days, of an
unusual scope or of one authority answers such an order, so the search looks for it, for each request that the narrowest
order does not open.

  templates    the narrowest order, orders that were found before, and the orders that the court issued in the play
  repairs      the checks run on recording orders (`recorded`); each comparison that they make tells what would turn it
  dictionary   the constants of the scheme's code, in each field that a failing check reads, singly and in pairs

At most LIMIT orders are tried for a service, an authority and a class of subject (whom and which day it is about).
What is found is only demanded: whether the official answers is then computed with the signed order itself.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

import msgspec

from attacks.lab.adversary.demands.constants import Constants
from attacks.lab.adversary.demands.examining import Asked, Examiner
from attacks.lab.adversary.demands.recorded import Notes
from attacks.lab.adversary.demands.refusal import LIMIT, Refusal
from attacks.lab.adversary.demands.traces import FORGED, UNREADABLE, Found, Subject, Tally, Trace, alike
from attacks.lab.adversary.demands.variations import Change, changed, dictionary, repairs, singly_and_in_pairs, travels
from escrow import crypto
from escrow.codec import Fact
from escrow.derivation import Service
from escrow.scheme import RequestSubject
from escrow.warrant import CourtKey, Order, issue

AGAIN = 50  # once a search failed, and the checks compare with the same constants


class Demands:
    """Searches orders for the requests of one closure."""

    def __init__(
        self,
        constants: Constants,
        courts: Sequence[CourtKey],
        authorities: Sequence[bytes],
        issued: Sequence[Order],
        names: Iterable[str],
        days: int,
    ) -> None:
        self.constants, self._courts, self._authorities = constants, list(courts), list(authorities)
        self._issued, self._names, self._days = dict.fromkeys(issued), tuple(names), days
        self._found: dict[str, list[tuple[Order, Subject]]] = defaultdict(list)  # by service, the latest first
        self._useless: set[tuple[str, bytes, frozenset[Any]]] = set()  # service, authority, what was read and compared
        self._tried: dict[tuple[str, bytes, Subject, int], int] = defaultdict(int)
        self._tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
        self._aside: dict[str, set[str]] = defaultdict(set)  # by service, checks that no order can satisfy
        self._known: dict[Subject, set[Order]] = defaultdict(set)
        self._fresh: dict[Subject, list[Order]] = defaultdict(list)
        self._services: dict[str, Service] = {}
        self._examiner = Examiner(self._courts)

    def hopeless(self, service: Service) -> Set[str]:
        """Return the checks that no order can satisfy, as far as is known: what is returned grows."""
        return self._aside[service.name]

    def answers(self, service: Service, holders: Iterable[str]) -> None:
        """Note that these officials act on some narrowest order, so that no check of theirs refuses every order."""
        self._services[service.name] = service
        for holder in holders:
            self._tallies[service.name, holder].at_once = True

    def ask(self, asked: Asked) -> Set[str]:
        """Search orders for a request that the narrowest order does not open.

        Returns:
            The fields that decide why no order passes; none if one does, or none decides.
        """
        self._services[asked.service.name] = asked.service
        subject = subject_of(asked.request)
        self._deciding = frozenset[str]()
        with crypto.running(crypto.Run(None, self._examiner.observe)):
            for order in self._for(asked, subject):
                if order not in self._known[subject]:
                    self._known[subject].add(order)
                    self._fresh[subject].append(order)
        return self._deciding

    def found(self) -> dict[Subject, list[Order]]:
        """Return the orders found since the last call, by the people and the day that they are about."""
        fresh, self._fresh = self._fresh, defaultdict(list)
        return fresh

    def refusals(self) -> tuple[Refusal, ...]:
        """Return the checks on plain fields that refuse every order, by official."""
        found = []
        for (service, holder), tally in sorted(self._tallies.items()):
            for check in sorted(self._stubborn(self._services[service], tally)):
                final = self._services[service].final.get(check, "")
                found.append(Refusal(service, holder, check, tally.orders, tally.limit, final))
        return tuple(found)

    def _stubborn(self, service: Service, tally: Tally) -> set[str]:
        """Return the checks to be named: those never passed; if no order passes all, those of the best order too."""
        if tally.at_once:
            return set()
        never = {name for name in tally.failed if name not in tally.passed}
        if not tally.answered and tally.least:
            never |= set(sorted(tally.least, key=len)[0])
        return {name for name in never if _is_plain(service, tally.failed.get(name))}

    # --- one request ---

    def _for(self, asked: Asked, subject: Subject) -> Iterator[Order]:
        """Yield the orders to demand: one by anybody if it passes, else one by each authority that does better."""
        service, stranger, least = asked.service.name, self._authorities[0], frozenset[str]()
        for authority in self._authorities:
            found = self._search(asked, subject, authority)
            for holder in asked.holders:
                tally = self._tallies[service, holder]
                tally.orders, tally.limit = tally.orders + found.tried, tally.limit or found.limit
                tally.answered |= found.passes
                tally.least.add(found.least)
            self._deciding = found.decided_by
            if authority == stranger:
                least, better = found.least, found.order != self._narrowest(subject, stranger)
            else:
                better = found.passes or found.least < least
            if better and self._is_answered(asked, found.order):
                yield found.order
            if found.passes and authority == stranger:
                return

    def _is_answered(self, asked: Asked, order: Order) -> bool:
        """Return whether the checks come to an end for an order whose fields are plain."""
        try:
            for _ in asked.service.checked(asked.secret, issue(self._courts[0], order), *asked.request, day=asked.day):
                pass
        except Exception:  # such as of a check that expects another form of case number
            return False
        return True

    def _search(self, asked: Asked, subject: Subject, authority: bytes) -> Found:
        service, key = asked.service.name, (asked.service.name, authority, subject, asked.day)
        search = Search(self, asked, subject, self._aside[service])
        narrow, *likely = dict.fromkeys(self._likely(service, subject, authority))
        base = search.tried(narrow)
        asks_who = any("authority" in base.notes[name].read for name in base.failed)
        memory = service, authority if asks_who else b"", alike(base.path(), subject, asked.day)
        room = AGAIN if memory in self._useless else LIMIT
        if not base.decided_by("authority"):
            for name in base.failed - self._aside[service]:
                if base.reads_nothing(name):
                    self._aside[service].add(name)
            search.run(likely, self._issued_for(subject, authority), room - self._tried[key])
        self._tried[key] += search.count
        passes = search.passing is not None
        if not passes:
            self._useless.add(memory)
        best = search.passing or search.best()[0]
        if best != narrow:
            self._found[service] = list(dict.fromkeys([(best, subject), *self._found[service]]))[:8]
        trace, limit = search.tried(best), not passes and self._tried[key] >= LIMIT
        fields = frozenset(() if passes else trace.read())
        return Found(best, passes, trace.failed, fields, search.count, limit)

    def _likely(self, service: str, subject: Subject, authority: bytes) -> Iterator[Order]:
        """Yield the narrowest order, and orders like those that were found for other subjects."""
        people, day = subject
        yield self._narrowest(subject, authority)
        for order, (others, then) in self._found[service]:
            target = people[others.index(order.target)] if order.target in others[: len(people)] else order.target
            dates = {name: day if getattr(order, name) == then else getattr(order, name) for name in ("first", "last")}
            yield msgspec.structs.replace(order, authority=authority, target=target, **dates)

    def _narrowest(self, subject: Subject, authority: bytes) -> Order:
        people, day = subject
        return narrowest(authority, (people or self._names or ("",))[0], day, self._days)

    def _issued_for(self, subject: Subject, authority: bytes) -> Iterator[Order]:
        """Yield the orders that the court issued, for the subject and as they are, with another authority."""
        people, day = subject
        for order in self._issued:
            for target in people[:1]:
                yield msgspec.structs.replace(order, authority=authority, target=target, first=day, last=day)
            yield msgspec.structs.replace(order, authority=authority)

    def offered(self, subject: Subject) -> dict[str, list[Any]]:
        """Return the values to try in each field."""
        people, day = subject
        return dictionary(self.constants, people, list(self._names)[:8], day, self._days)

    def trace(self, asked: Asked, order: Order) -> Trace:
        """Return what the checks make of an order that the court signed."""
        failed, notes = self._examiner.run(asked, order)
        for name in failed:
            notes[name].signature |= any(
                self._examiner.is_of_order(asked, order, name, each) for each in notes[name].missed
            )
        if not failed and not travels(order):
            notes[UNREADABLE] = Notes()
            failed.add(UNREADABLE)
        for holder in asked.holders:
            tally = self._tallies[asked.service.name, holder]
            if order not in self._issued:
                tally.passed |= {FORGED, UNREADABLE, *notes} - failed
            for name in failed:
                tally.failed.setdefault(name, notes[name])
        return Trace(frozenset(failed), notes)


class Search:
    """The search for one request and authority. `aside` are checks that no order satisfies: they are left out."""

    def __init__(self, demands: Demands, asked: Asked, subject: Subject, aside: Set[str]) -> None:
        self._demands, self._asked, self._subject = demands, asked, subject
        self._aside, self._regarded = aside, len(aside)
        self._seen: dict[Order, Trace] = {}
        self._paths = set[Any]()
        self._queue: dict[int, deque[Order]] = defaultdict(deque)  # by how many checks fail
        self.passing: Order | None = None

    @property
    def count(self) -> int:
        """How many orders were tried."""
        return len(self._seen)

    def tried(self, order: Order) -> Trace:
        """Return the trace of an order, and remember it if it tells something new."""
        if (trace := self._seen.get(order)) is None:
            trace = self._demands.trace(self._asked, order)
            self._seen[order] = trace
            if trace.failed <= self._aside:
                self.passing = order
            elif (path := (trace.failed, trace.path())) not in self._paths:
                self._paths.add(path)
                self._queue[len(trace.failed)].append(order)
        return trace

    def run(self, likely: Iterable[Order], issued: Iterable[Order], room: int) -> None:
        """Try orders until one passes: those that are likely to, and then at most `room` in all."""
        for order in likely:
            if self._passes():
                return
            self.tried(order)
        for order in self._candidates(issued):
            if self._passes() or len(self._seen) >= room:
                return
            self.tried(order)

    def _passes(self) -> bool:
        if self.passing is None and len(self._aside) > self._regarded:  # a check was put aside since an order was tried
            self._regarded = len(self._aside)
            self.passing = next((order for order, trace in self._seen.items() if trace.failed <= self._aside), None)
        return self.passing is not None

    def _candidates(self, issued: Iterable[Order]) -> Iterator[Order]:
        yield from self._repaired()
        for order in issued:
            yield order
            yield from self._repaired()
        for order in self.best():
            fields = self._seen[order].read()
            offered = {name: values for name, values in self._demands.offered(self._subject).items() if name in fields}
            for change in singly_and_in_pairs(offered, self._demands.constants):
                yield changed(order, change)
                yield from self._repaired()

    def best(self) -> list[Order]:
        """Return three orders that the fewest checks refuse, the earliest tried first."""
        return sorted(self._seen, key=lambda order: self._seen[order].rank())[:3]

    def _repaired(self) -> Iterator[Order]:
        """Yield repairs of the orders that told something new, those of few failed checks first."""
        while waiting := next((self._queue[size] for size in sorted(self._queue) if self._queue[size]), None):
            order = waiting.popleft()
            for noted in self._seen[order].of_failed(self._aside):
                for change in self._allowed(repairs(noted, order)):
                    yield changed(order, change)

    def _allowed(self, changes: Iterable[Change]) -> Iterator[Change]:
        """Yield the changes that leave the authority as it is: others are asked for by themselves."""
        return (change for change in changes if all(name != "authority" for name, _ in change))


def narrowest(authority: bytes, target: str, day: int, days: int) -> Order:
    """Return the order that covers one user on one day, and may be used on every day of the play."""
    return Order(
        id="demanded",
        authority=authority,
        target=target,
        first=day,
        last=day,
        scope="content",
        case=bytes(32),
        issued=0,
        expires=days,
        nonce=bytes(16),
    )


def subject_of(request: Iterable[Fact]) -> Subject:
    """Return the people and the day that a request is about; nobody, and day 0, if no fact of it says."""
    for fact in request:
        if isinstance(fact, RequestSubject):
            return tuple(fact.people), fact.day
    return (), 0


def _is_plain(service: Service, notes: Notes | None) -> bool:
    """Return whether a check reads plain fields only: whoever writes the order can satisfy such a check alone."""
    if notes is None or notes.signature or len(service.takes) > 3:
        return False
    return bool(notes.read - {"authority"})


__all__ = ["LIMIT", "Asked", "Demands", "narrowest", "subject_of"]
