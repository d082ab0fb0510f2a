"""The only module that calls primitives and randomness: X25519, Ed25519, HKDF, HMAC, AES-GCM. We call it the door.

Everything random comes from `random_bytes`. Inside a run it reads SHAKE-256(run secret, party, counter), so that one
party's extra draw leaves every other party's bytes as they were; outside a run it is the operating system's. The door
has one observer hook: it is told of every operation, every key made and everything sealed, and costs one context
look-up when off.

Keys live in facts (raw bytes, so that a party is its data) and carry their loaded form beside them, made on first use.
No constant-time promise beyond that of the libraries underneath.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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

TAG = 16
_SHA256 = hashes.SHA256()
SEALED_ONCE = bytes(12)  # the nonce under a key that seals a single message

Observer = Callable[[str, tuple[object, ...]], None]
T = TypeVar("T")


class Results:
    """Results of operations that depend on their arguments alone, by the operation's name and arguments.

    At least the last `most` that were asked for are kept, and at most twice as many: when the newer half is full, the
    older one is dropped.
    """

    __slots__ = ("_most", "_newer", "_older")

    def __init__(self, most: int = 1 << 16) -> None:
        self._most = most
        self._newer: dict[tuple[object, ...], object] = {}
        self._older: dict[tuple[object, ...], object] = {}

    def recalled(self, key: tuple[object, ...], work: Callable[..., T], *arguments: object) -> T:
        """Return the result kept under `key`, or what `work` gives for the arguments. An exception is not kept."""
        if (found := self._newer.get(key, self)) is self:
            found = self._older.get(key, self)
            if found is self:
                found = work(*arguments)
            if len(self._newer) == self._most:
                self._older, self._newer = self._newer, {}
            self._newer[key] = found
        return found  # type: ignore[return-value]  # each key begins with its operation's name


class Run:
    """The run that the door serves: the secret of its randomness, the acting party, the observer, the results kept.

    Without `results` every operation is computed. The observer is told of an operation in either case.
    """

    __slots__ = ("_drawn", "observer", "party", "results", "secret")

    def __init__(self, secret: bytes | None, observer: Observer | None = None, results: Results | None = None) -> None:
        self.secret, self.observer, self.party, self.results = secret, observer, "", results
        self._drawn: Counter[str] = Counter()

    def draw(self, n: int) -> bytes:
        """Return the acting party's next `n` bytes; without a secret, `n` bytes of the operating system."""
        if self.secret is None:
            return os.urandom(n)
        self._drawn[self.party] += 1
        counter = self._drawn[self.party].to_bytes(8, "big")
        return hashlib.shake_256(prefixed(self.secret, self.party.encode(), counter)).digest(n)


_run: ContextVar[Run | None] = ContextVar("escrow_run", default=None)


@contextmanager
def running(run: Run) -> Iterator[Run]:
    """Let the door serve `run` inside this context. A run without results takes those of the run around it."""
    if run.results is None and (outer := _run.get()) is not None:
        run.results = outer.results
    token = _run.set(run)
    try:
        yield run
    finally:
        _run.reset(token)


@contextmanager
def acting(party: str) -> Iterator[None]:
    """Draw random bytes as `party` inside this context."""
    if (run := _run.get()) is None:
        yield
        return
    before, run.party = run.party, party
    try:
        yield
    finally:
        run.party = before


@contextmanager
def drawing_from(secret: bytes) -> Iterator[None]:
    """Draw random bytes from a secret (32 bytes) inside this context: the same ones each time, whoever acts."""
    outer = _run.get()
    with running(Run(secret, outer.observer if outer else None)):
        yield


def observe(event: str, *details: object) -> None:
    """Tell the observer of an event, if there is one."""
    if (run := _run.get()) is not None and run.observer is not None:
        run.observer(event, details)


def recalled(key: tuple[object, ...], work: Callable[..., T], *arguments: object) -> T:
    """Return `work(*arguments)`, which depends on `key` alone: from the results that the run keeps, if it keeps any."""
    if (run := _run.get()) is None or run.results is None:
        return work(*arguments)
    return run.results.recalled(key, work, *arguments)


def random_bytes(n: int) -> bytes:
    """Return `n` random bytes: the run's, or outside a run the operating system's."""
    run = _run.get()
    return os.urandom(n) if run is None else run.draw(n)


# --- X25519 (RFC 7748) ---


class Private(Fact, frozen=True, dict=True):
    """An X25519 private key: public u-coordinate (32 bytes) and scalar (32 bytes)."""

    public: Public
    raw: bytes

    @cached_property
    def live(self) -> X25519PrivateKey:
        """The key in the form that the library computes with, made on first use."""
        return X25519PrivateKey.from_private_bytes(self.raw)

    @property
    def whole(self) -> bool:
        """Whether `public` is the public half of `raw`. In a fact read from hostile bytes it may not be."""
        return self.live.public_key().public_bytes_raw() == self.public

    def exchange(self, public: bytes) -> bytes:
        """Return the X25519 result of this key and another.

        Args:
            public: the other public key, a u-coordinate of 32 bytes.

        Returns:
            32 bytes.

        Raises:
            Forged: `public` is not 32 bytes, or has small order, which would make the result zero.
        """
        if _run.get() is None:
            return self._exchanged(public)
        observe("x25519")
        return recalled(("x25519", self.raw, public), self._exchanged, public)

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


def new_private() -> Private:
    """Return a fresh X25519 key pair."""
    raw = random_bytes(32)
    private = recalled(("x25519-key", raw), _private, raw)
    observe("x25519-key", private)
    return private


def derived_private(secret: bytes, info: bytes) -> Private:
    """Return the X25519 key pair that a secret and a label determine: equal arguments give an equal pair."""
    raw = hkdf(b"", secret, info, 32)
    private = recalled(("x25519-key", raw), _private, raw)
    observe("x25519-key", private)
    return private


def _private(raw: bytes) -> Private:
    live = X25519PrivateKey.from_private_bytes(raw)
    private = Private(live.public_key().public_bytes_raw(), raw)
    private.__dict__["live"] = live
    return private


# --- Ed25519 (RFC 8032), and its keys as X25519 keys ---


class SigningKey(Fact, frozen=True, dict=True):
    """An Ed25519 key pair: public key (32 bytes) and seed (32 bytes)."""

    public: Public
    raw: bytes

    @cached_property
    def live(self) -> Ed25519PrivateKey:
        """The key in the form that the library computes with, made on first use."""
        return Ed25519PrivateKey.from_private_bytes(self.raw)

    @cached_property
    def agreement(self) -> Private:
        """The same key for Diffie-Hellman: the scalar of RFC 8032 section 5.1.5 on the curve's Montgomery form."""
        digest = bytearray(hashlib.sha512(self.raw).digest()[:32])
        digest[0] &= 0xF8
        digest[31] = digest[31] & 0x7F | 0x40
        return Private(montgomery(self.public), bytes(digest))

    def sign(self, message: bytes) -> bytes:
        """Return the signature (64 bytes) of `message`."""
        observe("ed25519-sign")
        return recalled(("ed25519-sign", self.raw, message), self._signed, message)

    def _signed(self, message: bytes) -> bytes:
        return self.live.sign(message)


K = TypeVar("K", bound=SigningKey)


@overload
def new_signing_key() -> SigningKey: ...
@overload
def new_signing_key(kind: type[K]) -> K: ...
def new_signing_key(kind: type[SigningKey] = SigningKey) -> SigningKey:
    """Return a fresh Ed25519 key pair, as a `kind`."""
    raw = random_bytes(32)
    live = Ed25519PrivateKey.from_private_bytes(raw)
    key = kind(live.public_key().public_bytes_raw(), raw)
    key.__dict__["live"] = live
    observe("ed25519-key", key)
    return key


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether `signature` (64 bytes) is Ed25519's under `public` (32 bytes) over `message`."""
    observe("ed25519-verify")
    return recalled(("ed25519-verify", public, signature, message), _verified, public, signature, message)


def _verified(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


_P = 2**255 - 19


@lru_cache(maxsize=4096)
def montgomery(public: bytes) -> bytes:
    """Return the X25519 form of an Ed25519 public key: u = (1 + y)/(1 - y), 32 bytes (RFC 7748, section 4.1).

    Raises:
        Forged: the key is not 32 bytes, or y = 1.
    """
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    if len(public) != 32 or y % _P == 1:
        raise Forged("an Ed25519 public key is not 32 bytes or is the neutral element")
    return ((1 + y) * pow(1 - y, -1, _P) % _P).to_bytes(32, "little")


# --- symmetric ---


def sha256(*parts: bytes) -> bytes:
    """Return SHA-256 over the length-prefixed parts, 32 bytes: two different lists of parts never share an input."""
    return hashlib.sha256(prefixed(*parts)).digest()


def hmac256(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA-256 of a message, 32 bytes."""
    observe("hmac")
    keyed = HMAC(key, _SHA256)
    keyed.update(message)
    return keyed.finalize()


def hmac256_pair(key: bytes, one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """Return HMAC-SHA-256 of two messages under one key, 32 bytes each; the key is hashed once for both."""
    if _run.get() is not None:
        observe("hmac")
        observe("hmac")
    first = HMAC(key, _SHA256)
    second = first.copy()
    first.update(one)
    second.update(other)
    return first.finalize(), second.finalize()


def hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes of HKDF-SHA-256, extract and expand (RFC 5869)."""
    observe("hkdf")
    return HKDF(_SHA256, length, salt, info).derive(secret)


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    """Return HKDF-SHA-256's pseudorandom key, 32 bytes: extract only (RFC 5869, section 2.2)."""
    return hmac256(salt, secret)


def hkdf_expand(secret: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes of HKDF-SHA-256's expansion: expand only (RFC 5869, section 2.3)."""
    observe("hkdf-expand")
    return HKDFExpand(_SHA256, length, info).derive(secret)


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
    if _run.get() is not None:
        observe("seal", key, nonce, associated, sealed)
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
    if _run.get() is not None:
        observe("open")
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError):  # ValueError: a key or nonce of impossible length, out of hostile bytes
        raise Forged("an AES-GCM tag does not fit") from None
