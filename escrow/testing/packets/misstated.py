"""The property of what is said: each field of each packet, replaced by another valid value, is refused or listed.

  values   of the same field in other packets of the run; a number more or less; another's name or key; also in facts
           that a field encodes, and in what the sender sealed, which is sealed again
  sender   the liar is the sender, so that signatures under its own keys hold over whatever it says; not the court,
           which may order anything
  refused  the addressee complains, or is as it was, or as after the true packet; or an official answers a request with
           a typed error, and no more than writes that down; or the run goes on with the altered packet, and ends in a
           complaint or as it should
  decides  an official that takes a field of DECIDES, or gives another answer, does wrong at once, unless it is listed
  listed   the field stands in `unchecked` of its type, with the reason; and it makes a difference, else it is stale

What decides who reads (DECIDES) may be listed only for packets of the messenger, where a sender chooses its recipients.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from escrow import codec, crypto
from escrow.codec import Fact, Packet
from escrow.confidential import Confidential
from escrow.crypto import Private, Results, Run, SigningKey
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Provider
from escrow.errors import EscrowError, Malformed
from escrow.principal import Principal, handlers_of, revive
from escrow.run import current
from escrow.scheme import Scheme
from escrow.testing.alterations import types_of
from escrow.testing.packets.disturbed import SECRET, DisturbedWire, Reference, enact, facts_of, kind_of
from escrow.testing.trying import require, settings
from escrow.warrant import COURT, Authority, Order, Request, Warrant
from escrow.wire import Heard, Wire

DECIDES = {
    "t",
    "n",
    "index",
    "epoch",
    "group",
    "day",
    "first",
    "last",
    "members",
    "target",
    "member",
    "court",
    "people",
}

MANY = 120  # examples: fewer do not show that a list is too long
MESSENGER = "escrow.e2ee"
ORDERED = (Order, Warrant, Request)  # no other value of these is answered, not even as the true one would be
ASKS = (Request, Confidential)  # as what a request is told
ASKED = tuple(handlers_of(Provider))  # what is said to every provider
Where = tuple[type, str]  # a type and the name of its field


class SignedAnew(Results):
    """Results in which signatures under these public keys hold, whatever is signed: their holder could have signed."""

    def __init__(self, keys: set[bytes]) -> None:
        """Keep the other results with those of the run around this one, if it keeps any."""
        super().__init__()
        self.keys, outer = keys, current.get()
        self.others = (outer and outer.results) or Results()

    def recalled(self, key: tuple[object, ...], work: Any, *arguments: object) -> Any:
        """Return True for a signature of the holder, else what `work` gives for the arguments."""
        if key[0] == "ed25519-verify" and key[1] in self.keys:
            return True
        return self.others.recalled(key, work, *arguments)


class KnownSeal(NamedTuple):
    """What a party sealed, and how."""

    by: str
    key: bytes
    nonce: bytes
    associated: bytes
    sealed: bytes


class Values:
    """The values that were said in a run, by the type and field in which they stood; and what was sealed."""

    def __init__(self, scheme: Scheme) -> None:
        self.types = types_of(scheme, Fact) | types_of(scheme, Packet)
        self.said: dict[Where, list[Any]] = {}
        self.names: list[str] = []
        self.sealed: dict[bytes, KnownSeal] = {}
        self.deciding: set[Where] = set()  # listed fields in which one stands that decides who reads
        self.run = Run(SECRET, self.observe)
        self.speaker = ""

    def observe(self, call: crypto.Call) -> None:
        """Remember what was sealed, and how, by its tag."""
        if call.operation == "seal":
            made = KnownSeal(call.party, *call.inputs[:3], *call.outputs)
            self.sealed[made.sealed[-crypto.TAG :]] = made

    def learn(self, value: Any) -> None:
        """Remember each field of what was said, also within encoded and sealed facts."""
        for part in self._parts(value):
            for name in part.__struct_fields__:
                inner = getattr(part, name)
                known = self.said.setdefault((type(part), name), [])
                if len(known) < 40 and inner not in known:
                    known.append(inner)

    def _parts(self, value: Any) -> Iterator[msgspec.Struct]:
        if isinstance(value, msgspec.Struct):
            yield value
            for name in value.__struct_fields__:
                yield from self._parts(getattr(value, name))
        elif isinstance(value, tuple):
            for each in value:
                yield from self._parts(each)
        elif isinstance(value, bytes) and (inner := self.inside(value)) is not None:
            yield from self._parts(inner)

    def _seal(self, data: bytes) -> KnownSeal | None:
        """Return how the speaker sealed some bytes, or None."""
        found = self.sealed.get(data[-crypto.TAG :])
        return found if found and data.endswith(found.sealed) and self.speaker in ("", found.by) else None

    def inside(self, data: bytes) -> Any:
        """Return the fact that some bytes encode, or that the speaker sealed in them, or None."""
        if found := self._seal(data):
            data = crypto.open_sealed(found.key, found.sealed, found.associated, found.nonce)
            data = data.rstrip(b"\0").removesuffix(b"\x80") or data
        if data[:1] and 0x90 < data[0] < 0xA0:
            try:
                return codec.decode_any(data, self.types)
            except Malformed:
                return None
        return None

    def instead(self, data: bytes, fact: Any) -> bytes:
        """Return the bytes with another fact in them, encoded or sealed as the first was."""
        if (found := self._seal(data)) is None:
            return codec.encode(fact)
        whole = crypto.open_sealed(found.key, found.sealed, found.associated, found.nonce)
        padding = b"\x80" if whole != codec.encode(self.inside(data)) else b""
        resealed = crypto.seal(found.key, codec.encode(fact) + padding, found.associated, found.nonce)
        return data[: -len(found.sealed)] + resealed

    def others(self, where: Where, value: Any) -> Iterator[Any]:
        """Yield valid values of the same field, other than this."""
        match value:
            case bool():
                yield not value
            case int():
                yield from (value + 1, value - 1)
            case str():
                yield from [name for name in self.names if name != value][:2]
        same = [each for each in self.said.get(where, ()) if each != value and type(each) is type(value)]
        yield from same[:2]
        yield from same[-1:]
        if isinstance(value, tuple) and value:
            yield from (value[:-1], value[1:], (*value, value[0]), value[::-1])

    def altered(self, value: Any, where: Where | None = None, asked: bool = False) -> Iterator[tuple[Where, Any]]:
        """Yield (type and field, the value with that field replaced) for each field of the value and inside it.

        A whole fact in what an official is `asked` about is not replaced by another: about that it may be asked too.
        """
        if isinstance(value, msgspec.Struct):
            for name in value.__struct_fields__:
                whole = (type(value), name)
                inner = type(value) in ORDERED or type(value).__module__.startswith(MESSENGER)
                listed = declared(whole) and not inner  # and so what is in it
                for at, other in self.altered(getattr(value, name), whole, asked):
                    if listed and at[1] in DECIDES:
                        self.deciding.add(whole)
                    try:
                        yield whole if listed else at, msgspec.structs.replace(value, **{name: other})
                    except ValueError:  # a fact that cannot be made cannot be sent either
                        continue
        if where is None:
            return
        if not (asked and (isinstance(value, msgspec.Struct) or _is_of_facts(value))):
            yield from ((where, other) for other in self.others(where, value) if other != value)
        if isinstance(value, tuple):
            for i, each in enumerate(value[:3]):
                if isinstance(each, msgspec.Struct | tuple | bytes):
                    for at, other in self.altered(each, where if isinstance(each, tuple) else None, asked):
                        yield at, (*value[:i], other, *value[i + 1 :])
        elif isinstance(value, bytes) and (inner := self.inside(value)) is not None:
            for at, other in self.altered(inner, asked=asked or where == (Request, "subject")):
                yield at, self.instead(value, other)


def _is_of_facts(value: object) -> bool:
    """Return whether a value is a tuple of facts."""
    return isinstance(value, tuple) and any(isinstance(each, msgspec.Struct) for each in value)


def _only_wrote_down(before: Principal, after: Principal) -> bool:
    """Return whether a party has all facts that it had, and no new key: it may write down what it was asked."""
    lost = facts_of(before) - facts_of(after)
    return not lost and _keys(before) == _keys(after)


def _keys(party: Principal) -> list[Fact]:
    return [*codec.walk(party, Private), *codec.walk(party, SigningKey)]


def declared(where: Where) -> bool:
    """Return whether a field is listed as unchecked."""
    return where[1] in getattr(where[0], "unchecked", ())


def what_is_said_is_checked_or_listed(scheme: Scheme, how: settings) -> None:
    """Require that each field of a packet, replaced by another valid value, is refused, complained of, or listed."""
    run = Misstating(scheme, how)
    cases, most = run.cases(), 2 * run.reference.runs(how)
    unlisted = [case for case in cases if not declared(case.where)]
    for case in (*(case for case in unlisted if case.decides), *unlisted[:most]):
        fault = f"{case.dst} acts on it" if case.decides else run.ends_badly(case)
        kind, name = case.where
        require(
            not fault, f"{case.src} tells {case.dst} another {kind.__name__}.{name} in {case.kind.__name__}: {fault}"
        )
    own = run.values.types - types_of(Scheme(), Fact) - types_of(Scheme(), Packet)
    for kind in sorted(own, key=lambda kind: kind.__name__):
        for name in kind.__dict__.get("unchecked", ()):
            here = f"{kind.__name__}.{name} is listed as unchecked"
            require(name not in DECIDES, f"{here}, and decides who reads")
            mine = [case for case in cases if case.where == (kind, name)]
            if how.max_examples >= MANY and run.values.said.get((kind, name)):
                unnoticed = any(case.decides or run.ends_badly(case) for case in mine)
                require(unnoticed, f"{here}, and no other value of it goes unnoticed")


class Misstatement(NamedTuple):
    """An altered packet: which field, the packet's number, who tells whom, the bytes, whether it is an answer."""

    where: Where
    number: int
    src: str
    dst: str
    data: bytes
    is_answer: bool
    kind: type[Packet]
    decides: bool = False  # an official lets it decide what it does


class Effect(NamedTuple):
    """What a packet does to its addressee."""

    refused: bool
    complained: bool
    state: bytes
    answer: bytes


def told(party: Principal, packet: Heard, day: int, results: Results | None) -> Effect:
    """Return what a packet does to a copy of its addressee."""
    copy = revive(party.state(), type(party))
    beside, answer, refused = Wire([copy]), b"", False
    beside.day = day
    with crypto.running(Run(SECRET, results=results)):
        try:
            answer = copy.answer(packet.src, packet.data, beside)
        except EscrowError:
            refused = True
    return Effect(refused, bool(beside.alarms or beside.refusals), copy.state(), answer)


class Misstating:
    """A run in which copies of addressees are told altered packets, each before the true one."""

    def __init__(self, scheme: Scheme, how: settings) -> None:
        self.scheme, self.reference, self.values = scheme, Reference(scheme), Values(scheme)
        self.packets, self.most = max(1, how.max_examples // 30), how.max_examples
        self.values.names = [*self.reference.cast, "alice", "bob", "carol", "club", "choir"]
        self.sent: set[Heard] = set()
        enact(scheme, self._learn, run=self.values.run)
        self.values.run = Run(SECRET, self.values.observe)
        self.tried: dict[tuple[object, ...], int] = {}
        self.heeded: list[Misstatement] = []
        self.answers: list[Misstatement] = []
        enact(scheme, self._try, run=self.values.run)

    def _decoded(self, data: bytes) -> Any:
        try:
            return codec.decode_any(data, self.values.types)
        except Malformed:
            return None

    def _learn(self, wire: DisturbedWire, number: int, packet: Heard) -> bytes:
        self.sent.add(packet)
        answer = wire.as_sent(packet)
        for data in (packet.data, answer):
            if (said := self._decoded(data)) is not None:
                self.values.learn(said)
        return answer

    def _due(self, *kinds: object) -> bool:
        """Return whether a packet of these kinds is among the first ones."""
        self.tried[kinds] = self.tried.get(kinds, 0) + 1
        return self.tried[kinds] <= self.packets

    def _try(self, wire: DisturbedWire, number: int, packet: Heard) -> bytes:
        party = wire.parties.get(packet.dst)
        try:
            kind = kind_of(party, packet) if party else None
        except Malformed:
            kind = None
        if party is None or kind is None:
            return wire.as_sent(packet)
        since = 0 if kind in ASKED else wire.day  # a refresh says more than the key generation, in the same packets
        if packet.src != COURT and self._due(kind, type(party), since):
            self._tell(wire, number, packet, party, kind)
        answer = wire.as_sent(packet)
        said = self._decoded(answer)
        if said is not None and self._due(type(said), Packet):
            self.values.speaker = packet.dst
            for where, other in self.values.altered(said):
                data = codec.encode(other)
                self.answers.append(Misstatement(where, number, packet.dst, packet.src, data, True, type(said)))
        return answer

    def _tell(self, wire: DisturbedWire, number: int, packet: Heard, party: Principal, kind: type[Packet]) -> None:
        self.values.speaker = packet.src
        before, true = party.state(), told(party, packet, wire.day, None)
        keys = self.keys(wire.parties.get(packet.src))
        for where, other in self.values.altered(codec.decode(packet.data, kind)):
            changed = msgspec.structs.replace(packet, data=codec.encode(other))
            if changed in self.sent:
                continue  # the sender says this too, and means it
            for results in (None, SignedAnew(keys)) if keys and where[1] != "signature" else (None,):
                now = told(party, changed, wire.day, results)
                answers = {b"", codec.encode(None)}
                same = now.answer in answers | {true.answer} if where[0] not in ORDERED else now.answer in answers
                noted = now.refused and kind in ASKS and _only_wrote_down(party, revive(now.state, type(party)))
                if not (noted or now.complained or (same and now.state in (before, true.state))):
                    official = not issubclass(kind, ASKED) and not isinstance(party, Device | Authority)
                    decides = official and (where[1] in DECIDES or where in self.values.deciding or not same)
                    self.heeded.append(
                        Misstatement(where, number, packet.src, packet.dst, changed.data, False, kind, decides)
                    )
                    break

    @staticmethod
    def keys(party: Principal | None) -> set[bytes]:
        """Return the public signing keys of a party."""
        return {each.public for each in codec.walk(party, SigningKey)} if party else set()

    def cases(self) -> list[Misstatement]:
        """Return what was altered and heeded, and answers, a field after another: what decides comes first."""
        groups: dict[tuple[int, type, Where, bool], list[Misstatement]] = {}
        for case in (*self.heeded, *self.answers):
            last = 2 * case.where[0].__module__.startswith(MESSENGER) + (case.where[1] not in DECIDES)
            groups.setdefault((last, case.kind, case.where, case.is_answer), []).append(case)
        ordered = [groups[each] for each in sorted(groups, key=lambda each: each[0])]
        return [case for each in zip_longest(*ordered) for case in each if case is not None]

    def ends_badly(self, case: Misstatement) -> str:
        """Return how the run ends wrongly in which the altered packet takes the place of the true one, or ""."""
        results = SignedAnew(set())

        def hand(wire: DisturbedWire, number: int, packet: Heard) -> bytes:
            if number != case.number:
                return wire.as_sent(packet)
            results.keys |= self.keys(wire.parties.get(case.src))
            if case.is_answer:
                wire.as_sent(packet)
                return case.data
            return wire.as_sent(msgspec.structs.replace(packet, data=case.data))

        return self.reference.fault(enact(self.scheme, hand, run=Run(SECRET, results=results)), case.src)
