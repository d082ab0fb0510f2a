"""The public tree of a group: members at the leaves, and at parents keys that all members below a parent share.

  resolution   the fewest nodes that have keys and together reach every member below a node
  tree hash    H(1 ‖ leaf index ‖ leaf?)   H(2 ‖ parent? ‖ left<V> ‖ right<V>)
  parent hash  H(key ‖ parent hash above ‖ hash of the other side, as it was when the parent was made)
  filtered     of the nodes above a leaf, those that have a member on the other side

A node is blank (None) where there is no member, or no key yet. Source: RFC 9420, sections 4.1, 7.6 to 7.9 and 12.4.3.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated

from msgspec.structs import replace

from escrow import crypto
from escrow.errors import Forged, Malformed
from escrow.mls.framing import UpdatePath
from escrow.mls.leaf_node import LeafNode
from escrow.mls.presentation import Opaque, Select, Tls, Uint32, Vector, decode, opaque
from escrow.mls.trees import tree_math

NOBODY: frozenset[int] = frozenset()
KEY = 32  # bytes of a public key


class ParentNode(Tls, frozen=True):
    """A key (32 bytes) of the members below, but those unmerged, who came later and do not have its private half."""

    encryption_key: Opaque
    parent_hash: Opaque = b""
    unmerged_leaves: Vector[Uint32] = ()


class _Nodes(Tls, frozen=True):
    nodes: Vector[Annotated[LeafNode | ParentNode, Select("node type", 1, {1: LeafNode, 2: ParentNode})] | None]


@lru_cache(maxsize=64)
def _decoded(data: bytes) -> _Nodes:
    """Return the nodes of an encoded tree: all members read the same one, one after the other."""
    return decode(data, _Nodes)


class _ParentHashInput(Tls, frozen=True):
    encryption_key: Opaque
    parent_hash: Opaque
    original_sibling_tree_hash: Opaque


class RatchetTree:
    """The nodes of a tree, by index; the number of leaves is a power of two."""

    def __init__(self, nodes: Sequence[LeafNode | ParentNode | None]) -> None:
        self.nodes = list(nodes)

    @classmethod
    def of(cls, leaf: LeafNode) -> RatchetTree:
        """Return the tree of one member."""
        return cls([leaf])

    @classmethod
    def decoded(cls, data: bytes) -> RatchetTree:
        """Return the tree that an encoding has.

        Raise Malformed if it has none, ends with a blank node, or has leaves and parents in wrong places.
        """
        nodes = list(_decoded(data).nodes)
        if not nodes or nodes[-1] is None:
            raise Malformed("ratchet tree: it has no node, or a blank one at its end")
        for number, node in enumerate(nodes):
            if node is not None and isinstance(node, LeafNode) is bool(number % 2):
                raise Malformed(f"ratchet tree: node {number} is of the wrong kind")
        leaves = 1
        while tree_math.node_width(leaves) < len(nodes):
            leaves *= 2
        return cls(nodes + [None] * (tree_math.node_width(leaves) - len(nodes)))

    def encoded(self) -> bytes:
        """Return the encoding, without blank nodes at the end (section 12.4.3.3)."""
        size = max(number for number, node in enumerate(self.nodes) if node is not None) + 1
        return _Nodes(tuple(self.nodes[:size])).encoded()

    def copy(self) -> RatchetTree:
        """Return a tree that changes apart from this one."""
        return RatchetTree(self.nodes)

    # --- members ---

    @property
    def leaves(self) -> int:
        """The number of leaves, blank ones too."""
        return (len(self.nodes) + 1) // 2

    def leaf(self, index: int) -> LeafNode:
        """Return the member at a leaf index. Raise Forged if there is none."""
        node = self.nodes[2 * index] if 0 <= index < self.leaves else None
        if not isinstance(node, LeafNode):
            raise Forged(f"there is no member at leaf {index}")
        return node

    def members(self) -> Iterator[tuple[int, LeafNode]]:
        """Yield (leaf index, leaf) of every member, from the left."""
        for index in range(self.leaves):
            if isinstance(node := self.nodes[2 * index], LeafNode):
                yield index, node

    def has(self, node: int, public: bytes) -> bool:
        """Return whether a node has a public key."""
        found = self.nodes[node] if node < len(self.nodes) else None
        return found is not None and found.encryption_key == public

    def _above(self, index: int) -> list[int]:
        return tree_math.direct_path(2 * index, self.leaves)

    def free_leaf(self) -> int:
        """Return the index of the leftmost blank leaf, which may lie behind the last."""
        return next((index for index in range(self.leaves) if self.nodes[2 * index] is None), self.leaves)

    def add(self, leaf: LeafNode) -> int:
        """Put a member at the leftmost blank leaf, whose index is returned; the nodes above have him as unmerged."""
        if (index := self.free_leaf()) == self.leaves:
            self.nodes += [None] * (len(self.nodes) + 1)
        for above in self._above(index):
            if isinstance(node := self.nodes[above], ParentNode):
                self.nodes[above] = replace(node, unmerged_leaves=tuple(sorted({*node.unmerged_leaves, index})))
        self.nodes[2 * index] = leaf
        return index

    def update(self, index: int, leaf: LeafNode) -> None:
        """Replace a member's leaf; the nodes above become blank. Raise Forged if there is no such member."""
        self.leaf(index)
        for above in self._above(index):
            self.nodes[above] = None
        self.nodes[2 * index] = leaf

    def remove(self, index: int) -> None:
        """Remove a member. While the right half has no member, it goes too. Raise Forged if there is no such member."""
        self.update(index, self.leaf(index))
        self.nodes[2 * index] = None
        while len(self.nodes) > 1 and not any(self.nodes[len(self.nodes) // 2 + 1 :]):
            del self.nodes[len(self.nodes) // 2 :]

    # --- who has which keys ---

    def resolution(self, node: int) -> list[int]:
        """Return the nodes whose keys reach every member below a node, from left to right (section 4.1.1)."""
        found = self.nodes[node]
        if isinstance(found, ParentNode):
            return [node, *(2 * leaf for leaf in found.unmerged_leaves)]
        if found is not None:
            return [node]
        if tree_math.level(node) == 0:
            return []
        return [each for child in tree_math.children(node) for each in self.resolution(child)]

    def filtered_path(self, index: int) -> list[tuple[int, int]]:
        """Return (node, its child on the other side) above a leaf, where that side has a member (section 4.1.2)."""
        path = zip(self._above(index), tree_math.copath(2 * index, self.leaves), strict=True)
        return [(node, other) for node, other in path if self.resolution(other)]

    # --- hashes ---

    def tree_hash(self, node: int | None = None, without: frozenset[int] = NOBODY) -> bytes:
        """Return the hash (32 bytes) of the tree below a node, or of all; as if some leaf indices had no member."""
        node = tree_math.root(self.leaves) if node is None else node
        found = self.nodes[node]
        if tree_math.level(node) == 0:
            shown = None if node // 2 in without else found
            head = b"\x01" + (node // 2).to_bytes(4, "big")
            return crypto.digest(head + _optional(shown))
        if without and isinstance(found, ParentNode):
            kept = tuple(leaf for leaf in found.unmerged_leaves if leaf not in without)
            found = replace(found, unmerged_leaves=kept)
        below = b"".join(opaque(self.tree_hash(child, without)) for child in tree_math.children(node))
        return crypto.digest(b"\x02" + _optional(found) + below)

    def hash_for_below(self, node: int, other: int) -> bytes:
        """Return the parent hash that the node below a parent has, on the side away from `other` (section 7.9)."""
        parent = self.nodes[node]
        if not isinstance(parent, ParentNode):
            raise Forged(f"node {node} is blank and has no parent hash")
        before = self.tree_hash(other, frozenset(parent.unmerged_leaves))
        return crypto.digest(_ParentHashInput(parent.encryption_key, parent.parent_hash, before).encoded())

    def set_path(self, index: int, keys: Sequence[bytes]) -> bytes:
        """Put new keys above a leaf, from below; other nodes above become blank. Return the leaf's parent hash.

        Raise Forged if the keys are not as many as the nodes of the filtered path.
        """
        path = self.filtered_path(index)
        if len(keys) != len(path):
            raise Forged(f"an update path has {len(keys)} keys for {len(path)} nodes")
        for above in self._above(index):
            self.nodes[above] = None
        parent_hash = b""
        for (node, other), key in reversed(list(zip(path, keys, strict=True))):
            self.nodes[node] = ParentNode(key, parent_hash)
            parent_hash = self.hash_for_below(node, other)
        return parent_hash

    def merge(self, index: int, path: UpdatePath) -> None:
        """Apply an update path to the leaf and the nodes above it. Raise Forged if its parent hash does not fit."""
        if self.set_path(index, [node.encryption_key for node in path.nodes]) != path.leaf_node.parent_hash:
            raise Forged("the parent hash of an update path does not fit")
        self.nodes[2 * index] = path.leaf_node

    def check_keys(self) -> None:
        """Raise Forged if an encryption key or a signature key appears twice in the tree, or is not 32 bytes."""
        shown = [node.encryption_key for node in self.nodes if node is not None]
        signing = [leaf.signature_key for _, leaf in self.members()]
        if len({*shown}) < len(shown) or len({*signing}) < len(signing):
            raise Forged("a key appears twice in the ratchet tree")
        if any(len(key) != KEY for key in (*shown, *signing)):
            raise Forged(f"a key in the ratchet tree is not {KEY} bytes")


def _optional(node: LeafNode | ParentNode | None) -> bytes:
    return b"\x00" if node is None else b"\x01" + node.encoded()
