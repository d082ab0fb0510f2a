"""What all members have alike in an epoch, and how a commit leads to the next. Source: RFC 9420, sections 8 and 11."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from escrow.crypto import SigningKey, random_bytes
from escrow.errors import Forged
from escrow.mls.applying import Applied, Listed, external_senders
from escrow.mls.framing import (
    AddMember,
    AuthenticatedContent,
    Commit,
    ExternalSender,
    MemberSender,
    NewMemberCommit,
    NewMemberProposal,
    Proposal,
    Proposed,
    Sender,
)
from escrow.mls.key_schedule import NO_PSK, EpochSecrets, Extension, GroupContext, Scheduled, epoch_of, scheduled
from escrow.mls.labelled import HASH
from escrow.mls.leaf_node import LeafNode
from escrow.mls.protection import confirmed_hash, interim_hash
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.mls.welcome import GroupInfo, group_info


class GroupChange(NamedTuple):
    """What a commit or a Welcome does: who sent it, the group before and after, where one knows it, and who is new.

    To who was welcomed all members are new, himself too. `proposals` are those of a commit, each with its sender.
    """

    sender: Sender | None
    before: GroupState | None
    after: GroupState | None
    added: tuple[int, ...]
    removed: tuple[int, ...]
    proposals: Listed = ()


Policy = Callable[[GroupChange], None]


def anything(change: GroupChange) -> None:
    """Refuse nothing."""


class GroupState(msgspec.Struct, frozen=True):
    """A group in one epoch: context, tree, secrets, interim transcript hash and confirmation tag (32 bytes each)."""

    context: GroupContext
    tree: RatchetTree
    epoch: EpochSecrets
    interim: bytes
    tag: bytes

    def next_context(self, applied: Applied) -> GroupContext:
        """Return the next epoch's context as `make_path` takes it: with the old transcript and the old tree hash."""
        return replace(self.context, epoch=self.context.epoch + 1, extensions=applied.extensions)

    def after(
        self,
        applied: Applied,
        commit: AuthenticatedContent,
        commit_secret: bytes,
        init_secret: bytes,
        psk_secret: bytes = NO_PSK,
    ) -> tuple[GroupState, Scheduled]:
        """Return the state after a signed commit, and the key schedule that leads there (section 8)."""
        confirmed = confirmed_hash(self.interim, commit)
        context = replace(
            self.next_context(applied), tree_hash=applied.tree.tree_hash(), confirmed_transcript_hash=confirmed
        )
        made = scheduled(init_secret, commit_secret, context, psk_secret)
        tag = made.epoch.confirmation_tag(confirmed)
        return GroupState(context, applied.tree, made.epoch, interim_hash(confirmed, tag), tag), made

    def sender_key(self, message: AuthenticatedContent) -> bytes:
        """Return the public key (32 bytes) that must have signed a message (section 6.1).

        Raise Forged if its sender is nobody who may send it.
        """
        sender, content = message.content.sender, message.content.content
        if isinstance(sender, MemberSender):
            return self.tree.leaf(sender.leaf).signature_key
        if isinstance(sender, NewMemberCommit):
            if not isinstance(content, Commit) or content.path is None:
                raise Forged("who joins by himself sends no commit, or one without new keys")
            return content.path.leaf_node.signature_key
        if not isinstance(content, Proposed):
            raise Forged("somebody outside the group sends something else than a proposal")
        if isinstance(sender, ExternalSender):
            listed = external_senders(self.context.extensions)
            if sender.index >= len(listed):
                raise Forged(f"the group lists no external sender {sender.index}")
            return listed[sender.index].signature_key
        return _newcomer_key(sender, content.proposal)

    def info(self, signer: int, key: SigningKey) -> GroupInfo:
        """Return what lets somebody join by himself, signed by a member (section 12.4.3)."""
        return group_info(self.context, self.tree, self.tag, self.epoch.external_key.public, signer, key)


def _newcomer_key(sender: NewMemberProposal, proposal: Proposal) -> bytes:
    if not isinstance(proposal, AddMember):
        raise Forged("somebody who is no member proposes something else than to add himself")
    return proposal.key_package.leaf_node.signature_key


def founded(leaf: LeafNode, group_id: bytes, extensions: Sequence[Extension] = ()) -> GroupState:
    """Return a group of one member, in epoch 0 (section 11)."""
    tree, epoch = RatchetTree.of(leaf), epoch_of(random_bytes(HASH))
    context = GroupContext(
        group_id=group_id,
        epoch=0,
        tree_hash=tree.tree_hash(),
        confirmed_transcript_hash=b"",
        extensions=tuple(extensions),
    )
    tag = epoch.confirmation_tag(b"")
    return GroupState(context, tree, epoch, interim_hash(b"", tag), tag)


def described(info: GroupInfo, tree: RatchetTree, epoch: EpochSecrets) -> GroupState:
    """Return the group that a GroupInfo describes, whose secrets are known."""
    interim = interim_hash(info.context.confirmed_transcript_hash, info.confirmation_tag)
    return GroupState(info.context, tree, epoch, interim, info.confirmation_tag)
