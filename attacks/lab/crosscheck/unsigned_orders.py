"""Orders that no court signed: no official may act on one, whatever stands in its fields.

A real request of the play is made again to the official's own handler, with an order whose signature is bad, or is by a
key of the attacker's own. Its fields are varied: with what the handler compares them with, and with the constants of
the scheme's code, singly and in pairs. So a word, a nonce or a user that passes without a signature is found, also
where it stands in a nested function or in a table. What is found is made again as bytes, and printed in few fields.
A real order is also signed with every key that some party keeps, if no rule of the scheme signs warrants with it: the
key of a deputy that the play never asks.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from attacks.lab.adversary.demands.constants import Constants, constants_of
from attacks.lab.adversary.demands.recorded import FIELDS, Notes, Recorder, recorded_warrant
from attacks.lab.adversary.demands.variations import changed, dictionary, repairs, singly_and_in_pairs, travels
from attacks.lab.adversary.local import stranger
from attacks.lab.adversary.view import words_of
from attacks.lab.crosscheck.places import is_schemes, place_of
from attacks.lab.simulation.record import Record
from escrow import codec
from escrow.codec import Packet, walk
from escrow.confidential import Confidential, opened
from escrow.crypto import SigningKey
from escrow.errors import EscrowError
from escrow.principal import Principal, handlers_of
from escrow.scheme import Scheme
from escrow.warrant import Authority, AuthorityKey, CourtKey, Order, Request, Warrant, issue
from escrow.wire import Wire

MOST = 1_500  # orders tried at one official, for one kind of packet and of authority
AGAIN = 300  # at another official of the same class
SIGNED = 200  # orders tried that the attacker signs itself


class Forgery(Order, frozen=True, tag="Order"):
    """An order and the signature under it, which is bad; None: the attacker's own."""

    signature: bytes | None

    def order(self) -> Order:
        """Return the order itself."""
        return Order(*(getattr(self, name) for name in FIELDS))

    def warrant(self, key: CourtKey) -> Warrant:
        """Return the warrant; `key` is the attacker's."""
        order = self.order()
        return issue(key, order) if self.signature is None else Warrant(order, self.signature)


class SignedRequest(Request, frozen=True, tag="Request"):
    """A request whose own signature counts as good, so that it need not be made for each order."""

    def signed(self) -> bool:
        """Return True."""
        return True


@dataclass(frozen=True, slots=True)
class Occasion:
    """A packet with a warrant that reached an official, and was answered: who, on which evening, from whom."""

    official: str
    evening: int
    day: int
    sender: str
    packet: Packet
    field: str
    again: bool  # another official of the same class was asked before: only its own data can differ


def answered_unsigned(scheme: Scheme, record: Record) -> list[str]:
    """Return a sentence for each official that acts on an order which no court signed, naming it and the fields."""
    trial = _Trial(constants_of(scheme), record)
    others = _others(scheme, record)
    return [
        finding
        for occasion in trial.occasions()
        for finding in [*trial.findings(occasion)] or trial.signed_by(others, occasion)
    ]


def _others(scheme: Scheme, record: Record) -> dict[bytes, tuple[str, SigningKey]]:
    """Return the signing keys in last states with which no rule signs a warrant: by public half, whose, and the key."""
    signing = tuple({kind for rule in words_of(scheme).rules if Warrant in rule.gives for kind in rule.takes})
    names = [name for name, states in record.states.items() if states[-1]]
    kept = ((name, record.party(name, record.scenario.days - 1)) for name in names)
    found = ((name, key) for name, party in kept for key in walk(party, SigningKey))
    return {key.public: (name, key) for name, key in found if not isinstance(key, signing)}


class _Trial:
    def __init__(self, constants: Constants, record: Record) -> None:
        self.constants, self.record = constants, record
        self._users = [user.name for user in record.scenario.users]
        self._keys = self._authorities()
        self._court = CourtKey(self._keys[0].public, self._keys[0].raw)

    def _authorities(self) -> list[SigningKey]:
        """Return the keys that ask: one of the attacker's own, and those of the authorities of the play."""
        last = self.record.scenario.days - 1
        parties = (self.record.party(name, last) for name in self.record.states if name in self.record.cast.officials)
        known = [key for party in parties if isinstance(party, Authority) for key in walk(party, AuthorityKey)]
        return [stranger(), *known]

    # --- what is asked in the play ---

    def occasions(self) -> Iterator[Occasion]:
        """Yield one answered packet of each official and type of packet; who was not asked gets a colleague's."""
        seen, classes = set[tuple[str, type]](), dict[tuple[type, type], Occasion]()
        for heard in self.record.heard:
            if heard.dst not in self.record.cast.officials or heard.dst not in self.record.states:
                continue
            kind = self.record.kinds[heard.dst][heard.day]
            if issubclass(kind, Authority):
                continue
            packet = self._packet(heard.dst, heard.day, heard.data)
            field = next((name for name in _fields(packet) if isinstance(getattr(packet, name), Warrant)), "")
            if packet is None or not field or (heard.dst, type(packet)) in seen:
                continue
            for evening in (heard.day, heard.day - 1):
                again = (kind, type(packet)) in classes
                occasion = Occasion(heard.dst, max(evening, 0), heard.day, heard.src, packet, field, again)
                if self._accepts(occasion, packet):
                    seen.add((heard.dst, type(packet)))
                    classes.setdefault((kind, type(packet)), occasion)
                    yield occasion
                    break
        for name in self.record.cast.officials:
            for (kind, packet_type), occasion in classes.items():
                if (name, packet_type) not in seen and kind in self.record.kinds.get(name, ()):
                    other = replace(occasion, official=name, again=True)
                    if self._accepts(other, other.packet):
                        yield other

    def _packet(self, name: str, evening: int, data: bytes) -> Packet | None:
        """Return a packet as its addressee reads it, opened if it was sealed; None if it reads none."""
        kind = self.record.kinds[name][evening]
        types = frozenset(handlers_of(kind))
        try:
            packet = codec.decode_any(data, types)
            if isinstance(packet, Confidential):
                party = self.record.party(name, evening)
                inner = codec.union(frozenset({*types, Request} - {Confidential}))
                return opened(packet.content, party.receiving_key, inner) if party.receiving_key else None
        except EscrowError:
            return None
        found: Packet = packet
        return found

    def _accepts(self, occasion: Occasion, packet: Packet, wire: Wire | None = None) -> bool:
        """Return whether the official acts on a packet, among the parties of that evening."""
        wire = wire or RevivedWire(self.record, occasion)
        party = wire.party(occasion.official, Principal)
        handler = next((found for kind, found in handlers_of(type(party)).items() if isinstance(packet, kind)), None)
        if handler is None:
            return False
        try:
            handler(party, occasion.sender, packet, wire)
        except Exception:  # the library's errors refuse; any other comes of an order that the official cannot read
            return False
        return True

    # --- what is forged ---

    def findings(self, occasion: Occasion) -> Iterator[str]:
        """Yield a sentence for the first forgery that an official acts on, for each key that asks."""
        real: Warrant = getattr(occasion.packet, occasion.field)
        for key in self._keys:
            order = msgspec.structs.replace(real.order, authority=key.public)
            for forgery in self._forgeries(occasion, order, real.signature):
                if self._acts(occasion, forgery, key) or not travels(forgery.order()):
                    yield self._in_words(occasion, self._simplest(occasion, forgery, order, key), order)
                    return

    def signed_by(self, others: dict[bytes, tuple[str, SigningKey]], occasion: Occasion) -> Iterator[str]:
        """Yield a sentence for each of these keys if the official acts on an order for a stranger that it signed."""
        real: Warrant = getattr(occasion.packet, occasion.field)
        asking, where = self._keys[0], self._where(occasion)
        for name, key in others.values():
            order = msgspec.structs.replace(real.order, authority=asking.public)
            if self._heeds(occasion, issue(CourtKey(key.public, key.raw), order), asking):
                yield f"{occasion.official} acts on an order that {name} signed, and no rule says so: {where}"

    def _forgeries(self, occasion: Occasion, order: Order, real: bytes) -> Iterator[Forgery]:
        """Yield the forgeries that the official acts on when their fields note what they are compared with."""
        signatures = (bytes(64), b"", bytes(reversed(real)), b"\xff" * 64, None)
        starts = [Forgery(*msgspec.structs.astuple(order), each) for each in signatures]  # type: ignore[call-arg]  # ten
        people = [order.target]
        offered = dictionary(self.constants, people, self._users, order.first, self.record.scenario.days)
        for start, most in ((starts[:-1], AGAIN if occasion.again else MOST), (starts[-1:], SIGNED)):
            yield from _Variation(self, occasion, offered).of(start, most)

    def acts(self, occasion: Occasion, forgery: Forgery, wire: Wire) -> tuple[bool, Notes]:
        """Return whether the official acts on a forgery whose fields note what is done with them, and the notes."""
        recorder = Recorder()
        valid = frozenset({self._court.public} if forgery.signature is None else ())
        warrant = recorded_warrant(recorder, forgery.warrant(self._court), valid)
        return self._accepts(occasion, _with(occasion, warrant), wire), recorder.notes

    def _acts(self, occasion: Occasion, forgery: Forgery, key: SigningKey) -> bool:
        """Return whether the official acts on a forgery that comes as bytes, in a request that `key` signed."""
        return self._heeds(occasion, forgery.warrant(self._court), key)

    def _heeds(self, occasion: Occasion, warrant: Warrant, key: SigningKey) -> bool:
        packet = occasion.packet
        if isinstance(packet, Request):
            asking = Authority("authority", key=AuthorityKey(key.public, key.raw))
            again: Packet = asking.request(warrant, packet.subject)
        else:
            again = msgspec.structs.replace(packet, **{occasion.field: warrant})
        kind = self.record.kinds[occasion.official][occasion.evening]
        try:
            return self._accepts(occasion, codec.decode_any(codec.encode(again), frozenset(handlers_of(kind))))
        except EscrowError:
            return False

    def _simplest(self, occasion: Occasion, forgery: Forgery, order: Order, key: SigningKey) -> Forgery:
        """Return a forgery that differs from the real order in no field without need."""
        for name in FIELDS:
            simpler = msgspec.structs.replace(forgery, **{name: getattr(order, name)})
            if self._acts(occasion, simpler, key) or (
                not travels(simpler.order()) and self.acts(occasion, simpler, RevivedWire(self.record, occasion))[0]
            ):
                forgery = simpler
        return forgery

    def _in_words(self, occasion: Occasion, forgery: Forgery, order: Order) -> str:
        changes = [(name, getattr(forgery, name)) for name in FIELDS if getattr(forgery, name) != getattr(order, name)]
        said = (
            " and ".join(f"its {name} is {_shown(value)}" for name, value in changes)
            or "its fields are those of a real one"
        )
        by = "a stranger" if forgery.signature is None else "nobody"
        never = "" if travels(forgery.order()) else "; no packet of today's types brings it"
        return f"{occasion.official} acts on an order that {by} signed, if {said}{never}: {self._where(occasion)}"

    def _where(self, occasion: Occasion) -> str:
        """Return which function lets it act: the handler, what it calls before it answers, or the checks."""
        kind = self.record.kinds[occasion.official][occasion.evening]
        handler = next(found for of, found in handlers_of(kind).items() if isinstance(occasion.packet, of))
        methods = [handler, *(getattr(kind, name) for name in ("admit", "timely", "checks") if hasattr(kind, name))]
        promised = [kind.promise.__service__.checks] if hasattr(kind, "promise") else []
        codes = [inspect.unwrap(each).__code__ for each in (*methods, *promised)]
        return place_of(next(filter(is_schemes, codes), codes[0]))


class _Variation:
    """The forgeries tried at one official."""

    def __init__(self, trial: _Trial, occasion: Occasion, offered: dict[str, list[Any]]) -> None:
        self._trial, self._occasion, self._offered = trial, occasion, offered
        self._seen = set[Forgery]()
        self._paths = set[Any]()
        self._queue = deque[tuple[Forgery, Notes]]()
        self._read = set[str]()
        self._wire = RevivedWire(trial.record, occasion)

    def of(self, starts: Iterable[Forgery], most: int) -> Iterator[Forgery]:
        """Yield what the official acts on, among at most so many forgeries."""
        for forgery in self._candidates(list(starts)):
            if len(self._seen) >= most:
                return
            if forgery not in self._seen:
                self._seen.add(forgery)
                acts, notes = self._trial.acts(self._occasion, forgery, self._wire)
                self._read |= notes.read
                if acts:
                    yield forgery
                elif (path := notes.path()) not in self._paths:
                    self._paths.add(path)
                    self._queue.append((forgery, notes))

    def _candidates(self, starts: list[Forgery]) -> Iterator[Forgery]:
        yield from starts
        yield from self._repaired()
        for change in singly_and_in_pairs(self._offered, self._trial.constants, self._read):
            yield changed(starts[0], change)
            yield from self._repaired()

    def _repaired(self) -> Iterator[Forgery]:
        while self._queue:
            forgery, notes = self._queue.popleft()
            for noted in notes.distinct():
                for change in repairs(noted, forgery):
                    if all(name != "authority" for name, _ in change):
                        yield changed(forgery, change)


class RevivedWire(Wire):
    """A wire between the parties of one evening, each decoded from its state when it is first needed."""

    def __init__(self, record: Record, occasion: Occasion) -> None:
        super().__init__(())
        self._play, self._evening, self.day = record, occasion.evening, occasion.day

    def _named(self, name: str) -> Principal:
        if name not in self.parties and name in self._play.states:
            self.parties[name] = self._play.party(name, self._evening)
        return super()._named(name)


def _shown(value: object) -> str:
    """Return a value as it is written in Python; bytes that are no text in hexadecimal."""
    text = isinstance(value, bytes) and all(32 <= each < 127 for each in value.strip(b"\0"))
    return repr(value) if text or not isinstance(value, bytes) else f"0x{value.hex()}"


def _fields(packet: Packet | None) -> tuple[str, ...]:
    return packet.__struct_fields__ if packet is not None else ()


def _with(occasion: Occasion, warrant: Warrant) -> Packet:
    """Return the packet of an occasion with another warrant; a request's own signature counts as good."""
    packet = occasion.packet
    if type(packet) is Request:
        return SignedRequest(warrant, packet.subject, packet.signature)
    changed_packet: Packet = msgspec.structs.replace(packet, **{occasion.field: warrant})
    return changed_packet


__all__ = ["answered_unsigned"]
