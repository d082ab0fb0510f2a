"""Packets that only their addressee reads: sealed (HPKE) to its receiving key, with the sender's name in the context.

Their lengths are multiples of PADDED bytes. Who sends to whom, when and how often is not hidden.
"""

from __future__ import annotations

from typing import TypeVar

from escrow import codec
from escrow.codec import Fact, Packet, Public
from escrow.crypto import SigningKey
from escrow.derivation import honest_only
from escrow.errors import Forged, Malformed, Refused
from escrow.primitives import hpke
from escrow.principal import Principal, ReceivingKey

P = TypeVar("P", bound=Packet)
PADDED = 256  # bytes: what is sealed to an addressee has a multiple of this length
_SEALED = b"escrow-lab sealed packet"


class SealedPacket(Fact, frozen=True):
    """A packet sealed by the party `sender` to the receiving key `to` (32 bytes)."""

    sender: str
    to: Public
    sealed: Public


class Confidential(Packet, frozen=True):
    """A packet that the network cannot read."""

    content: SealedPacket


@honest_only("who has the key can seal the packet again, but has what is in it")
def confidential(sender: Principal, key: SigningKey, to: bytes, packet: Packet) -> Confidential:
    """Return a packet sealed to its addressee, padded, and bound to its sender's name.

    The ephemeral key follows from the sender's key and the packet, so a repeated packet is repeated byte for byte.
    This is ours; the rest is RFC 9180, base mode.

    Args:
        sender: the party that sends it.
        key: the sender's signing key, whose seed (32 bytes) decides the ephemeral key.
        to: the addressee's receiving key, 32 bytes.
        packet: what is sealed.

    Raises:
        Forged: `to` is no X25519 key.
    """
    plain, info = codec.encode(packet), _SEALED + sender.name.encode()
    padding = b"\x80" + bytes(-(len(plain) + 1) % PADDED)
    return Confidential(SealedPacket(sender.name, to, hpke.seal_repeatably(to, plain, info, padding, key.raw)))


@honest_only("the body of each typed derivation, and an addressee's own half")
def opened(content: SealedPacket, key: ReceivingKey, kind: type[P]) -> P:
    """Return the packet that is sealed to this key.

    Raise Forged if it is sealed to another key, or is not of this kind (or union of kinds).
    """
    if content.to != key.public:
        raise Forged("a packet that is sealed to another key")
    plain = hpke.open_(key, content.sealed, _SEALED + content.sender.encode()).rstrip(b"\0")
    try:
        return codec.decode(plain.removesuffix(b"\x80"), kind)
    except Malformed as error:
        raise Forged(str(error)) from None


def unsealed(party: Principal, sender: str, packet: Confidential, kind: type[P]) -> P:
    """Return the packet of this kind that `sender` sealed to a party. Raise Refused or Forged if there is none."""
    party.insist(packet.content.sender == sender, "who sends it has sealed it")
    if party.receiving_key is None:
        raise Refused(party.name, "it has no receiving key")
    return opened(packet.content, party.receiving_key, kind)
