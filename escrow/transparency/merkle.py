"""A Merkle tree over a list that only grows: short proofs that an entry is in it, and that a later tree extends it.

  leaf     H(0x00 ‖ entry)
  node     H(0x01 ‖ left ‖ right);  of n leaves, the left subtree has the largest power of two below n

Hashes are SHA-256, 32 bytes. A log keeps the hash of every complete subtree, so a root or a proof costs O(log n).
Source: RFC 9162, "Certificate Transparency version 2.0", sections 2.1.1 to 2.1.4; the trees are those of RFC 6962.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from escrow.errors import Forged, Malformed

HASH = 32  # bytes


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash (32 bytes) of an entry of any length."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes | bytearray, right: bytes | bytearray) -> bytes:
    """Return the hash (32 bytes) of the node above two hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Log:
    """A list of entries, of which only hashes are kept."""

    def __init__(self) -> None:
        self._levels = [bytearray()]  # of each height, the hashes of the complete subtrees from left to right

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._levels[0]) // HASH

    def append(self, entry: bytes) -> None:
        """Add an entry behind the last one."""
        height, hashed = 0, leaf_hash(entry)
        while True:
            if height == len(self._levels):
                self._levels.append(bytearray())
            level = self._levels[height]
            level += hashed
            if len(level) // HASH % 2:
                return
            height, hashed = height + 1, node_hash(level[-2 * HASH : -HASH], level[-HASH:])

    def root(self, size: int | None = None) -> bytes:
        """Return the root (32 bytes) of the first `size` entries, or of all; of none it is the hash of no bytes.

        Raises:
            ValueError: there are fewer entries.
        """
        size = self._sized(len(self) if size is None else size)
        return self._subtree(0, size) if size else hashlib.sha256().digest()

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that the entry `index`, from 0, is among the first `size`: up to log2 size hashes.

        Raises:
            ValueError: not 0 ≤ index < size, or there are fewer entries.
        """
        if not 0 <= index < self._sized(size):
            raise ValueError(f"of {size} entries none has the index {index}")
        proof, low, high = [], 0, size
        while high - low > 1:
            middle = low + _left(high - low)
            if index < middle:
                proof.append(self._subtree(middle, high))
                high = middle
            else:
                proof.append(self._subtree(low, middle))
                low = middle
        return proof[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the first `new` entries begin with the first `old` ones: at most 1 + log2 new hashes.

        Raises:
            ValueError: not 0 < old ≤ new, or there are fewer entries.
        """
        if not 0 < old <= self._sized(new):
            raise ValueError(f"no proof leads from {old} entries to {new}")
        proof, low, high = [], 0, new
        while old < high:
            middle = low + _left(high - low)
            if old <= middle:
                proof.append(self._subtree(middle, high))
                high = middle
            else:
                proof.append(self._subtree(low, middle))
                low = middle
        if low:  # otherwise the reader has this hash: it is the old root
            proof.append(self._subtree(low, high))
        return proof[::-1]

    def _sized(self, size: int) -> int:
        if not 0 <= size <= len(self):
            raise ValueError(f"the log has {len(self)} entries, not {size}")
        return size

    def _subtree(self, low: int, high: int) -> bytes:
        count = high - low
        if not count & (count - 1):  # a power of two: complete, since `low` is a multiple of it
            at = low // count * HASH
            return bytes(self._levels[count.bit_length() - 1][at : at + HASH])
        middle = low + _left(count)
        return node_hash(self._subtree(low, middle), self._subtree(middle, high))


def _left(count: int) -> int:
    """Return the largest power of two below `count`, which is 2 or more."""
    return 1 << ((count - 1).bit_length() - 1)


def check_inclusion(hashed: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return if the entry whose leaf hash is `hashed` has this index in the tree of `size` entries with this root.

    Raises:
        Malformed: a hash has another length than 32 bytes, or the proof another length than these sizes need.
        Forged: the proof leads to another root.
    """
    _check_hashes(hashed, *proof)
    if not 0 <= index < size:
        raise Malformed(f"the index {index} is not below the size {size}")
    at, last, computed, used = index, size - 1, hashed, 0
    for step in proof:
        if not last:
            break
        if at & 1 or at == last:
            computed = node_hash(step, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, step)
        at, last, used = at >> 1, last >> 1, used + 1
    if last or used < len(proof):
        raise Malformed(f"an inclusion proof of {len(proof)} hashes does not fit index {index} of {size}")
    if computed != root:
        raise Forged("the inclusion proof leads to another root")


def check_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return if the tree of `new` entries with `new_root` begins with the tree of `old` entries with `old_root`.

    Raises:
        Malformed: a hash has another length than 32 bytes, not 0 < old ≤ new, or the proof has another length than
            these sizes need. From 0 entries there is nothing to prove, so that is refused.
        Forged: the proof leads to another old root, or to another new one, or equal sizes have two roots.
    """
    _check_hashes(*proof)
    if not 0 < old <= new:
        raise Malformed(f"no consistency proof leads from size {old} to size {new}")
    if old == new:
        if proof:
            raise Malformed("a consistency proof between equal sizes is empty")
        if old_root != new_root:
            raise Forged("two roots of one size")
        return
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not steps:
        raise Malformed(f"a consistency proof of no hashes does not fit sizes {old} and {new}")
    before = after = steps[0]
    for step in steps[1:]:
        if not last:
            raise Malformed(f"a consistency proof of {len(proof)} hashes does not fit sizes {old} and {new}")
        if at & 1 or at == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, step)
        at, last = at >> 1, last >> 1
    if last:
        raise Malformed(f"a consistency proof of {len(proof)} hashes does not fit sizes {old} and {new}")
    if before != old_root:
        raise Forged("the consistency proof leads to another old root")
    if after != new_root:
        raise Forged("the consistency proof leads to another new root")


def _check_hashes(*hashes: bytes) -> None:
    """Raise Malformed unless each has 32 bytes. Roots need no check: what is computed is compared with them."""
    if any(len(each) != HASH for each in hashes):
        raise Malformed("a hash of the tree is 32 bytes")
