"""MLS as published: the vectors of its working group, of ciphersuite 1, byte for byte."""

from collections.abc import Iterator
from typing import Any

import external
import msgspec
import pytest

from escrow.crypto import SigningKey, private_of
from escrow.errors import Forged, Malformed
from escrow.mls import key_schedule, labelled
from escrow.mls.framing import (
    AddMember,
    ApplicationData,
    AuthData,
    AuthenticatedContent,
    ExternalPsk,
    MemberSender,
    PreSharedKeyId,
    PrivateMessage,
    Proposed,
    PublicMessage,
    RemoveMember,
    UpdateLeaf,
)
from escrow.mls.key_schedule import GroupContext
from escrow.mls.leaf_node import KeyPackage
from escrow.mls.messages import Body, from_bytes, to_bytes
from escrow.mls.pre_shared import psk_secret
from escrow.mls.presentation import Stream, decode, varint
from escrow.mls.protection import (
    check_signed,
    confirmed_hash,
    from_private,
    from_public,
    interim_hash,
    ratchet_kind,
    sign,
    to_private,
    to_public,
)
from escrow.mls.trees import tree_math
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.mls.trees.secret_tree import APPLICATION, HANDSHAKE, HashRatchet, SecretTree, sender_data_key
from escrow.mls.welcome import Welcome, open_welcome


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


EPOCH = [field.name for field in msgspec.structs.fields(key_schedule.EpochSecrets)]


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


def test_messages_are_protected_as_published():
    (case,) = cases("mls/message-protection.json")
    group_id, tree_hash, confirmed = hexes(case, "group_id", "tree_hash", "confirmed_transcript_hash")
    context = GroupContext(
        group_id=group_id, epoch=case["epoch"], tree_hash=tree_hash, confirmed_transcript_hash=confirmed
    )
    key = SigningKey(*hexes(case, "signature_pub", "signature_priv"))
    encryption, sender_data, membership = hexes(case, "encryption_secret", "sender_data_secret", "membership_key")
    epoch = msgspec.structs.replace(key_schedule.epoch_of(bytes(32)), sender_data_secret=sender_data)

    def keys() -> SecretTree:
        return SecretTree(encryption, 2)

    def opened(message: Body) -> AuthenticatedContent:
        if isinstance(message, PublicMessage):
            found = from_public(message, context, membership)
        else:
            assert isinstance(message, PrivateMessage)
            found = from_private(message, context, keys(), epoch)
        check_signed(found, key.public, context)
        return found

    def own_ratchet(message: AuthenticatedContent) -> HashRatchet:
        sender = message.content.sender
        assert isinstance(sender, MemberSender)
        return keys().ratchet(sender.leaf, ratchet_kind(message.content.content_type))

    tried = 0
    for name, published in (
        *((name, f"{name}_{form}") for name in ("proposal", "commit") for form in ("pub", "priv")),
        ("application", "application_priv"),
    ):
        message = from_bytes(bytes.fromhex(case[published]))
        assert to_bytes(message).hex() == case[published]
        found = opened(message)
        content = found.content.content
        plain = content.data if isinstance(content, ApplicationData) else content.encoded()
        assert plain.hex() == case[name], published
        signed = sign(key, found.wire_format, found.content, context)
        signed = msgspec.structs.replace(signed, auth=AuthData(signed.auth.signature, found.auth.confirmation_tag))
        ours = (
            to_public(signed, context, membership)
            if isinstance(message, PublicMessage)
            else to_private(signed, own_ratchet(found), epoch.sender_data_secret, padding=7)
        )
        assert opened(from_bytes(to_bytes(ours))) == signed
        tried += 1
    assert tried == 5


def test_transcript_hashes_are_as_published():
    (case,) = cases("mls/transcript-hashes.json")
    key, data, before, confirmed, after = hexes(
        case,
        "confirmation_key",
        "authenticated_content",
        "interim_transcript_hash_before",
        "confirmed_transcript_hash_after",
        "interim_transcript_hash_after",
    )
    commit = decode(data, AuthenticatedContent)
    assert commit.encoded() == data
    assert confirmed_hash(before, commit) == confirmed
    assert labelled.mac(key, confirmed) == commit.auth.confirmation_tag
    assert interim_hash(confirmed, commit.auth.confirmation_tag) == after


def test_a_welcome_opens_as_published():
    (case,) = cases("mls/welcome.json")
    init, package, signer, message = hexes(case, "init_priv", "key_package", "signer_pub", "welcome")
    own, sent = from_bytes(package), from_bytes(message)
    assert isinstance(own, KeyPackage) and isinstance(sent, Welcome)
    own.check()
    assert private_of(init).public == own.init_key
    welcomed = open_welcome(sent, own, private_of(init))
    welcomed.info.check(signer)
    with pytest.raises(Forged, match="GroupInfoTBS"):
        welcomed.info.check(own.leaf_node.signature_key)


def test_trees_change_as_published():
    tried = 0
    for case in cases("mls/tree-operations.json"):
        before, after, proposal = hexes(case, "tree_before", "tree_after", "proposal")
        tree = RatchetTree.decoded(before)
        assert (tree.encoded(), tree.tree_hash().hex()) == (before, case["tree_hash_before"])
        change = decode(proposal, Proposed).proposal
        if isinstance(change, AddMember):
            tree.add(change.key_package.leaf_node)
        elif isinstance(change, UpdateLeaf):
            tree.update(case["proposal_sender"], change.leaf_node)
        else:
            assert isinstance(change, RemoveMember)
            tree.remove(change.removed)
        assert (tree.encoded(), tree.tree_hash().hex()) == (after, case["tree_hash_after"])
        tried += 1
    assert tried == 5


def test_pre_shared_keys_are_mixed_as_published():
    tried = 0
    for case in cases("mls/psk_secret.json"):
        keys = []
        for each in case["psks"]:
            name, key, nonce = hexes(each, "psk_id", "psk", "psk_nonce")
            keys.append((PreSharedKeyId(ExternalPsk(name), nonce), key))
        assert psk_secret(keys).hex() == case["psk_secret"]
        tried += 1
    assert tried == 11
