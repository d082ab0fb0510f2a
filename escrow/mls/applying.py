"""What the proposals of a commit do to a group, and which lists of proposals no commit may have.

They take effect in this order, however they are listed: extensions, updates, removals, additions. Who joins by his own
commit brings a secret, removes at most one member (his former self), and takes the leftmost free leaf.
Source: RFC 9420, sections 12.1 to 12.3 and 12.4.3.2. New beginnings (ReInit) are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from escrow.errors import Forged
from escrow.mls.framing import (
    EXTERNAL_SENDERS,
    AddMember,
    ChangeExtensions,
    ExternalInit,
    ExternalSender,
    MemberSender,
    PreSharedKeyId,
    Proposal,
    RemoveMember,
    Sender,
    SenderKey,
    SenderKeys,
    UpdateLeaf,
    UsePsk,
)
from escrow.mls.key_schedule import Extension, GroupContext
from escrow.mls.leaf_node import FromUpdate, KeyPackage, LeafNode
from escrow.mls.presentation import decode
from escrow.mls.trees.ratchet_tree import RatchetTree

Listed = Sequence[tuple[Sender, Proposal]]


@dataclass
class Applied:
    """A group after the proposals of a commit, before the commit's own keys."""

    tree: RatchetTree
    extensions: tuple[Extension, ...]
    added: list[tuple[int, KeyPackage]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    kem_output: bytes | None = None
    psks: list[PreSharedKeyId] = field(default_factory=list)
    joined: int | None = None  # the leaf index of who joins by his own commit

    @property
    def newcomers(self) -> set[int]:
        """The leaf indices of those who were added."""
        return {index for index, _ in self.added}

    @property
    def arrived(self) -> tuple[int, ...]:
        """The leaf indices of all who are new."""
        return (*(index for index, _ in self.added), *(() if self.joined is None else (self.joined,)))


def external_senders(extensions: Sequence[Extension]) -> tuple[SenderKey, ...]:
    """Return who may propose from outside. Raise Malformed if the extension does not encode a list of senders."""
    found = [each.data for each in extensions if each.kind == EXTERNAL_SENDERS]
    return decode(found[0], SenderKeys).senders if found else ()


def external_senders_extension(senders: Sequence[SenderKey]) -> Extension:
    """Return the extension that lists who may propose from outside."""
    return Extension(EXTERNAL_SENDERS, SenderKeys(tuple(senders)).encoded())


def needs_path(proposals: Listed) -> bool:
    """Return whether a commit must bring new keys: it lists nothing, or more than additions and keys (section 12.4)."""
    return not proposals or any(not isinstance(proposal, AddMember | UsePsk) for _, proposal in proposals)


def check_proposal(sender: Sender, proposal: Proposal) -> None:
    """Raise Forged if nobody of that kind may propose it (sections 12.1.8 and 12.2).

    Whoever is no member adds himself: the key of any other proposal of his is not found.
    """
    if isinstance(sender, ExternalSender) and isinstance(proposal, UpdateLeaf | ExternalInit):
        raise Forged(f"an external sender proposes {type(proposal).__name__}")
    if isinstance(proposal, AddMember):
        proposal.key_package.check()


def _check_list(proposals: Listed, committer: int | None) -> None:
    """Raise Forged if a commit may not list these together. `committer` is None of who joins by his own commit."""
    for sender, proposal in proposals:
        check_proposal(sender, proposal)
    kinds = [type(proposal) for _, proposal in proposals]
    for kind in kinds:
        if kind not in (AddMember, UpdateLeaf, RemoveMember, UsePsk, ExternalInit, ChangeExtensions):
            raise Forged(f"proposals of the kind {kind.__name__} are not supported")
    if committer is None:
        if kinds.count(ExternalInit) != 1:
            raise Forged(f"an external commit has {kinds.count(ExternalInit)} ExternalInit proposals, not one")
        if kinds.count(RemoveMember) > 1 or {*kinds} - {ExternalInit, RemoveMember, UsePsk}:
            raise Forged("an external commit has a proposal that it may not have")
        return
    if ExternalInit in kinds:
        raise Forged("a member's commit has an ExternalInit proposal")
    if kinds.count(ChangeExtensions) > 1:
        raise Forged("a commit changes the extensions twice")
    if any(sender == MemberSender(committer) and isinstance(each, UpdateLeaf) for sender, each in proposals):
        raise Forged("a commit has an update of its own sender")
    if any(isinstance(each, RemoveMember) and each.removed == committer for _, each in proposals):
        raise Forged("a commit removes its own sender")


def check_former(tree: RatchetTree, leaf: LeafNode, removed: Sequence[int]) -> None:
    """Raise Forged unless who joins by his own commit, with this leaf, removes his former self (section 12.2)."""
    for index in removed:
        if tree.leaf(index).identity != leaf.identity:
            raise Forged(f"who joins by his own commit removes leaf {index}, which is another's")


def apply(tree: RatchetTree, context: GroupContext, proposals: Listed, committer: int | None) -> Applied:
    """Return the group after the proposals, in a new tree.

    Args:
        tree: the tree of the epoch.
        context: the group context of the epoch.
        proposals: each with who proposed it; in a commit's own list that is the committer.
        committer: his leaf index, or None of who joins by this commit.

    Raises:
        Forged: the list is none that a commit may have, or names a member who is not there, or one twice.
    """
    _check_list(proposals, committer)
    done = Applied(tree.copy(), context.extensions)
    touched: set[int] = set()

    def once(index: int) -> int:
        if index in touched:
            raise Forged(f"a commit changes leaf {index} twice")
        touched.add(index)
        return index

    for _, proposal in proposals:
        if isinstance(proposal, ChangeExtensions):
            external_senders(proposal.extensions)
            done.extensions = proposal.extensions
        elif isinstance(proposal, ExternalInit):
            done.kem_output = proposal.kem_output
        elif isinstance(proposal, UsePsk):
            if proposal.psk in done.psks:
                raise Forged("a commit names a pre-shared key twice")
            done.psks.append(proposal.psk)
    for sender, proposal in proposals:
        if isinstance(proposal, UpdateLeaf):
            if not isinstance(sender, MemberSender) or not isinstance(proposal.leaf_node.source, FromUpdate):
                raise Forged("an update is not of a member, or its leaf comes from elsewhere")
            proposal.leaf_node.check(context.group_id, sender.leaf)
            if proposal.leaf_node.encryption_key == tree.leaf(sender.leaf).encryption_key:
                raise Forged("an update brings the encryption key that its sender had before")
            done.tree.update(once(sender.leaf), proposal.leaf_node)
    for _, proposal in proposals:
        if isinstance(proposal, RemoveMember):
            done.tree.remove(once(proposal.removed))
            done.removed.append(proposal.removed)
    for _, proposal in proposals:
        if isinstance(proposal, AddMember):
            done.added.append((done.tree.add(proposal.key_package.leaf_node), proposal.key_package))
    done.tree.check_keys()
    return done
