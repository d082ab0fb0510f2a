"""What `bench` times: a conversation under one scheme that goes on from job to job, at two levels.

  session   what the two ends compute for a text: ratchet, message key, access field, their encoding, its checks
  device    from device to provider to device: the directory asked, content, packets, mailbox, screen

Jobs between sessions: `ping-pong` (a ratchet step each text), `one-way`, `set-up` (a session begun and its first text
read), `fan-out` (a text encrypted for each of many sessions, as for a group) and `sender-keys` (a text encrypted once
for a whole group). The last two are the sender's side alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import cycle, islice
from typing import Literal, NamedTuple

from attacks.lab.costs.counts import TEXT, Conversation
from escrow import codec
from escrow.crypto import drawing_from, new_private, random_bytes
from escrow.e2ee import policing, ratchet, sender_keys
from escrow.e2ee.content import Text, direct
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.provider import Listed, Mail
from escrow.e2ee.ratchet import MessageKey, Root, Session, decrypt, encrypt, pack, unpack
from escrow.e2ee.sessions import Conversing
from escrow.e2ee.x3dh import Bundle, Initial
from escrow.scheme import Scheme

Level = Literal["session", "device"]
JOBS: tuple[tuple[str, Level], ...] = (
    ("ping-pong", "session"),
    ("one-way", "session"),
    ("set-up", "session"),
    ("fan-out", "session"),
    ("sender-keys", "session"),
    ("ping-pong", "device"),
    ("one-way", "device"),
    ("set-up", "device"),
    ("access", "device"),
)


def jobs_of(scheme: Scheme) -> tuple[tuple[str, Level], ...]:
    """Return the jobs that a scheme has: those between sessions only where its devices have pairwise sessions."""
    return (
        JOBS if ratchet.__name__ not in scheme.device.replaces else tuple(each for each in JOBS if each[1] == "device")
    )


class Job(NamedTuple):
    """Something ready to be run once, and for how many texts it counts; in a fan-out, for how many sessions."""

    name: str
    level: Level
    texts: int
    run: Callable[[], object]


class Workload:
    """One scheme with a conversation that goes on, and below its devices the two directions of their session."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme, self.talk, self.text = scheme, Conversation(scheme), bytes(TEXT)
        alice, bob = self.talk.alice, self.talk.bob
        for sender, receiver in ((alice, bob), (bob, alice)) * 2:
            self.talk.say(sender, receiver, self.text)
        if jobs_of(scheme) == JOBS:
            self.there, self.back = Direction(alice, bob), Direction(bob, alice)
        self._group: list[Session] = []

    def job(self, name: str, level: Level, messages: int) -> Job:
        """Prepare one of JOBS, of so many texts or, if they are slow, of fewer."""
        few = max(1, messages // 6)
        self.talk.wire.heard.clear()
        if level == "device":
            few = few if name in {"ping-pong", "one-way"} else max(1, few // 3)  # these need new conversations
            return Job(name, level, few, self._between_devices(name, few))
        match name:
            case "set-up":
                return Job(name, level, few, partial(self.there.set_ups, self._bundles(few)))
            case "fan-out":
                return Job(name, level, messages, partial(self.there.fan_out, self._members(messages)))
            case "sender-keys":
                return Job(name, level, few, partial(self.there.by_chain, sender_keys.new_chain(), few))
        for direction in (self.back, self.there) * 2:  # a new chain after one of a single message, not of the last turn
            direction.carry()
        if name == "one-way":
            return Job(name, level, messages, partial(self.there.carry, messages))
        return Job(name, level, few, partial(self._ping_pong, few))

    def _ping_pong(self, texts: int) -> None:
        for direction in islice(cycle((self.back, self.there)), texts):
            direction.carry()

    def _bundles(self, times: int) -> list[Bundle]:
        """Return bundles of the receiver, with a one-time prekey each."""
        provider = self.talk.provider
        entry = provider.filed(self.talk.bob.publication(times), None)
        return [provider.handed_out(entry) for _ in range(times)]

    def _members(self, number: int) -> list[Session]:
        """Return sessions with the members of a group, each of which has answered; they are kept for the next turn."""
        while len(self._group) < number:
            self._group.append(_answered(self.there.incoming.associated))
        return self._group[:number]

    def _between_devices(self, name: str, texts: int) -> Callable[[], object]:
        if name == "set-up":
            strangers = [Conversation(self.scheme) for _ in range(texts)]
            return lambda: [each.say(each.alice, each.bob, self.text) for each in strangers]
        if name == "access":
            fresh = Conversation(self.scheme)
            fresh.say(fresh.alice, fresh.bob, self.text)
            fresh.access(fresh.newly_intercepted())  # what the first text alone needs, is done
            for _ in range(texts):
                fresh.say(fresh.alice, fresh.bob, self.text)
            return partial(fresh.access, fresh.newly_intercepted())
        alice, bob = self.talk.alice, self.talk.bob
        self.talk.say(alice, bob, self.text)
        pairs = ((bob, alice), (alice, bob)) if name == "ping-pong" else ((alice, bob),)
        return lambda: [self.talk.say(*pair, self.text) for pair in islice(cycle(pairs), texts)]


def _answered(associated: bytes) -> Session:
    """Return one end of a session with a member that has answered."""
    prekey = new_private()
    root = Root(random_bytes(32), prekey.public, random_bytes(32))
    mine, theirs = ratchet.begin(root, associated), ratchet.respond(root, associated, prekey)
    decrypt(theirs, encrypt(mine, b"")[0])
    decrypt(mine, encrypt(theirs, b"")[0])
    return mine


class Direction:
    """One direction of a conversation, below the devices. A scheme may have made the sender write to more devices.

    What is encrypted is a content of TEXT bytes. A receiver whose scheme checks what came reads it as a device does.
    """

    def __init__(self, sender: Device, receiver: Device) -> None:
        sessions = {peer: kept[0].session for peer, kept in sender.sessions.items()}
        own = sessions.pop(receiver.name)
        self.sender, self.receiver, self.others, self.outgoing = sender, receiver, [*sessions.values()], own
        self.incoming = receiver.sessions[sender.name][0].session
        self.people = (sender.user, receiver.user)
        self.author = Listed(sender.user, sender.name, sender.identity.public)
        conversation = direct(*self.people)
        spare = TEXT - len(codec.encode(Text(conversation, b"")))
        self.body = codec.encode(Text(conversation, bytes(spare)))
        self.escrows = type(sender).access_field is not Device.access_field  # plain's hook gives nothing
        self.checks = receiver.policing in policing.MADE_AGAIN

    def carry(self, times: int = 1) -> None:
        """Encrypt a text for every device, for the receiver last, and read it there."""
        body, incoming, plain = self.body, self.incoming, not (self.escrows or self.checks)
        outgoing = [*self.others, self.outgoing]
        for _ in range(times):
            for session in outgoing:
                message, key = encrypt(session, body)
                sent = pack(message)
                if not plain:
                    field = self._field(key, message.associated + ratchet.header(message))
            if plain:
                decrypt(incoming, unpack(sent, incoming.associated))
            else:
                self._read(sent, field)

    def _field(self, key: MessageKey, header: bytes) -> bytes:
        if not self.escrows:
            return b""
        context = FieldContext(self.people, 0, header)
        if self.checks and not self.sender.unrepeatable:
            with drawing_from(policing.field_seed(key, context.people, context.day, header)):
                field = self.sender.access_field(key, context)
        else:
            field = self.sender.access_field(key, context)
        return codec.encode(field) if field is not None else b""

    def _read(self, sent: bytes, field: bytes, initial: Initial | None = None) -> None:
        if self.checks:
            mail = Mail(self.sender.name, (self.receiver.name,), "", initial, sent, field)
            found = policing.computed(self.receiver, mail)
            self.receiver.open_pairwise(mail, self.author)
            self.receiver.admit(mail, found)
        elif initial is None:
            decrypt(self.incoming, unpack(sent, self.incoming.associated))
        else:
            session = self.receiver.accept(initial)
            decrypt(session, unpack(sent, initial.associated))
            self.receiver.spend(initial)

    def set_ups(self, bundles: Iterable[Bundle]) -> None:
        """Begin a session with each bundle's owner and read its first message; the sessions are then forgotten."""
        kept = [*self.receiver.sessions[self.sender.name]]
        for bundle in bundles:
            begun: Conversing = self.sender.begin(bundle)
            message, key = encrypt(begun.session, self.body)
            field = self._field(key, message.associated + ratchet.header(message)) if self.escrows else b""
            self._read(pack(message), field, begun.initial)
        self.receiver.sessions[self.sender.name] = kept

    def fan_out(self, sessions: Iterable[Session]) -> None:
        """Encrypt a text for every session, and read nothing."""
        body, escrows = self.body, self.escrows
        for session in sessions:
            message, key = encrypt(session, body)
            pack(message)
            if escrows:
                self._field(key, message.associated + ratchet.header(message))

    def by_chain(self, own: sender_keys.OwnChain, times: int) -> None:
        """Encrypt a text once for a whole group, and read nothing."""
        for _ in range(times):
            sent, key = sender_keys.encrypt(own, self.body)
            self._field(key, sent[: -sender_keys.SIGNATURE])
