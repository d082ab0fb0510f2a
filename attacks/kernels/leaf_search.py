"""The search for a LEAF that a chip accepts: random ones are loaded until one is valid.

This computes the chip's answers, many at a time; an attacker has the chip and not its family key. The number of trials
is geometric with mean 2^w for a checksum of w bits, at any speed.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 3.2.
"""

from __future__ import annotations

from typing import NamedTuple

from attacks.kernels import lanes as kernel
from attacks.kernels.lanes import Lanes, lanes_of
from escrow.crypto import random_bytes
from escrow.primitives.skipjack import BLOCK
from escrow.schemes.clipper.chip import Chip
from escrow.schemes.clipper.leaf import IV, UID, Make

BATCH = 8192


class FoundLeaf(NamedTuple):
    """A valid IV ‖ LEAF, and the number of LEAFs tried, this one included."""

    field: bytes
    trials: int


def search(
    chip: Chip, ks: bytes, limit: int, transcript: bytes = b"", *, numpy: bool | None = None, batch: int = BATCH
) -> FoundLeaf | None:
    """Load random LEAFs under a random IV and a session key (10 bytes) into the chip until it accepts one.

    Returns None if none of `limit` trials succeeds. `numpy` says whether to use it; the answer is the same.
    """
    make, iv, tried = chip.family.make, random_bytes(IV), 0
    while tried < limit:
        count = min(batch, limit - tried)
        drawn = random_bytes(count * make.size)
        at = first_valid(chip, ks, iv, drawn, transcript, numpy=numpy)
        if at is not None:
            return FoundLeaf(iv + drawn[at * make.size : (at + 1) * make.size], tried + at + 1)
        tried += count
    return None


def first_valid(
    chip: Chip, ks: bytes, iv: bytes, leafs: bytes, transcript: bytes = b"", *, numpy: bool | None = None
) -> int | None:
    """Return the number of the first LEAF that the chip accepts, among many concatenated; or None."""
    make = chip.family.make
    if make.mode == "aead" or make.partial:  # a search over these is hopeless, so it need not be fast
        parts = (iv + leafs[at : at + make.size] for at in range(0, len(leafs), make.size))
        return next(
            (n for n, each in enumerate(parts) if Chip(chip.family, chip.unit).load_iv(ks, each, transcript)), None
        )
    lanes, count = lanes_of(numpy), len(leafs) // make.size
    blocks = _opened(lanes, make, chip.family.raw, leafs)
    expected = _checksums(lanes, make, ks, iv, blocks, count, transcript)
    return _first_equal(lanes, make, blocks, expected)


def _opened(lanes: Lanes, make: Make, kf: bytes, leafs: bytes) -> list[kernel.Block]:
    """Return the content of each LEAF, block by block (escrow.schemes.clipper.leaf.open_leaf)."""
    blocks: list[kernel.Block] = [lanes.load(leafs, at, make.size) for at in range(0, make.size, BLOCK)]
    if make.mode == "wide":
        blocks = _unchained(lanes, kf, blocks[::-1])[::-1]
    return _unchained(lanes, kf, blocks)


def _unchained(lanes: Lanes, key: bytes, blocks: list[kernel.Block]) -> list[kernel.Block]:
    plain = [kernel.decrypt(lanes, key, block) for block in blocks]
    later = [kernel.xor(lanes, each, before) for each, before in zip(plain[1:], blocks, strict=False)]
    return [plain[0], *later]


def _checksums(
    lanes: Lanes, make: Make, ks: bytes, iv: bytes, blocks: list[kernel.Block], count: int, transcript: bytes
) -> kernel.Block:
    """Return the whole block from which each checksum is cut (escrow.schemes.clipper.leaf.checksum)."""
    key = ks if "ks" in make.binds else bytes(len(ks))
    nothing = lanes.fill(bytes(BLOCK), count)[0]
    uid, wk = blocks[0][:2], [*blocks[0][2:], *blocks[1][:3]]
    uid = uid if "uid" in make.binds else [nothing] * 2
    wk = wk if "wk" in make.binds else [nothing] * 5
    bound = [[*uid, *wk[:2]], [*wk[2:], nothing]]
    if "peer" in make.binds:
        bound.append(lanes.fill(transcript, count))
    state: kernel.Block = lanes.fill(iv if "iv" in make.binds else bytes(IV), count)
    for block in bound:
        state = kernel.encrypt(lanes, key, kernel.xor(lanes, state, block))
    return kernel.encrypt(lanes, key, state)


def _first_equal(lanes: Lanes, make: Make, blocks: list[kernel.Block], expected: kernel.Block) -> int | None:
    """Return the first lane whose checksum equals the first bits expected; it begins in the LEAF's eighth word."""
    held = [word for block in blocks for word in block][(UID + make.key_size) // 2 :]
    found, alive = None, None
    for at in range(-(-make.width // 16)):
        bits = min(16, make.width - 16 * at)
        found, alive = lanes.first_equal(held[at], expected[at], 0xFFFF << 16 - bits & 0xFFFF, alive)
    return found
