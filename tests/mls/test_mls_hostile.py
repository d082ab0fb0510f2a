"""Members and outsiders that send what they should not: nobody is cut off, renamed or kept from committing."""

from contextlib import nullcontext
from itertools import permutations

import pytest
from msgspec.structs import replace
from test_mls_groups import OUTSIDER, SENDERS, client, group

from escrow.crypto import new_private, new_signing_key
from escrow.errors import Forged, Refused
from escrow.mls import joining, participant
from escrow.mls.applying import apply
from escrow.mls.framing import (
    AddMember,
    ExternalPsk,
    ExternalSender,
    MemberSender,
    NewMemberProposal,
    PreSharedKeyId,
    RemoveMember,
    UpdateLeaf,
    UsePsk,
)
from escrow.mls.group_state import anything
from escrow.mls.joining import found_group, join_externally, join_welcomed, propose_from_outside
from escrow.mls.leaf_node import BasicCredential, FromUpdate
from escrow.mls.mls_device import AUTHENTICATORS, CREDENTIALS, LEAVES, OUTSIDE, REMOVALS, MlsDevice, attested
from escrow.mls.trees import secret_tree


def to_all(members, message, sender):
    for other in members.values():
        if other is not sender and other.active:
            other.receive(message)


# --- proposals that no commit may list ---

NONCE = bytes(32)
BAD = {
    "the committer goes": lambda: RemoveMember(0),
    "the same member goes twice": lambda: RemoveMember(1),
    "a key that nobody has": lambda: UsePsk(PreSharedKeyId(ExternalPsk(b"unknown"), NONCE)),
    "somebody new": lambda: AddMember(client("x").package),
}


@pytest.mark.parametrize("order", [*permutations(BAD, 2)])
def test_nobodys_proposal_keeps_others_from_a_commit(order):
    members = group(4)
    for name in (*order, *order):
        proposal = BAD[name]()
        to_all(members, members[2].propose(proposal), members[2])
    to_all(members, members[2].propose(RemoveMember(3)), members[2])
    sent = members[0].commit()
    for index in (1, 2):
        if members[index].active:
            members[index].receive(sent.message)
    names = {leaf.name for _, leaf in members[0].state.tree.members()}
    assert members[0].state.context.epoch == 2 and "0" in names and "3" not in names


def test_an_outsiders_proposal_that_the_policy_refuses_is_left_out_and_a_members_is_not():
    members, stranger = group(3), client("stranger")

    def policy(change):
        if change.added:
            raise Refused("policy", "nobody new")

    members[0].policy = policy
    outside = propose_from_outside(stranger.signing, NewMemberProposal(), members[0].state, AddMember(stranger.package))
    to_all(members, outside, None)
    to_all(members, members[1].propose(RemoveMember(2)), members[1])
    members[1].receive(members[0].commit().message)
    assert [index for index, _ in members[0].state.tree.members()] == [0, 1]
    members[0].receive(members[1].propose(AddMember(client("late").package)))
    members[1].receive(members[0].commit().message)
    assert [index for index, _ in members[1].state.tree.members()] == [0, 1]
    with pytest.raises(Refused, match="nobody new"):
        members[0].commit([AddMember(client("late").package)])


def test_one_senders_proposals_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(participant, "MOST_PENDING", 3)
    members = group(2)
    for _ in range(3):
        members[1].receive(
            propose_from_outside(OUTSIDER, ExternalSender(0), members[0].state, AddMember(client("x").package))
        )
    with pytest.raises(Refused, match="3 proposals waiting"):
        members[1].receive(
            propose_from_outside(OUTSIDER, ExternalSender(0), members[0].state, AddMember(client("x").package))
        )
    members[1].receive(members[0].propose(RemoveMember(1)))
    assert len(members[1].proposals) == 4


# --- who joins by his own commit ---


def test_who_joins_by_his_own_commit_removes_nobody_but_his_former_self(monkeypatch):
    members = group(3)
    info = members[0].group_info()
    with pytest.raises(Forged, match="removes leaf 1, which is another's"):
        join_externally(client("stranger"), info, instead_of=1)
    _, honest = join_externally(client("1"), info, instead_of=1)
    monkeypatch.setattr(joining, "check_former", lambda *_: None)
    _, forged = join_externally(client("stranger"), info, instead_of=1)
    for member in members.values():
        with pytest.raises(Forged, match="removes leaf 1, which is another's"):
            member.receive(forged)
    assert all(member.active for member in members.values())
    to_all(members, honest, None)
    assert not members[1].active and members[2].active


@pytest.fixture
def pair():
    """The devices of two users in a group."""
    service, users = new_signing_key(), ("alice", "bob")
    alice, bob = (MlsDevice(f"{user}-phone", user, service, frozenset(users)) for user in users)
    alice.member = found_group(alice.client, b"group", [SENDERS], alice.policy)
    bob.member = join_welcomed(bob.client, alice.member.commit([AddMember(bob.client.package)]).welcome, bob.policy)
    yield alice, bob, service


def test_an_outsider_cuts_off_no_device_that_takes_nobody_from_outside(pair):
    alice, bob, _ = pair
    _, commit = join_externally(client("bob"), alice.member.group_info(), instead_of=bob.member.index)
    for device in (bob, alice):
        with pytest.raises(Refused, match="somebody joins by his own commit"):
            device.member.receive(commit)
    assert bob.member.active and OUTSIDE in bob.told and REMOVALS not in bob.told


def test_users_who_meet_in_two_epochs_are_told_and_in_one_they_are_not(pair):
    alice, bob, _ = pair
    alice.compare(bob)
    assert AUTHENTICATORS not in alice.told + bob.told
    alice.member.commit()
    alice.compare(bob)
    assert AUTHENTICATORS in alice.told and AUTHENTICATORS in bob.told


# --- names and keys of members ---


@pytest.mark.parametrize("way", ["update", "commit"])
@pytest.mark.parametrize("name", ["alice", "bob"])
def test_a_member_that_takes_another_name_or_key_is_looked_at_as_a_new_one(pair, way, name, monkeypatch):
    alice, bob, service = pair
    key, member = new_signing_key(), bob.member
    member.policy, named = anything, BasicCredential(name.encode())
    word = (attested(service, "bob", key.public),)
    leaf = replace(member.leaf, signature_key=key.public, credential=named, extensions=word, source=FromUpdate())
    if way == "update":
        leaf = replace(leaf, encryption_key=new_private().public).signed(key, b"group", member.index)
        alice.member.receive(member.propose(UpdateLeaf(leaf)))
        alice.member.commit()
    else:
        own = participant.make_path

        def made(tree, _, index, signing, *rest):
            return own(tree, leaf, index, key, *rest)

        monkeypatch.setattr(participant, "make_path", made)
        with nullcontext() if name == "bob" else pytest.raises(Refused, match="nobody attests the key of leaf 1"):
            alice.member.receive(member.commit().message)
    taken = alice.member.state.tree.leaf(1)
    assert taken.name == "bob" and (taken.signature_key == key.public) == (name == "bob")
    assert (LEAVES if name == "bob" else CREDENTIALS) in alice.told


def test_an_update_brings_another_encryption_key():
    members = group(2)
    leaf = replace(members[1].leaf, source=FromUpdate()).signed(members[1].signing, b"group", 1)
    with pytest.raises(Forged, match="the encryption key that its sender had before"):
        apply(members[0].state.tree, members[0].state.context, [(MemberSender(1), UpdateLeaf(leaf))], 0)


# --- what the network changes ---


def test_a_text_that_the_network_changed_does_not_spend_the_key_of_the_true_one():
    first, other = group(2).values()
    texts = [first.send(bytes([number])) for number in range(3)]
    for text in texts[::-1]:
        for place in (-1, -20):
            changed = bytearray(text)
            changed[place] ^= 1
            with pytest.raises(Forged):
                other.receive(bytes(changed))
    assert [other.receive(text).data for text in texts] == [b"\0", b"\1", b"\2"]
    with pytest.raises(Forged, match="used before"):
        other.receive(texts[0])


def test_a_member_does_not_make_others_keep_keys_without_end(monkeypatch):
    monkeypatch.setattr(secret_tree, "MAX_AHEAD", 10)
    first, other = group(2).values()
    texts = [first.send(bytes([number])) for number in range(40)]
    for number in (10, 20, 30):
        assert other.receive(texts[number]).data == bytes([number])
    assert len(other.secrets.ratchet(0, secret_tree.APPLICATION).skipped) == 10
    assert other.receive(texts[29]).data == bytes([29])
