"""The adversary: reads a view, applies the rules, puts requests to officials; says who can derive which text.

One closure serves all coalitions of a play. Rules are the library's functions that the scheme draws on and those of
every attack; requests to officials are finite, demanded by what was heard. Nothing here knows what was sent: a text is
its bytes, and whether they are somebody's is judged elsewhere (attacks.lab.verdict.analysis).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Protocol, TypeVar

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.labels import Labels
from attacks.lab.adversary.view import Reader, View, words_of
from escrow import codec
from escrow.codec import Fact
from escrow.crypto import sha256
from escrow.derivation import Rule
from escrow.e2ee.content import Text
from escrow.scheme import RequestSubject
from escrow.warrant import AuthorityKey, Demand, Order, Warrant

F = TypeVar("F", bound=Fact)


class Adversary(Protocol):
    """What the judge may ask, be the adversary in this process (`Local`) or in one of its own (`isolation`).

    `texts` are the bytes of each text that anyone can derive, by a number of its own: some may have the same. `fired`
    says how often each rule did; `officials` are those whose services answer; `passes` the names that `labelled` takes.
    """

    @property
    def texts(self) -> Mapping[int, bytes]:
        """The body of each text that can be derived, by its number."""

    @property
    def fired(self) -> Mapping[str, int]:
        """How often each rule gave a result."""

    @property
    def officials(self) -> tuple[str, ...]:
        """The names of the officials whose answers can be used."""

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes."""

    def labelled(self, name: str) -> Labels:
        """Return labels of at least the texts, in at least this pass. Raise ValueError for an unknown pass."""


def stranger() -> AuthorityKey:
    """Return a key that everyone can make: with the court's key, a thief's warrants name an authority with this key."""
    raw = sha256(b"escrow-lab stranger")
    public = AuthorityKey(b"", raw).live.public_key().public_bytes_raw()
    return AuthorityKey(public, raw)


class Local:
    """An adversary in this process. `scheme` and `attacks`, or their modules, give the types that views are read with.

    `rules` must be those of the scheme, and may be more.
    """

    def __init__(
        self,
        view: View,
        scheme: object,
        attacks: Iterable[object],
        rules: Iterable[Rule],
    ) -> None:
        self.view, self.closure = view, Closure(rules)
        reader = Reader(scheme, *attacks)
        for fact in reader.network(view.heard):
            self.closure.learn(fact, "network")
        for given in reader.states(view.states, view.kinds):
            self.closure.learn(*given)
        self.closure.run()
        if services := words_of(scheme).services:
            self._stranger = stranger()
            self.closure.learn(self._stranger)
            self._demand()
            for service in services:  # once: an answer is a fact that the official's secret had given before
                self.closure.serve(service, self._candidates, self._requester)

    # --- requests ---

    def _demand(self) -> None:
        """Demand, for each subject of a request, the narrowest order that covers it, signed by the court's key."""
        self._demanded: dict[tuple[str, int], Order] = {}
        for subject in self._of(RequestSubject):
            if subject.people and (subject.people[0], subject.day) not in self._demanded:
                order = self._narrowest(subject)
                self._demanded[subject.people[0], subject.day] = order
                self.closure.learn(Demand(order))
        self.closure.run()
        self._signed = {warrant.order: warrant for warrant in self._of(Warrant)}
        self._keys = {key.public: key for key in self._of(AuthorityKey)}
        issued = [codec.decode(each, Warrant) for each in self.view.warrants]
        self._issued = [each for each in issued if each in self.closure.ids and each.order.authority in self._keys]

    def _narrowest(self, subject: RequestSubject) -> Order:
        return Order(
            id="demanded",
            authority=self._stranger.public,
            target=subject.people[0],
            first=subject.day,
            last=subject.day,
            scope="content",
            case=bytes(32),
            issued=0,
            expires=self.view.days,
            nonce=bytes(16),
        )

    def _candidates(self, request: tuple[Fact, ...]) -> Iterator[Fact]:
        yield from self._issued
        for fact in request:
            if isinstance(fact, RequestSubject) and fact.people:
                order = self._demanded.get((fact.people[0], fact.day))
                if order is not None and order in self._signed:
                    yield self._signed[order]

    def _requester(self, warrant: Fact) -> Fact:
        if not isinstance(warrant, Warrant):
            raise TypeError(f"a request is shown with a {type(warrant).__name__}, not with a warrant")
        return self._keys[warrant.order.authority]

    def _of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.closure.facts if isinstance(fact, kind)]

    # --- what the judge asks ---

    @cached_property
    def labels(self) -> Labels:
        """The labels of every fact."""
        return Labels(self.closure)

    def labelled(self, name: str) -> Labels:
        """Return the labels of every fact, in every pass."""
        return self.labels

    @cached_property
    def texts(self) -> dict[int, bytes]:
        """The body of each text that can be derived, by its fact's number."""
        return {number: fact.body for number, fact in enumerate(self.closure.facts) if isinstance(fact, Text)}

    @property
    def fired(self) -> Mapping[str, int]:
        """How often each rule gave a result."""
        return self.closure.fired

    @property
    def officials(self) -> tuple[str, ...]:
        """The names of the officials whose answers can be used."""
        return tuple(sorted({holder for _, holders, _ in self.closure.edges.services.kinds() for holder in holders}))

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes."""
        return self.labels.passes()
