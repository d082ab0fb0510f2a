"""A member of a group goes from epoch to epoch: he commits, and reads what others send.

  commit   proposals take effect, and new keys go from his leaf to the root
  read     check first, then change: a message that is refused leaves all as it was; if it opened, its key is spent
  pending  proposals of others wait for a commit, which lists what it may: nobody's proposal keeps others from one

`policy` is asked before a change takes effect: what the RFC leaves to the application (whose credential is valid, who
may join from outside) is refused there. A commit takes effect for its sender at once, since the delivery service here
gives every epoch one commit. Source: RFC 9420, sections 12 and 14; how somebody becomes a member is in `joining`, what
he has and sends in an epoch in `epoch_member`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from escrow.errors import Forged, Refused
from escrow.mls import messages
from escrow.mls.applying import Applied, Listed, apply, check_former, check_proposal, needs_path
from escrow.mls.epoch_member import EpochMember
from escrow.mls.framing import (
    ApplicationData,
    AuthData,
    AuthenticatedContent,
    ByReference,
    Commit,
    MemberSender,
    NewMemberCommit,
    PrivateMessage,
    Proposal,
    Proposed,
    PublicMessage,
    Sender,
    UpdateLeaf,
)
from escrow.mls.group_state import GroupChange, GroupState
from escrow.mls.key_schedule import NO_COMMIT, external_init_opened
from escrow.mls.protection import check_signed, from_private, from_public
from escrow.mls.trees import tree_math
from escrow.mls.trees.treekem import make_path, open_path
from escrow.mls.welcome import welcome

MOST_PENDING = 100  # proposals of one sender that wait for a commit; whoever is no member counts as one sender


class ReceivedContent(NamedTuple):
    """What a message brought: application data, a proposal, or the change of a commit; and its sender."""

    sender: Sender
    data: bytes | None = None
    proposal: Proposal | None = None
    change: GroupChange | None = None


class CommitSent(NamedTuple):
    """A commit as it travels, and the Welcome for those whom it adds."""

    message: bytes
    welcome: bytes | None


class Participant(EpochMember):
    """A member, who goes on to the next epoch by his own commit or by one that he reads."""

    # --- committing ---

    def commit(self, proposals: Sequence[Proposal] = (), path: bool = True) -> CommitSent:
        """Make a commit of proposals, and of those received in this epoch but own updates, and enter the next epoch.

        A received proposal is left out if it does not go with those before it. If the policy refuses the change, those
        of outsiders are left out, and then all received ones.

        Args:
            proposals: proposals that were not sent before.
            path: bring new keys even where that is not needed.

        Raises:
            Forged: no commit may have this list.
            Refused: the policy refuses the change, or the member was removed.
        """
        received = self._fitting(proposals)
        inside = [name for name in received if isinstance(self.proposals[name].content.sender, MemberSender)]
        for chosen in (received, inside):
            if chosen:
                try:
                    return self._committed(chosen, proposals, path)
                except Refused:
                    continue
        return self._committed([], proposals, path)

    def _fitting(self, proposals: Sequence[Proposal]) -> list[bytes]:
        """Return the received proposals that a commit may list beside these, by their hashes, in order."""
        chosen: list[bytes] = []
        for name, sent in self.proposals.items():
            listed: tuple[Proposed | ByReference, ...] = tuple(map(ByReference, (*chosen, name)))
            listed += tuple(map(Proposed, proposals))
            if _is_update_of(sent, self.index):
                continue
            try:
                resolved = _resolved(Commit(listed), self.index, self.proposals)
                self.psks.secret(apply(self.state.tree, self.state.context, resolved, self.index).psks)
            except Forged:
                continue
            chosen.append(name)
        return chosen

    def _committed(self, received: Sequence[bytes], proposals: Sequence[Proposal], path: bool) -> CommitSent:
        """Make a commit of received proposals, by their hashes, and of new ones. Raise what `commit` raises."""
        listed: tuple[Proposed | ByReference, ...] = tuple(map(ByReference, received))
        listed += tuple(map(Proposed, proposals))
        resolved = _resolved(Commit(listed), self.index, self.proposals)
        applied = apply(self.state.tree, self.state.context, resolved, self.index)
        keys, commit_secret, made = self.keys, NO_COMMIT, None
        if path or needs_path(resolved):
            context = self.state.next_context(applied)
            made = make_path(applied.tree, self.leaf, self.index, self.signing, context, applied.newcomers)
            keys, commit_secret = self.keys | made.keys, made.commit_secret
        signed = self._signed(Commit(listed, made and made.path))
        init_secret, psk_secret = self.state.epoch.init_secret, self.psks.secret(applied.psks)
        state, schedule = self.state.after(applied, signed, commit_secret, init_secret, psk_secret)
        self.policy(_change(MemberSender(self.index), self.state, state, applied, resolved))
        signed = replace(signed, auth=AuthData(signed.auth.signature, state.tag))
        travelling = self._travelling(signed)
        self._enter(state, keys)
        newcomers = [
            (package, made and made.secrets[tree_math.common_ancestor(2 * self.index, 2 * index)])
            for index, package in applied.added
        ]
        invited = welcome(schedule, self.group_info(), newcomers, applied.psks) if newcomers else None
        return CommitSent(travelling, None if invited is None else messages.to_bytes(invited))

    # --- receiving ---

    def receive(self, data: bytes) -> ReceivedContent:
        """Return what a message of another brought; a commit takes effect.

        Raises:
            Malformed: the bytes are no message.
            Forged: group, epoch, tag, signature or content do not fit; the text says which.
            Refused: the policy refuses the change, or the member was removed.
        """
        if not self.active:
            raise Refused(f"leaf {self.index}", "it is no longer in the group")
        body = messages.from_bytes(data)
        state = self.state
        if isinstance(body, PublicMessage):
            message = from_public(body, state.context, state.epoch.membership_key)
        elif isinstance(body, PrivateMessage):
            message = from_private(body, state.context, self.secrets, state.epoch)
        else:
            raise Forged(f"{type(body).__name__} is no message to a group")
        check_signed(message, state.sender_key(message), state.context)
        sender, content = message.content.sender, message.content.content
        if isinstance(content, ApplicationData):
            return ReceivedContent(sender, data=content.data)
        if isinstance(content, Proposed):
            check_proposal(sender, content.proposal)
            few = sum(each.content.sender == sender for each in self.proposals.values()) < MOST_PENDING
            if not few and message.reference not in self.proposals:
                raise Refused(f"leaf {self.index}", f"{sender} has {MOST_PENDING} proposals waiting for a commit")
            self.proposals[message.reference] = message
            return ReceivedContent(sender, proposal=content.proposal)
        return ReceivedContent(sender, change=self._follow(message, content))

    def _follow(self, message: AuthenticatedContent, commit: Commit) -> GroupChange:
        """Enter the epoch that a commit of another begins."""
        sender, state = message.content.sender, self.state
        committer = sender.leaf if isinstance(sender, MemberSender) else None
        if committer == self.index:
            raise Forged("the commit claims to be the reader's own")
        resolved = _resolved(commit, committer, self.proposals)
        applied = apply(state.tree, state.context, resolved, committer)
        if committer is None and commit.path is not None:
            check_former(state.tree, commit.path.leaf_node, applied.removed)
        if self.index in applied.removed:
            return self._leave(sender, applied, resolved)
        keys, commit_secret, init_secret = self.keys, NO_COMMIT, state.epoch.init_secret
        if commit.path is not None:
            if committer is None:
                committer = applied.tree.add(commit.path.leaf_node)
                init_secret = external_init_opened(state.epoch.external_key, applied.kem_output or b"")
                applied.joined = committer
            elif commit.path.leaf_node.encryption_key == state.tree.leaf(committer).encryption_key:
                raise Forged("a commit brings the encryption key that its sender had before")
            commit.path.leaf_node.check(state.context.group_id, committer)
            applied.tree.merge(committer, commit.path)
            applied.tree.check_keys()
            context, newcomers = state.next_context(applied), applied.newcomers
            kept = self._kept(applied.tree, self.keys)
            found, commit_secret = open_path(applied.tree, commit.path, committer, self.index, kept, context, newcomers)
            keys = kept | found
        elif needs_path(resolved):
            raise Forged("a commit brings no new keys, and its proposals need some")
        psk_secret = self.psks.secret(applied.psks)
        after, _ = state.after(applied, message, commit_secret, init_secret, psk_secret)
        if message.auth.confirmation_tag != after.tag:
            raise Forged("the confirmation tag does not fit: the sender has other secrets or another transcript")
        change = _change(sender, state, after, applied, resolved)
        self.policy(change)
        self._enter(after, keys)
        return change

    def _leave(self, sender: Sender, applied: Applied, resolved: Listed) -> GroupChange:
        """Stop: the commit removes this member, who cannot compute what comes after it."""
        change = _change(sender, self.state, None, applied, resolved)
        self.policy(change)
        self.active = False
        return change


def _change(
    sender: Sender, before: GroupState, after: GroupState | None, applied: Applied, resolved: Listed
) -> GroupChange:
    return GroupChange(sender, before, after, applied.arrived, tuple(applied.removed), resolved)


def _is_update_of(sent: AuthenticatedContent, index: int) -> bool:
    content = sent.content.content
    is_update = isinstance(content, Proposed) and isinstance(content.proposal, UpdateLeaf)
    return is_update and sent.content.sender == MemberSender(index)


def _resolved(commit: Commit, committer: int | None, received: Mapping[bytes, AuthenticatedContent]) -> Listed:
    """Return the proposals of a commit, each with its sender. Raise Forged if one of them was never received."""
    found: list[tuple[Sender, Proposal]] = []
    for each in commit.proposals:
        if isinstance(each, Proposed):
            found.append((NewMemberCommit() if committer is None else MemberSender(committer), each.proposal))
            continue
        sent = received.get(each.reference)
        if sent is None or committer is None or not isinstance(sent.content.content, Proposed):
            raise Forged("a commit names a proposal that was not received, or may not name one")
        found.append((sent.content.sender, sent.content.content.proposal))
    return found
