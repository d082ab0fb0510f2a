"""Positions in a tree whose leaves are a power of two: leaf i is node 2i, and a parent stands between its children.

            3                The level of a node is the number of ones at the end of its index. A tree grows by
        1       5            doubling: the old tree becomes the left half, and no node gets another index.
      0   2   4   6

Source: RFC 9420, section 4.1.2 and appendix C.
"""

from __future__ import annotations


def level(node: int) -> int:
    """Return the height of a node above the leaves."""
    return (node ^ (node + 1)).bit_length() - 1


def node_width(leaves: int) -> int:
    """Return the number of nodes of a tree with so many leaves."""
    return 2 * leaves - 1 if leaves else 0


def root(leaves: int) -> int:
    """Return the root of a tree with so many leaves, a power of two."""
    return leaves - 1


def left(node: int) -> int | None:
    """Return the left child, or None of a leaf."""
    k = level(node)
    return node ^ (1 << (k - 1)) if k else None


def right(node: int) -> int | None:
    """Return the right child, or None of a leaf."""
    k = level(node)
    return node ^ (3 << (k - 1)) if k else None


def children(node: int) -> tuple[int, int]:
    """Return both children of a parent."""
    half = 1 << (level(node) - 1)
    return node ^ half, node ^ (3 * half)


def parent(node: int, leaves: int) -> int | None:
    """Return the parent, or None of the root."""
    if node == root(leaves):
        return None
    k = level(node)
    return (node | 1 << k) & ~(1 << (k + 1))


def sibling(node: int, leaves: int) -> int | None:
    """Return the other child of the parent, or None of the root."""
    above = parent(node, leaves)
    if above is None:
        return None
    one, other = children(above)
    return other if node == one else one


def direct_path(node: int, leaves: int) -> list[int]:
    """Return the nodes above a node, from its parent to the root."""
    path = []
    while (above := parent(node, leaves)) is not None:
        path.append(node := above)
    return path


def copath(node: int, leaves: int) -> list[int]:
    """Return the siblings of a node and of all nodes above it but the root, from below."""
    below = [node, *direct_path(node, leaves)][:-1]
    return [other for each in below if (other := sibling(each, leaves)) is not None]


def is_under(node: int, above: int) -> bool:
    """Return whether a node is another one, or stands under it."""
    half = (1 << level(above)) - 1
    return above - half <= node <= above + half


def leaves_under(node: int) -> range:
    """Return the leaf indices (not node indices) under a node."""
    half = (1 << level(node)) - 1
    return range((node - half) // 2, (node + half) // 2 + 1)


def common_ancestor(one: int, other: int) -> int:
    """Return the lowest node above two nodes, which may be one of them."""
    node, k = one, level(one)
    while not is_under(other, node):
        node, k = (node | 1 << k) & ~(1 << (k + 1)), k + 1
    return node
