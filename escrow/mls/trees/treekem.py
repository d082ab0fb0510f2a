"""How a commit gives all members but the removed ones a new secret: new keys from one leaf to the root.

  path secrets  s[0] random;  s[i+1] = Derive(s[i], "path");  the last is the commit secret
  node i        key pair of Derive(s[i], "node");  s[i] sealed to each key of the resolution on the other side

So who has a key below a node learns the secrets from that node up, and no others.
Source: RFC 9420, sections 7.4 to 7.6.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from escrow.crypto import Private, SigningKey, new_private, random_bytes
from escrow.derivation import honest_only
from escrow.errors import Forged
from escrow.mls.framing import UpdatePath, UpdatePathNode
from escrow.mls.key_schedule import GroupContext
from escrow.mls.labelled import HASH, HpkeCiphertext, decrypt_with_label, derive_secret, encrypt_with_label
from escrow.mls.leaf_node import FromCommit, LeafNode
from escrow.mls.trees import tree_math
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.primitives import hpke

_LABEL = "UpdatePathNode"


@honest_only("a member's own step; what it gives is in escrow.mls.conversations.facts.enter")
def node_key(path_secret: bytes) -> Private:
    """Return the key pair of a node from its path secret, 32 bytes."""
    return hpke.derive_key_pair(derive_secret(path_secret, "node"))


def following(path_secret: bytes) -> bytes:
    """Return the path secret of the next node above; above the last, the commit secret (32 bytes)."""
    return derive_secret(path_secret, "path")


class MadePath(NamedTuple):
    """An update path as its maker has it: his private keys and the path secrets, by node, and the commit secret."""

    path: UpdatePath
    keys: dict[int, Private]
    secrets: dict[int, bytes]
    commit_secret: bytes


def path_receivers(tree: RatchetTree, other: int, newcomers: Collection[int]) -> list[int]:
    """Return the nodes on the other side to which a path secret is sealed: who is new gets it in his Welcome."""
    return [node for node in tree.resolution(other) if not (node % 2 == 0 and node // 2 in newcomers)]


def make_path(
    tree: RatchetTree, leaf: LeafNode, index: int, key: SigningKey, context: GroupContext, newcomers: Collection[int]
) -> MadePath:
    """Put new keys from a leaf to the root, and return what to tell others.

    Args:
        tree: after the proposals of the commit; it is changed.
        leaf: the maker's leaf, of which all but encryption key, source and signature stay.
        index: the maker's leaf index.
        key: the maker's signature key.
        context: the next epoch's, but for the tree hash: its confirmed transcript hash is still that of the last.
        newcomers: the leaf indices of those whom the commit adds.
    """
    path, secret, secrets = tree.filtered_path(index), random_bytes(HASH), dict[int, bytes]()
    for node, _ in path:
        secrets[node] = secret
        secret = following(secret)
    keys = {node: node_key(secrets[node]) for node, _ in path}
    keys[2 * index] = new_private()
    source = FromCommit(tree.set_path(index, [keys[node].public for node, _ in path]))
    own = replace(leaf, encryption_key=keys[2 * index].public, source=source).signed(key, context.group_id, index)
    tree.nodes[2 * index] = own
    labels = replace(context, tree_hash=tree.tree_hash()).encoded()

    def sealed(node: int, other: int) -> tuple[HpkeCiphertext, ...]:
        return tuple(
            encrypt_with_label(found.encryption_key, _LABEL, labels, secrets[node])
            for each in path_receivers(tree, other, newcomers)
            if (found := tree.nodes[each]) is not None
        )

    nodes = tuple(UpdatePathNode(keys[node].public, sealed(node, other)) for node, other in path)
    return MadePath(UpdatePath(own, nodes), keys, secrets, secret)


@honest_only("a member's own steps; what they give is in escrow.mls.conversations.facts.enter")
def open_path(
    tree: RatchetTree,
    path: UpdatePath,
    sender: int,
    own: int,
    keys: Mapping[int, Private],
    context: GroupContext,
    newcomers: Collection[int],
) -> tuple[dict[int, Private], bytes]:
    """Return the private keys of the nodes that two members share, and the commit secret.

    Args:
        tree: after the proposals of the commit, with the path merged.
        path: the update path.
        sender: the leaf index of the member that made it.
        own: the leaf index of the member that reads it.
        keys: the reader's private keys, by node.
        context: the next epoch's, as for `make_path`.
        newcomers: as for `make_path`.

    Raises:
        Forged: the secrets are too few or too many, do not open, or do not give the public keys of the path.
    """
    filtered = tree.filtered_path(sender)
    for sent, (node, other) in zip(path.nodes, filtered, strict=True):
        count, needed = len(sent.encrypted_path_secrets), len(path_receivers(tree, other, newcomers))
        if count != needed:
            raise Forged(f"node {node} of an update path has {count} path secrets for {needed} keys")
    labels = replace(context, tree_hash=tree.tree_hash()).encoded()
    for start, (node, other) in enumerate(filtered):
        if tree_math.is_under(2 * own, other):
            for place, each in enumerate(path_receivers(tree, other, newcomers)):
                if each in keys and tree_math.is_under(2 * own, each):
                    sealed = path.nodes[start].encrypted_path_secrets[place]
                    secret = decrypt_with_label(keys[each], _LABEL, labels, sealed)
                    return keys_above(tree, sender, node, secret)
    raise Forged("no path secret of an update path is sealed to a key of the reader")


def keys_above(tree: RatchetTree, sender: int, start: int, secret: bytes) -> tuple[dict[int, Private], bytes]:
    """Return the private keys of an update path from a node up, and the commit secret, from the node's path secret.

    Raise Forged if they are not those of the public keys in the tree, or if the node is not on the path.
    """
    keys: dict[int, Private] = {}
    above = [node for node, _ in tree.filtered_path(sender) if tree_math.is_under(start, node)]
    if start not in above:
        raise Forged(f"node {start} is not on the update path")
    for node in above:
        keys[node] = node_key(secret)
        found = tree.nodes[node]
        if found is None or found.encryption_key != keys[node].public:
            raise Forged(f"the path secret does not give the public key of node {node}")
        secret = following(secret)
    return keys, secret
