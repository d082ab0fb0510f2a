"""X-Wing: ML-KEM-768 and X25519 together. A ciphertext stays closed as long as one of the two is not broken.

  key           seed of 32 bytes; SHAKE256(seed, 96) = d ‖ z of ML-KEM (64) ‖ X25519 scalar (32);  pk = pk_M ‖ pk_X
  encapsulate   ct = ct_M ‖ ct_X, ct_X an ephemeral X25519 key;  ss = SHA3-256(ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ label)
  HPKE          ss goes into the key schedule of RFC 9180 as it is, with KEM number 0x647a

ct_M is not hashed: that is safe for ML-KEM-768, whose secret is hashed from it. Several recipients can share ct_X, but
not ct_M. No constant-time promise beyond that of the libraries underneath.
Source: Connolly, Schwabe and Westerbaan, draft-connolly-cfrg-xwing-kem; HPKE with it, draft-ietf-hpke-pq.
"""

from __future__ import annotations

import hashlib
from functools import cached_property

from escrow import crypto
from escrow.codec import Fact, Public
from escrow.errors import Forged
from escrow.primitives import hpke, kem
from escrow.primitives.hpke import Aead, Bound, Key, ReceiverContext, Schedule

SEED, COORDINATE = 32, 32
PUBLIC, CIPHERTEXT = kem.PUBLIC + COORDINATE, kem.CIPHERTEXT + COORDINATE
NUMBER = 0x647A
_LABEL = bytes.fromhex("5c2e2f2f5e5c")


class XWingPrivate(Fact, frozen=True, dict=True):
    """An X-Wing key pair: public key (1216 bytes) and seed (32 bytes)."""

    public: Public
    raw: bytes

    @cached_property
    def halves(self) -> tuple[kem.KemPrivate, crypto.Private]:
        """The key pairs of ML-KEM-768 and of X25519, with the public halves that the seed gives."""
        return _halves(self.raw)

    def exchange(self, public: bytes) -> bytes:
        """Return the secret (32 bytes) of a ciphertext: HPKE calls it so. Raise Forged as `decapsulate`."""
        return self.decapsulate(public)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the secret (32 bytes), another one if the ciphertext's ML-KEM half was changed.

        Raise Forged unless it is 1120 bytes with an X25519 key that is not of small order.
        """
        if len(ciphertext) != CIPHERTEXT:
            raise Forged(f"an X-Wing ciphertext has {CIPHERTEXT} bytes, not {len(ciphertext)}")
        lattice, curve = self.halves
        ephemeral = ciphertext[kem.CIPHERTEXT :]
        first = lattice.decapsulate(ciphertext[: kem.CIPHERTEXT])
        return _combined(first, curve.exchange(ephemeral), ephemeral, curve.public)


def private_of(seed: bytes) -> XWingPrivate:
    """Return the X-Wing key pair of a seed of 32 bytes. Raise Forged for another length."""
    if len(seed) != SEED:
        raise Forged(f"an X-Wing seed has {SEED} bytes, not {len(seed)}")
    halves = _halves(seed)
    made = XWingPrivate(halves[0].public + halves[1].public, seed)
    made.__dict__["halves"] = halves
    return made


def new_private() -> XWingPrivate:
    """Return a fresh X-Wing key pair."""
    return private_of(crypto.random_bytes(SEED))


def _halves(seed: bytes) -> tuple[kem.KemPrivate, crypto.Private]:
    expanded = hashlib.shake_256(seed).digest(kem.SEED + COORDINATE)
    lattice, curve = expanded[: kem.SEED], expanded[kem.SEED :]
    crypto.observe("x-wing-expand", (seed,), (lattice, curve))
    return kem.private_of(lattice), crypto.private_of(curve)


def encapsulate(public: bytes, ephemeral: Key | None = None) -> tuple[bytes, bytes]:
    """Return a fresh ciphertext (1120 bytes) to a public key (1216 bytes), and its secret (32 bytes).

    Args:
        public: the recipient's public key.
        ephemeral: an X25519 key pair to use in place of a fresh one, so that several ciphertexts share their last 32
            bytes. The ML-KEM half is always fresh.

    Raises:
        Forged: a half of `public` is no public key, or has small order.
    """
    lattice, curve = split(public)
    first, secret = kem.encapsulate(lattice)
    own = crypto.new_private() if ephemeral is None else ephemeral
    return first + own.public, _combined(secret, own.exchange(curve), own.public, curve)


def split(public: bytes) -> tuple[bytes, bytes]:
    """Return the ML-KEM-768 half (1184 bytes) and the X25519 half (32). Raise Forged for another length than 1216."""
    if len(public) != PUBLIC:
        raise Forged(f"an X-Wing public key has {PUBLIC} bytes, not {len(public)}")
    return public[: kem.PUBLIC], public[kem.PUBLIC :]


def _combined(first: bytes, second: bytes, ephemeral: bytes, curve: bytes) -> bytes:
    secret = hashlib.sha3_256(first + second + ephemeral + curve + _LABEL).digest()
    crypto.observe("x-wing-combine", (first, second, ephemeral, curve), (secret,))
    return secret


def _no_plain_key() -> Key:
    raise Forged("X-Wing encapsulates to a public key, not to a key pair")


class XWingSuite(hpke.Suite):
    """HPKE with X-Wing, HKDF-SHA256 and one AEAD: its `ephemeral` is an X25519 key pair that recipients may share."""

    def __init__(self, aead: Aead) -> None:
        super().__init__(hpke.Kem(NUMBER, CIPHERTEXT, _no_plain_key), aead)

    def _towards(
        self, public: bytes, info: bytes, ephemeral: Key | None, bound: Bound | None = None
    ) -> tuple[bytes, Schedule]:
        """Return `enc` (1120 bytes) to a public key of 1216 bytes, and what the sender's context is made of."""
        enc, shared = encapsulate(public, ephemeral)
        return enc, self.keys(shared, info, bound)

    def receiver(self, key: Key, enc: bytes, info: bytes = b"") -> ReceiverContext:
        """Return the context that `enc` set up towards `key`. Raise Forged if `enc` is no ciphertext of X-Wing."""
        return ReceiverContext(*self.keys(key.exchange(enc), info))


DEFAULT = XWingSuite(hpke.AES_128_GCM)
