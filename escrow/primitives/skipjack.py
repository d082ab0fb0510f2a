"""Skipjack: the 64-bit block cipher of the Clipper chip, with keys of 80 bits.

  word     four words of 16 bits; each round puts one of them through G, a Feistel network of four rounds on bytes
  rule A   w1, w2, w3, w4 <- G(w1) ⊕ w4 ⊕ counter, G(w1), w2, w3
  rule B   w1, w2, w3, w4 <- w4, G(w1), w1 ⊕ w2 ⊕ counter, w3
  rounds   eight by A, eight by B, and both again; G takes four bytes of the key in turn

Source: NSA, "SKIPJACK and KEA Algorithm Specifications", version 2.0, 29 May 1998, section II. Look-ups depend on
secrets, so this is not constant-time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from escrow.crypto import observe, recalled

KEY, BLOCK = 10, 8  # bytes
ROUNDS = 32

F = bytes.fromhex(
    "a3d70983f848f6f4b321157899b1aff9e72d4d8ace4cca2e5295d91e4e384428"
    "0adf02a017f1606812b77ac3e9fa3d5396846bbaf2639a197caee5f5f7166aa2"
    "39b67b0fc193811beeb41aead0912fb855b9da853f41bfe05a58805f660bd890"
    "35d5c0a733066569450094566d989b7697fcb2c2b0fedb20e1ebd6e4dd474a1d"
    "42ed9e6e493ccd4327d207d4dec7671889cb301f8dc68faac874dcc95d5c31a4"
    "7088612c9f0d2b8750825464267d0340344b1c73d1c4fd3bccfb7fabe63e5ba5"
    "ad04239c145122f02979717eff8c0ee20cefbc72756f37a1ecd38e628b8610e8"
    "087711be924f24c532369dcff3a6bbac5e6ca9135725b5e3bda83a0105592a46"
)  # the specification's table F

Round = tuple[int, bytes, bytes, bytes, bytes]


@cache
def _behind(byte: int) -> bytes:
    """Return the table F[x ⊕ byte], for a byte of the key: 256 bytes."""
    return bytes(F[x ^ byte] for x in range(256))


@lru_cache(maxsize=256)
def schedule(key: bytes) -> tuple[Round, ...]:
    """Return for each of the 32 rounds its counter, and the table F[x ⊕ k] for each of its four key bytes k.

    Raises:
        ValueError: the key is not 10 bytes.
    """
    if len(key) != KEY:
        raise ValueError(f"a Skipjack key is {KEY} bytes, not {len(key)}")
    tables = [_behind(byte) for byte in key]
    turns = [[tables[(4 * k + i) % KEY] for i in range(4)] for k in range(ROUNDS)]
    return tuple((k + 1, f0, f1, f2, f3) for k, (f0, f1, f2, f3) in enumerate(turns))


def encrypt(key: bytes, block: bytes) -> bytes:
    """Return the encryption of one block (8 bytes) under a key of 10 bytes. Raise ValueError for other lengths."""
    sealed = recalled(("skipjack", key, block), _encrypted, key, block)
    observe("skipjack", (key, block), (sealed,))
    return sealed


def _encrypted(key: bytes, block: bytes) -> bytes:
    w1, w2, w3, w4 = _words(block)
    for counter, f0, f1, f2, f3 in schedule(key):
        low = w1 & 255
        high = f0[low] ^ w1 >> 8
        low ^= f1[high]
        high ^= f2[low]
        g = high << 8 | low ^ f3[high]
        if counter - 1 & 8:
            w1, w2, w3, w4 = w4, g, w1 ^ w2 ^ counter, w3
        else:
            w1, w2, w3, w4 = g ^ w4 ^ counter, g, w2, w3
    return (w1 << 48 | w2 << 32 | w3 << 16 | w4).to_bytes(BLOCK, "big")


def decrypt(key: bytes, block: bytes) -> bytes:
    """Return the block (8 bytes) that `encrypt` encrypted under a key of 10. Raise ValueError for other lengths."""
    opened = recalled(("skipjack-open", key, block), _decrypted, key, block)
    observe("skipjack-open", (key, block), (opened,))
    return opened


def _decrypted(key: bytes, block: bytes) -> bytes:
    w1, w2, w3, w4 = _words(block)
    for counter, f0, f1, f2, f3 in reversed(schedule(key)):
        high = w2 >> 8
        low = f3[high] ^ w2 & 255
        high ^= f2[low]
        low ^= f1[high]
        g = (high ^ f0[low]) << 8 | low
        if counter - 1 & 8:
            w1, w2, w3, w4 = g, g ^ w3 ^ counter, w4, w1
        else:
            w1, w2, w3, w4 = g, w3, w4, w1 ^ w2 ^ counter
    return (w1 << 48 | w2 << 32 | w3 << 16 | w4).to_bytes(BLOCK, "big")


# --- one block under many keys at once ---

Lanes = tuple[bytes, bytes]  # the high and the low byte of a word, for every key


def mix(one: bytes, other: bytes) -> bytes:
    """Return the exclusive or of two lanes of equal length. The observer is not told: they are of thousands of keys."""
    return (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(len(one), "little")


def encrypt_each(keys: Sequence[bytes], words: Sequence[Lanes]) -> list[Lanes]:
    """Return one block's encryption under each of many keys.

    `keys[i]` is byte i of every key, `words` the block's four words. Each table look-up translates a whole string, so a
    block costs about a microsecond where there are thousands of keys. The observer is told of the call alone.
    """
    observe("skipjack-each", (), ())
    w1, w2, w3, w4 = words
    for k in range(ROUNDS):
        high, low = w1
        for i in range(0, 4, 2):
            high = mix(high, mix(low, keys[(4 * k + i) % KEY]).translate(F))
            low = mix(low, mix(high, keys[(4 * k + i + 1) % KEY]).translate(F))
        g, counter = (high, low), counting(k + 1)
        if k & 8:
            mixed = mix(w1[0], w2[0]), mix(w1[1], w2[1]).translate(counter)
            w1, w2, w3, w4 = w4, g, mixed, w3
        else:
            mixed = mix(high, w4[0]), mix(low, w4[1]).translate(counter)
            w1, w2, w3, w4 = mixed, g, w2, w3
    return [w1, w2, w3, w4]


@cache
def counting(counter: int) -> bytes:
    """Return the table (256 bytes) by which `bytes.translate` adds a round's counter to a lane."""
    return bytes(byte ^ counter for byte in range(256))


def _words(block: bytes) -> tuple[int, int, int, int]:
    if len(block) != BLOCK:
        raise ValueError(f"a Skipjack block is {BLOCK} bytes, not {len(block)}")
    whole = int.from_bytes(block, "big")
    return whole >> 48, whole >> 32 & 0xFFFF, whole >> 16 & 0xFFFF, whole & 0xFFFF
