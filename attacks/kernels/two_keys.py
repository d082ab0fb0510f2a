"""One AES-GCM ciphertext that opens under two keys: a last block is computed so that the two tags are equal.

  tag      T = (Y ⊕ X)·H² ⊕ length·H ⊕ s     X the last block, Y what the blocks before it give, H and s of the key
  equal    X = (a1 ⊕ a2) / (H1² ⊕ H2²)       a = Y·H² ⊕ length·H ⊕ s under each key

Both sides are linear in X, so it is one division in GF(2^128). The attacker chooses both keys, or knows one of them
and chooses the other; all blocks but one are free.
Source: Dodis, Grubbs, Ristenpart and Woodage, "Fast Message Franking: From Invisible Salamanders to Encryptment",
CRYPTO 2018, section 3; NIST SP 800-38D, sections 6.3 and 6.4.
"""

from __future__ import annotations

from typing import NamedTuple

from escrow import crypto

BLOCK = 16
_R = 0xE1 << 120


class _Half(NamedTuple):
    """What AES-GCM under one key (and nonce zero) adds to a tag: H and s, as elements of GF(2^128)."""

    h: int
    s: int


def fitted(one: bytes, other: bytes, associated: bytes, before: bytes) -> bytes:
    """Return ciphertext and tag (32 bytes more than `before`) that open under both keys and the nonce zero.

    Args:
        one: a key, 16 or 32 bytes.
        other: another key.
        associated: the associated data.
        before: the ciphertext before its last block; its length is a multiple of 16.
    """
    length = (8 * len(associated)) << 64 | 8 * (len(before) + BLOCK)
    blocks = [*_blocks(associated), *_blocks(before)]
    first, second = (_half(key) for key in (one, other))
    total, factor = 0, 0
    for half in (first, second):
        y = 0
        for block in blocks:
            y = _times(y ^ block, half.h)
        square = _times(half.h, half.h)
        total ^= _times(y, square) ^ _times(length, half.h) ^ half.s
        factor ^= square
    last = _times(total, _inverse(factor)).to_bytes(BLOCK, "big")
    body = before + last
    return body + crypto.seal(one, keystream(one, body), associated)[-crypto.TAG :]


def keystream(key: bytes, data: bytes) -> bytes:
    """Return the data ⊕ the keystream of AES-GCM under nonce zero: either direction of counter mode."""
    return crypto.seal(key, data, b"")[: len(data)]


def _half(key: bytes) -> _Half:
    """Return H and s of a key, from two tags of AES-GCM: of nothing, s; of one zero block of data, length·H ⊕ s."""
    s, tag = (int.from_bytes(crypto.seal(key, b"", associated), "big") for associated in (b"", bytes(BLOCK)))
    return _Half(_times(tag ^ s, _inverse((8 * BLOCK) << 64)), s)


def _blocks(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + BLOCK].ljust(BLOCK, b"\0"), "big") for at in range(0, len(data), BLOCK)]


def _times(x: int, y: int) -> int:
    """Return the product in GF(2^128), bits in the order of SP 800-38D."""
    product = 0
    for place in range(127, -1, -1):
        if x >> place & 1:
            product ^= y
        y = y >> 1 ^ (_R if y & 1 else 0)
    return product


def _inverse(x: int) -> int:
    """Return 1/x = x^(2^128 - 2)."""
    result = 1 << 127
    for _ in range(127):
        x = _times(x, x)
        result = _times(result, x)
    return result
