"""The second adversary: seized states are revived as parties that keep no promise, and read what they can.

  devices    each is offered every mail that the network heard, in order: once as it was taken, and once with its
             sessions forgotten, so that first flights begin anew
  officials  answer every request; a party that was not seized is played back: byte-equal requests get the
             recorded answers
  access     the scheme's public recipe, run by the seized authority, or by one with a fresh key that heard the packets
  others     officials that the recipe never asks: each answers about every field, and stands in for whom it does ask

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
from escrow.codec import Fact, Packet, walk
from escrow.crypto import Run, sha256
from escrow.derivation import Service
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Group, Listed, Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError, Malformed, Unreachable
from escrow.mls.conversations.delivery import HandshakeTold
from escrow.mls.conversations.tree_device import TreeDevice, Trees
from escrow.principal import Principal, corrupted, handlers_of, revive
from escrow.scheme import Intercept, Scheme, open_intercepted
from escrow.testing.world import Intercepts, mails_in
from escrow.warrant import Answered, Authority, AuthorityKey, Official, Order, Request, Serve, Warrant, open_answer
from escrow.wire import Heard, Wire

R = TypeVar("R")
Taken = tuple[str, type[Principal], bytes]  # a principal's name, its kind and a state of it
Answers = dict[tuple[str, str, bytes], bytes]  # (who asks, whom, request) -> answer


class Puppets:
    """The puppets of one record. The texts of one state, and those of a set of them, are computed once."""

    def __init__(self, scheme: Scheme, record: Record) -> None:
        self.scheme, self.record = scheme, record
        self._traffic = Traffic(record, scheme.committing)
        self._ids = {sent.body: sent.id for sent in record.sent}
        self._alone: dict[Taken, frozenset[int]] = {}
        self._together: dict[frozenset[Taken], frozenset[int]] = {}
        self._answered: dict[frozenset[Taken], set[str]] = {}  # who answered a request
        self._results = crypto.Results()  # each state of a principal reads the same mail

    def opened(self, seizures: Iterable[tuple[str, int]]) -> frozenset[int]:
        """Return the ids of the texts whose bytes come out."""
        taken = self._taken(seizures)
        with crypto.running(Run(sha256(b"escrow-lab puppets"), results=self._results)):
            for one in taken - self._alone.keys():
                self._alone[one] = self._recognised(self._by_itself(*one))
            matter = taken if any(self._matters(*one) for one in taken) else frozenset[Taken]()
            if matter not in self._together:
                self._together[matter] = self._by_recipe(matter)
        return self._together[matter].union(*(self._alone[one] for one in taken))

    def mute(self, seizures: Iterable[tuple[str, int]]) -> frozenset[str]:
        """Return which of these officials answered requests in the play, and none here, without their promises."""
        taken = self._taken(seizures)
        answering = {dst for _, dst, _ in self._traffic.answers} & set(self.record.cast.officials)
        return frozenset(name for name, _, _ in taken if name in answering & self._sought) - self._answered.get(
            taken, set()
        )

    def _taken(self, seizures: Iterable[tuple[str, int]]) -> frozenset[Taken]:
        every = ((name, self.record.taken(name, evening)) for name, evening in seizures)
        return frozenset((name, kind, state) for name, states in every for state, kind in states)

    def _recognised(self, finds: Iterable[bytes]) -> frozenset[int]:
        """Return the texts whose bytes occur in these."""
        return frozenset(number for find in finds for body, number in self._ids.items() if body in find)

    # --- one state by itself ---

    def _by_itself(self, name: str, kind: type[Principal], state: bytes) -> Iterator[bytes]:
        """Yield what a principal keeps after it heard its packets, and what the devices within it read."""
        party = corrupted(revive(state, kind))
        self._feed(party, _Playback((), self._traffic.answers))
        yield party.state()
        if isinstance(party, Official) and hasattr(party, "promise") and name not in self._sought:
            yield from self._directly(party)
        for forgetful in (False, True):
            for found in walk(revive(state, kind), Device):
                device = corrupted(found, look_up_group=_any_group, **self._following(found))
                if forgetful:
                    device.sessions, device.receiving = {}, []
                    if isinstance(device, TreeDevice):
                        device.trees = Trees()
                wire = _Playback((), self._traffic.answers)
                self._offer(device, wire)
                yield device.state()
                yield from (shown.text for shown in wire.shown)

    def _following(self, device: Device) -> dict[str, Any]:
        """Return how a device in groups of MLS follows: it takes every commit heard that it has not read."""
        heard = self._traffic.commits

        def follow(self: Any, wire: Wire) -> None:
            for name, told in heard.items():
                for each in told[self.own.read.get(name, 0) :]:
                    self.own.read[name] = self.own.read.get(name, 0) + 1
                    with suppress(EscrowError):
                        self.take_commit(wire, each.conversation, each.handshake)

        def policy(self: Any, wire: Wire, conversation: object, change: object) -> None:
            """Let every change take effect: whose a leaf is, a puppet asks nobody."""

        return {"follow": follow, "policy": policy} if isinstance(device, TreeDevice) else {}

    def _offer(self, device: Device, wire: Wire) -> None:
        """Offer every mail to a device. A puppet does not check who owns the sending device, or is in a group."""
        mails = self._traffic.mail[device.name]
        for sender in dict.fromkeys(mail.sender for mail in mails):
            device.contacts.setdefault("", []).append(Listed("", sender, device.identity.public))
        for mail in mails:
            with suppress(EscrowError):
                device.receive(wire, mail)

    def _directly(self, official: Official) -> Iterator[bytes]:
        """Yield what an official that no recipe asks answers about each field, and the texts under keys in it."""
        (authority,) = walk(list(self._wire(()).puppets()), Authority)
        service: Service = type(official).promise.__service__  # type: ignore[attr-defined]  # `@service` marked it so
        gives, wire = codec.union(frozenset(service.rule.gives)), _Playback([_Chorus([official])], {})
        warrant, _ = next(self._warrants(authority.key.public, ()))
        for intercept in self._traffic.intercepts.all:
            with suppress(EscrowError):
                request = authority.request(warrant, intercept.mail.field)
                answer = wire.ask(authority.name, official.name, request, Answered).answer
                found: Fact = open_answer(answer, authority.key.agreement, gives)
                yield codec.encode(found)
                for key in walk(found, MessageKey):
                    yield from open_intercepted(authority, intercept, key)

    def _feed(self, party: Principal, wire: Wire) -> None:
        """Give a party every packet that was addressed to it."""
        for packet in self._traffic.packets[party.name]:
            wire.day = packet.day
            with suppress(EscrowError):
                party.answer(packet.src, packet.data, wire)

    # --- the lawful path among puppets ---

    def _matters(self, name: str, kind: type[Principal], state: bytes) -> bool:
        """Return whether this principal can change the recipe's result: it runs the recipe, or may answer in it."""
        return name in self._sought or self._outside(name, kind) or any(walk(revive(state, kind), Authority))

    def _outside(self, name: str, kind: type[Principal]) -> bool:
        """Return whether an official is one that the recipe never asks, although it answers what the recipe sends."""
        asked = {kind for _, kind in self._asking}
        beside = name in self.record.cast.officials and name not in self._sought
        return beside and not asked.isdisjoint(handlers_of(kind))

    @cached_property
    def _asking(self) -> frozenset[tuple[str, type[Packet]]]:
        """Whom an authority with a fresh key asks while no one answers, and in which packets."""
        wire = self._wire(())
        for _ in self._lawfully(wire):
            pass  # what it yields is read elsewhere
        return frozenset(wire.asking)

    @cached_property
    def _sought(self) -> frozenset[str]:
        return frozenset(name for name, _ in self._asking)

    def _by_recipe(self, taken: frozenset[Taken]) -> frozenset[int]:
        """Return the texts that the recipe yields among puppets; then with officials beside it in others' places."""
        wire = self._wire(taken)
        found, answered = self._recognised(self._lawfully(wire)), wire.answered
        outside = sorted({name for name, kind, _ in taken if self._outside(name, kind)})
        for first in range(len(outside)):  # each of them may be the one that fits
            wire = self._wire(taken)
            wire.outside = outside[first:] + outside[:first]
            found |= self._recognised(self._lawfully(wire))
        self._answered[taken] = answered
        return found

    def _wire(self, taken: Iterable[Taken]) -> _Playback:
        """Return a wire with these principals as puppets, an authority among them, each fed with its packets."""
        puppets: dict[str, list[Principal]] = defaultdict(list)
        officials: list[tuple[Official, type[Principal], bytes]] = []
        for name, kind, state in sorted(taken, key=lambda one: (one[0], one[2])):
            puppets[name].append(puppet := corrupted(revive(state, kind)))
            if isinstance(puppet, Official):
                officials.append((puppet, kind, state))
        name = next(name for name, kinds in self.record.kinds.items() if issubclass(kinds[0], Authority))
        if name not in puppets:
            key: Any = crypto.new_signing_key(AuthorityKey)
            puppets[name] = [corrupted(self.scheme.authority(name, key=key))]
        wire = _Playback(map(_Chorus, puppets.values()), self._traffic.answers)
        for party in wire.puppets():
            self._feed(party, wire)
        for official, kind, state in officials:
            if official.state() != state:  # what it heard again may have cost it what it had
                puppets[official.name].append(corrupted(revive(state, kind)))
        return wire

    def _lawfully(self, wire: _Playback) -> Iterator[bytes]:
        """Yield what the recipe gives to every authority under every warrant, and what the puppets keep in the end."""
        held = dict.fromkeys((*walk(list(wire.puppets()), Warrant), *self._traffic.warrants))
        for authority in list(walk(list(wire.puppets()), Authority)):
            shrugging = corrupted(authority)
            if wire.outside:
                shrugging.desks = {}  # what is sealed to one official, no other reads
            for warrant, intercepted in self._warrants(authority.key.public, held):
                try:
                    yield from self.scheme.access(shrugging, wire, warrant, intercepted)
                except EscrowError:  # a recipe that gives up at the first one is tried on each
                    for each in intercepted:
                        with suppress(EscrowError):
                            yield from self.scheme.access(shrugging, wire, warrant, (each,))
        yield from (party.state() for party in wire.puppets())

    def _warrants(self, public: bytes, held: Iterable[Warrant]) -> Iterator[tuple[Warrant, Sequence[Intercept]]]:
        """Yield all warrants held that name this authority, with all mail; and one unsigned warrant for each sender.

        The unsigned ones suffice because promises are off.
        """
        days = self.record.scenario.days
        for target, intercepted in self._traffic.by_sender.items():
            order = Order("unsigned", public, target, 0, days, "content", bytes(32), 0, days, bytes(16))
            yield Warrant(order, bytes(64)), intercepted
        yield from ((each, self._traffic.intercepts.all) for each in held if each.order.authority == public)


class Traffic:
    """What the network heard in a play, sorted by what puppets ask of it."""

    def __init__(self, record: Record, committing: bool) -> None:
        """Sort the packets of a record; `committing` is the scheme's parameter."""
        self.record = record
        self.answers = recorded_answers(record.heard)
        self.intercepts = Intercepts(committing)
        self.intercepts.hear(record.heard)
        self.mail: dict[str, dict[Mail, None]] = defaultdict(dict)
        self.packets: dict[str, list[Heard]] = defaultdict(list)
        for packet in record.heard:
            self.packets[packet.dst].append(packet)
            for mail in mails_in(packet):
                for recipient in mail.recipients:
                    self.mail[recipient].setdefault(mail)

    @cached_property
    def commits(self) -> dict[str, list[HandshakeTold]]:
        """The commits that were told, by conversation, in order."""
        found: dict[str, list[HandshakeTold]] = defaultdict(list)
        tree = any(issubclass(kinds[0], TreeDevice) for kinds in self.record.kinds.values())
        for packet in self.record.heard if tree else ():
            with suppress(Malformed):
                told = codec.decode(packet.data, HandshakeTold)
                found[str(told.conversation)].append(told)
        return found

    @cached_property
    def by_sender(self) -> dict[str, list[Intercept]]:
        """The mail of each user; that of strangers is tried under the first user's name."""
        users = self.record.scenario.users
        owner = {device: user.name for user in users for device in user.devices}
        found: dict[str, list[Intercept]] = {user.name: [] for user in users}
        for intercept in self.intercepts.all:
            found[owner.get(intercept.mail.sender, users[0].name)].append(intercept)
        return found

    @cached_property
    def warrants(self) -> tuple[Warrant, ...]:
        """Every warrant once that was served, or sent with a request, in order."""
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
    """A wire among puppets. For a missing party it returns the recorded answer to a request of the same bytes.

    Where there is none, one of those `outside` the recipe answers in its place: about one subject, each for one party.
    """

    def __init__(self, choruses: Iterable[_Chorus], answers: Answers) -> None:
        self.choruses = list(choruses)
        parties: Any = self.choruses
        super().__init__(parties)
        self.answers = answers
        self.asking: set[tuple[str, type[Packet]]] = set()
        self.answered: set[str] = set()
        self.outside: list[str] = []
        self._standing: dict[bytes | None, dict[str, str]] = defaultdict(dict)  # by subject: who answers for whom

    def puppets(self) -> Iterator[Principal]:
        """Yield every party, as it was on each of its evenings."""
        return (party for chorus in self.choruses for party in chorus.parties)

    def ask(self, src: str, dst: str, message: Packet, reply: type[R]) -> R:
        self.asking.add((dst, type(message)))
        if dst in self.parties:
            found = super().ask(src, dst, message, reply)
            self.answered.add(dst)
            return found
        answer = self.answers.get((src, dst, codec.encode(message)))
        return self._stand_in(src, dst, message, reply) if answer is None else codec.decode(answer, reply)

    def _stand_in(self, src: str, dst: str, message: Packet, reply: type[R]) -> R:
        standing = self._standing[message.subject if isinstance(message, Request) else None]
        free = [name for name in self.outside if name not in standing.values()]
        for name in [standing[dst]] if dst in standing else free:
            with suppress(EscrowError):
                found = super().ask(src, name, message, reply)
                standing[dst] = name
                return found
        raise Unreachable(f"{dst} was not seized, and never answered this")


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
