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
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from escrow.codec import Fact
from escrow.errors import Forged, Malformed

INDEX = HASH = 32  # bytes
BITS = 8 * INDEX
EMPTY = bytes(HASH)


class TreeLeaf(Fact, frozen=True, dict=True):
    """One entry: its index and its commitment, 32 bytes each."""

    index: bytes
    commitment: bytes

    @cached_property
    def hash(self) -> bytes:
        """Return the leaf's hash (32 bytes)."""
        return hashlib.sha256(b"\x02" + self.index + self.commitment).digest()


class TreeNode:
    """A place in the tree below which there are at least two leaves."""

    __slots__ = ("hash", "left", "right")

    def __init__(self, left: Tree, right: Tree) -> None:
        self.left, self.right = left, right
        self.hash = above(hash_of(left), hash_of(right))


Tree = TreeNode | TreeLeaf | None


def hash_of(tree: Tree) -> bytes:
    """Return the hash (32 bytes) of a tree."""
    return EMPTY if tree is None else tree.hash


def above(left: bytes, right: bytes) -> bytes:
    """Return the hash (32 bytes) of the node above two."""
    return hashlib.sha256(b"\x03" + left + right).digest()


def _bit(index: bytes, depth: int) -> int:
    return index[depth >> 3] >> (7 - (depth & 7)) & 1


def tree_of(leaves: Iterable[TreeLeaf], depth: int = 0) -> Tree:
    """Return the tree of these leaves, as it is below a place of this depth.

    Raises:
        Malformed: an index or a commitment has not 32 bytes, or two leaves have one index.
    """
    ordered = sorted(leaves, key=lambda each: each.index)
    if any(len(each.index) != INDEX or len(each.commitment) != HASH for each in ordered):
        raise Malformed("an index and a commitment are 32 bytes each")
    if any(one.index == other.index for one, other in pairwise(ordered)):
        raise Malformed("two leaves of one index")
    return _built(ordered, depth)


def _built(ordered: Sequence[TreeLeaf], depth: int) -> Tree:
    if len(ordered) < 2:
        return ordered[0] if ordered else None
    low, high = 0, len(ordered)
    while low < high:  # of the first leaf on the right
        middle = (low + high) // 2
        low, high = (low, middle) if _bit(ordered[middle].index, depth) else (middle + 1, high)
    return TreeNode(_built(ordered[:low], depth + 1), _built(ordered[low:], depth + 1))


def extended(tree: Tree, leaf: TreeLeaf, depth: int = 0) -> Tree:
    """Return the tree with one leaf more. Raise Malformed as `tree_of` does."""
    if not isinstance(tree, TreeNode):
        return tree_of([leaf] if tree is None else [tree, leaf], depth)
    if _bit(leaf.index, depth):
        return TreeNode(tree.left, extended(tree.right, leaf, depth + 1))
    return TreeNode(extended(tree.left, leaf, depth + 1), tree.right)


class TreeSearch(Fact, frozen=True):
    """What an index leads to: `found`, which is a leaf of this index or of another, or nothing.

    `beside` are the hashes of the trees that the way passes by, from the top.
    """

    found: TreeLeaf | None
    beside: tuple[bytes, ...]


def search(tree: Tree, index: bytes) -> TreeSearch:
    """Return where an index (32 bytes) leads in the tree: the proof that it is in it, or that it is not."""
    beside: list[bytes] = []
    while isinstance(tree, TreeNode):
        left, right = (tree.left, tree.right) if _bit(index, len(beside)) == 0 else (tree.right, tree.left)
        beside.append(hash_of(right))
        tree = left
    return TreeSearch(tree, tuple(beside))


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
    computed = hash_of(leaf)
    for at in range(depth - 1, -1, -1):
        step = found.beside[at]
        computed = above(step, computed) if _bit(index, at) else above(computed, step)
    if computed != root:
        raise Forged("the search in the prefix tree leads to another root")
    return leaf.commitment if leaf and leaf.index == index else None


# --- what an auditor gets: that one tree has all that another has ---


class SameTree(Fact, frozen=True):
    """A tree that did not change, by its hash."""

    hash: bytes


class NewLeaves(Fact, frozen=True):
    """A place at which there was one leaf or none, and now there are these as well."""

    before: TreeLeaf | None
    added: tuple[TreeLeaf, ...]


class NodeChange(Fact, frozen=True):
    """A node whose left or right tree changed."""

    left: Change
    right: Change


Change = SameTree | NewLeaves | NodeChange


def change(old: Tree, new: Tree) -> Change:
    """Return what leads from one tree to a later one: about 32 bytes a step of the way of each new leaf."""
    if old is new:
        return SameTree(hash_of(old))
    if isinstance(old, TreeNode) and isinstance(new, TreeNode):
        return NodeChange(change(old.left, new.left), change(old.right, new.right))
    return NewLeaves(old if isinstance(old, TreeLeaf) else None, tuple(each for each in leaves(new) if each != old))


def leaves(tree: Tree) -> Iterable[TreeLeaf]:
    """Yield all leaves of a tree, in the order of their indexes."""
    if isinstance(tree, TreeNode):
        yield from leaves(tree.left)
        yield from leaves(tree.right)
    elif tree:
        yield tree


def roots(told: Change) -> tuple[bytes, bytes]:
    """Return the roots (32 bytes each) of the tree before and of the one after, which has all that the first has.

    Raises:
        Malformed: a hash, index or commitment has not 32 bytes, the change is deeper than an index has bits, an index
            stands twice, or a leaf stands at the place of another index.
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
        leaves = (*([told.before] if told.before else []), *told.added)
        after = tree_of(leaves, len(way))
        if any(_bit(each.index, at) != bit for each in leaves for at, bit in enumerate(way)):
            raise Malformed("a leaf stands at the place of another index")
        return hash_of(told.before), hash_of(after)
    (left, later_left), (right, later_right) = _roots(told.left, (*way, 0)), _roots(told.right, (*way, 1))
    return above(left, right), above(later_left, later_right)


def added(told: Change) -> Mapping[bytes, bytes]:
    """Return the commitments that a change adds, by index."""
    if isinstance(told, SameTree):
        return {}
    if isinstance(told, NewLeaves):
        return {each.index: each.commitment for each in told.added}
    return {**added(told.left), **added(told.right)}
