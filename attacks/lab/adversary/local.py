"""The adversary: reads a view, applies the rules, puts requests to officials; says who can derive which text.

One closure serves all coalitions of a play. Rules are the library's functions that the scheme draws on and those of
every attack; requests to officials are finite, demanded by what was heard. Nothing here knows what was sent: a text is
its bytes, and whether they are somebody's is judged elsewhere (attacks.lab.verdict.analysis).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.labelling.labels import Labels
from attacks.lab.adversary.view import Reader, View, words_of
from escrow.crypto import sha256
from escrow.derivation import Rule
from escrow.e2ee.content import Text
from escrow.scheme import SET_UP
from escrow.warrant import AuthorityKey

if TYPE_CHECKING:
    from attacks.lab.adversary.demands.refusal import Refusal


class AdversaryFailed(Exception):
    """The process of the adversary gave no answer, or none that can be: one line that says why."""


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

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The checks of officials that refuse every order that was tried."""

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
        self.refusals: tuple[Refusal, ...] = ()
        reader = Reader(scheme, *attacks)
        day = SET_UP
        for number, facts in reader.by_packet(view.heard):
            if view.heard[number].day > day:
                self.closure.begin_day(day := view.heard[number].day)
            for fact in facts:
                self.closure.learn(fact, "network")
        for given in reader.at_set_up(view.set_up, view.set_up_kinds):
            self.closure.learn(*given)
        for name, evening, held in reader.by_state(view.states, view.kinds):
            self.closure.hold(held, name, evening)
        for fact in reader.facts(view.guessable):
            self.closure.intern(fact)  # nobody holds it
        self.closure.run()
        if words_of(scheme).services:
            from attacks.lab.adversary.demands.requests import Requests  # a scheme without services does without

            self.refusals = Requests(view, self.closure, stranger()).put(scheme)

    # --- what the judge asks ---

    @cached_property
    def labels(self) -> Labels:
        """The labels of every fact."""
        return Labels(self.closure, limit=self.view.work)

    def labelled(self, name: str) -> Labels:
        """Return the labels of every fact, in every pass."""
        return self.labels

    @cached_property
    def texts(self) -> dict[int, bytes]:
        """The body of each text that can be derived, by its fact's number."""
        facts = ((number, self.closure.facts[number]) for number in self.closure.of_kind(Text))
        return {number: fact.body for number, fact in facts if isinstance(fact, Text)}

    @property
    def fired(self) -> Mapping[str, int]:
        """How often each rule gave a result."""
        return self.closure.fired

    @property
    def officials(self) -> tuple[str, ...]:
        """The names of the officials whose answers can be used."""
        return tuple(sorted({holder for kind in self.closure.edges.services.kinds() for holder in kind.holders}))

    @property
    def passes(self) -> tuple[str, ...]:
        """The names of the passes."""
        return self.labels.passes()
