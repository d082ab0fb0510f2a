"""A prefix tree: a map from 32-byte indexes to 32-byte commitments, with proofs of what is in it and what is not.

  leaf     H(0x02 ‖ index ‖ commitment), as high up as its index is the only one with these first bits
  node     H(0x03 ‖ left ‖ right): at the top, the highest bit of an index's first byte tells left (0) from right
  nothing  32 zero bytes

Trees never change: one with more leaves shares all other nodes with the one before. Nothing is ever taken out.
Source: IETF draft "Key Transparency Protocol" (draft-ietf-keytrans-protocol, text of August 2026), prefix tree. The
form of the audit is ours.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from escrow.codec import Fact, Public
from escrow.errors import Forged, Malformed

INDEX = HASH = 32  # bytes
BITS = 8 * INDEX
EMPTY = bytes(HASH)
LEAF = INDEX + HASH
CROWD = 8  # leaves that are kept together


class TreeLeaf(Fact, frozen=True):
    """One entry: its index and its commitment, 32 bytes each."""

    index: Public
    commitment: Public

    @property
    def hash(self) -> bytes:
        """Return the leaf's hash (32 bytes)."""
        return _hash_of_leaf(self.index + self.commitment)


class TreeNode:
    """A place in the tree below which there are more than `CROWD` leaves."""

    __slots__ = ("hash", "left", "right")

    def __init__(self, left: Tree, right: Tree) -> None:
        self.left, self.right = left, right
        self.hash = above(hash_of(left), hash_of(right))


class Leaves:
    """A place below which there are 1 to `CROWD` leaves: 64 bytes each, sorted, and the hash of the tree that they are.

    The nodes between them, and its hash, are computed where they are asked for, so that a million leaves take about
    120 MB, and a search hashes what it passes by and not what it goes on through.
    """

    __slots__ = ("_hash", "depth", "packed")

    def __init__(self, packed: bytes, depth: int) -> None:
        self.packed, self.depth, self._hash = packed, depth, b""

    @property
    def hash(self) -> bytes:
        """Return the hash (32 bytes) of the tree of these leaves."""
        if not self._hash:
            one = len(self.packed) == LEAF
            self._hash = _hash_of_leaf(self.packed) if one else above(*map(hash_of, _split(self.packed, self.depth)))
        return self._hash


Tree = TreeNode | Leaves | None


def hash_of(tree: Tree) -> bytes:
    """Return the hash (32 bytes) of a tree."""
    return EMPTY if tree is None else tree.hash


def above(left: bytes, right: bytes) -> bytes:
    """Return the hash (32 bytes) of the node above two."""
    return hashlib.sha256(b"\x03" + left + right).digest()


def _hash_of_leaf(packed: bytes) -> bytes:
    return hashlib.sha256(b"\x02" + packed).digest()


def _bit(index: bytes, depth: int) -> int:
    return index[depth >> 3] >> (7 - (depth & 7)) & 1


def tree_of(leaves: Iterable[TreeLeaf], depth: int = 0) -> Tree:
    """Return the tree of these leaves, as it is below a place of this depth.

    Raises:
        Malformed: an index or a commitment has not 32 bytes, or two leaves have one index.
    """
    return extended(None, leaves, depth)


def extended(tree: Tree, leaves: Iterable[TreeLeaf], depth: int = 0) -> Tree:
    """Return the tree with more leaves; each node above them is hashed once. Raise Malformed as `tree_of` does."""
    ordered = sorted(_packed(each) for each in leaves)
    _check_distinct(ordered)
    return _with(tree, ordered, depth)


def _packed(leaf: TreeLeaf) -> bytes:
    if len(leaf.index) != INDEX or len(leaf.commitment) != HASH:
        raise Malformed("an index and a commitment are 32 bytes each")
    return leaf.index + leaf.commitment


def _check_distinct(ordered: Sequence[bytes]) -> None:
    if any(one[:INDEX] == other[:INDEX] for one, other in pairwise(ordered)):
        raise Malformed("two leaves of one index")


def _with(tree: Tree, ordered: Sequence[bytes], depth: int) -> Tree:
    if not ordered:
        return tree
    if isinstance(tree, TreeNode):
        at = _first_right(ordered, depth)
        return TreeNode(_with(tree.left, ordered[:at], depth + 1), _with(tree.right, ordered[at:], depth + 1))
    if tree:
        ordered = sorted([*_each(tree.packed), *ordered])
        _check_distinct(ordered)
    if len(ordered) <= CROWD:
        return Leaves(b"".join(ordered), depth)
    at = _first_right(ordered, depth)
    return TreeNode(_with(None, ordered[:at], depth + 1), _with(None, ordered[at:], depth + 1))


def _first_right(ordered: Sequence[bytes], depth: int) -> int:
    """Return how many of these leaves, which share their first `depth` bits, have 0 as the next."""
    return bisect_left(ordered, 1, key=lambda leaf: _bit(leaf, depth))


def _each(packed: bytes) -> list[bytes]:
    return [packed[at : at + LEAF] for at in range(0, len(packed), LEAF)]


def _split(packed: bytes, depth: int) -> tuple[Leaves | None, Leaves | None]:
    at = LEAF * _first_right(_each(packed), depth)
    left, right = packed[:at], packed[at:]
    return (Leaves(left, depth + 1) if left else None), (Leaves(right, depth + 1) if right else None)


def _children(tree: Tree, depth: int) -> tuple[Tree, Tree] | None:
    """Return what is on the left and on the right below a place, or None where there is one leaf or none."""
    if isinstance(tree, TreeNode):
        return tree.left, tree.right
    return _split(tree.packed, depth) if tree and len(tree.packed) > LEAF else None


def _leaf(tree: Tree) -> TreeLeaf | None:
    """Return the one leaf of a tree that has no more than one."""
    return TreeLeaf(tree.packed[:INDEX], tree.packed[INDEX:]) if isinstance(tree, Leaves) else None


class TreeSearch(Fact, frozen=True):
    """What an index leads to: `found`, which is a leaf of this index or of another, or nothing.

    `beside` are the hashes of the trees that the way passes by, from the top.
    """

    found: TreeLeaf | None
    beside: tuple[Public, ...]


def search(tree: Tree, index: bytes) -> TreeSearch:
    """Return where an index (32 bytes) leads in the tree: the proof that it is in it, or that it is not."""
    beside: list[bytes] = []
    while below := _children(tree, len(beside)):
        side = _bit(index, len(beside))
        tree = below[side]
        beside.append(hash_of(below[1 - side]))
    return TreeSearch(_leaf(tree), tuple(beside))


def committed(root: bytes, index: bytes, found: TreeSearch) -> bytes | None:
    """Return the commitment (32 bytes) that the tree of this root holds at the index, or None if it holds none.

    Raises:
        Malformed: a hash, index or commitment has not 32 bytes, or the way is longer than an index.
        Forged: the way leads to another root, or the leaf found does not lie on the way of this index.
    """
    leaf, depth = found.found, len(found.beside)
    if any(len(each) != HASH for each in (index, *found.beside, *((leaf.index, leaf.commitment) if leaf else ()))):
        raise Malformed("an index, a commitment and a hash of the tree are 32 bytes each")
    if depth > BITS:
        raise Malformed(f"a way of {depth} steps, where an index has {BITS} bits")
    if leaf and any(_bit(leaf.index, each) != _bit(index, each) for each in range(depth)):
        raise Forged("the leaf shown lies on the way of another index")
    computed = leaf.hash if leaf else EMPTY
    for at in range(depth - 1, -1, -1):
        step = found.beside[at]
        computed = above(step, computed) if _bit(index, at) else above(computed, step)
    if computed != root:
        raise Forged("the search in the prefix tree leads to another root")
    return leaf.commitment if leaf and leaf.index == index else None


# --- what an auditor gets: that one tree has all that another has ---


class SameTree(Fact, frozen=True):
    """A tree that did not change, by its hash."""

    hash: Public


class NewLeaves(Fact, frozen=True):
    """A place at which there was one leaf or none, and now there are these as well."""

    before: TreeLeaf | None
    added: tuple[TreeLeaf, ...]


class NodeChange(Fact, frozen=True):
    """A node whose left or right tree changed."""

    left: Change
    right: Change


Change = SameTree | NewLeaves | NodeChange


def change(old: Tree, new: Tree, depth: int = 0) -> Change:
    """Return what leads from one tree to a later one: about 32 bytes a step of the way of each new leaf."""
    if old is new or hash_of(old) == hash_of(new):
        return SameTree(hash_of(old))
    before, after = _children(old, depth), _children(new, depth)
    if before and after:
        return NodeChange(*(change(one, other, depth + 1) for one, other in zip(before, after, strict=True)))
    was = None if before else _leaf(old)
    return NewLeaves(was, tuple(each for each in leaves(new) if each != was))


def leaves(tree: Tree) -> Iterable[TreeLeaf]:
    """Yield all leaves of a tree, in the order of their indexes."""
    if isinstance(tree, TreeNode):
        yield from leaves(tree.left)
        yield from leaves(tree.right)
    elif tree:
        yield from (TreeLeaf(each[:INDEX], each[INDEX:]) for each in _each(tree.packed))


def roots(told: Change) -> tuple[bytes, bytes]:
    """Return the roots (32 bytes each) of the tree before and of the one after, which has all that the first has.

    Raises:
        Malformed: a hash, index or commitment has not 32 bytes, the change is deeper than an index has bits, an index
            appears twice, or a leaf stands at the place of another index, or out of order.
    """
    return _roots(told, ())


def _roots(told: Change, way: tuple[int, ...]) -> tuple[bytes, bytes]:
    if len(way) > BITS:
        raise Malformed(f"a change below {BITS} bits")
    if isinstance(told, SameTree):
        if len(told.hash) != HASH:
            raise Malformed("a hash of the tree is 32 bytes")
        return told.hash, told.hash
    if isinstance(told, NewLeaves):
        if any(one.index >= other.index for one, other in pairwise(told.added)):
            raise Malformed("two leaves of one index, or leaves out of order")
        leaves = (*([told.before] if told.before else []), *told.added)
        after = tree_of(leaves, len(way))
        if any(_bit(each.index, at) != bit for each in leaves for at, bit in enumerate(way)):
            raise Malformed("a leaf stands at the place of another index")
        return (told.before.hash if told.before else EMPTY), hash_of(after)
    (left, later_left), (right, later_right) = _roots(told.left, (*way, 0)), _roots(told.right, (*way, 1))
    return above(left, right), above(later_left, later_right)


def added(told: Change) -> Mapping[bytes, bytes]:
    """Return the commitments that a change adds, by index."""
    if isinstance(told, SameTree):
        return {}
    if isinstance(told, NewLeaves):
        return {each.index: each.commitment for each in told.added}
    return {**added(told.left), **added(told.right)}
