"""Hybrid public-key encryption: anyone seals to a public key, its holder opens (RFC 9180, base mode).

  encap     enc = pk_E;  shared = Expand(Extract(DH(sk_E, pk_R)), enc ‖ pk_R)          E fresh for each sender's context
  schedule  secret = Extract(salt shared);  key, base_nonce = Expand(secret, Hash(info))
  seal n    AEAD(key, base_nonce ⊕ n; aad, plaintext)                                  n = 0, 1, …, 2^96 - 2

Written here because the libraries' own HPKE does not take its ephemeral key from `escrow.crypto`, so no run with it
could be repeated. The sender is not authenticated. No constant-time promise beyond that of the libraries underneath.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from escrow import crypto
from escrow.codec import Fact, Public
from escrow.errors import Forged
from escrow.run import tool

_VERSION = b"HPKE-v1"
_KDF = (1).to_bytes(2, "big")  # HKDF-SHA256
NONCE = 12
MESSAGES = (1 << 8 * NONCE) - 1  # of one context (RFC 9180, section 5.2, IncrementSeq)
EXPORTED = 255 * 32  # bytes of one exported secret: the most that HKDF-SHA256 gives (RFC 5869, section 2.3)


class MessageLimitReached(Forged):
    """A context has sealed or opened 2^96 - 1 messages, so it has no nonce left (RFC 9180, section 5.2)."""


class Key(Protocol):
    """A private key of some KEM, with its public half as the RFC serialises it."""

    @property
    def public(self) -> bytes:
        """The public key as the RFC serialises it."""

    def exchange(self, public: bytes) -> bytes:
        """Return the Diffie-Hellman result with `public`. Raise Forged if that is no public key of the KEM."""


class PrivateP256(Fact, frozen=True, dict=True):
    """A P-256 private key: public point (65 bytes, uncompressed) and scalar (32 bytes)."""

    public: Public
    raw: bytes

    @cached_property
    def live(self) -> ec.EllipticCurvePrivateKey:
        """The key in the form that the library computes with, made on first use."""
        return ec.derive_private_key(int.from_bytes(self.raw, "big"), ec.SECP256R1())

    def exchange(self, public: bytes) -> bytes:
        """Return the shared x-coordinate (32 bytes).

        Raise Forged unless `public` is an uncompressed point (65 bytes).
        """
        try:
            if len(public) != 65:
                raise ValueError("a compressed point")
            shared = self.live.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public))
        except ValueError:
            crypto.observe("p256-exchange", (self.raw, public), ())
            raise Forged("a P-256 public key is not an uncompressed point of the curve") from None
        crypto.observe("p256-exchange", (self.raw, public), (shared,))
        return shared


_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def new_private_p256() -> PrivateP256:
    """Return a fresh P-256 key pair. The scalar is 48 random bytes reduced, so its bias is below 2^-127."""
    drawn = crypto.random_bytes(48)
    scalar = int.from_bytes(drawn, "big") % (_ORDER - 1) + 1
    live = ec.derive_private_key(scalar, ec.SECP256R1())
    point = live.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    private = PrivateP256(point, scalar.to_bytes(32, "big"))
    private.__dict__["live"] = live
    crypto.observe("p256-scalars", (drawn,), (private.raw,))
    crypto.observe("p256-key", (private.raw,), (point,))
    return private


@dataclass(frozen=True, slots=True)
class Kem:
    """A DHKEM with SHA-256 (RFC 9180, section 7.1): its number, the bytes of `enc`, and how its keys are made."""

    number: int
    size: int
    new_private: Callable[[], Key]


@dataclass(frozen=True, slots=True)
class Aead:
    """A cipher (RFC 9180, section 7.3): its number, the bytes of its key, seal and open as in `escrow.crypto`."""

    number: int
    key_size: int
    seal: Callable[[bytes, bytes, bytes, bytes], bytes]
    open: Callable[[bytes, bytes, bytes, bytes], bytes]


def _chacha_seal(key: bytes, plaintext: bytes, associated: bytes, nonce: bytes) -> bytes:
    sealed = ChaCha20Poly1305(key).encrypt(nonce, plaintext, associated)
    crypto.observe("seal", (key, nonce, associated, plaintext), (sealed,))
    return sealed


def _chacha_open(key: bytes, sealed: bytes, associated: bytes, nonce: bytes) -> bytes:
    try:
        plaintext = ChaCha20Poly1305(key).decrypt(nonce, sealed, associated)
    except InvalidTag:
        crypto.observe("open", (key, nonce, associated, sealed), ())
        raise Forged("a ChaCha20-Poly1305 tag does not fit") from None
    crypto.observe("open", (key, nonce, associated, sealed), (plaintext,))
    return plaintext


X25519 = Kem(0x0020, 32, crypto.new_private)
P256 = Kem(0x0010, 65, new_private_p256)
AES_128_GCM = Aead(1, 16, crypto.seal, crypto.open_sealed)
AES_256_GCM = Aead(2, 32, crypto.seal, crypto.open_sealed)
CHACHA20_POLY1305 = Aead(3, 32, _chacha_seal, _chacha_open)


def _no_cipher(key: bytes, data: bytes, associated: bytes, nonce: bytes) -> bytes:
    raise Forged("an export-only suite of HPKE has no cipher")


EXPORT_ONLY = Aead(0xFFFF, 0, _no_cipher, _no_cipher)


class Context:
    """The keys that one `enc` set up, as one of the two ends holds them (RFC 9180, section 5.2).

    Messages go in one direction: a `SenderContext` only seals and a `ReceiverContext` only opens. `sequence` is the
    number of the next message. Several threads may use one context: a message and its number are one step.
    """

    __slots__ = ("_aead", "_base_nonce", "_exporter", "_key", "_lock", "sequence")

    def __init__(self, aead: Aead, key: bytes, base_nonce: bytes, exporter: Callable[[bytes, int], bytes]) -> None:
        self._aead, self._key, self._base_nonce, self._exporter = aead, key, base_nonce, exporter
        self._lock = Lock()
        self.sequence = 0

    def __reduce__(self) -> str:
        """Raise TypeError: of two copies each would seal under the same nonces."""
        raise TypeError("a context of HPKE is not copied, and not pickled")

    def _next(self, cipher: Callable[[bytes, bytes, bytes, bytes], bytes], data: bytes, aad: bytes) -> bytes:
        with self._lock:
            if self.sequence >= MESSAGES:
                raise MessageLimitReached("a context of HPKE has no nonce left")
            nonce = self._base_nonce
            if self.sequence:
                nonce = crypto.xor_bytes(nonce, self.sequence.to_bytes(NONCE, "big"))
            done = cipher(self._key, data, aad, nonce)
            self.sequence += 1
        return done

    def export(self, context: bytes, length: int) -> bytes:
        """Return a secret of `length` bytes, 0 to 8160, that both ends share (RFC 9180, section 5.3).

        Raise Forged for any other length.
        """
        if not 0 <= length <= EXPORTED:
            raise Forged(f"an exported secret of HPKE has 0 to {EXPORTED} bytes, not {length}")
        return self._exporter(context, length)


class SenderContext(Context):
    """The sender's end."""

    __slots__ = ()

    def seal(self, plaintext: bytes, aad: bytes = b"") -> bytes:
        """Return ciphertext and 16-byte tag of the next message.

        Raise MessageLimitReached after 2^96 - 1 messages, and Forged if the suite is export-only.
        """
        return self._next(self._aead.seal, plaintext, aad)


class ReceiverContext(Context):
    """The receiver's end."""

    __slots__ = ()

    def open(self, sealed: bytes, aad: bytes = b"") -> bytes:
        """Return the next message's plaintext.

        Raise Forged if the tag does not fit or the suite is export-only, and MessageLimitReached after 2^96 - 1
        messages. The sequence number then stays.
        """
        return self._next(self._aead.open, sealed, aad)


Schedule = tuple[Aead, bytes, bytes, Callable[[bytes, int], bytes]]  # what a context is made of


class Bound(NamedTuple):
    """What one `info` puts into every key schedule of a suite, whoever the recipient is (RFC 9180, section 5.1)."""

    context: bytes  # key_schedule_context, 65 bytes
    key: bytes  # what the secret is expanded with to get the key,
    nonce: bytes  # and to get the base nonce


class Suite:
    """One KEM and one AEAD, with HKDF-SHA256."""

    def __init__(self, kem: Kem, aead: Aead) -> None:
        self.kem, self.aead = kem, aead
        number = kem.number.to_bytes(2, "big")
        self._kem_id = _VERSION + b"KEM" + number
        self._id = _VERSION + b"HPKE" + number + _KDF + aead.number.to_bytes(2, "big")
        self._psk_id_hash = self._extract(self._id, b"", b"psk_id_hash")
        self._shared_label = (32).to_bytes(2, "big") + self._kem_id + b"shared_secret"

    @staticmethod
    def _extract(ident: bytes, salt: bytes, label: bytes, secret: bytes = b"") -> bytes:
        return crypto.hkdf_extract(salt, ident + label + secret)

    def _labelled(self, label: bytes, context: bytes, length: int) -> bytes:
        """Return what a secret is expanded with to get `length` bytes: the label as section 4 builds it."""
        return length.to_bytes(2, "big") + self._id + label + context

    def sender(self, public: bytes, info: bytes = b"", ephemeral: Key | None = None) -> tuple[bytes, SenderContext]:
        """Set up a context towards a public key.

        Args:
            public: the recipient's public key, `kem.size` bytes.
            info: what both ends must agree on; part of the key schedule.
            ephemeral: a key pair to use in place of a fresh one: to repeat a vector, or to serve several recipients
                with one `enc`. Never give it twice to one recipient with one `info`, or two messages share a key and
                a nonce.

        Returns:
            `enc` (`kem.size` bytes) and the sender's context.

        Raises:
            Forged: `public` is no public key of the KEM.
        """
        enc, schedule = self._towards(public, info, ephemeral)
        return enc, SenderContext(*schedule)

    @tool
    def _towards(
        self, public: bytes, info: bytes, ephemeral: Key | None, bound: Bound | None = None
    ) -> tuple[bytes, Schedule]:
        """Return `enc` and what the sender's context is made of. `bound` is `_bound(info)`, if the caller has it."""
        own = self.kem.new_private() if ephemeral is None else ephemeral
        return own.public, self._schedule(own.exchange(public), own.public, public, info, bound)

    def receiver(self, key: Key, enc: bytes, info: bytes = b"") -> ReceiverContext:
        """Return the context that `enc` set up towards `key`. Raise Forged if `enc` is no public key of the KEM."""
        return ReceiverContext(*self._schedule(key.exchange(enc), enc, key.public, info))

    def _schedule(self, dh: bytes, enc: bytes, public: bytes, info: bytes, bound: Bound | None = None) -> Schedule:
        """Return what a context is made of. Both ends make it; an observer is told of each step of both."""
        if crypto.observed():
            return self._scheduled(dh, enc, public, info, bound)
        known = ("hpke", self._id, dh, enc, public, info)
        return crypto.recalled(known, self._scheduled, dh, enc, public, info, bound)

    def _scheduled(self, dh: bytes, enc: bytes, public: bytes, info: bytes, bound: Bound | None) -> Schedule:
        eae_prk = self._extract(self._kem_id, b"", b"eae_prk", dh)
        return self.keys(crypto.hkdf_expand(eae_prk, self._shared_label + enc + public, 32), info, bound)

    @crypto.recalled_whole
    def _bound(self, info: bytes) -> Bound:
        context = b"\x00" + self._psk_id_hash + self._extract(self._id, b"", b"info_hash", info)  # mode 0: base
        key = self._labelled(b"key", context, self.aead.key_size)
        return Bound(context, key, self._labelled(b"base_nonce", context, NONCE))

    def keys(self, shared: bytes, info: bytes, bound: Bound | None = None) -> Schedule:
        """Return what a context is made of, from the KEM's secret (32 bytes): the key schedule of section 5.1."""
        context, for_key, for_nonce = self._bound(info) if bound is None else bound
        secret = self._extract(self._id, shared, b"secret")

        def export(exporter_context: bytes, length: int) -> bytes:
            exporter_secret = crypto.hkdf_expand(secret, self._labelled(b"exp", context, 32), 32)
            return crypto.hkdf_expand(exporter_secret, self._labelled(b"sec", exporter_context, length), length)

        if not self.aead.key_size:
            return self.aead, b"", bytes(NONCE), export
        key, nonce = crypto.hkdf_expand_pair(secret, for_key, self.aead.key_size, for_nonce, NONCE)
        return self.aead, key, nonce, export

    def seal_each(self, to: Iterable[bytes], plaintexts: Iterable[bytes], info: bytes, ephemeral: Key) -> list[bytes]:
        """Seal one plaintext to each public key, with one ephemeral key pair for all, and return the ciphertexts.

        `info` is hashed once for all. Each ciphertext is the first that `sender` with this ephemeral key gives.

        What the recipients share of `enc` is the ephemeral public key, which the caller sends once. Raise Forged if a
        public key is none, or stands twice: two messages would share a key and a nonce.
        """
        keys, sealed, bound = list(to), [], self._bound(info)
        if len(set(keys)) < len(keys):
            raise Forged("HPKE with one ephemeral key seals to each recipient once")
        for public, plaintext in zip(keys, plaintexts, strict=True):
            enc, (aead, key, nonce, _) = self._towards(public, info, ephemeral, bound)
            sealed.append(enc.removesuffix(ephemeral.public) + aead.seal(key, plaintext, b"", nonce))
        return sealed

    @tool
    def seal(self, public: bytes, plaintext: bytes, info: bytes = b"", aad: bytes = b"") -> bytes:
        """Return enc ‖ ciphertext of one message: `kem.size` + 16 bytes more than the plaintext (section 6.1)."""
        enc, context = self.sender(public, info)
        return enc + context.seal(plaintext, aad)

    @crypto.recalled_whole
    @tool
    def open(self, key: Key, sealed: bytes, info: bytes = b"", aad: bytes = b"") -> bytes:
        """Return the plaintext that `seal` sealed. Raise Forged if key, info, aad and bytes do not fit."""
        size = self.kem.size
        return self.receiver(key, sealed[:size], info).open(sealed[size:], aad)


DEFAULT = Suite(X25519, AES_128_GCM)


@crypto.recalled_whole
def seal_repeatably(public: bytes, plaintext: bytes, info: bytes, padding: bytes, secret: bytes) -> bytes:
    """Return what `seal` does of plaintext ‖ padding, but the same bytes each time.

    The ephemeral key follows from a secret of the sender's (32 bytes), `info`, the recipient's key and the plaintext.
    So the padding must follow from the plaintext: with two paddings, two messages would share a key and a nonce.
    """
    ephemeral = crypto.derived_private(secret, crypto.sha256(info, public, plaintext))
    enc, context = DEFAULT.sender(public, info, ephemeral)
    return enc + context.seal(plaintext + padding)


def derive_key_pair(secret: bytes) -> crypto.Private:
    """Return the X25519 key pair that a secret of at least 32 bytes determines (RFC 9180, section 7.1.3)."""
    ident = _VERSION + b"KEM" + X25519.number.to_bytes(2, "big")
    prk = crypto.hkdf_extract(b"", ident + b"dkp_prk" + secret)
    return crypto.private_of(crypto.hkdf_expand(prk, (32).to_bytes(2, "big") + ident + b"sk", 32))


def seal(public: bytes, plaintext: bytes, info: bytes = b"", aad: bytes = b"") -> bytes:
    """Seal one message under X25519, HKDF-SHA256, AES-128-GCM.

    Args:
        public: the recipient's X25519 key, 32 bytes.
        plaintext: any length.
        info: bytes that both ends must agree on; part of the key schedule.
        aad: bytes that both ends must agree on; part of the tag.

    Returns:
        enc (32 bytes) ‖ ciphertext ‖ tag (16 bytes).

    Raises:
        Forged: `public` is not 32 bytes or has small order.
    """
    return DEFAULT.seal(public, plaintext, info, aad)


def open_(key: crypto.Private, sealed: bytes, info: bytes = b"", aad: bytes = b"") -> bytes:
    """Return the plaintext that `seal` sealed to `key`. Raise Forged if key, info, aad and bytes do not fit."""
    return DEFAULT.open(key, sealed, info, aad)
