"""What a newcomer checks of the whole tree that he is told. Source: RFC 9420, sections 7.9.2 and 12.4.3.1."""

from __future__ import annotations

from escrow.errors import Forged
from escrow.mls.trees import tree_math
from escrow.mls.trees.ratchet_tree import ParentNode, RatchetTree


def check_tree(tree: RatchetTree, group_id: bytes) -> None:
    """Raise Forged unless all signatures, parent hashes and unmerged leaves fit, and no key appears twice."""
    tree.check_keys()
    for index, leaf in tree.members():
        leaf.check(group_id, index)
    for node, found in enumerate(tree.nodes):
        if isinstance(found, ParentNode):
            _check_unmerged(tree, node, found)
            left, right = tree_math.children(node)
            if not (ties(tree, node, left, right) or ties(tree, node, right, left)):
                raise Forged(f"no node below has the parent hash of node {node}")


def _check_unmerged(tree: RatchetTree, node: int, found: ParentNode) -> None:
    unmerged = found.unmerged_leaves
    if list(unmerged) != sorted({*unmerged}) or not {*unmerged} <= {*tree_math.leaves_under(node)}:
        raise Forged(f"the unmerged leaves of node {node} are out of order or elsewhere")
    for leaf in unmerged:
        tree.leaf(leaf)
        for below in tree_math.direct_path(2 * leaf, tree.leaves):
            between = tree.nodes[below]
            if below == node:
                break
            if isinstance(between, ParentNode) and leaf not in between.unmerged_leaves:
                raise Forged(f"leaf {leaf} is unmerged at node {node}, and not at node {below}")


def ties(tree: RatchetTree, node: int, child: int, other: int) -> bool:
    """Return whether a node in the resolution of a child has the parent hash of its parent (section 7.9.2)."""
    expected, resolution = tree.hash_for_below(node, other), tree.resolution(child)
    parent = tree.nodes[node]
    unmerged = parent.unmerged_leaves if isinstance(parent, ParentNode) else ()
    late = {2 * leaf for leaf in unmerged if tree_math.is_under(2 * leaf, child)}
    return any(
        (found := tree.nodes[each]) is not None and found.parent_hash == expected and {*resolution} - {each} == late
        for each in resolution
    )
