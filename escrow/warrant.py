"""Warrants, the court that signs them, the authority that serves them, and the request and answer between officials.

A warrant's fields follow the ones that proposals share: who may ask, about whom, for which days, under which case, and
how long the paper itself is good. A request repeats the warrant beside what is to be opened, signed by the authority's
key that the warrant names; the answer is sealed to that key. So an overheard warrant, request or answer opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from escrow import codec, crypto
from escrow.codec import Fact, Packet, Public
from escrow.crypto import Private, SigningKey, montgomery, sha256
from escrow.derivation import Guard, derivation, honest_only
from escrow.e2ee.content import Text
from escrow.errors import Forged, Malformed
from escrow.primitives import hpke
from escrow.principal import Principal
from escrow.wire import Wire

F = TypeVar("F", bound=Fact)
_SIGNED, _REQUEST, _ANSWER = b"escrow-lab warrant", b"escrow-lab request", b"escrow-lab answer"


class CourtKey(SigningKey, frozen=True, dict=True):
    """The court's Ed25519 key pair."""


class AuthorityKey(SigningKey, frozen=True, dict=True):
    """The authority's Ed25519 key pair: it signs requests, and its X25519 form opens the answers."""


class Order(Fact, frozen=True):
    """What a warrant says. Days are days of the scenario; `first` to `last` are those of the messages it covers.

    `authority` is the Ed25519 public key (32 bytes) that may ask; `case` a commitment (32 bytes) to the case file;
    `issued` and `expires` the days between which the paper may be used; `nonce` 16 bytes.
    """

    id: str
    authority: Public
    target: str
    first: int
    last: int
    scope: str
    case: Public
    issued: int
    expires: int
    nonce: Public

    def covers(self, people: Iterable[str], day: int) -> bool:
        """Whether the order names one of these people and covers the day."""
        return self.target in people and self.first <= day <= self.last


class Warrant(Fact, frozen=True, dict=True):
    """An order with the court's Ed25519 signature (64 bytes)."""

    order: Order
    signature: Public

    def signed_by(self, court: bytes) -> bool:
        """Whether the court with this public key signed the order; asked again, it does not verify again."""
        known: dict[str, bool] = self.__dict__
        if (by := court.hex()) not in known:
            known[by] = crypto.verify(court, self.signature, _SIGNED + codec.encode(self.order))
        return known[by]


@derivation("any key, any order")
def issue(key: CourtKey, order: Guard[Order]) -> Warrant:
    """Whoever holds the court's key can sign any order."""
    return Warrant(order, key.sign(_SIGNED + codec.encode(order)))


class Demand(Fact, frozen=True):
    """An order that somebody would like to have, so that one field is opened: public bookkeeping."""

    order: Order


@derivation("any key, any demand")
def issue_demanded(key: CourtKey, demand: Guard[Demand]) -> Warrant:
    """Whoever holds the court's key can sign what is demanded."""
    return issue(key, demand.order)


class Serve(Packet, frozen=True):
    """The court hands a warrant to the authority."""

    warrant: Warrant


class Request(Packet, frozen=True):
    """The authority asks an official to act on `matter` (an encoded fact) under a warrant; signed by the authority."""

    warrant: Warrant
    matter: Public
    signature: Public

    def signed(self) -> bool:
        """Whether the key that the warrant names signed this request."""
        return crypto.verify(self.warrant.order.authority, self.signature, _request_bytes(self.warrant, self.matter))


class Answer(Fact, frozen=True):
    """An official's answer, sealed to the X25519 form `to` (32 bytes) of the key that the warrant names."""

    to: Public
    sealed: Public


class Answered(Packet, frozen=True):
    """An answer on its way to the authority."""

    answer: Answer


class Court(Principal):
    """Exists before any scheme; signs orders. What it keeps can be robbed."""

    key: CourtKey

    def issue(self, order: Order) -> Warrant:
        """The judge has decided; the paper is signed."""
        return issue(self.key, order)


class Authority(Principal):
    """Serves warrants and keeps what the lawful access yields: its archive is state, unlike a user's history."""

    key: AuthorityKey
    warrants: list[Warrant] = []
    archive: list[Text] = []

    def on_serve(self, sender: str, packet: Serve, wire: Wire) -> None:
        self.warrants.append(packet.warrant)

    def request(self, warrant: Warrant, matter: bytes) -> Request:
        """A request about an encoded fact, signed."""
        return Request(warrant, matter, self.key.sign(_request_bytes(warrant, matter)))

    def ask(self, wire: Wire, official: str, warrant: Warrant, matter: Fact) -> Answer:
        """Send a signed request to an official and return its sealed answer. Raises what the official raised."""
        return wire.ask(self.name, official, self.request(warrant, codec.encode(matter)), Answered).answer


@honest_only("an official's half: what it answers was derived before")
def seal_answer(warrant: Warrant, fact: Fact) -> Answered:
    """A fact sealed (HPKE) to the authority that the warrant names."""
    to = montgomery(warrant.order.authority)
    return Answered(Answer(to, hpke.seal(to, codec.encode(fact), _ANSWER)))


@honest_only("the body of each scheme's own typed derivation")
def open_answer(answer: Answer, key: Private, kind: type[F]) -> F:
    """The fact in an answer. Forged where the key does not open it, or it holds something else."""
    try:
        return codec.decode(hpke.open_(key, answer.sealed, _ANSWER), kind)
    except Malformed as error:
        raise Forged(str(error)) from None


def promises(court: bytes, warrant: Warrant, people: Iterable[str], day: int) -> Iterator[tuple[str, bool]]:
    """The checks on a warrant that every official of every scheme shares: (check, whether it holds)."""
    yield "court's signature", warrant.signed_by(court)
    yield "target", warrant.order.target in people
    yield "window", warrant.order.first <= day <= warrant.order.last


def in_force(warrant: Warrant, day: int) -> bool:
    """Whether the paper may be used on this day. A clock is no fact, so the closure counts this check as passed."""
    return warrant.order.issued <= day <= warrant.order.expires


def _request_bytes(warrant: Warrant, matter: bytes) -> bytes:
    return sha256(_REQUEST, codec.encode(warrant), matter)
