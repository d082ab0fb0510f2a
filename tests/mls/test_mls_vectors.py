"""MLS as published: the vectors of its working group, of ciphersuite 1, byte for byte."""

from collections.abc import Iterator
from typing import Any

import external
import msgspec
import pytest

from escrow.crypto import SigningKey, private_of
from escrow.errors import Malformed
from escrow.mls import key_schedule, labelled, tree_math
from escrow.mls.key_schedule import GroupContext
from escrow.mls.presentation import Stream, varint
from escrow.mls.secret_tree import APPLICATION, HANDSHAKE, SecretTree, sender_data_key


def cases(file: str) -> Iterator[dict[str, Any]]:
    """Each case of a file that is of ciphersuite 1, or of none."""
    for case in external.vectors(file):
        if case.get("cipher_suite", labelled.SUITE) == labelled.SUITE:
            yield case


def hexes(case: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


def test_lengths_are_read_and_written_as_published():
    tried = 0
    for case in cases("mls/deserialization.json"):
        header = bytes.fromhex(case["vlbytes_header"])
        assert (Stream(header).length("header"), varint(case["length"])) == (case["length"], header)
        tried += 1
    assert tried == 14


@pytest.mark.parametrize("header", ["c0", "ffffffff", "4001", "40", "80000001", "800000", ""])
def test_a_length_that_is_cut_off_or_not_the_shortest_is_refused(header):
    with pytest.raises(Malformed, match="header"):
        Stream(bytes.fromhex(header)).length("header")


def test_positions_in_trees_are_as_published():
    tried = 0
    for case in cases("mls/tree-math.json"):
        leaves, nodes = case["n_leaves"], range(case["n_nodes"])
        assert (tree_math.node_width(leaves), tree_math.root(leaves)) == (case["n_nodes"], case["root"])
        assert [tree_math.left(node) for node in nodes] == case["left"]
        assert [tree_math.right(node) for node in nodes] == case["right"]
        assert [tree_math.parent(node, leaves) for node in nodes] == case["parent"]
        assert [tree_math.sibling(node, leaves) for node in nodes] == case["sibling"]
        tried += 1
    assert tried == 10


def test_labelled_operations_are_as_published():
    (case,) = cases("mls/crypto-basics.json")
    one = case["ref_hash"]
    value, out = hexes(one, "value", "out")
    assert labelled.ref_hash(one["label"], value) == out
    one = case["expand_with_label"]
    secret, context, out = hexes(one, "secret", "context", "out")
    assert labelled.expand_with_label(secret, one["label"], context, one["length"]) == out
    one = case["derive_secret"]
    secret, out = hexes(one, "secret", "out")
    assert labelled.derive_secret(secret, one["label"]) == out
    one = case["derive_tree_secret"]
    secret, out = hexes(one, "secret", "out")
    assert labelled.derive_tree_secret(secret, one["label"], one["generation"], one["length"]) == out
    one = case["sign_with_label"]
    private, public, content, signature = hexes(one, "priv", "pub", "content", "signature")
    labelled.check_signature(public, one["label"], content, signature)
    assert labelled.sign_with_label(SigningKey(public, private), one["label"], content) == signature
    one = case["encrypt_with_label"]
    private, public, context, plaintext, enc, sealed = hexes(
        one, "priv", "pub", "context", "plaintext", "kem_output", "ciphertext"
    )
    key = private_of(private)
    assert key.public == public
    published = labelled.HpkeCiphertext(enc, sealed)
    assert labelled.decrypt_with_label(key, one["label"], context, published) == plaintext
    ours = labelled.encrypt_with_label(public, one["label"], context, plaintext)
    assert labelled.decrypt_with_label(key, one["label"], context, ours) == plaintext


EPOCH = [field.name for field in msgspec.structs.fields(key_schedule.Epoch)]


def test_the_key_schedule_is_as_published():
    (case,) = cases("mls/key-schedule.json")
    group_id, init = hexes(case, "group_id", "initial_init_secret")
    for number, each in enumerate(case["epochs"]):
        tree_hash, confirmed = hexes(each, "tree_hash", "confirmed_transcript_hash")
        context = GroupContext(
            group_id=group_id, epoch=number, tree_hash=tree_hash, confirmed_transcript_hash=confirmed
        )
        assert context.encoded().hex() == each["group_context"]
        made = key_schedule.scheduled(init, *hexes(each, "commit_secret"), context, *hexes(each, "psk_secret"))
        assert (made.joiner_secret.hex(), made.welcome_secret.hex()) == (each["joiner_secret"], each["welcome_secret"])
        assert {name: getattr(made.epoch, name).hex() for name in EPOCH} == {name: each[name] for name in EPOCH}
        assert made.epoch.external_key.public.hex() == each["external_pub"]
        exporter = each["exporter"]
        exported = made.epoch.exported(exporter["label"], *hexes(exporter, "context"), exporter["length"])
        assert exported.hex() == exporter["secret"]
        init = made.epoch.init_secret
    assert number == 4


def test_the_secret_tree_is_as_published():
    tried = 0
    for case in cases("mls/secret-tree.json"):
        one = case["sender_data"]
        made = sender_data_key(*hexes(one, "sender_data_secret", "ciphertext"))
        assert (made.key.hex(), made.nonce.hex()) == (one["key"], one["nonce"])
        tree = SecretTree(*hexes(case, "encryption_secret"), len(case["leaves"]))
        for leaf, generations in enumerate(case["leaves"]):
            for each in generations:
                for kind in (APPLICATION, HANDSHAKE):
                    made = tree.ratchet(leaf, kind).at(each["generation"])
                    assert (made.key.hex(), made.nonce.hex()) == (each[f"{kind}_key"], each[f"{kind}_nonce"])
        tried += 1
    assert tried == 3
