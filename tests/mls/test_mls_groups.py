"""Groups of MLS: all members agree after every step, and know the private keys above their leaves and no others.

No vectors of TreeKEM and of joining from outside lie here, so these are held to the RFC's own invariants (sections 4.2
and 7.4 to 7.9), in any order of steps.
"""

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from escrow.crypto import new_signing_key
from escrow.mls import messages
from escrow.mls.applying import external_senders_extension
from escrow.mls.framing import AddMember, ExternalSender, MemberSender, NewMemberProposal, RemoveMember, SenderKey
from escrow.mls.joining import (
    MlsClient,
    found_group,
    join_externally,
    join_welcomed,
    new_client,
    propose_from_outside,
)
from escrow.mls.leaf_node import BasicCredential
from escrow.mls.participant import Participant
from escrow.mls.trees import tree_math
from escrow.mls.trees.ratchet_tree import ParentNode, RatchetTree
from escrow.mls.trees.tree_checks import check_tree

OUTSIDER = new_signing_key()
SENDERS = external_senders_extension([SenderKey(OUTSIDER.public, BasicCredential(b"authority"))])


def client(name: str) -> MlsClient:
    return new_client(name.encode(), new_signing_key())


def check_agreement(members: dict[int, Participant]) -> None:
    """All members have one context, tree and epoch; each reads what each other sends."""
    one = next(iter(members.values()))
    for other in members.values():
        assert other.state.context == one.state.context
        assert other.state.epoch == one.state.epoch
        assert other.state.interim == one.state.interim
        assert other.state.tree.encoded() == one.state.tree.encoded()
    assert one.state.context.tree_hash == one.state.tree.tree_hash()
    assert {index for index, _ in one.state.tree.members()} == set(members)


def check_keys(members: dict[int, Participant]) -> None:
    """A member knows the private key of a node exactly if his leaf is below it and not unmerged there."""
    for index, member in members.items():
        tree = member.state.tree
        expected = {2 * index}
        for node in tree_math.direct_path(2 * index, tree.leaves):
            found = tree.nodes[node]
            if isinstance(found, ParentNode) and index not in found.unmerged_leaves:
                expected.add(node)
        assert set(member.keys) == expected
        for node, key in member.keys.items():
            assert tree.has(node, key.public) and key.whole


class Groups(RuleBasedStateMachine):
    """One group; the delivery service gives each epoch one commit and tells it to all."""

    members: dict[int, Participant]

    @initialize()
    def found(self) -> None:
        self.members, self.removed, self.count = {0: found_group(client("0"), b"group", [SENDERS])}, [], 1
        self.epoch = 0

    def name(self) -> str:
        self.count += 1
        return str(self.count)

    def member(self, data: st.DataObject) -> Participant:
        return self.members[data.draw(st.sampled_from(sorted(self.members)))]

    def told(self, message: bytes, sender: int | None) -> None:
        for index, member in list(self.members.items()):
            if index != sender:
                member.receive(message)
            if not member.active:
                self.removed.append(self.members.pop(index))

    def committed(self, member: Participant, sent, newcomers=()) -> None:
        self.epoch += 1
        self.told(sent.message, member.index)
        for each in newcomers:
            joined = join_welcomed(each, sent.welcome)
            self.members[joined.index] = joined

    @precondition(lambda self: len(self.members) < 9)
    @rule(data=st.data(), many=st.integers(1, 3), path=st.booleans(), encrypts=st.booleans())
    def add(self, data, many, path, encrypts):
        member = self.member(data)
        member.encrypts = encrypts
        added = [client(self.name()) for _ in range(many)]
        sent = member.commit([AddMember(each.package) for each in added], path=path)
        self.committed(member, sent, added)

    @rule(data=st.data())
    def commit(self, data):
        member = self.member(data)
        self.committed(member, member.commit())

    @rule(data=st.data())
    def propose_update(self, data):
        member = self.member(data)
        if not member._updates:
            self.told(member.update(), member.index)

    @precondition(lambda self: len(self.members) > 1)
    @rule(data=st.data())
    def remove(self, data):
        member = self.member(data)
        for each in self.members.values():
            each.proposals.clear()  # of updates that the removed member may have sent
        gone = data.draw(st.sampled_from(sorted(set(self.members) - {member.index})))
        self.committed(member, member.commit([RemoveMember(gone)]))
        assert gone not in self.members

    @precondition(lambda self: len(self.members) < 9)
    @rule(data=st.data())
    def join_from_outside(self, data):
        info = messages.from_bytes(messages.to_bytes(self.member(data).group_info()))
        joined, message = join_externally(client(self.name()), info)
        self.epoch += 1
        self.told(message, None)
        self.members[joined.index] = joined

    @rule(data=st.data())
    def join_again(self, data):
        old = self.member(data)
        again = new_client(old.leaf.identity, new_signing_key())
        joined, message = join_externally(again, self.member(data).group_info(), instead_of=old.index)
        self.epoch += 1
        self.told(message, None)
        self.members[joined.index] = joined

    @precondition(lambda self: len(self.members) < 9)
    @rule(data=st.data(), listed=st.booleans())
    def proposed_from_outside(self, data, listed):
        member, added = self.member(data), client(self.name())
        key, sender = (OUTSIDER, ExternalSender(0)) if listed else (added.signing, NewMemberProposal())
        self.told(propose_from_outside(key, sender, member.state, AddMember(added.package)), None)
        self.committed(member, member.commit(), [added])

    @rule(data=st.data(), text=st.binary(max_size=20))
    def send(self, data, text):
        member = self.member(data)
        sent = member.send(text)
        for index, other in self.members.items():
            if index != member.index:
                assert other.receive(sent).data == text

    @invariant()
    def all_agree(self):
        check_agreement(self.members)
        check_keys(self.members)
        member = next(iter(self.members.values()))
        assert member.state.context.epoch == self.epoch
        check_tree(member.state.tree, b"group")
        assert RatchetTree.decoded(member.state.tree.encoded()).tree_hash() == member.state.tree.tree_hash()

    @invariant()
    def who_was_removed_has_no_secret_of_today(self):
        today = next(iter(self.members.values())).state
        for gone in self.removed:
            assert gone.state.epoch != today.epoch
            assert not any(today.tree.has(node, key.public) for node, key in gone.keys.items() if node % 2)


def test_all_members_agree_in_any_order_of_steps():
    quick = settings(max_examples=10, stateful_step_count=12)
    run_state_machine_as_test(Groups, settings=settings() if settings().max_examples > 1000 else quick)


def group(size: int) -> dict[int, Participant]:
    """A group that one member made and filled."""
    first, rest = found_group(client("0"), b"group", [SENDERS]), [client(str(each)) for each in range(1, size)]
    sent = first.commit([AddMember(each.package) for each in rest])
    return {each.index: each for each in (first, *(join_welcomed(one, sent.welcome) for one in rest))}


@pytest.mark.parametrize("size", [2, 3, 5, 8, 9])
def test_every_member_of_a_group_can_commit(size):
    members = group(size)
    for index, member in members.items():
        sent = member.commit()
        for other in members.values():
            if other is not member:
                assert other.receive(sent.message).sender == MemberSender(index)
        check_agreement(members)
        check_keys(members)


def test_what_the_invariants_are_there_for_is_seen():
    members = group(4)
    sent = members[2].commit()
    for other in (0, 1, 3):
        members[other].receive(sent.message)
    check_keys(members)
    members[0].keys[5] = members[3].keys[5]
    with pytest.raises(AssertionError):
        check_keys(members)
    members = group(4)
    members[0].commit()
    with pytest.raises(AssertionError):
        check_agreement(members)
    members = group(4)
    members[3].state.tree.nodes[1] = None
    with pytest.raises(AssertionError):
        check_agreement(members)
