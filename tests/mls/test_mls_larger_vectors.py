"""The working group's larger vectors, which lie nowhere here: TreeKEM, whole trees, and clients that follow a group.

They are read from the folder that ESCROW_LAB_MLS_VECTORS names, such as test-vectors/ of a clone of
github.com/mlswg/mls-implementations, or else skipped, saying so. Those of ciphersuite 1 are tried.
"""

import json
import os
from pathlib import Path

import pytest

from escrow.crypto import SigningKey, private_of
from escrow.mls import messages
from escrow.mls.framing import (
    AddMember,
    ChangeExtensions,
    Commit,
    ExternalInit,
    ReInit,
    RemoveMember,
    UpdateLeaf,
    UpdatePath,
    UsePsk,
)
from escrow.mls.joining import MlsClient, join_welcomed
from escrow.mls.key_schedule import GroupContext
from escrow.mls.labelled import SUITE
from escrow.mls.leaf_node import KeyPackage
from escrow.mls.pre_shared import PreSharedKeys
from escrow.mls.presentation import decode
from escrow.mls.trees import tree_math
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.mls.trees.tree_checks import check_tree
from escrow.mls.trees.treekem import keys_above, make_path, node_key, open_path
from escrow.mls.welcome import GroupSecrets

VARIABLE = "ESCROW_LAB_MLS_VECTORS"
hexed = bytes.fromhex


def published(name):
    if not (named := os.environ.get(VARIABLE)):
        pytest.skip(f"{VARIABLE} names no folder of the working group's vectors")
    return json.loads((Path(named) / f"{name}.json").read_text())


def cases(name):
    return [case for case in published(name) if case["cipher_suite"] == SUITE]


def private_state(tree, leaf):
    keys = {each["node"]: node_key(hexed(each["path_secret"])) for each in leaf["path_secrets"]}
    keys[2 * leaf["index"]] = private_of(hexed(leaf["encryption_priv"]))
    assert all(tree.has(node, key.public) for node, key in keys.items())
    return keys


def test_update_paths_open_as_published_and_ours_open_alike():
    opened = 0
    for case in cases("treekem"):
        tree = RatchetTree.decoded(hexed(case["ratchet_tree"]))
        context = GroupContext(
            group_id=hexed(case["group_id"]),
            epoch=case["epoch"],
            tree_hash=b"",
            confirmed_transcript_hash=hexed(case["confirmed_transcript_hash"]),
        )
        private = {each["index"]: private_state(tree, each) for each in case["leaves_private"]}
        signing = {each["index"]: hexed(each["signature_priv"]) for each in case["leaves_private"]}
        for update in case["update_paths"]:
            path, sender = decode(hexed(update["update_path"]), UpdatePath), update["sender"]
            after, mine = tree.copy(), tree.copy()
            path.leaf_node.check(context.group_id, sender)
            after.merge(sender, path)
            assert after.tree_hash().hex() == update["tree_hash_after"]
            leaf = tree.leaf(sender)
            key = SigningKey(leaf.signature_key, signing[sender])
            made = make_path(mine, leaf, sender, key, context, ())
            for reader in private.keys() - {sender}:
                found = open_path(after, path, sender, reader, private[reader], context, ())
                assert found[1].hex() == update["commit_secret"]
                start = tree_math.common_ancestor(2 * sender, 2 * reader)
                assert keys_above(after, sender, start, hexed(update["path_secrets"][reader])) == found
                ours = open_path(mine, made.path, sender, reader, private[reader], context, ())
                assert ours[1] == made.commit_secret
                opened += 1
    assert opened == 328


def test_whole_trees_are_read_hashed_and_checked_as_published():
    found = cases("tree-validation")
    for case in found:
        tree = RatchetTree.decoded(hexed(case["tree"]))
        assert tree.encoded().hex() == case["tree"]
        nodes = range(len(tree.nodes))
        assert [tree.resolution(node) for node in nodes] == case["resolutions"]
        assert [tree.tree_hash(node).hex() for node in nodes] == case["tree_hashes"]
        check_tree(tree, hexed(case["group_id"]))
    assert len(found) == 14


@pytest.mark.parametrize(
    ("name", "clients", "epochs"),
    [
        ("passive-client-welcome", 8, 0),
        ("passive-client-handling-commit", 13, 26),
        ("passive-client-random", 1, 200),
    ],
)
def test_a_client_that_follows_a_group_has_the_published_authenticator_in_every_epoch(name, clients, epochs):
    followed, found = 0, cases(name)
    for case in found:
        package = messages.from_bytes(hexed(case["key_package"]))
        assert isinstance(package, KeyPackage)
        init, encryption = (private_of(hexed(case[f"{each}_priv"])) for each in ("init", "encryption"))
        signing = SigningKey(package.leaf_node.signature_key, hexed(case["signature_priv"]))
        psks = {hexed(each["psk_id"]): hexed(each["psk"]) for each in case["external_psks"]}
        tree = RatchetTree.decoded(hexed(case["ratchet_tree"])) if case["ratchet_tree"] else None
        client = MlsClient(package, signing, init, encryption)
        member = join_welcomed(client, hexed(case["welcome"]), psks=PreSharedKeys(psks), tree=tree)
        assert member.state.epoch.epoch_authenticator.hex() == case["initial_epoch_authenticator"]
        for epoch in case["epochs"]:
            for message in (*epoch["proposals"], epoch["commit"]):
                member.receive(hexed(message))
            assert member.state.epoch.epoch_authenticator.hex() == epoch["epoch_authenticator"]
            followed += 1
    assert (len(found), followed) == (clients, epochs)


KINDS = {
    "add_proposal": AddMember,
    "update_proposal": UpdateLeaf,
    "remove_proposal": RemoveMember,
    "pre_shared_key_proposal": UsePsk,
    "re_init_proposal": ReInit,
    "external_init_proposal": ExternalInit,
    "group_context_extensions_proposal": ChangeExtensions,
    "commit": Commit,
    "group_secrets": GroupSecrets,
}


def test_every_kind_of_message_is_read_and_written_as_published():
    found = published("messages")
    for case in found:
        for name, text in case.items():
            data = hexed(text)
            if name == "ratchet_tree":
                assert RatchetTree.decoded(data).encoded() == data
            elif name in KINDS:
                assert decode(data, KINDS[name]).encoded() == data
            else:
                assert messages.to_bytes(messages.from_bytes(data)) == data
    assert len(found) == 300
