"""The second adversary: seized states are revived as parties that keep no promise, and read what they can.

  devices    each is offered every mail that the network heard, in order: once as it was taken, and once with its
             sessions forgotten, so that first flights begin anew
  officials  answer every request; a party that was not seized is played back: byte-equal requests get the
             recorded answers
  access     the scheme's public recipe, run by the seized authority, or by one with a fresh key that heard the packets

A silent device that an authority runs, or an authority of a thief's own, is found inside the state that holds it.
A text counts as opened if its bytes come out: on a screen, from the recipe, or in a puppet's state. The parties' own
code does all of it, so this shares nothing with the closure. It does not play the receivers of what a seized sender
goes on to send, nor pool what several seizures hold of one key: what it opens is a lower bound.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, TypeVar

from attacks.lab.simulation.record import Record
from escrow import codec, crypto
from escrow.codec import Packet, walk
from escrow.crypto import Run, sha256
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Group, Listed, Mail
from escrow.errors import EscrowError, Malformed, Unreachable
from escrow.principal import Principal, corrupted, revive
from escrow.scheme import Intercept, Scheme
from escrow.testing.world import Intercepts, mails_in
from escrow.warrant import Authority, AuthorityKey, Order, Request, Serve, Warrant
from escrow.wire import Heard, Wire

P = TypeVar("P", bound=Principal)
R = TypeVar("R")
Taken = tuple[str, type[Principal], bytes]  # a principal's name, its kind and a state of it
Answers = dict[tuple[str, str, bytes], bytes]  # (who asks, whom, request) -> answer


def opened(scheme: Scheme, record: Record, seizures: Iterable[tuple[str, int]]) -> frozenset[int]:
    """Return the ids of the texts that puppets read, with these principals' states of these evenings."""
    return Puppets(scheme, record).opened(seizures)


class Puppets:
    """The puppets of one record. The texts of one state, and those of a set of them, are computed once."""

    def __init__(self, scheme: Scheme, record: Record) -> None:
        self.scheme, self.record = scheme, record
        self._answers = recorded_answers(record.heard)
        self._intercepts = Intercepts(scheme.committing)
        self._intercepts.hear(record.heard)
        self._mail: dict[str, dict[Mail, None]] = defaultdict(dict)
        self._packets: dict[str, list[Heard]] = defaultdict(list)
        for packet in record.heard:
            self._packets[packet.dst].append(packet)
            for mail in mails_in(packet):
                for recipient in mail.recipients:
                    self._mail[recipient].setdefault(mail)
        self._ids = {sent.body: sent.id for sent in record.sent}
        self._alone: dict[Taken, frozenset[int]] = {}
        self._together: dict[frozenset[Taken], frozenset[int]] = {}

    def opened(self, seizures: Iterable[tuple[str, int]]) -> frozenset[int]:
        """Return the ids of the texts whose bytes come out."""
        every = ((name, self.record.taken(name, evening)) for name, evening in seizures)
        taken = frozenset((name, kind, state) for name, states in every for state, kind in states)
        with crypto.running(Run(sha256(b"escrow-lab puppets"))):
            for one in taken - self._alone.keys():
                self._alone[one] = self._recognised(self._by_itself(*one))
            matter = taken if any(self._matters(*one) for one in taken) else frozenset[Taken]()
            if matter not in self._together:
                self._together[matter] = self._recognised(self._lawfully(self._wire(matter)))
        return self._together[matter].union(*(self._alone[one] for one in taken))

    def _recognised(self, finds: Iterable[bytes]) -> frozenset[int]:
        """Return the texts whose bytes occur in these."""
        return frozenset(number for find in finds for body, number in self._ids.items() if body in find)

    # --- one state by itself ---

    def _by_itself(self, name: str, kind: type[Principal], state: bytes) -> Iterator[bytes]:
        """Yield what a principal keeps after it heard its packets, and what the devices within it read."""
        party = corrupted(revive(state, kind))
        self._feed(party, _Playback((), self._answers))
        yield party.state()
        for forgetful in (False, True):
            for found in walk(revive(state, kind), Device):
                device = corrupted(found, look_up_group=_any_group)
                if forgetful:
                    device.sessions, device.receiving = {}, []
                wire = _Playback((), self._answers)
                self._offer(device, wire)
                yield device.state()
                yield from (shown.text for shown in wire.shown)

    def _offer(self, device: Device, wire: Wire) -> None:
        """Offer every mail to a device. A puppet does not check who owns the sending device, or is in a group."""
        mails = self._mail[device.name]
        for sender in dict.fromkeys(mail.sender for mail in mails):
            device.contacts.setdefault("", []).append(Listed("", sender, device.identity.public))
        for mail in mails:
            with suppress(EscrowError):
                device.receive(wire, mail)

    def _feed(self, party: Principal, wire: Wire) -> None:
        """Give a party every packet that was addressed to it."""
        for packet in self._packets[party.name]:
            wire.day = packet.day
            with suppress(EscrowError):
                party.answer(packet.src, packet.data, wire)

    # --- the lawful path among puppets ---

    def _matters(self, name: str, kind: type[Principal], state: bytes) -> bool:
        """Return whether this principal can change the recipe's result: it runs the recipe, or is asked in it."""
        return name in self._sought or any(walk(revive(state, kind), Authority))

    @cached_property
    def _sought(self) -> frozenset[str]:
        """The parties that an authority with a fresh key asks while no one answers."""
        wire = self._wire(())
        for _ in self._lawfully(wire):
            pass  # what it yields is read elsewhere
        return frozenset(wire.sought)

    def _wire(self, taken: Iterable[Taken]) -> _Playback:
        """Return a wire with these principals as puppets, an authority among them, each fed with its packets."""
        puppets: dict[str, list[Principal]] = defaultdict(list)
        for name, kind, state in sorted(taken, key=lambda one: (one[0], one[2])):
            puppets[name].append(corrupted(revive(state, kind)))
        name = next(name for name, kinds in self.record.kinds.items() if issubclass(kinds[0], Authority))
        if name not in puppets:
            key: Any = crypto.new_signing_key(AuthorityKey)
            puppets[name] = [corrupted(self.scheme.authority(name, key=key))]
        wire = _Playback(map(_Chorus, puppets.values()), self._answers)
        for party in wire.puppets():
            self._feed(party, wire)
        return wire

    def _lawfully(self, wire: _Playback) -> Iterator[bytes]:
        """Yield what the recipe gives to every authority under every warrant, and what the puppets keep in the end."""
        held = dict.fromkeys((*walk(list(wire.puppets()), Warrant), *self._heard_warrants))
        for authority in list(walk(list(wire.puppets()), Authority)):
            shrugging = corrupted(authority)
            for warrant, intercepted in self._warrants(authority.key.public, held):
                with suppress(EscrowError):
                    yield from self.scheme.access(shrugging, wire, warrant, intercepted)
        yield from (party.state() for party in wire.puppets())

    def _warrants(self, public: bytes, held: Iterable[Warrant]) -> Iterator[tuple[Warrant, Sequence[Intercept]]]:
        """Yield all warrants held that name this authority, with all mail; and one unsigned warrant for each sender.

        The unsigned ones suffice because promises are off.
        """
        days = self.record.scenario.days
        for target, intercepted in self._by_sender.items():
            order = Order("unsigned", public, target, 0, days, "content", bytes(32), 0, days, bytes(16))
            yield Warrant(order, bytes(64)), intercepted
        yield from ((each, self._intercepts.all) for each in held if each.order.authority == public)

    @cached_property
    def _by_sender(self) -> dict[str, list[Intercept]]:
        """The mail of each user; that of strangers is tried under the first user's name."""
        users = self.record.scenario.users
        owner = {device: user.name for user in users for device in user.devices}
        found: dict[str, list[Intercept]] = {user.name: [] for user in users}
        for intercept in self._intercepts.all:
            found[owner.get(intercept.mail.sender, users[0].name)].append(intercept)
        return found

    @cached_property
    def _heard_warrants(self) -> tuple[Warrant, ...]:
        heard: dict[Warrant, None] = {}
        for packet in self.record.heard:
            with suppress(Malformed):
                heard.setdefault(codec.decode_any(packet.data, frozenset({Request, Serve})).warrant)
        return tuple(heard)


def _any_group(device: Device, wire: Wire, group: str) -> Group:
    """Return a group of this name without asking the provider: a puppet does not check who its members are."""
    return Group(group, (), False)


class _Chorus:
    """One principal as it was on several evenings: the first of them that can answer does."""

    def __init__(self, parties: Sequence[Principal]) -> None:
        self.name, self.parties = parties[0].name, parties

    def answer(self, sender: str, request: bytes, wire: Wire) -> bytes:
        for party in self.parties[:-1]:
            with suppress(EscrowError):
                return party.answer(sender, request, wire)
        return self.parties[-1].answer(sender, request, wire)


class _Playback(Wire):
    """A wire among puppets. For a missing party it returns the recorded answer to a request of the same bytes."""

    def __init__(self, choruses: Iterable[_Chorus], answers: Answers) -> None:
        self.choruses = list(choruses)
        parties: Any = self.choruses
        super().__init__(parties)
        self.answers = answers
        self.sought: set[str] = set()

    def puppets(self) -> Iterator[Principal]:
        """Yield every party, as it was on each of its evenings."""
        return (party for chorus in self.choruses for party in chorus.parties)

    def ask(self, src: str, dst: str, message: Packet, reply: type[R]) -> R:
        self.sought.add(dst)
        if dst in self.parties:
            return super().ask(src, dst, message, reply)
        answer = self.answers.get((src, dst, codec.encode(message)))
        if answer is None:
            raise Unreachable(f"{dst} was not seized, and never answered this")
        return codec.decode(answer, reply)


def recorded_answers(heard: Iterable[Heard]) -> Answers:
    """Return for each request the first answer: the next packet back between the two, before another one forth."""
    asked: dict[tuple[str, str], bytes] = {}
    answers: Answers = {}
    for packet in heard:
        request = asked.pop((packet.dst, packet.src), None)
        if request is not None:
            answers.setdefault((packet.dst, packet.src, request), packet.data)
        asked[packet.src, packet.dst] = packet.data
    return answers
