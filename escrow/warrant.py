"""Warrants, the court that signs them, the authority that serves them, and the request and answer between officials.

A warrant has the fields that proposals share: who may ask, about whom, for which days, under which case, and how long
the warrant itself is valid. A request repeats the warrant beside what is to be opened, signed by the authority's key
that the warrant names; the answer is sealed to that key. So an overheard warrant, request or answer opens nothing.

Neither does it tell whom a warrant is about: the court's service and the authority's requests are sealed (HPKE) to the
receiving key of their addressee (escrow.confidential), which `introduce` makes for each of a cast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Literal, TypeVar

from escrow import codec, crypto
from escrow.codec import Fact, Packet, Public
from escrow.confidential import Confidential, SealedPacket, confidential, opened, unsealed
from escrow.crypto import Private, SigningKey, montgomery, sha256
from escrow.derivation import Checks, Guard, Service, derivation, honest_only
from escrow.e2ee.content import Text
from escrow.errors import EscrowError, Forged, Malformed, Unreachable
from escrow.primitives import hpke
from escrow.principal import Principal, ReceivingKey
from escrow.signatures import RuleError
from escrow.wire import Wire

F = TypeVar("F", bound=Fact)
R = TypeVar("R")
COURT = "court"
Scope = Literal["content", "traffic data", "subscriber"]
_SIGNED, _REQUEST, _ANSWER = b"escrow-lab warrant", b"escrow-lab request", b"escrow-lab answer"


class CourtKey(SigningKey, frozen=True, dict=True):
    """The court's Ed25519 key pair."""


class AuthorityKey(SigningKey, frozen=True, dict=True):
    """The authority's Ed25519 key pair: it signs requests, and its X25519 form opens the answers."""


class Order(Fact, frozen=True):
    """The content of a warrant. Days are days of the scenario; `first` to `last` are those of the messages it covers.

    `authority` is the Ed25519 public key (32 bytes) that may ask; `case` a commitment (32 bytes) to the case file;
    `issued` and `expires` the days between which the warrant may be used; `nonce` 16 bytes. `scope` says what is asked
    for: what was said, who spoke to whom and when, or whose an account is. Only the first opens a text.
    """

    id: str
    authority: Public
    target: str
    first: int
    last: int
    scope: Scope
    case: Public
    issued: int
    expires: int
    nonce: Public

    @property
    def opens_content(self) -> bool:
        """Whether the order is for what was said, not only for traffic data or the subscriber's."""
        return self.scope == "content"

    def covers(self, people: Iterable[str], day: int) -> bool:
        """Return whether the order is for content, names one of these people and covers the day."""
        return self.opens_content and self.target in people and self.first <= day <= self.last


class Warrant(Fact, frozen=True, dict=True):
    """An order with the court's Ed25519 signature (64 bytes)."""

    order: Order
    signature: Public

    def signed_by(self, court: bytes) -> bool:
        """Return whether the court with this public key (32 bytes) signed the order; the result is cached."""
        known: dict[str, bool] = self.__dict__
        if (by := court.hex()) not in known:
            known[by] = crypto.verify(court, self.signature, _SIGNED + codec.encode(self.order))
        return known[by]


@derivation("any key, any order")
def issue(key: CourtKey, order: Guard[Order]) -> Warrant:
    """Sign an order with the court's key: every holder of that key can sign any order."""
    return Warrant(order, key.sign(_SIGNED + codec.encode(order)))


class Demand(Fact, frozen=True):
    """An order that an attacker would like to have, so that one field is opened: public bookkeeping."""

    order: Order


@derivation("any key, any demand")
def issue_demanded(key: CourtKey, demand: Guard[Demand]) -> Warrant:
    """Sign a demanded order with the court's key."""
    return issue(key, demand.order)


class Serve(Packet, frozen=True):
    """The court hands a warrant to the authority."""

    warrant: Warrant


class Request(Packet, frozen=True):
    """The authority asks an official to act on `subject` (an encoded fact) under a warrant; signed by the authority."""

    unchecked = {
        "subject": "the authority asks about anything; the official compares it with the warrant",
    }

    warrant: Warrant
    subject: Public
    signature: Public

    @property
    def matter(self) -> Public:
        """The subject, by its name in the first templates of `init scheme`."""
        return self.subject

    def signed(self) -> bool:
        """Return whether the key that the warrant names signed this request."""
        return crypto.verify(self.warrant.order.authority, self.signature, _request_bytes(self.warrant, self.subject))


class Answer(Fact, frozen=True):
    """An official's answer, sealed to the X25519 form `to` (32 bytes) of the key that the warrant names."""

    to: Public
    sealed: Public


class Answered(Packet, frozen=True):
    """An answer on its way to the authority."""

    answer: Answer


@derivation("content.to = key.public")
def open_confidential(content: SealedPacket, key: ReceivingKey) -> Warrant:
    """Return the warrant in a sealed service or request, by the key of its addressee."""
    packet: Serve | Request = opened(content, key, Serve | Request)  # type: ignore[arg-type]  # a union stands for a type
    return packet.warrant


class Court(Principal):
    """The court: it exists before any scheme, and signs orders. Its state can be stolen.

    `desks` are the receiving keys (32 bytes) of authorities and officials, by name.
    """

    key: CourtKey
    desks: dict[str, Public] = {}

    def issue(self, order: Order) -> Warrant:
        """Sign an order."""
        return issue(self.key, order)

    def serve(self, wire: Wire, authority: str, warrant: Warrant) -> None:
        """Hand a warrant to an authority, sealed. Raise Unreachable for one whose receiving key it does not know."""
        if (desk := self.desks.get(authority)) is None:
            raise Unreachable(f"the court knows no receiving key of {authority}")
        wire.tell(self.name, authority, confidential(self, self.key, desk, Serve(warrant)))


class Authority(Principal):
    """The requesting authority. Its archive of opened texts is part of its state, unlike a user's history.

    `desks` are the receiving keys (32 bytes) of the officials that it asks, by name.
    """

    key: AuthorityKey
    warrants: list[Warrant] = []
    archive: list[Text] = []
    desks: dict[str, Public] = {}

    def on_confidential(self, sender: str, packet: Confidential, wire: Wire) -> None:
        """Keep a warrant that the court sealed."""
        self.on_serve(sender, unsealed(self, sender, packet, Serve), wire)

    def on_serve(self, sender: str, packet: Serve, wire: Wire) -> None:
        """Keep a warrant that the court handed over, once."""
        self.insist(sender == COURT, "the court hands over warrants")
        if packet.warrant not in self.warrants:
            self.warrants.append(packet.warrant)

    def request(self, warrant: Warrant, subject: bytes) -> Request:
        """Return a signed request about an encoded fact."""
        return Request(warrant, subject, self.key.sign(_request_bytes(warrant, subject)))

    def ask(self, wire: Wire, official: str, warrant: Warrant, subject: Fact | tuple[Fact, ...]) -> Answer:
        """Send a signed request to an official, and return its sealed answer.

        Args:
            wire: the wire to the official.
            official: the official's name.
            warrant: the warrant under which the authority asks.
            subject: the fact that is to be opened; several, if the official's checks take several.

        Raises:
            EscrowError: the official's own error: Refused by a check, Forged, Malformed, or Unreachable.
        """
        return self.put(wire, official, warrant, subject, Answered).answer

    def put(self, wire: Wire, official: str, warrant: Warrant, subject: Fact | tuple[Fact, ...], reply: type[R]) -> R:
        """Send a signed request to an official, and return its reply, of type `reply`. Raise its errors as `ask`.

        The request is sealed to the official's receiving key. A party outside the cast, which was introduced to nobody,
        has no such keys and asks in the clear.
        """
        request = self.request(warrant, codec.encode(subject))
        desk = self.desks.get(official)
        packet = request if desk is None else confidential(self, self.key, desk, request)
        return wire.ask(self.name, official, packet, reply)

    def gather(
        self,
        wire: Wire,
        warrant: Warrant,
        subject: Fact,
        holders: Iterable[tuple[int, str]],
        opened: Callable[[Answer, Private], F],
        fits: Callable[[int, F], bool],
        what: str,
    ) -> Iterator[F]:
        """Yield the part of one holder after another; who answers with an error, or with a wrong part, is named.

        Args:
            wire: the wire to the holders.
            warrant: the warrant under which the authority asks.
            subject: the fact that is to be opened.
            holders: the number and the name of each holder, in the order in which they are asked.
            opened: returns the part in an answer, by the authority's key.
            fits: returns whether a part is right, and that of the holder with this number.
            what: the word for a part in an alarm, such as "share".
        """
        for number, name in holders:
            try:
                part = opened(self.ask(wire, name, warrant, subject), self.key.agreement)
            except EscrowError as error:
                wire.complain(name, error)
                continue
            if fits(number, part):
                yield part
            else:
                wire.alarm(self.name, f"wrong {what} of {name}")


@honest_only("an official's half: what it answers was derived before")
def seal_answer(warrant: Warrant, fact: Fact) -> Answered:
    """Return a fact sealed (HPKE) to the authority that the warrant names."""
    to = montgomery(warrant.order.authority)
    return Answered(Answer(to, hpke.seal(to, codec.encode(fact), _ANSWER)))


@honest_only("the body of each scheme's own typed derivation")
def open_answer(answer: Answer, key: Private, kind: type[F]) -> F:
    """Return the fact in an answer.

    Args:
        answer: the official's answer.
        key: the X25519 form of the authority's key.
        kind: the type of fact expected.

    Raises:
        Forged: the key does not open the answer, or it holds no such fact.
    """
    try:
        return codec.decode(hpke.open_(key, answer.sealed, _ANSWER), kind)
    except Malformed as error:
        raise Forged(str(error)) from None


def promises(court: bytes, warrant: Warrant, people: Iterable[str], day: int) -> Iterator[tuple[str, bool]]:
    """Yield the checks on a warrant that officials of all schemes share.

    Args:
        court: the court's public key, 32 bytes.
        warrant: the warrant shown.
        people: the users whom the request is about.
        day: the day of the message that the request is about.

    Yields:
        (check, whether it holds).
    """
    yield "court's signature", warrant.signed_by(court)
    yield "target", warrant.order.target in people
    yield "window", warrant.order.first <= day <= warrant.order.last
    yield "scope", warrant.order.opens_content


def in_force(warrant: Warrant, day: int) -> bool:
    """Return whether the warrant may be used on this day."""
    return warrant.order.issued <= day <= warrant.order.expires


class Official(Principal):
    """Base of every official that acts on the authority's requests: the one place that checks a request.

    An official promises, in this order: the authority that the warrant names signed the request; the warrant may be
    used today (`timely`); its own checks hold. Only then does it read what the request is about. A subclass sets
    `promise`, a function marked `@service`, which yields those checks and names the rule that answers; and it says
    which of its secrets takes part (`held`). Where the checks take several facts beside the warrant, the subject of a
    request is the tuple of them, and `held`, `checks` and `give` take each.
    """

    promise: ClassVar[Callable[..., Checks]]

    def on_confidential(self, sender: str, packet: Confidential, wire: Wire) -> Any:
        """Return the answer to the request that the sender sealed."""
        return self.on_request(sender, unsealed(self, sender, packet, Request), wire)

    def on_request(self, sender: str, request: Request, wire: Wire) -> Answered | None:
        """Return the answer to a request that passes every check, sealed to the authority that the warrant names."""
        asked = list[Any]()
        self.admit(request, wire.day, self._own(request, wire.day, asked))
        secret, warrant, *subjects = asked or self._asked(request)
        return seal_answer(warrant, self.give(secret, warrant, *subjects))

    def admit(self, request: Request, day: int, checks: Checks) -> None:
        """Insist that the authority signed the request, that the warrant may be used today, and on the checks."""
        self.insist(request.signed(), "requester's signature")
        self.insist_all(self.timely(request.warrant, day))
        self.insist_all(checks)

    def timely(self, warrant: Warrant, day: int) -> Checks:
        """Yield the checks on the warrant and the day of the request. The adversary asks for them on every evening."""
        yield "warrant in force", in_force(warrant, day)

    def held(self, *subjects: Any) -> Any:
        """Return the secret that answers about the subject, or about several. Raise Refused if there is none."""
        raise NotImplementedError(f"{type(self).__name__} holds no secret")

    def checks(self, secret: Any, warrant: Warrant, *subjects: Any, day: int = 0) -> Checks:
        """Yield the official's own checks, in order: (check, whether it holds). Only timed ones are told the day."""
        return self._service().checked(secret, warrant, *subjects, day=day)

    def _own(self, request: Request, day: int, asked: list[Any]) -> Checks:
        """Yield `checks` one by one, and fill `asked`; whoever evaluates none of them reads nothing here either."""
        asked += self._asked(request)
        yield from self.checks(*asked, day=day) if self._service().timed else self.checks(*asked)

    def _asked(self, request: Request) -> tuple[Any, ...]:
        """Return the secret that answers a request, the warrant, and the facts that it is about."""
        kinds = self._service().takes[2:]
        if len(kinds) == 1:
            subjects: tuple[Any, ...] = (codec.decode(request.subject, kinds[0]),)
        else:
            subjects = codec.decode(request.subject, tuple[kinds])  # type: ignore[valid-type]  # types known at run time
        return self.held(*subjects), request.warrant, *subjects

    def give(self, secret: Any, warrant: Warrant, *subjects: Any) -> Fact:
        """Return the fact that answers, before it is sealed."""
        answer: Fact = self._service().answer(secret, warrant, *subjects)
        return answer

    def _service(self) -> Service:
        if not hasattr(self, "promise"):
            raise Malformed(f"{self.name} answers no request: its class has no promise")
        promised: Service | None = getattr(promise := type(self).promise, "__service__", None)
        if promised is None:
            raise RuleError(f"{type(self).__name__}: its promise, {promise.__name__}, is not marked @service")
        return promised


def introduce(parties: Iterable[Principal]) -> None:
    """Make a receiving key for each authority and official that has none, and tell court and authorities all of them.

    The keys are drawn as another party of each name, so that what the parties draw themselves stays as it was.
    """
    parties, desks = list(parties), dict[str, bytes]()
    for party in parties:
        if isinstance(party, Authority | Official):
            if party.receiving_key is None:
                with crypto.acting(f"{party.name}, receiving"):
                    fresh = crypto.new_private()
                party.receiving_key = ReceivingKey(fresh.public, fresh.raw)
            desks[party.name] = party.receiving_key.public
    for party in parties:
        if isinstance(party, Court | Authority):
            party.desks = dict(desks)


def _request_bytes(warrant: Warrant, subject: bytes) -> bytes:
    return sha256(_REQUEST, codec.encode(warrant), subject)
