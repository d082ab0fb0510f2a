"""A device with a Clipper chip: it sends a LEAF beside each text, and refuses a text whose LEAF is not valid.

The field beside a message is compared with its message key, which the ratchets forget as they use it: the receiver
computes it first (`of_pairwise`, `of_group`), without advancing any state.
"""

from __future__ import annotations

from typing import NamedTuple

from escrow import codec
from escrow.crypto import random_bytes, sha256
from escrow.derivation import honest_only
from escrow.e2ee import content, device, ratchet, sender_keys
from escrow.e2ee.content import Text
from escrow.e2ee.device import FieldContext
from escrow.e2ee.provider import Listed, Mail
from escrow.e2ee.ratchet import (
    MAX_SKIP,
    Message,
    MessageKey,
    Pair,
    Plaintext,
    Session,
    exchange_as_a,
    open_message,
    step,
    turn,
)
from escrow.e2ee.sender_keys import PeerChain, SenderMessage, sender_step
from escrow.errors import Forged, Malformed, Refused
from escrow.primitives.skipjack import KEY
from escrow.scheme import AccessField
from escrow.schemes.clipper.chip import Chip
from escrow.schemes.clipper.field import ClipperField, agreed_key, derived_key, make_field


class ClipperDevice(device.Device):
    """A device with a chip. If it `derives`, session keys follow from message keys, else its software chooses them."""

    chip: Chip | None = None
    derives: bool = False

    def access_field(self, key: MessageKey, context: FieldContext) -> ClipperField:
        """Return the chip's LEAF and the wrapped keys for a message."""
        ks = derived_key(key) if self.derives else random_bytes(KEY)
        labels = AccessField(key.chain, key.n, context.people, context.day)
        transcript = sha256(context.header)[:8]
        return self.field_for(key, labels, transcript, ks)

    def field_for(self, key: MessageKey, labels: AccessField, transcript: bytes, ks: bytes) -> ClipperField:
        """Return the field under a session key, with the LEAF that the chip makes for it."""
        return make_field(key, labels, transcript, ks, self.unit.generate_iv(ks, transcript))

    @property
    def unit(self) -> Chip:
        """The chip. Raises Refused if none is built in."""
        if self.chip is None:
            raise Refused(self.name, "there is no chip in it")
        return self.chip

    def open_pairwise(self, mail: Mail, author: Listed) -> Plaintext:
        """Open a mail; refuse a text whose LEAF is not valid."""
        found = of_pairwise(self, mail)
        plaintext = super().open_pairwise(mail, author)
        if isinstance(content.read(plaintext), Text):
            self.admit(mail, found)
        return plaintext

    def open_group(self, mail: Mail) -> Plaintext:
        """Open a mail to a group; refuse it if its LEAF is not valid."""
        found = of_group(self, mail)
        plaintext = super().open_group(mail)
        self.admit(mail, found)
        return plaintext

    def admit(self, mail: Mail, found: ComputedKey) -> None:
        """Raise Refused, naming the sender, if a text's field is not what the sender's chip should have made."""
        try:
            said = codec.decode(mail.field, ClipperField)
            ks = agreed_key(said, found.key)
            self.insist(not (self.derives and said.agreed), f"{mail.sender} chose the session key")
        except (Malformed, Forged) as error:
            self.insist(False, f"{mail.sender} sent no LEAF for this message: {error}")
            return
        transcript = sha256(found.header)[:8]
        valid = self.unit.load_iv(ks, said.iv + said.leaf, transcript)
        self.insist(valid, f"the LEAF that {mail.sender} sent is not valid for this session key and IV")
        again = make_field(found.key, said, transcript, ks, said.iv + said.leaf)
        self.insist(again == said, f"what {mail.sender} sent beside the LEAF is not this message's")


class ComputedKey(NamedTuple):
    """The key of a message, and the header that its sender bound the field to."""

    key: MessageKey
    header: bytes


def of_pairwise(own: device.Device, mail: Mail) -> ComputedKey:
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
    session = own.accept(mail.initial)
    message = ratchet.unpack(mail.body, session.associated, own.committing)
    return ComputedKey(pairwise_key(session, message), session.associated + ratchet.header(message))


def of_group(own: device.Device, mail: Mail) -> ComputedKey:
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
