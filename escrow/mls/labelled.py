"""The cryptography of MLS: each operation with a label, so that no output of one serves as another's.

  ref      Hash(label<V> ‖ value<V>)
  expand   HKDF-Expand(secret, uint16 length ‖ "MLS 1.0 label"<V> ‖ context<V>, length)
  sign     Ed25519 over "MLS 1.0 label"<V> ‖ content<V>
  seal     HPKE base mode, info = "MLS 1.0 label"<V> ‖ context<V>

Ciphersuite 1, MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519. Source: RFC 9420, sections 5.1, 5.2 and 9.
"""

from __future__ import annotations

from escrow import crypto
from escrow.crypto import Private, SigningKey
from escrow.errors import Forged
from escrow.mls.presentation import Opaque, Tls, opaque
from escrow.primitives import hpke

VERSION, SUITE = 1, 1
HASH, KEY, NONCE = 32, 16, 12  # bytes
_PREFIX = "MLS 1.0 "


class HpkeCiphertext(Tls, frozen=True):
    """What HPKE sealed: the encapsulated key (32 bytes), and ciphertext with tag."""

    kem_output: Opaque
    ciphertext: Opaque


def _labelled(label: str, content: bytes) -> bytes:
    return opaque((_PREFIX + label).encode()) + opaque(content)


def ref_hash(label: str, value: bytes) -> bytes:
    """Return the hash (32 bytes) that names a value; the label is whole, without "MLS 1.0 " added (section 5.2)."""
    return crypto.digest(opaque(label.encode()) + opaque(value))


def expand_with_label(secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """Return `length` bytes that a secret (32 bytes), a label and a context determine (section 8)."""
    return crypto.hkdf_expand(secret, length.to_bytes(2, "big") + _labelled(label, context), length)


def derive_secret(secret: bytes, label: str) -> bytes:
    """Return 32 bytes that a secret and a label determine (section 8)."""
    return expand_with_label(secret, label, b"", HASH)


def derive_tree_secret(secret: bytes, label: str, generation: int, length: int) -> bytes:
    """Return `length` bytes of one generation of a sender's ratchet (section 9)."""
    return expand_with_label(secret, label, generation.to_bytes(4, "big"), length)


def sign_with_label(key: SigningKey, label: str, content: bytes) -> bytes:
    """Return a signature, 64 bytes (section 5.1.2)."""
    return key.sign(_labelled(label, content))


def check_signature(public: bytes, label: str, content: bytes, signature: bytes) -> None:
    """Raise Forged, which names the label, unless it is the signature under a public key, 32 bytes (section 5.1.2)."""
    if not crypto.verify(public, signature, _labelled(label, content)):
        raise Forged(f"the signature of {label} does not fit")


def encrypt_with_label(public: bytes, label: str, context: bytes, plaintext: bytes) -> HpkeCiphertext:
    """Return a plaintext sealed to an X25519 key. Raise Forged if that is none (section 5.1.3)."""
    enc, sender = hpke.DEFAULT.sender(public, _labelled(label, context))
    return HpkeCiphertext(enc, sender.seal(plaintext))


def decrypt_with_label(key: Private, label: str, context: bytes, sealed: HpkeCiphertext) -> bytes:
    """Return the plaintext. Raise Forged, which names the label, if key, context and bytes do not fit."""
    try:
        return hpke.DEFAULT.receiver(key, sealed.kem_output, _labelled(label, context)).open(sealed.ciphertext)
    except Forged as error:
        raise Forged(f"the ciphertext of {label} does not open: {error}") from None


def mac(key: bytes, content: bytes) -> bytes:
    """Return HMAC-SHA-256, 32 bytes."""
    return crypto.hmac256(key, content)
