"""The second adversary: seized state comes back to life as parties that keep no promise, and reads what they can.

  devices    each is offered every mail that the network heard, in order: once as it was taken, and once with its
             sessions forgotten, so that first flights begin anew; a silent device inside an official is a device too
  officials  answer whatever reaches them; who was not seized is played back: byte-equal requests get recorded answers
  access     the scheme's public recipe, run by the seized authority, or by one with a fresh key that heard the packets

A text is opened where its bytes come out: on a screen, from the recipe, or in what a puppet keeps. The parties' own
code does all of it, so this shares nothing with the closure; nor does it invert a protocol or pool what two parties
hold of one key, so what it opens is a lower bound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from attacks.lab.play import Intercepts, Record, mails_in
from escrow import codec, crypto
from escrow.codec import Packet
from escrow.crypto import Run, sha256
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Listed, Mail
from escrow.errors import EscrowError, Unreachable
from escrow.principal import Principal, corrupted, revive
from escrow.scheme import Scheme
from escrow.warrant import Authority, AuthorityKey, Order, Warrant
from escrow.wire import Heard, Wire

R = TypeVar("R")
Taken = tuple[str, type[Principal], bytes]  # a principal's name, its kind and a state of it
Replies = dict[tuple[str, str, bytes], bytes]


def opened(scheme: Scheme, record: Record, seizures: Iterable[tuple[str, int]]) -> frozenset[int]:
    """The ids of the texts that puppets read, with these principals' states of these evenings."""
    return Puppets(scheme, record).opened(seizures)


class Puppets:
    """The puppets of one record. What a device reads, and what a set of states yields, is worked out once."""

    def __init__(self, scheme: Scheme, record: Record) -> None:
        self.scheme, self.record = scheme, record
        self._replies = recorded_answers(record.heard)
        self._intercepts = Intercepts()
        self._intercepts.hear(record.heard)
        self._mail: dict[str, dict[Mail, None]] = defaultdict(dict)
        self._packets: dict[str, list[Heard]] = defaultdict(list)
        for packet in record.heard:
            self._packets[packet.dst].append(packet)
            for mail in mails_in(packet):
                for recipient in mail.recipients:
                    self._mail[recipient].setdefault(mail)
        self._ids = {sent.body: sent.id for sent in record.sent}
        self._read: dict[Taken, frozenset[int]] = {}
        self._asked: dict[frozenset[Taken], frozenset[int]] = {}

    def opened(self, seizures: Iterable[tuple[str, int]]) -> frozenset[int]:
        """The ids of the texts that come out."""
        states, kinds = self.record.states, self.record.kinds
        taken = frozenset((name, kinds[name][evening], states[name][evening]) for name, evening in seizures)
        with crypto.running(Run(sha256(b"escrow-lab puppets"))):
            if taken not in self._asked:
                self._asked[taken] = self._recognised(self._ask(taken))
            for one in taken - self._read.keys():
                self._read[one] = self._recognised(self._collect(*one[1:]))
        return self._asked[taken].union(*(self._read[one] for one in taken))

    def _recognised(self, finds: Iterable[bytes]) -> frozenset[int]:
        """The texts whose bytes lie somewhere in these."""
        return frozenset(number for find in finds for body, number in self._ids.items() if body in find)

    # --- devices ---

    def _collect(self, kind: type[Principal], state: bytes) -> Iterator[bytes]:
        """What the devices within a state read, and what is left in them."""
        for forgetful in (False, True):
            for device in devices_in(revive(state, kind)):
                if forgetful:
                    device.sessions, device.receiving = {}, []
                wire = _Playback((), self._replies)
                self._offer(device, wire)
                yield device.state()
                yield from (shown.text for shown in wire.shown)

    def _offer(self, device: Device, wire: Wire) -> None:
        """Every mail to a device. Whose device a mail comes from is nothing that a puppet would check."""
        mails = self._mail[device.name]
        for sender in dict.fromkeys(mail.sender for mail in mails):
            device.contacts.setdefault("", []).append(Listed("", sender, b""))
        for mail in mails:
            with suppress(EscrowError):
                device.receive(wire, mail)

    # --- officials ---

    def _ask(self, taken: frozenset[Taken]) -> Iterator[bytes]:
        """What lawful access yields among the puppets, and what they keep in the end."""
        puppets: dict[str, list[Principal]] = defaultdict(list)
        for name, kind, state in sorted(taken, key=lambda one: (one[0], one[2])):
            puppets[name].append(corrupted(revive(state, kind)))
        authorities = [party for parties in puppets.values() for party in parties if isinstance(party, Authority)]
        if not authorities:
            authorities = [self._fresh_authority()]
            puppets[authorities[0].name].append(authorities[0])
        wire = _Playback((_Chorus(parties) for parties in puppets.values()), self._replies)
        for name, parties in puppets.items():
            for party in parties:
                self._feed(party, self._packets[name], wire)
        for authority in authorities:
            yield from self._access(authority, wire)
        yield from (party.state() for parties in puppets.values() for party in parties)

    def _fresh_authority(self) -> Authority:
        name = next(name for name, kinds in self.record.kinds.items() if issubclass(kinds[0], Authority))
        key = crypto.new_signing_key(AuthorityKey)
        return corrupted(self.scheme.authority(name, key=key))  # type: ignore[arg-type]  # the kind asked for

    def _feed(self, party: Principal, packets: Sequence[Heard], wire: Wire) -> None:
        """Every packet that was addressed to a party."""
        for packet in packets:
            wire.day = packet.day
            with suppress(EscrowError):
                party.answer(packet.src, packet.data, wire)

    def _access(self, authority: Authority, wire: Wire) -> Iterator[bytes]:
        """The recipe, under every warrant that names this authority's key and under one that nobody signed."""
        named = [each for each in authority.warrants if each.order.authority == authority.key.public]
        for warrant in dict.fromkeys((*named, self._unsigned(authority))):
            with suppress(EscrowError):
                yield from self.scheme.access(authority, wire, warrant, self._intercepts.all)

    def _unsigned(self, authority: Authority) -> Warrant:
        days = self.record.scenario.days
        target = self.record.scenario.users[0].name
        return Warrant(
            Order("", authority.key.public, target, 0, days, "content", bytes(32), 0, days, bytes(16)), bytes(64)
        )


class _Playback(Wire):
    """A wire among puppets. Whoever is not there answers what was recorded, where the request is the same bytes."""

    def __init__(self, parties: Iterable[Any], replies: Replies) -> None:
        super().__init__(parties)
        self.replies = replies

    def ask(self, src: str, dst: str, message: Packet, reply: type[R]) -> R:
        if dst in self.parties:
            return super().ask(src, dst, message, reply)
        answer = self.replies.get((src, dst, codec.encode(message)))
        if answer is None:
            raise Unreachable(f"{dst} was not seized, and never answered this")
        return codec.decode(answer, reply)


class _Chorus:
    """One principal as it was on several evenings: the first of them that can answer does."""

    def __init__(self, parties: Sequence[Principal]) -> None:
        self.name, self.parties = parties[0].name, parties

    def answer(self, sender: str, request: bytes, wire: Wire) -> bytes:
        for party in self.parties[:-1]:
            with suppress(EscrowError):
                return party.answer(sender, request, wire)
        return self.parties[-1].answer(sender, request, wire)


def recorded_answers(heard: Iterable[Heard]) -> Replies:
    """(who asked, whom, request) -> the first answer: the next packet back between the two, before another forth."""
    asked: dict[tuple[str, str], bytes] = {}
    answers: Replies = {}
    for packet in heard:
        request = asked.pop((packet.dst, packet.src), None)
        if request is not None:
            answers.setdefault((packet.dst, packet.src, request), packet.data)
        asked[packet.src, packet.dst] = packet.data
    return answers


def devices_in(value: object) -> Iterator[Device]:
    """Every device inside a revived state, itself included, with its promises off."""
    if isinstance(value, Device):
        yield corrupted(value)
    if isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from devices_in(getattr(value, field))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from devices_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from devices_in(inner)
