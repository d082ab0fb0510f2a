"""The access field that a Clipper device sends beside a ciphertext, and the way from the field to the text.

  field    IV ‖ LEAF, Seal(k; KS) and Seal(KS; k); k the ratchet's message key, KS the session key of 80 bits
  lawful   LEAF --KF--> unit, wk;   wk --KU--> KS;   Seal(KS; k) --KS--> k
  peer     k -> KS -> IV ‖ LEAF is valid for KS, and Seal(KS; k) is k

The sender's software chooses KS, as applications of Clipper did; a device that `derives` computes KS from k instead,
so that neither side can force it. The seals are ours (AES-GCM under keys that are used once).
"""

from __future__ import annotations

from escrow import codec
from escrow.codec import Fact, Public
from escrow.crypto import open_sealed, seal, sha256
from escrow.derivation import Guard, derivation, honest_only
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Forged
from escrow.primitives.skipjack import BLOCK, KEY
from escrow.scheme import AccessField, Identified
from escrow.schemes.clipper import leaf
from escrow.schemes.clipper.chip import FamilyKey, UnitKey
from escrow.schemes.clipper.leaf import Leaf, Make
from escrow.warrant import Order

_AGREED, _WRAPPED = b"escrow-lab session key", b"escrow-lab message key"


class ClipperField(AccessField, frozen=True):
    """IV (8 bytes), LEAF (16 in the standard's make), KS under k (26, or none if KS is derived), k under KS (48).

    `transcript` (8 bytes) is a digest of the message's header, which names both ends of a session.
    """

    transcript: Public
    iv: Public
    leaf: Public
    agreed: Public
    wrapped: Public

    def context(self) -> bytes:
        """Return everything that the field says, to which the wrapped key is bound."""
        labels = (self.chain, self.n, self.people, self.day, self.transcript, self.iv, self.leaf, self.agreed)
        return codec.encode(labels)


class Identity(Identified, frozen=True):
    """The family key's view of a field: the unit (4 bytes) that made it, the wrapped session key, the checksum."""

    people: tuple[str, ...]
    day: int
    make: Make
    iv: Public
    transcript: Public
    uid: Public
    wk: bytes
    ea: bytes


class UnitRequest(AccessField, frozen=True):
    """The subject of a request to the agents: a unit was heard on a day between these people (sender first).

    It is about no message in particular, so chain and number are empty.
    """

    unchecked = {
        "uid": "any unit of the sender named, which the agents have on file",
    }

    uid: Public


class SessionKey(Fact, frozen=True):
    """The session key KS (10 bytes) of a message."""

    chain: Public
    n: int
    raw: bytes


# --- the lawful path ---


@derivation("any field, any family")
def read_leaf(field: ClipperField, family: FamilyKey) -> Identity:
    """Return the identity in a LEAF: who spoke, and nothing of what was said.

    Raise Forged if the make can tell a bad field, or if IV or transcript is not 8 bytes.
    """
    if (len(field.iv), len(field.transcript)) != (leaf.IV, BLOCK):
        raise Forged(f"an IV and a transcript are {BLOCK} bytes each")
    opened = leaf.open_leaf(family.make, family.raw, field.iv, field.leaf)
    labels = (field.chain, field.n, field.people, field.day)
    return Identity(*labels, family.make, field.iv, field.transcript, opened.uid, opened.wk, opened.ea)


@derivation()
def name_unit(identity: Identity) -> UnitRequest:
    """Return the request for a unit's key, under the labels that the field has."""
    return UnitRequest(b"", 0, identity.people, identity.day, identity.uid)


@derivation("any request, any order")
def certify(request: UnitRequest, order: Guard[Order]) -> UnitRequest:
    """Return the request under labels that the order covers. The agents believe a requester about who was on the line.

    Raises:
        Forged: the order covers it already.
    """
    if order.covers(request.people, request.day):
        raise Forged("the order covers this request already")
    return UnitRequest(b"", 0, (*request.people[:1], order.target), order.first, request.uid)


@derivation("identity.uid = unit.uid, field.chain = identity.chain, field.n = identity.n, field.iv = identity.iv")
def unwrap_key(identity: Identity, unit: UnitKey, field: ClipperField) -> SessionKey:
    """Return the session key of a field, whose LEAF says this.

    If only 64 bits of it are escrowed, the rest is searched for: of the keys that fit the checksum, that which opens
    the field. A short checksum fits several.

    Raises:
        Forged: no key fits the checksum and opens the field.
    """
    make, opened = identity.make, Leaf(identity.uid, identity.wk, identity.ea)
    part = leaf.unwrap(make, unit.raw, identity.wk)
    for whole in leaf.completed(make, part, identity.iv, opened, identity.transcript):
        session = SessionKey(identity.chain, identity.n, whole)
        if not make.partial or _opens(session, field):
            return session
    raise Forged("no session key fits the checksum and opens the field")


@derivation("field.chain = session.chain, field.n = session.n")
def open_field(field: ClipperField, session: SessionKey) -> MessageKey:
    """Return the message key. Raise Forged if the session key is another message's, or the field was changed."""
    context = field.context()
    return MessageKey(field.chain, field.n, open_sealed(_wrapping(session.raw, context), field.wrapped, context))


def _opens(session: SessionKey, field: ClipperField) -> bool:
    try:
        open_field(field, session)
    except Forged:
        return False
    return True


# --- the two ends ---


@honest_only("the sender's half; what it makes is opened by open_field")
def make_field(key: MessageKey, labels: AccessField, transcript: bytes, ks: bytes, iv_leaf: bytes) -> ClipperField:
    """Return the field for a message key under a session key (10 bytes) and the IV ‖ LEAF of some chip."""
    agreed = b"" if ks == derived_key(key) else seal(_agreeing(key), ks, b"")
    parts = (transcript, iv_leaf[: leaf.IV], iv_leaf[leaf.IV :], agreed)
    blank = ClipperField(labels.chain, labels.n, labels.people, labels.day, *parts, b"")
    context = blank.context()
    wrapped = seal(_wrapping(ks, context), key.value, context)
    return ClipperField(labels.chain, labels.n, labels.people, labels.day, *parts, wrapped)


def derived_key(key: MessageKey) -> bytes:
    """Return the session key (10 bytes) that is derived from a message key, so that no side can choose it."""
    return sha256(b"escrow-lab derived session key", key.value)[:KEY]


def agreed_key(field: ClipperField, key: MessageKey) -> bytes:
    """Return the session key (10 bytes) of a field, from its message key.

    Raise Forged if the field's part does not open.
    """
    if not field.agreed:
        return derived_key(key)
    ks = open_sealed(_agreeing(key), field.agreed, b"")
    if len(ks) != KEY:
        raise Forged(f"a session key is {KEY} bytes, not {len(ks)}")
    return ks


def _agreeing(key: MessageKey) -> bytes:
    return sha256(_AGREED, key.value)


def _wrapping(ks: bytes, context: bytes) -> bytes:
    return sha256(_WRAPPED, ks, context)
