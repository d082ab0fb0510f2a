"""Faults that are planted in the design, each seen by a property of groups which holds without it.

A property is a function that plays a little and returns whether it holds.
"""

import msgspec
import pytest
from test_mls_groups import OUTSIDER, check_keys, client, group

from escrow.errors import Forged
from escrow.mls import group_state, participant, protection
from escrow.mls.framing import AddMember, AuthData, ExternalSender, FramedContent, MemberSender, Proposed, RemoveMember
from escrow.mls.joining import join_externally, join_welcomed, propose_from_outside
from escrow.mls.messages import from_bytes, to_bytes
from escrow.mls.protection import sign, to_public
from escrow.mls.trees import tree_checks
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.mls.trees.secret_tree import HashRatchet
from escrow.mls.trees.tree_checks import check_tree


def refused(act) -> bool:
    try:
        act()
    except Forged:
        return True
    return False


# --- properties ---


def who_is_removed_is_out() -> bool:
    members = group(5)
    for each in members.values():
        sent = each.commit()
        for other in members.values():
            if other is not each:
                other.receive(sent.message)
    gone = members[2].copy()
    sent = members[0].commit([RemoveMember(2)])
    known = {key.public for key in gone.keys.values()}
    today = members[0].state.tree
    return not any(node is not None and node.encryption_key in known for node in today.nodes) and bool(sent.message)


def who_comes_is_unmerged_where_it_has_no_key() -> bool:
    first, late = group(3)[0], client("late")
    first.commit()
    sent = first.commit([AddMember(late.package)], path=False)
    try:
        joined = join_welcomed(late, sent.welcome)
        check_keys({joined.index: joined})
    except (AssertionError, Forged):
        return False
    return True


def a_commit_shows_that_its_sender_has_the_epoch() -> bool:
    members = group(2)
    body = from_bytes(join_externally(client("ghost"), members[0].group_info())[1])
    other = msgspec.structs.replace(body, auth=AuthData(body.auth.signature, bytes(32)))
    return refused(lambda: members[1].receive(to_bytes(other)))


def a_stolen_signature_key_alone_sends_nothing() -> bool:
    members = group(2)
    context = members[0].state.context
    framed = FramedContent(context.group_id, context.epoch, MemberSender(0), b"", Proposed(RemoveMember(1)))
    message = to_public(sign(members[0].signing, protection.PUBLIC, framed, context), context, bytes(32))
    return refused(lambda: members[1].receive(to_bytes(message)))


def a_key_above_is_tied_to_the_leaf_below() -> bool:
    """The tree that a joiner gets cannot have a foreign key at a parent."""
    tree = group(4)[0].state.tree
    root = len(tree.nodes) // 2
    tree.nodes[root] = msgspec.structs.replace(tree.nodes[root], encryption_key=client("x").package.init_key)
    return refused(lambda: check_tree(tree, b"group"))


def a_message_fits_one_group_only() -> bool:
    """A proposal that was signed in one of two groups of one name and epoch is refused in the other."""
    first = group(2)[0]
    other = group(2)[1]
    message = propose_from_outside(OUTSIDER, ExternalSender(0), first.state, RemoveMember(1))
    framed = from_bytes(message).content
    framed = msgspec.structs.replace(framed, sender=MemberSender(0))
    signed = sign(first.signing, protection.PUBLIC, framed, first.state.context)
    leaf = msgspec.structs.replace(other.state.tree.leaf(0), signature_key=first.signing.public)
    other.state.tree.nodes[0] = leaf
    again = to_public(signed, other.state.context, other.state.epoch.membership_key)
    return refused(lambda: other.receive(to_bytes(again)))


def nobody_proposes_who_is_not_listed() -> bool:
    members = group(2)
    stranger = client("stranger").signing
    message = propose_from_outside(stranger, ExternalSender(0), members[0].state, RemoveMember(1))
    return refused(lambda: members[0].receive(message))


def a_text_opens_once() -> bool:
    members = group(2)
    sent = members[0].send(b"text")
    members[1].receive(sent)
    return refused(lambda: members[1].receive(sent))


# --- faults ---


def keeps_the_nodes_above(patch):
    def update(self, index, leaf):
        self.nodes[2 * index] = leaf

    patch.setattr(RatchetTree, "update", update)


def newcomers_are_not_marked(patch):
    def add(self, leaf):
        index = self.free_leaf()
        if index == self.leaves:
            self.nodes += [None] * (len(self.nodes) + 1)
        self.nodes[2 * index] = leaf
        return index

    patch.setattr(RatchetTree, "add", add)


def ignores_the_confirmation(patch):
    honest = group_state.GroupState.after

    def after(self, applied, commit, *rest):
        state, made = honest(self, applied, commit, *rest)
        tag = commit.auth.confirmation_tag
        return (state if tag is None else msgspec.structs.replace(state, tag=tag)), made

    patch.setattr(group_state.GroupState, "after", after)


def ignores_the_membership_tag(patch):
    patch.setattr(protection, "_membership_tag", lambda message, context, key: bytes(32))


def ignores_parent_hashes(patch):
    patch.setattr(tree_checks, "ties", lambda tree, node, child, other: True)


def signs_without_the_group(patch):
    honest = protection.AuthenticatedContent.signed_bytes
    patch.setattr(protection.AuthenticatedContent, "signed_bytes", lambda self, context: honest(self, b""))


def takes_any_outsider(patch):
    patch.setattr(participant, "check_signed", lambda message, public, context: None)


def keeps_used_keys(patch):
    honest = HashRatchet.at

    def at(self, generation):
        made = self.skipped[generation] = honest(self, generation)
        return made

    patch.setattr(HashRatchet, "at", at)


FAULTS = (
    (keeps_the_nodes_above, who_is_removed_is_out),
    (newcomers_are_not_marked, who_comes_is_unmerged_where_it_has_no_key),
    (ignores_the_confirmation, a_commit_shows_that_its_sender_has_the_epoch),
    (ignores_the_membership_tag, a_stolen_signature_key_alone_sends_nothing),
    (ignores_parent_hashes, a_key_above_is_tied_to_the_leaf_below),
    (signs_without_the_group, a_message_fits_one_group_only),
    (takes_any_outsider, nobody_proposes_who_is_not_listed),
    (keeps_used_keys, a_text_opens_once),
)


@pytest.mark.parametrize(("fault", "holds"), FAULTS, ids=lambda each: each.__name__)
def test_a_property_holds_and_sees_the_fault_that_breaks_it(fault, holds, monkeypatch):
    assert holds()
    fault(monkeypatch)
    assert not holds()
