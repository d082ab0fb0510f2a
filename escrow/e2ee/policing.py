"""Who looks at the access fields that senders write: the labels in them, their form, and the fields made again.

  none       a mail without a field is carried and shown; the lab counts what the lawful access misses
  relay      the provider carries no mail without a field of the scheme's type whose labels fit what it knows; it tells
             clients to fan out in groups, because mail that brings a sender key has no field
  recipient  a client shows a text only if the field beside it is, byte for byte, the one that the sender's client makes
  publicly   both; and the relay verifies the proofs of a field, by which everybody can tell who is able to open it

In each case a client that has read a text compares the labels of the field, if there is one, with what it knows: chain,
number and header of the message; the people of the conversation, its author first; the day. Where one is false it shows
the text all the same, because the text is genuine, and raises an alarm that names the sender. (The field is not
authenticated: a provider that changes it can have the sender named.)

A mail does not prove when it was written. It is not from tomorrow, and not older than the last time that everything was
collected, but for LATE days that the network may keep it from the relay: by so many days a sender can date a mail back.

To be made again, a field must be a function of what both ends have. So in policed mail the random bytes of a field are
drawn from its message key, with the labels (`field_seed`): deterministic encryption of a key of 32 random bytes.

Source: recipients who compute the field again are Lotus's: Kaufman, "Differential Workfactor Cryptography", 1996.
Randomness from the message: Fujisaki and Okamoto, CRYPTO '99; Bellare, Boldyreva and O'Neill, CRYPTO 2007 (encrypt with
hash). That the message key is both message and seed, the relay's checks and LATE are ours.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from escrow import codec
from escrow.codec import Fact
from escrow.crypto import sha256
from escrow.derivation import facts_of, honest_only
from escrow.e2ee import ratchet, sender_keys
from escrow.e2ee.content import Conversation, Direct
from escrow.e2ee.provider import Group, GroupOf, Mail, Provider
from escrow.e2ee.ratchet import MAX_SKIP, Message, MessageKey, Pair, Session, exchange_as_a, open_message, step, turn
from escrow.e2ee.sender_keys import PeerChain, SenderMessage, sender_step
from escrow.e2ee.sessions import Conversing
from escrow.e2ee.x3dh import Initial, PqInitial
from escrow.errors import Forged, Malformed
from escrow.principal import shared
from escrow.wire import Wire

Policing = Literal["none", "relay", "recipient", "publicly"]
MADE_AGAIN: frozenset[Policing] = frozenset({"recipient", "publicly"})  # levels at which recipients make fields again
CARRIED: frozenset[Policing] = frozenset({"relay", "publicly"})  # levels at which the provider looks at fields
LATE = 3  # days that mail may be on its way to the relay
OTHER_DAY = f"day, or the network kept it for over {LATE} days"  # no recipient can tell these two apart
MEMBERSHIPS_KEPT = 100  # lists of each group that a relay keeps, so that changes of one group push out no other's
_LABELS = {"chain", "n", "people", "day"}
_SEED = b"escrow-lab field of a message key"


class FieldLabels(Protocol):
    """The labels that every access field has (escrow.scheme.AccessField)."""

    @property
    def chain(self) -> bytes:
        """The chain of the message."""

    @property
    def n(self) -> int:
        """The number of the message in its chain."""

    @property
    def people(self) -> tuple[str, ...]:
        """The users of the conversation, the sender first."""

    @property
    def day(self) -> int:
        """The day on which the message was sent."""


class KnownMembers(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The members of a group, and the first and last day on which a device has seen that they were."""

    members: tuple[str, ...]
    first: int
    last: int


class ComputedKey(NamedTuple):
    """The key of a message, and the header that its sender bound the field to."""

    key: MessageKey
    header: bytes


def field_type(access_field: Callable[..., Any]) -> type[Fact] | None:
    """Return the type of access field that a device's method returns, by its annotation; None if it has no labels."""
    return _field_type(getattr(access_field, "__func__", access_field))


@cache
def _field_type(access_field: Callable[..., Any]) -> type[Fact] | None:
    try:
        hint = typing.get_type_hints(access_field).get("return")
    except NameError:  # a type that is not of the module's
        return None
    return next((kind for kind in facts_of(hint) if set(kind.__struct_fields__) >= _LABELS), None)


@honest_only("both ends' half: whoever has the message key has the text")
def field_seed(key: MessageKey, people: tuple[str, ...], day: int, header: bytes) -> bytes:
    """Return the secret (32 bytes) from which the random bytes of a message's field are drawn."""
    return sha256(_SEED, key.value, codec.encode((key.chain, key.n, people, day, header)))


# --- the recipient ---


class _Device(Protocol):
    """What of a device is used here."""

    name: str
    user: str
    collected: int
    committing: bool
    known_groups: dict[str, Group]
    known_members: dict[str, list[KnownMembers]]
    sessions: dict[str, list[Conversing]]
    receiving: list[PeerChain]

    def accept(self, initial: Initial) -> Session: ...
    def access_field(self, key: MessageKey, context: Any) -> Fact | None: ...


@honest_only("what a device compares that has opened the mail")
def compare(device: _Device, wire: Wire, mail: Mail, author: str, conversation: Conversation) -> None:
    """Raise an alarm, naming the sender, for each label of a mail's field that is not true as far as the device knows.

    Args:
        device: the device that has just opened the mail.
        wire: the wire to the screen.
        mail: the mail; nothing is compared if it has no field, or the scheme's fields have no labels.
        author: the user who sent it.
        conversation: the conversation that the text says it belongs to.
    """
    if not mail.field or (kind := field_type(device.access_field)) is None:
        return
    try:
        field: Any = codec.decode(mail.field, kind)
    except Malformed:
        wire.alarm(device.name, f"{mail.sender}: what it sent beside a text is no access field")
        return
    for label in _false(device, field, mail, author, conversation, wire.day):
        wire.alarm(device.name, f"{mail.sender}: its access field names another {label}")


def _false(
    device: _Device, field: FieldLabels, mail: Mail, author: str, conversation: Conversation, today: int
) -> Iterator[str]:
    chain, n, header = _message(device, mail)
    if (field.chain, field.n, getattr(field, "header", header)) != (chain, n, header):
        yield "message"
    if field.people[:1] != (author,) or not _of(device, conversation, set(field.people), min(field.day, today), today):
        yield "user"
    if not device.collected - LATE <= field.day <= today:
        yield OTHER_DAY


def _of(device: _Device, conversation: Conversation, people: set[str], day: int, today: int) -> bool:
    """Return whether these are the users of a conversation on a day, as far as the device knows.

    Of a group it knows the list that it took for this mail, and earlier ones until it saw them changed. Of days before
    it knew the group it knows only that a group which never changed had no other members.
    """
    if isinstance(conversation, Direct):
        return people == {conversation.one, conversation.other}
    kept = device.known_members.setdefault(conversation.group, [])
    if (found := device.known_groups.get(conversation.group)) is None:
        return True  # only a device that keeps no promise has come here
    if kept:
        kept[-1].last = today
        kept[:] = [each for each in kept if each.last >= device.collected - LATE]
    if not kept or kept[-1].members != found.members:
        kept.append(KnownMembers(found.members, today, today))
    if day < kept[0].first and (found.change > 0 or people <= set(found.members)):
        return True
    return any(people == set(each.members) for each in kept if day <= each.last)


def _message(device: _Device, mail: Mail) -> tuple[bytes, int, bytes]:
    """Return chain, number and SHA-256 of the header (32 bytes) of a mail that the device has just opened."""
    if mail.group:
        sent = sender_keys.unpack(mail.body, device.committing)
        return sent.chain, sent.n, sha256(mail.body[: -sender_keys.SIGNATURE])
    session = device.sessions[mail.sender][0].session  # the session that opened it is the current one now
    message = ratchet.unpack(mail.body, session.associated, device.committing)
    return message.chain, message.n, sha256(session.associated + ratchet.header(message))


@honest_only("the steps that opening the mail is going to take")
def computed(own: _Device, mail: Mail) -> ComputedKey:
    """Return the key with which a device will open a mail, advancing nothing. Raise what opening it would raise."""
    return of_group(own, mail) if mail.group else of_pairwise(own, mail)


@honest_only("the steps that opening the mail is going to take")
def of_pairwise(own: _Device, mail: Mail) -> ComputedKey:
    """Return the key with which a device will open a pairwise mail. Raise what opening it would raise."""
    for conversing in own.sessions.get(mail.sender, []):
        session = conversing.session
        if mail.initial is not None and mail.initial.ek_a != session.id:
            continue
        message = ratchet.unpack(mail.body, session.associated, own.committing)
        try:
            return ComputedKey(pairwise_key(session, message), session.associated + ratchet.header(message))
        except Forged:
            continue
    if mail.initial is None:
        raise Forged("no session opens this message")
    return _of_first(own, mail, mail.initial)


def _of_first(own: _Device, mail: Mail, initial: Initial | PqInitial) -> ComputedKey:
    session = own.accept(initial)
    message = ratchet.unpack(mail.body, session.associated, own.committing)
    return ComputedKey(pairwise_key(session, message), session.associated + ratchet.header(message))


@honest_only("the steps that opening the mail is going to take")
def of_group(own: _Device, mail: Mail) -> ComputedKey:
    """Return the key with which a device will open a group's mail. Raise what opening it would raise."""
    message = sender_keys.unpack(mail.body, own.committing)
    for peer in own.receiving:
        if peer.device == mail.sender and peer.chain.chain == message.chain:
            return ComputedKey(group_key(peer, message), mail.body[: -sender_keys.SIGNATURE])
    raise Forged("a group message under a chain that never came")


@honest_only("the steps that decrypt is going to take")
def pairwise_key(session: Session, message: Message) -> MessageKey:
    """Return the key under which `session` opens the message. Raise Forged if it opens under none."""
    for kept in session.skipped:
        if (kept.chain, kept.n) == (message.chain, message.n):
            return kept
    chain = session.receiving
    if chain is None or message.chain != session.peer:
        _, chain = turn(session.root, exchange_as_a(session.own, Pair(session.own.public, message.chain)))
    if not 0 <= message.n - chain.n <= MAX_SKIP:
        raise Forged("no key of this session is the message's")
    while chain.n < message.n:
        _, chain = step(chain)
    key, _ = step(chain)
    open_message(message, key)
    return key


@honest_only("the steps that decrypt is going to take")
def group_key(peer: PeerChain, message: SenderMessage) -> MessageKey:
    """Return the key of a group message. Raise Forged if the chain no longer has that key."""
    for kept in peer.skipped:
        if kept.n == message.n:
            return kept
    chain = peer.chain
    if not 0 <= message.n - chain.n <= MAX_SKIP:
        raise Forged("no key of this chain is the message's")
    while chain.n < message.n:
        _, chain = sender_step(chain)
    return sender_step(chain)[0]


# --- the relay ---


def relay(party: Provider, kind: type[Fact]) -> Provider:
    """Return a provider with the same data that carries no mail without a true field of this kind."""
    fields = {name: getattr(party, name) for name in party.__struct_fields__}
    return _relay_kind(type(party), kind)(**fields)


@cache
def _relay_kind(base: type[Provider], kind: type[Fact]) -> type[Provider]:
    """Return the class of a provider that carries no mail without a true field of this kind, as far as it knows.

    It knows who sends, whose the recipients' devices are, the members that each group has or had, and its own clock.
    Of a mail between two of a user's own devices it does not know whom else the conversation is with.
    """

    class Relay(base, tag=base.__name__):  # type: ignore[valid-type, misc, call-arg]  # the scheme's own provider
        """A provider that polices access fields. `memberships` are those of each group, sorted, past ones too."""

        memberships: dict[str, list[tuple[str, ...]]] = {}

        @shared("every member may change a group")
        def on_group(self, sender: str, packet: Group, wire: Wire) -> None:
            super().on_group(sender, packet, wire)
            kept, members = self.memberships.setdefault(packet.name, []), tuple(sorted(set(packet.members)))
            if members in kept:
                kept.remove(members)
            kept[:] = [*kept, members][-MEMBERSHIPS_KEPT:]

        def on_group_of(self, sender: str, packet: GroupOf, wire: Wire) -> Group:
            found: Group = super().on_group_of(sender, packet, wire)
            return msgspec.structs.replace(found, sender_keys=False)

        def on_mail(self, sender: str, packet: Mail, wire: Wire) -> None:
            for reason, holds in self.fitting(packet, wire.day):
                self.insist(holds, reason)
            super().on_mail(sender, packet, wire)

        def fitting(self, mail: Mail, today: int) -> Iterator[tuple[str, bool]]:
            """Yield the checks on a mail's field: (reason to refuse, whether it holds)."""
            try:
                field: Any = codec.decode(mail.field, kind)
            except Malformed:
                yield f"mail of {mail.sender} carries an access field", False
                return
            between = {self.accounts.get(name, "") for name in (mail.sender, *mail.recipients)}
            people = tuple(sorted(set(field.people)))
            known = len(people) == 2 or any(people in kept for kept in self.memberships.values())
            named = field.people[:1] == (self.accounts.get(mail.sender),) and between <= set(people) and known
            yield f"the access field of {mail.sender} names sender and recipients", named
            yield f"the access field of {mail.sender} is of today", today - LATE <= field.day <= today
            yield from self.proofs(mail, field)

    Relay.__qualname__ = Relay.__name__ = base.__name__
    return Relay
