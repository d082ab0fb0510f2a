"""What a changed client adds to a text where a scheme has no access field: the message key, sealed to the intruder.

It is what an access field is, in a place that plain's packets have and leave empty. Nobody looks there. It stands for
any way in which a changed client can give its keys away; that there is one is all that is used of it.
"""

from __future__ import annotations

from escrow import codec
from escrow.codec import Fact, Public
from escrow.crypto import Private
from escrow.derivation import derivation, honest_only
from escrow.e2ee.ratchet import MessageKey
from escrow.primitives import hpke

NOBODYS = bytes(32)  # in place of this key the intruder has its own


class LeakedKey(Fact, frozen=True):
    """A message key (32 bytes) sealed to the intruder's X25519 key: 80 bytes."""

    chain: Public
    n: int
    to: Public
    sealed: Public


@honest_only("what a changed client makes, which has the message key")
def leaked(key: MessageKey, to: bytes) -> LeakedKey:
    """Return a message key, sealed to the intruder's public key (32 bytes)."""
    return LeakedKey(key.chain, key.n, to, hpke.seal(to, key.value, _context(key.chain, key.n)))


@derivation("leak.to = key.public")
def open_leak(leak: LeakedKey, key: Private) -> MessageKey:
    """Return the message key (32 bytes). Raise Forged if it was sealed to another key."""
    return MessageKey(leak.chain, leak.n, hpke.open_(key, leak.sealed, _context(leak.chain, leak.n)))


def _context(chain: bytes, n: int) -> bytes:
    return codec.encode((b"escrow-lab leaked key", chain, n))
