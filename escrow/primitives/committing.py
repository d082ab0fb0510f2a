"""A committing AEAD: CTX over AES-GCM. One ciphertext opens under one key, nonce, associated data and plaintext only.

  seal   C ‖ T = AES-GCM(K, N, A, M);    T* = SHA3-256(K, N, A, T, each after its length);    C ‖ T*
  open   M = C ⊕ keystream(K, N);        T from AES-GCM(K, N, A, M);    T* is compared before M is returned
  cost   16 bytes more than AES-GCM; a second pass of AES-GCM to open, for the library gives no tag of a ciphertext

AES-GCM itself commits to nothing: whoever chooses two keys makes a ciphertext that opens under both (the tag is linear
in the blocks). Here that needs a collision of SHA3-256, about 2^128 trials: it commits to all four (CMT-4).
Source: Chan and Rogaway, "On Committing Authenticated-Encryption", ESORICS 2022 (ePrint 2022/1260), figure 2.
The paper leaves hash and encoding open; SHA3-256 and the length prefixes are our choice.
"""

from __future__ import annotations

import hashlib
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from escrow import crypto
from escrow.codec import prefixed
from escrow.crypto import SEALED_ONCE, TAG
from escrow.errors import Forged

COMMITMENT = 32


def seal(key: bytes, plaintext: bytes, associated: bytes, nonce: bytes = SEALED_ONCE) -> bytes:
    """Encrypt and commit.

    Args:
        key: 16 or 32 bytes.
        plaintext: any length.
        associated: bytes that the commitment covers and that do not travel.
        nonce: 12 bytes. The default, zero, is for keys that seal a single message.

    Returns:
        Ciphertext and commitment: 32 bytes more than the plaintext.
    """
    sealed = AESGCM(key).encrypt(nonce, plaintext, associated)
    committed = sealed[:-TAG] + _commitment(key, nonce, associated, sealed[-TAG:])
    crypto.observe("seal", (key, nonce, associated, plaintext), (committed,))
    return committed


def open_sealed(key: bytes, sealed: bytes, associated: bytes, nonce: bytes = SEALED_ONCE) -> bytes:
    """Return the plaintext that `seal` sealed.

    Args:
        key: 16 or 32 bytes.
        sealed: ciphertext and 32-byte commitment.
        associated: the bytes given to `seal`.
        nonce: the nonce given to `seal`.

    Raises:
        Forged: the commitment does not fit key, nonce, associated data and ciphertext, or a length is impossible.
    """
    try:
        plaintext = _opened(key, sealed, associated, nonce)
    except Forged:
        crypto.observe("open", (key, nonce, associated, sealed), ())
        raise
    crypto.observe("open", (key, nonce, associated, sealed), (plaintext,))
    return plaintext


def _opened(key: bytes, sealed: bytes, associated: bytes, nonce: bytes) -> bytes:
    if len(sealed) < COMMITMENT:
        raise Forged("a commitment of CTX is cut off")
    body, commitment = sealed[:-COMMITMENT], sealed[-COMMITMENT:]
    try:
        cipher = AESGCM(key)
        plaintext = cipher.encrypt(nonce, body, None)[:-TAG]  # counter mode is its own inverse
        tag = cipher.encrypt(nonce, plaintext, associated)[-TAG:]
    except ValueError:  # a key or nonce of impossible length, out of hostile bytes
        raise Forged("a key or nonce of AES-GCM has an impossible length") from None
    if not compare_digest(_commitment(key, nonce, associated, tag), commitment):
        raise Forged("a commitment of CTX does not fit")
    return plaintext


def _commitment(key: bytes, nonce: bytes, associated: bytes, tag: bytes) -> bytes:
    """Return T*, 32 bytes: the prefixed lengths make two different lists of arguments different inputs."""
    return hashlib.sha3_256(prefixed(key, nonce, associated, tag)).digest()
