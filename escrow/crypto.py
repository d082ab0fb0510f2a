"""The only module that calls primitives and randomness: X25519, Ed25519, HKDF, HMAC, AES-GCM. We call it the door.

Everything random comes from `random_bytes` of the run (`escrow.run`), whose names are exported here. Every operation
tells the run's observer what went in and what came out, where there is an observer; `escrow.primitives` do the same.

Keys live in facts (raw bytes, so that a party is its data) and carry their loaded form beside them, made on first use.
No constant-time promise beyond that of the libraries underneath.
"""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache
from typing import TypeVar, overload

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from escrow.codec import Fact, Public, prefixed
from escrow.errors import Forged
from escrow.run import Call as Call
from escrow.run import Observer as Observer
from escrow.run import Results as Results
from escrow.run import Run as Run
from escrow.run import acting as acting
from escrow.run import current, tool
from escrow.run import drawing_from as drawing_from
from escrow.run import observe as observe
from escrow.run import observed as observed
from escrow.run import random_bytes as random_bytes
from escrow.run import recalled as recalled
from escrow.run import recalled_whole as recalled_whole
from escrow.run import recalls as recalls
from escrow.run import running as running

TAG = 16
_SHA256 = hashes.SHA256()
_UNSALTED = HMAC(b"", _SHA256)  # copied where HKDF has no salt, so that the empty key is not hashed each time
SEALED_ONCE = bytes(12)  # the nonce under a key that seals a single message

# --- X25519 (RFC 7748) ---


class Private(Fact, frozen=True, dict=True):
    """An X25519 private key: public u-coordinate (32 bytes) and scalar (32 bytes)."""

    public: Public
    raw: bytes

    @cached_property
    def live(self) -> X25519PrivateKey:
        """The key in the form that the library computes with, made on first use."""
        return recalled(("x25519-key", self.raw), _private, self.raw).live

    @cached_property
    def _own(self) -> bytes:
        """The public half of `raw`. Raises ValueError if that is not 32 bytes."""
        public = self.live.public_key().public_bytes_raw()
        return self.public if public == self.public else public  # no second copy

    @property
    def whole(self) -> bool:
        """Whether `public` is the public half of `raw`. In a fact read from hostile bytes it may not be."""
        return self._own == self.public

    @tool
    def exchange(self, public: bytes) -> bytes:
        """Return the X25519 result of this key and another.

        Args:
            public: the other public key, a u-coordinate of 32 bytes.

        Returns:
            32 bytes.

        Raises:
            Forged: `public` is not 32 bytes, or has small order, which would make the result zero.
        """
        if (run := current.get()) is None:
            return self._exchanged(public)
        inputs = (self.raw, public)
        try:
            shared = self._exchanged(public) if run.results is None else self._agreed(public)
        except Forged:
            observe("x25519", inputs, ())
            raise
        observe("x25519", inputs, (shared,))
        return shared

    def _agreed(self, public: bytes) -> bytes:
        """Return the same, which a run that keeps results computes once for both ends: a(bG) = b(aG)."""
        try:
            one, other = sorted((self._own, public))
        except ValueError:
            raise Forged("an X25519 private key is not 32 bytes") from None
        return recalled(("x25519", one, other), self._exchanged, public)

    def _exchanged(self, public: bytes) -> bytes:
        try:
            return self.live.exchange(_loaded(public))
        except ValueError:
            raise Forged("an X25519 public key is not 32 bytes or has small order") from None


@lru_cache(maxsize=16)
def _loaded(public: bytes) -> X25519PublicKey:
    """Return a public key in the form that the library computes with.

    A ratchet key is used twice, soon one after the other: with the old key pair and with the one that answers. The
    cache holds no more than that, because evicting from a large cache costs as much as loading a key.
    """
    return X25519PublicKey.from_public_bytes(public)


@tool
def new_private() -> Private:
    """Return a fresh X25519 key pair."""
    return private_of(random_bytes(32))


@tool
def derived_private(secret: bytes, info: bytes) -> Private:
    """Return the X25519 key pair that a secret and a label determine: equal arguments give an equal pair."""
    return private_of(hkdf(b"", secret, info, 32))


def private_of(raw: bytes) -> Private:
    """Return the X25519 key pair whose private half is `raw`, 32 bytes."""
    private = recalled(("x25519-key", raw), _private, raw)
    observe("x25519-key", (raw,), (private.public,))
    return private


def _private(raw: bytes) -> Private:
    live = X25519PrivateKey.from_private_bytes(raw)
    public = live.public_key().public_bytes_raw()
    private = Private(public, raw)
    private.__dict__.update(live=live, _own=public)
    return private


# --- Ed25519 (RFC 8032), and its keys as X25519 keys ---


class SigningKey(Fact, frozen=True, dict=True):
    """An Ed25519 key pair: public key (32 bytes) and seed (32 bytes)."""

    public: Public
    raw: bytes

    @cached_property
    def live(self) -> Ed25519PrivateKey:
        """The key in the form that the library computes with, made on first use."""
        return recalled(("ed25519-live", self.raw), Ed25519PrivateKey.from_private_bytes, self.raw)

    @cached_property
    def agreement(self) -> Private:
        """The same key for Diffie-Hellman: the scalar of RFC 8032 section 5.1.5 on the curve's Montgomery form."""
        digest = bytearray(hashlib.sha512(self.raw).digest()[:32])
        digest[0] &= 0xF8
        digest[31] = digest[31] & 0x7F | 0x40
        observe("ed25519-scalar", (self.raw,), (bytes(digest),))
        return Private(montgomery(self.public), bytes(digest))

    @tool
    def sign(self, message: bytes) -> bytes:
        """Return the signature (64 bytes) of `message`."""
        signature = recalled(("ed25519-sign", self.raw, message), self._signed, message)
        observe("ed25519-sign", (self.raw, message), (signature,))
        return signature

    def _signed(self, message: bytes) -> bytes:
        signature, public = self.live.sign(message), self.live.public_key().public_bytes_raw()
        recalled(("ed25519-verify", public, signature, message), bool, True)  # who checks it need not compute that
        return signature


K = TypeVar("K", bound=SigningKey)


@overload
def new_signing_key() -> SigningKey: ...
@overload
def new_signing_key(kind: type[K]) -> K: ...
def new_signing_key(kind: type[SigningKey] = SigningKey) -> SigningKey:
    """Return a fresh Ed25519 key pair, as a `kind`."""
    raw = random_bytes(32)
    live = recalled(("ed25519-live", raw), Ed25519PrivateKey.from_private_bytes, raw)
    key = kind(live.public_key().public_bytes_raw(), raw)
    key.__dict__["live"] = live
    observe("ed25519-key", (raw,), (key.public,))
    return key


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether `signature` (64 bytes) is Ed25519's under `public` (32 bytes) over `message`."""
    observe("ed25519-verify", (public, signature, message), ())
    return recalled(("ed25519-verify", public, signature, message), _verified, public, signature, message)


def _verified(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


_P = 2**255 - 19


def montgomery(public: bytes) -> bytes:
    """Return the X25519 form of an Ed25519 public key: u = (1 + y)/(1 - y), 32 bytes (RFC 7748, section 4.1).

    Raises:
        Forged: the key is not 32 bytes, or y = 1.
    """
    u = _montgomery(public)
    if (run := current.get()) is not None and run.observer is not None:
        observe("montgomery", (public,), (u,))
    return u


@lru_cache(maxsize=4096)
def _montgomery(public: bytes) -> bytes:
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    if len(public) != 32 or y % _P == 1:
        raise Forged("an Ed25519 public key is not 32 bytes or is the neutral element")
    return ((1 + y) * pow(1 - y, -1, _P) % _P).to_bytes(32, "little")


# --- symmetric ---


def sha256(*parts: bytes) -> bytes:
    """Return SHA-256 over the length-prefixed parts, 32 bytes: two different lists of parts never share an input."""
    digest = hashlib.sha256(prefixed(*parts)).digest()
    if (run := current.get()) is not None and run.observer is not None:
        observe("sha256", parts, (digest,))
    return digest


def digest(data: bytes) -> bytes:
    """Return SHA-256 of one string as it stands, 32 bytes: what others compute of it, too."""
    hashed = hashlib.sha256(data).digest()
    if (run := current.get()) is not None and run.observer is not None:
        observe("sha256", (data,), (hashed,))
    return hashed


def hmac256(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA-256 of a message, 32 bytes."""
    keyed = HMAC(key, _SHA256)
    keyed.update(message)
    digest = keyed.finalize()
    if (run := current.get()) is not None and run.observer is not None:
        observe("hmac", (key, message), (digest,))
    return digest


def hmac256_pair(key: bytes, one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Return HMAC-SHA-256 of two messages under one key, 32 bytes each; the key is hashed once for both."""
    first = HMAC(key, _SHA256)
    second = first.copy()
    first.update(one)
    second.update(other)
    digests = first.finalize(), second.finalize()
    if (run := current.get()) is not None and run.observer is not None:
        observe("hmac", (key, one), digests[:1])
        observe("hmac", (key, other), digests[1:])
    return digests


def hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes of HKDF-SHA-256, extract and expand (RFC 5869)."""
    derived = HKDF(_SHA256, length, salt, info).derive(secret)
    if (run := current.get()) is not None and run.observer is not None:
        observe("hkdf", (salt, secret, info), (derived,))
    return derived


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    """Return HKDF-SHA-256's pseudorandom key, 32 bytes: extract only (RFC 5869, section 2.2)."""
    if salt:
        return hmac256(salt, secret)
    keyed = _UNSALTED.copy()
    keyed.update(secret)
    extracted = keyed.finalize()
    if (run := current.get()) is not None and run.observer is not None:
        observe("hmac", (salt, secret), (extracted,))
    return extracted


def hkdf_expand(secret: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes of HKDF-SHA-256's expansion: expand only (RFC 5869, section 2.3)."""
    derived = HKDFExpand(_SHA256, length, info).derive(secret)
    if (run := current.get()) is not None and run.observer is not None:
        observe("hkdf-expand", (secret, info), (derived,))
    return derived


def hkdf_expand_pair(secret: bytes, one: bytes, one_length: int, other: bytes, length: int) -> tuple[bytes, bytes]:
    """Return two expansions of one secret, by two labels, to at most 32 bytes each; the secret is hashed once for both.

    The lengths are those of the first and of the second. Raise ValueError for a longer one.
    """
    if one_length > 32 or length > 32:
        raise ValueError("an expansion of one block has at most 32 bytes")
    first = HMAC(secret, _SHA256)
    second = first.copy()
    first.update(one + b"\x01")  # a single block: T(1) of RFC 5869, section 2.3
    second.update(other + b"\x01")
    derived = first.finalize()[:one_length], second.finalize()[:length]
    if (run := current.get()) is not None and run.observer is not None:
        observe("hkdf-expand", (secret, one), derived[:1])
        observe("hkdf-expand", (secret, other), derived[1:])
    return derived


def xor_bytes(one: bytes, other: bytes) -> bytes:
    """Return the exclusive or of two strings. Raise ValueError if their lengths differ."""
    if len(one) != len(other):
        raise ValueError(f"an exclusive or of {len(one)} and {len(other)} bytes")
    mixed = (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(len(one), "little")
    if (run := current.get()) is not None and run.observer is not None:
        observe("xor", (one, other), (mixed,))
    return mixed


def seal(key: bytes, plaintext: bytes, associated: bytes, nonce: bytes = SEALED_ONCE) -> bytes:
    """Encrypt with AES-GCM.

    Args:
        key: 16 or 32 bytes.
        plaintext: any length.
        associated: bytes that the tag covers and that do not travel.
        nonce: 12 bytes. The default, zero, is for keys that seal a single message.

    Returns:
        Ciphertext and tag: 16 bytes more than the plaintext.
    """
    sealed = AESGCM(key).encrypt(nonce, plaintext, associated)
    if (run := current.get()) is not None and run.observer is not None:
        observe("seal", (key, nonce, associated, plaintext), (sealed,))
    return sealed


def open_sealed(key: bytes, sealed: bytes, associated: bytes, nonce: bytes = SEALED_ONCE) -> bytes:
    """Decrypt with AES-GCM: return the plaintext that `seal` sealed.

    Args:
        key: 16 or 32 bytes.
        sealed: ciphertext and 16-byte tag.
        associated: the bytes given to `seal`.
        nonce: the nonce given to `seal`.

    Raises:
        Forged: the tag does not fit key, nonce, associated data and ciphertext, or a length is impossible.
    """
    try:
        plaintext = AESGCM(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError):  # ValueError: a key or nonce of impossible length, out of hostile bytes
        observe("open", (key, nonce, associated, sealed), ())
        raise Forged("an AES-GCM tag does not fit") from None
    if (run := current.get()) is not None and run.observer is not None:
        observe("open", (key, nonce, associated, sealed), (plaintext,))
    return plaintext
