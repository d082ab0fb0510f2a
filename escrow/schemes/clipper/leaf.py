"""The Law Enforcement Access Field of the Clipper chip: 128 bits with the unit and, under the unit's key, the key.

  wk    = KS under KU                                    y = E(KS[0:8]);  wk = y[0:2] ‖ E(y[2:8] ‖ KS[8:10])
  ea    = first w bits of a MAC under KS                 s = IV;  s = E(s ⊕ blk) for uid ‖ wk ‖ 0…;  ea of E(s)
  leaf  = (uid[4] ‖ wk[10] ‖ ea[2]) under KF             c1 = E(b1), c2 = E(b2 ⊕ c1);  d2 = E(c2), d1 = E(c1 ⊕ d2)

*Modelled*: that a LEAF holds unit identifier (32 bits), enciphered session key (80) and checksum (16), enciphered under
the family key, is published. How 80 bits go through a cipher of 64, the checksum's function and the LEAF's mode are
not. Ours behave as Blaze observed prototypes: each single-bit flip of a LEAF fails, and a new IV changes all of it.
Modes: "wide", as above; "cbc", plain CBC, in which a forgery takes one trial if the checksum covers KS and IV only;
"aead", AES-GCM and a 128-bit HMAC in place of mode and checksum, to separate Clipper's own fault from escrow's.

Source: FIPS PUB 185 (1994); Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, sections 1 to 4,
the checksum widths and the escrow of 64 bits being proposals of section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from escrow.crypto import hkdf, hmac256, open_sealed, seal, xor_bytes
from escrow.errors import Forged
from escrow.primitives.skipjack import BLOCK, KEY, Lanes, decrypt, encrypt, encrypt_each, mix

UID, IV, MAC = 4, 8, 16  # bytes
MODES = ("wide", "cbc", "aead")
BINDABLE = ("iv", "ks", "uid", "wk", "peer")
SEARCHED = 2  # bytes of the session key that are not escrowed if 64 bits are
CANDIDATES = 1 << 8 * SEARCHED


class Make(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How a family of chips makes its LEAFs. `width` is the checksum's, in bits; `binds` says what it covers.

    "peer" stands for the transcript of the session, which names both ends. `partial` escrows 64 bits of each session
    key, which leaves room for a checksum of 32. Raises ValueError for parameters that make no LEAF.
    """

    width: int = 16
    mode: str = "wide"
    binds: tuple[str, ...] = ("iv", "ks", "uid", "wk")
    partial: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.width <= 64:
            raise ValueError(f"a checksum of {self.width} bits: it must be 1 to 64")
        if self.mode not in MODES:
            raise ValueError(f"a mode {self.mode!r}: it must be one of {', '.join(MODES)}")
        if strange := set(self.binds) - set(BINDABLE):
            raise ValueError(f"a checksum cannot bind {min(strange)!r}, only {', '.join(BINDABLE)}")

    @property
    def key_size(self) -> int:
        """Bytes of the enciphered session key in a LEAF: 10, or 8 if 64 bits are escrowed."""
        return KEY - SEARCHED if self.partial else KEY

    @property
    def check_size(self) -> int:
        """Bytes of the checksum in a LEAF: 2 for up to 16 bits, a MAC of 16 with an AEAD."""
        return MAC if self.mode == "aead" else max(2, -(-self.width // 8))

    @property
    def size(self) -> int:
        """Bytes of a LEAF: 16 for the standard's."""
        held = UID + self.key_size + self.check_size
        return held + MAC if self.mode == "aead" else -(-held // BLOCK) * BLOCK


class Leaf(msgspec.Struct, frozen=True):
    """The content of a LEAF: unit identifier (4 bytes), enciphered session key (10, or 8), checksum (2 or more)."""

    uid: bytes
    wk: bytes
    ea: bytes


def wrap(make: Make, ku: bytes, ks: bytes) -> bytes:
    """Return the session key (10 bytes) under the unit key (10): 10 bytes, or 8 without the key's last two."""
    y = encrypt(ku, ks[:BLOCK])
    return y if make.partial else y[:2] + encrypt(ku, y[2:] + ks[BLOCK:])


def unwrap(make: Make, ku: bytes, wk: bytes) -> bytes:
    """Return the session key that was wrapped: 10 bytes, or the first 8 of them if no more is escrowed."""
    if make.partial:
        return decrypt(ku, wk)
    tail = decrypt(ku, wk[2:])
    return decrypt(ku, wk[:2] + tail[:6]) + tail[6:]


def checksum(make: Make, ks: bytes, iv: bytes, uid: bytes, wk: bytes, transcript: bytes = b"") -> bytes:
    """Return the escrow authenticator over what the make binds, unused last bits zero. `iv`, `transcript`: 8 bytes."""
    key, state, body = _covered(make, ks, iv, uid, wk, transcript)
    if make.mode == "aead":
        return hmac256(key, state + body)[:MAC]
    for block in _blocks(body):
        state = encrypt(key, xor_bytes(state, block))
    return _first_bits(encrypt(key, state), make.width).ljust(make.check_size, b"\0")


def _covered(make: Make, ks: bytes, iv: bytes, uid: bytes, wk: bytes, transcript: bytes) -> tuple[bytes, bytes, bytes]:
    """Return (key, IV, whole blocks) of the checksum; parts that it does not bind are zero."""
    bound = {"iv": iv, "ks": ks, "uid": uid, "wk": wk, "peer": transcript}
    iv, key, uid, wk, peer = (bound[name] if name in make.binds else bytes(len(bound[name])) for name in BINDABLE)
    return key, iv, (uid + wk).ljust(2 * BLOCK, b"\0") + (peer if "peer" in make.binds else b"")


def seal_leaf(make: Make, kf: bytes, iv: bytes, leaf: Leaf) -> bytes:
    """Return a LEAF under the family key (10 bytes). The IV (8 bytes) matters here only with an AEAD."""
    held = leaf.uid + leaf.wk + leaf.ea
    if make.mode == "aead":
        return seal(hkdf(iv, kf, b"escrow-lab LEAF", 16), held, iv)
    forth = _chain(kf, _blocks(held.ljust(make.size, b"\0")))
    return b"".join(forth if make.mode == "cbc" else reversed(_chain(kf, reversed(forth))))


def open_leaf(make: Make, kf: bytes, iv: bytes, sealed: bytes) -> Leaf:
    """Return the content of a LEAF.

    Without an AEAD nothing here distinguishes a LEAF from other bytes: only the checksum does, and it needs the session
    key.

    Raises:
        Forged: the length is wrong or, with an AEAD, it does not open.
    """
    if len(sealed) != make.size:
        raise Forged(f"a LEAF is {make.size} bytes, not {len(sealed)}")
    if make.mode == "aead":
        held = open_sealed(hkdf(iv, kf, b"escrow-lab LEAF", 16), sealed, iv)
    else:
        blocks = list(_blocks(sealed))
        forth = blocks if make.mode == "cbc" else _unchain(kf, reversed(blocks))[::-1]
        held = b"".join(_unchain(kf, forth))
    end = UID + make.key_size
    return Leaf(held[:UID], held[UID:end], held[end : end + make.check_size])


def holds(make: Make, ks: bytes, iv: bytes, leaf: Leaf, transcript: bytes = b"") -> bool:
    """Return whether an opened LEAF's checksum fits this session key and IV: the receiving chip's check."""
    expected = checksum(make, ks, iv, leaf.uid, leaf.wk, transcript)
    return expected == (leaf.ea if make.mode == "aead" else _first_bits(leaf.ea, make.width))


def completions(make: Make, part: bytes, iv: bytes, leaf: Leaf, transcript: bytes = b"") -> Iterator[bytes]:
    """Yield every session key that begins with `part` and fits the checksum: 2^16 trials if 64 bits are escrowed.

    If the whole key is escrowed, that is the key itself, unchecked.
    """
    if not make.partial:
        yield part
        return
    tails = [tail.to_bytes(SEARCHED, "big") for tail in range(CANDIDATES)]
    if "ks" not in make.binds:  # it fits all keys, or none
        if holds(make, part + tails[0], iv, leaf, transcript):
            yield from (part + tail for tail in tails)
        return
    if make.mode == "aead":
        yield from (part + tail for tail in tails if holds(make, part + tail, iv, leaf, transcript))
        return
    columns = _checksums(make, part, tails, iv, leaf, transcript)
    held = _first_bits(leaf.ea, make.width)
    bits = bytes(byte & 0xFF << max(0, 8 - make.width) & 0xFF for byte in range(256))  # of a checksum's first byte
    at = (first := columns[0].translate(bits)).find(held[0])
    while at >= 0:
        if _first_bits(bytes(column[at] for column in columns), make.width) == held:
            yield part + tails[at]
        at = first.find(held[0], at + 1)


@lru_cache(maxsize=1024)
def completed(make: Make, part: bytes, iv: bytes, leaf: Leaf, transcript: bytes = b"") -> tuple[bytes, ...]:
    """Return all `completions`. The result is cached."""
    return tuple(completions(make, part, iv, leaf, transcript))


def _checksums(
    make: Make, part: bytes, tails: Sequence[bytes], iv: bytes, leaf: Leaf, transcript: bytes
) -> list[bytes]:
    """Return the eight bytes from which a checksum is cut, for the keys that begin with `part`.

    Byte by byte for all.
    """
    count = len(tails)
    keys = [bytes([byte]) * count for byte in part] + [bytes(column) for column in zip(*tails, strict=True)]
    _, state, body = _covered(make, part, iv, leaf.uid, leaf.wk, transcript)
    lanes = _alike(state, count)
    for block in (*_blocks(body), bytes(BLOCK)):
        mixed = zip(lanes, _alike(block, count), strict=True)
        lanes = encrypt_each(keys, [(mix(a[0], b[0]), mix(a[1], b[1])) for a, b in mixed])
    return [byte for word in lanes for byte in word]


def _alike(block: bytes, count: int) -> list[Lanes]:
    """Return one block for every key."""
    columns = [block[at : at + 1] * count for at in range(BLOCK)]
    return list(zip(columns[::2], columns[1::2], strict=True))


def _blocks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))


def _chain(key: bytes, blocks: Iterator[bytes]) -> list[bytes]:
    """Encrypt blocks by CBC without an IV."""
    chained: list[bytes] = []
    last = bytes(BLOCK)
    for block in blocks:
        last = encrypt(key, xor_bytes(block, last))
        chained.append(last)
    return chained


def _unchain(key: bytes, blocks: Iterator[bytes] | list[bytes]) -> list[bytes]:
    plain: list[bytes] = []
    last = bytes(BLOCK)
    for block in blocks:
        plain.append(xor_bytes(decrypt(key, block), last))
        last = block
    return plain


def _first_bits(data: bytes, width: int) -> bytes:
    """Return the first `width` bits, in as many bytes as a LEAF has for them; the rest is zero."""
    size = max(2, -(-width // 8))
    whole = int.from_bytes(data[:size], "big")
    return (whole >> 8 * size - width << 8 * size - width).to_bytes(size, "big")
