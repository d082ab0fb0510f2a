"""From a record to what every coalition can read: the view is read, the rules applied, the services offered.

One closure serves all coalitions of a play. Rules are the library's functions that the scheme draws on and those of
every attack; requests to officials are finite, demanded by what was heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from attacks.lab.access_structure import AccessStructure, Seizure
from attacks.lab.attack import Attack
from attacks.lab.closure import Closure
from attacks.lab.labels import MATHEMATICS, SERVED, Labels
from attacks.lab.play import Record
from attacks.lab.view import Reader, words_of
from escrow.codec import Fact
from escrow.crypto import sha256
from escrow.derivation import Rule
from escrow.e2ee.content import Text
from escrow.scheme import AccessField, Scheme
from escrow.warrant import AuthorityKey, Demand, Order, Warrant


def stranger() -> AuthorityKey:
    """A key that anybody could make: with the court's key, a thief's warrants name an authority of the thief's own."""
    raw = sha256(b"escrow-lab stranger")
    public = AuthorityKey(b"", raw).live.public_key().public_bytes_raw()
    return AuthorityKey(public, raw)


def rules_of(scheme: Scheme, attacks: Iterable[Attack]) -> tuple[Rule, ...]:
    """The rules of every cell: the functions of the scheme's modules, and those of all attacks."""
    functions: list[Any] = [function for attack in attacks for function in attack.derivations]
    theirs: list[Rule] = [function.__rule__ for function in functions]
    return tuple({rule.name: rule for rule in (*words_of(scheme).rules, *theirs)}.values())


F = TypeVar("F", bound=Fact)


class Analysis:
    """What can be derived from a record, and by whom."""

    def __init__(self, scheme: Scheme, record: Record, attacks: Iterable[Attack]) -> None:
        self.scheme, self.record = scheme, record
        self.closure = Closure(rules_of(scheme, attacks))
        reader = Reader(scheme, *attacks)
        for fact in reader.network(record.heard):
            self.closure.learn(fact, "network")
        for given in reader.states(record.states, record.kinds):
            self.closure.learn(*given)
        self.closure.run()
        if services := words_of(scheme).services:
            self._stranger = stranger()
            self.closure.learn(self._stranger)
            self._demand()
            while [service for service in services if self.closure.serve(service, self._candidates, self._requester)]:
                self.closure.run()  # what was answered may allow further requests

    # --- requests ---

    def _demand(self) -> None:
        """For each field that could be asked about, the narrowest order that covers it, signed by the court's key."""
        self._demanded: dict[tuple[str, int], Order] = {}
        for field in self._of(AccessField):
            if field.people and (field.people[0], field.day) not in self._demanded:
                order = self._narrowest(field)
                self._demanded[field.people[0], field.day] = order
                self.closure.learn(Demand(order))
        self.closure.run()
        self._signed = {warrant.order: warrant for warrant in self._of(Warrant)}
        self._keys = {key.public: key for key in self._of(AuthorityKey)}
        self._issued = [warrant for warrant in self.record.warrants if warrant in self.closure.ids]

    def _narrowest(self, field: AccessField) -> Order:
        return Order(
            id="demanded",
            authority=self._stranger.public,
            target=field.people[0],
            first=field.day,
            last=field.day,
            scope="content",
            case=bytes(32),
            issued=0,
            expires=self.record.scenario.days,
            nonce=bytes(16),
        )

    def _candidates(self, request: tuple[Fact, ...]) -> Iterator[Fact]:
        yield from self._issued
        for fact in request:
            if isinstance(fact, AccessField) and fact.people:
                order = self._demanded.get((fact.people[0], fact.day))
                if order is not None and order in self._signed:
                    yield self._signed[order]

    def _requester(self, warrant: Fact) -> Fact:
        assert isinstance(warrant, Warrant)  # noqa: S101 (what `_candidates` gives)
        return self._keys[warrant.order.authority]

    def _of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.closure.facts if isinstance(fact, kind)]

    # --- what is opened ---

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.closure)

    @cached_property
    def texts(self) -> dict[int, int]:
        """The number of the fact that is a text, for each text that anyone can derive: by the text's id."""
        ids = {sent.body: sent.id for sent in self.record.sent}
        return {
            ids[fact.body]: number
            for number, fact in enumerate(self.closure.facts)
            if isinstance(fact, Text) and fact.body in ids
        }

    def masks(self, text: int, name: str = MATHEMATICS) -> tuple[int, ...]:
        """The minimal masks that open a text in a pass; none where nobody can."""
        number = self.texts.get(text)
        return () if number is None else self.labels.masks(number, name)

    def structure(self, name: str = MATHEMATICS) -> AccessStructure:
        """Who opens which text (by the number of its fact) in a pass."""
        return AccessStructure(self.labels, self.texts.values(), name)

    def opened_by(self, seizures: Iterable[Seizure], name: str = MATHEMATICS) -> frozenset[int]:
        """The ids of the texts that these seizures open together."""
        ids = {number: text for text, number in self.texts.items()}
        structure = self.structure(name)
        return frozenset(ids[number] for number in structure.opened(structure.mask(seizures)))


__all__ = ["MATHEMATICS", "SERVED", "Analysis", "rules_of", "stranger"]
