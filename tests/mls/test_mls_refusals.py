"""What does not fit is refused by a typed error whose text says which check failed, and changes nothing."""

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given
from test_mls_groups import OUTSIDER, client, group

from escrow.crypto import Private, new_private, new_signing_key
from escrow.errors import EscrowError, Forged, Malformed, Refused
from escrow.mls.applying import apply
from escrow.mls.framing import (
    PRIVATE,
    AddMember,
    ChangeExtensions,
    Commit,
    ExternalInit,
    ExternalPsk,
    ExternalSender,
    FramedContent,
    MemberSender,
    NewMemberProposal,
    PreSharedKeyId,
    Proposed,
    PublicMessage,
    RemoveMember,
    ResumptionPsk,
    UpdateLeaf,
    UsePsk,
)
from escrow.mls.joining import found_group, join_externally, join_welcomed, new_client, propose_from_outside
from escrow.mls.key_schedule import external_init, external_init_opened
from escrow.mls.leaf_node import KeyPackage, new_leaf
from escrow.mls.messages import from_bytes, to_bytes
from escrow.mls.pre_shared import PreSharedKeys
from escrow.mls.protection import sign, to_private
from escrow.mls.trees.ratchet_tree import ParentNode, RatchetTree
from escrow.mls.trees.secret_tree import HashRatchet
from escrow.mls.trees.tree_checks import check_tree
from escrow.primitives import hpke


def changed(message, **fields):
    return to_bytes(msgspec.structs.replace(from_bytes(message), **fields))


def state_of(member):
    return member.state, dict(member.keys), dict(member.proposals)


@pytest.mark.parametrize("encrypts", [False, True])
def test_a_damaged_commit_is_refused_and_changes_nothing(encrypts):
    members = group(3)
    members[0].encrypts = encrypts
    sent, other = members[0].commit().message, members[1]
    before = state_of(other)
    for place in range(0, len(sent), 7):
        damaged = bytearray(sent)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(EscrowError) as error:
            other.receive(bytes(damaged))
        assert isinstance(error.value, Forged | Malformed) and str(error.value)
        assert state_of(other) == before
    for size in range(0, len(sent), 97):
        with pytest.raises((Malformed, Forged)):
            other.receive(sent[:size])
    with pytest.raises(Malformed, match="1 bytes too many"):
        other.receive(sent + b"\x00")
    other.receive(sent)
    assert other.state.epoch == members[0].state.epoch


def test_a_damaged_welcome_is_refused():
    first, late = found_group(client("0"), b"group"), client("1")
    sent = first.commit([AddMember(late.package)]).welcome
    for place in range(0, len(sent), 11):
        damaged = bytearray(sent)
        damaged[place] ^= 1 << place % 8
        with pytest.raises((Forged, Malformed)):
            join_welcomed(late, bytes(damaged))
    with pytest.raises(Forged, match="for other key packages"):
        join_welcomed(client("2"), sent)
    with pytest.raises(Forged, match="no Welcome"):
        join_welcomed(late, first.send(b"text"))


REFUSED = {
    "another group": (lambda first, other: group(2)[0].commit().message, "membership tag|epoch"),
    "no member": (lambda first, other: changed(first.commit().message, membership_tag=bytes(32)), "membership tag"),
    "twice": (lambda first, other: told(other, first.commit().message), "of epoch 1, and the group in epoch 2"),
    "own": (lambda first, other: other.send(b"text"), "used before"),
    "no message": (lambda first, other: to_bytes(first.group_info()), "GroupInfo is no message to a group"),
    "unlisted": (
        lambda first, other: propose_from_outside(OUTSIDER, ExternalSender(1), first.state, RemoveMember(0)),
        "lists no external sender 1",
    ),
    "another's signature": (
        lambda first, other: propose_from_outside(first.signing, ExternalSender(0), first.state, RemoveMember(0)),
        "signature of FramedContentTBS",
    ),
    "no such power": (
        lambda first, other: propose_from_outside(OUTSIDER, ExternalSender(0), first.state, ExternalInit(bytes(32))),
        "an external sender proposes ExternalInit",
    ),
    "a stranger removes": (
        lambda first, other: propose_from_outside(OUTSIDER, NewMemberProposal(), first.state, RemoveMember(0)),
        "something else than to add himself",
    ),
}


def told(member, message):
    member.receive(message)
    return message


@pytest.mark.parametrize("name", REFUSED)
def test_each_check_of_a_message_says_what_failed(name):
    make, text = REFUSED[name]
    members = group(2)
    message = make(members[0], members[1])
    with pytest.raises(Forged, match=text):
        members[1].receive(message)


def test_lists_that_no_commit_may_have_are_refused_by_name():
    first = group(3)[0]
    before = state_of(first)
    for proposals, text in (
        ([RemoveMember(0)], "removes its own sender"),
        ([UpdateLeaf(first.leaf)], "has an update of its own sender"),
        ([RemoveMember(1), RemoveMember(1)], "changes leaf 1 twice|no member at leaf 1"),
        ([RemoveMember(9)], "no member at leaf 9"),
        ([ExternalInit(bytes(32))], "member's commit has an ExternalInit"),
        ([ChangeExtensions(()), ChangeExtensions(())], "changes the extensions twice"),
        ([AddMember((twice := client("x")).package), AddMember(twice.package)], "a key appears twice"),
        ([AddMember(msgspec.structs.replace(client("y").package, version=2))], "version 2"),
        ([AddMember(msgspec.structs.replace(client("y").package, signature=bytes(64)))], "signature of KeyPackageTBS"),
    ):
        with pytest.raises(Forged, match=text):
            first.commit(proposals)
        assert state_of(first) == before


def test_a_pre_shared_key_is_needed_by_everybody_and_named_where_it_lacks():
    name, key = PreSharedKeyId(ExternalPsk(b"a key"), bytes(32)), bytes(range(32))
    members, late = group(3), client("late")
    for index in (0, 1):
        members[index].psks = PreSharedKeys({b"a key": key})
    sent = members[0].commit([AddMember(late.package), UsePsk(name)])
    members[1].receive(sent.message)
    joined = join_welcomed(late, sent.welcome, psks=PreSharedKeys({b"a key": key}))
    assert joined.state.epoch == members[0].state.epoch == members[1].state.epoch
    for act in (lambda: members[2].receive(sent.message), lambda: join_welcomed(late, sent.welcome)):
        with pytest.raises(Forged, match="a pre-shared key is not there: ExternalPsk"):
            act()
    with pytest.raises(Forged, match="names a pre-shared key twice"):
        members[0].commit([UsePsk(name), UsePsk(name)])
    wrong = PreSharedKeys({b"a key": bytes(32)})
    with pytest.raises(Forged, match="GroupInfo of a Welcome does not open"):
        join_welcomed(late, sent.welcome, psks=wrong)


def test_keys_of_earlier_epochs_are_kept_for_some_epochs():
    first = group(1)[0]
    for _ in range(PreSharedKeys.EPOCHS):
        first.commit()
    context = first.state.context
    for age, kept in ((0, True), (PreSharedKeys.EPOCHS - 1, True), (PreSharedKeys.EPOCHS, False)):
        name = PreSharedKeyId(ResumptionPsk(1, context.group_id, context.epoch - age), bytes(32))
        if kept:
            assert len(first.psks.secret([name])) == 32
        else:
            with pytest.raises(Forged, match="ResumptionPsk"):
                first.psks.secret([name])


def test_who_was_removed_sends_and_reads_nothing():
    members = group(3)
    sent = members[0].commit([RemoveMember(2)])
    assert members[2].receive(sent.message).change.removed == (2,)
    for act in (lambda: members[2].send(b"text"), lambda: members[2].receive(members[0].send(b"text"))):
        with pytest.raises(Refused, match="no longer in the group"):
            act()


def test_a_policy_that_refuses_leaves_everything_as_it_was():
    members = group(3)

    def nobody_from_outside(change):
        if not hasattr(change.sender, "leaf"):
            raise Refused("member", "somebody joins from outside")

    members[1].policy = nobody_from_outside
    before = state_of(members[1])
    _, message = join_externally(client("ghost"), members[0].group_info())
    with pytest.raises(Refused, match="from outside"):
        members[1].receive(message)
    assert state_of(members[1]) == before


def test_a_group_info_that_does_not_fit_is_refused():
    member = group(5)[0]
    info = member.group_info()
    join_externally(client("ghost"), info)
    forged = msgspec.structs.replace(info, signature=bytes(64))
    with pytest.raises(Forged, match="signature of GroupInfoTBS"):
        join_externally(client("ghost"), forged)
    other = group(5)[0].group_info()
    with pytest.raises(Forged, match="tree hash"):
        join_externally(client("ghost"), msgspec.structs.replace(info, extensions=other.extensions))
    with pytest.raises(Malformed, match="extension 2 stands 0 times"):
        join_externally(client("ghost"), msgspec.structs.replace(info, extensions=()))


@given(st.data())
def test_bytes_are_refused_or_are_the_one_encoding_of_what_they_say(data):
    """Damage to real messages, and bytes of nobody: whatever is read is written as the same bytes."""
    real = data.draw(st.sampled_from(MESSAGES))
    damaged = bytearray(real)
    for _ in range(data.draw(st.integers(0, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(damaged)[: data.draw(st.integers(0, len(damaged)))]
    for each in (bytes(damaged), cut, real[:4] + data.draw(st.binary(max_size=80))):
        try:
            assert to_bytes(from_bytes(each)) == each
        except Malformed as error:
            assert str(error)


def some_messages():
    first, late = group(2)[0], client("late")
    yield to_bytes(late.package)
    yield to_bytes(first.group_info())
    yield first.send(b"text")
    yield first.update()
    yield join_externally(client("ghost"), first.group_info())[1]
    yield from first.commit([AddMember(late.package)])


MESSAGES = list(some_messages())


def test_an_identity_that_is_no_text_and_a_key_of_another_length_are_no_defects():
    first, odd = group(1)[0], new_client(b"\xff\x00", new_signing_key())
    joined = join_welcomed(odd, first.commit([AddMember(odd.package)]).welcome)
    assert joined.leaf.name == r"\xff" + "\x00"
    short = new_leaf(b"short", odd.signing, Private(b"short", b""))
    package = KeyPackage(init_key=odd.init.public, leaf_node=short).signed(odd.signing)
    with pytest.raises(Forged, match="not 32 bytes"):
        group(1)[0].commit([AddMember(package)])


def test_a_commit_that_renews_nothing_is_refused(monkeypatch):
    members = group(2)
    monkeypatch.setattr("escrow.mls.trees.treekem.new_private", lambda: members[0].keys[0])
    with pytest.raises(Forged, match="the encryption key that its sender had before"):
        members[1].receive(members[0].commit().message)


def damaged_trees():
    member = group(5)[0]
    member.commit()
    whole = member.state.tree
    check_tree(whole, b"group")

    def tree(node, value):
        other = whole.copy()
        other.nodes[node] = value
        return other

    root = tree(7, msgspec.structs.replace(whole.nodes[7], encryption_key=bytes(32)))
    yield root, "parent hash"
    yield tree(3, msgspec.structs.replace(whole.nodes[3], parent_hash=bytes(32))), "parent hash"
    yield tree(3, msgspec.structs.replace(whole.nodes[3], unmerged_leaves=(4,))), "unmerged leaves of node 3"
    yield tree(3, msgspec.structs.replace(whole.nodes[3], unmerged_leaves=(3, 2))), "unmerged leaves of node 3"
    yield tree(2, msgspec.structs.replace(whole.nodes[2], signature=bytes(64))), "signature of LeafNodeTBS"
    yield tree(10, whole.nodes[8]), "a key appears twice"
    yield tree(2, None), "parent hash"


def test_each_fault_of_a_tree_is_refused_by_name():
    for tree, text in damaged_trees():
        with pytest.raises(Forged, match=text):
            check_tree(tree, b"group")
    leaf, parent = group(1)[0].leaf, ParentNode(bytes(32))
    for nodes, text in (([parent], "node 0 is of the wrong kind"), ([leaf, leaf], "node 1 is of the wrong kind")):
        with pytest.raises(Malformed, match=text):
            RatchetTree.decoded(RatchetTree(nodes).encoded())
    with pytest.raises(Malformed, match="a blank one at its end"):
        RatchetTree.decoded(b"\x01\x00")


def test_an_update_is_of_a_leaf_that_a_member_made_for_it():
    state = group(2)[0].state
    elsewhere = UpdateLeaf(client("1").package.leaf_node)
    for sender in (MemberSender(1), NewMemberProposal()):
        with pytest.raises(Forged, match="an update is not of a member, or its leaf comes from elsewhere"):
            apply(state.tree, state.context, [(sender, elsewhere)], 0)


@pytest.mark.parametrize("encrypts", [False, True])
def test_a_message_of_another_group_in_the_same_epoch_says_so(encrypts):
    members, others = group(2), group(2)
    foreign = msgspec.structs.replace(others[0].state.context, group_id=b"another")
    others[0].state = msgspec.structs.replace(others[0].state, context=foreign)
    others[0].encrypts = encrypts
    with pytest.raises(Forged, match="the message is for another group"):
        members[1].receive(others[0].update())


def test_content_that_a_sender_may_not_send_is_refused():
    members = group(2)
    _, message = join_externally(client("ghost"), members[0].group_info())
    body = from_bytes(message)
    assert isinstance(body, PublicMessage)
    bare = msgspec.structs.replace(body.content, content=Commit(body.content.content.proposals, None))
    with pytest.raises(Forged, match="without new keys"):
        members[0].receive(to_bytes(msgspec.structs.replace(body, content=bare)))
    joined = Commit((*body.content.content.proposals, Proposed(ExternalInit(bytes(32)))), body.content.content.path)
    twice = msgspec.structs.replace(body.content, content=joined)
    with pytest.raises(Forged, match="signature"):
        members[0].receive(to_bytes(msgspec.structs.replace(body, content=twice)))


def test_who_is_no_member_sends_nothing_in_private():
    """Its leaf would be what opens the message."""
    state = group(2)[0].state
    framed = FramedContent(
        state.context.group_id, state.context.epoch, NewMemberProposal(), b"", Proposed(RemoveMember(1))
    )
    signed = sign(OUTSIDER, PRIVATE, framed, state.context)
    with pytest.raises(Forged, match="only members send private messages"):
        to_private(signed, HashRatchet(bytes(32)), bytes(32))


def test_the_init_secret_of_who_joins_by_himself_is_exported_under_the_label_of_the_standard():
    key = new_private()
    enc, secret = external_init(key.public)
    exported = hpke.DEFAULT.receiver(key, enc).export(b"MLS 1.0 external init secret", 32)
    assert secret == external_init_opened(key, enc) == exported
