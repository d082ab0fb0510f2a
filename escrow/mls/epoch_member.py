"""A member of a group while an epoch lasts: what he has, and what he sends that begins no other epoch.

  has      the group's state, his leaf index, his private keys by node, ratchets, proposals that wait for a commit
  enters   an epoch with a state and keys: keys that the tree no longer has, and old proposals, are forgotten
  sends    application data and proposals, signed with his key; sealed under his ratchet, or with the membership tag

Source: RFC 9420, sections 6, 8 and 12.1. How he goes on to the next epoch is in `participant`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from msgspec.structs import replace

from escrow.crypto import Private, SigningKey, new_private
from escrow.errors import Refused
from escrow.mls import messages
from escrow.mls.framing import (
    PRIVATE,
    PUBLIC,
    ApplicationData,
    AuthenticatedContent,
    Content,
    FramedContent,
    MemberSender,
    Proposal,
    Proposed,
    UpdateLeaf,
)
from escrow.mls.group_state import GroupState, Policy, anything
from escrow.mls.leaf_node import FromUpdate, LeafNode
from escrow.mls.pre_shared import PreSharedKeys
from escrow.mls.protection import ratchet_kind, sign, to_private, to_public
from escrow.mls.trees.ratchet_tree import RatchetTree
from escrow.mls.trees.secret_tree import SecretTree
from escrow.mls.welcome import GroupInfo


class EpochMember:
    """A member in an epoch: the group's state, his leaf index, and his private keys by node."""

    def __init__(
        self,
        signing: SigningKey,
        index: int,
        keys: Mapping[int, Private],
        state: GroupState,
        policy: Policy = anything,
        psks: PreSharedKeys | None = None,
    ) -> None:
        """Begin in a state; `psks` are the pre-shared keys that the application gave."""
        self.psks = psks or PreSharedKeys()
        self.signing, self.index, self.policy = signing, index, policy
        self.encrypts = False  # whether handshakes travel as private messages
        self._updates: dict[bytes, Private] = {}  # of own Update proposals, by public key
        self.active = True
        self._enter(state, keys)

    def _enter(self, state: GroupState, keys: Mapping[int, Private]) -> None:
        """Begin an epoch: forget keys that the tree no longer has, and the proposals of the last epoch."""
        self.state, self.keys = state, self._kept(state.tree, keys)
        self.psks.remember(state.context, state.epoch.resumption_psk)
        self.secrets = SecretTree(state.epoch.encryption_secret, state.tree.leaves)
        self.proposals: dict[bytes, AuthenticatedContent] = {}
        self._updates = {}

    @property
    def leaf(self) -> LeafNode:
        """The member's own leaf."""
        return self.state.tree.leaf(self.index)

    def group_info(self) -> GroupInfo:
        """Return what lets somebody join by himself, signed."""
        return self.state.info(self.index, self.signing)

    def copy(self) -> Self:
        """Return a member with the same state, who goes on apart: whoever has a device's state is this."""
        other = type(self)(self.signing, self.index, self.keys, self.state, psks=self.psks.copy())
        other.secrets, other.proposals, other._updates = self.secrets.copy(), dict(self.proposals), dict(self._updates)
        return other

    def _kept(self, tree: RatchetTree, keys: Mapping[int, Private]) -> dict[int, Private]:
        """Return the private keys whose public halves a tree has, the one of an own update among them."""
        own = self._updates.get(tree.leaf(self.index).encryption_key)
        known = dict(keys) if own is None else {**keys, 2 * self.index: own}
        return {node: key for node, key in known.items() if tree.has(node, key.public)}

    # --- sending ---

    def _signed(self, content: Content) -> AuthenticatedContent:
        if not self.active:
            raise Refused(f"leaf {self.index}", "it is no longer in the group")
        context = self.state.context
        private = self.encrypts or isinstance(content, ApplicationData)
        framed = FramedContent(context.group_id, context.epoch, MemberSender(self.index), b"", content)
        return sign(self.signing, PRIVATE if private else PUBLIC, framed, context)

    def _travelling(self, message: AuthenticatedContent) -> bytes:
        if message.wire_format == PRIVATE:
            ratchet = self.secrets.ratchet(self.index, ratchet_kind(message.content.content_type))
            return messages.to_bytes(to_private(message, ratchet, self.state.epoch.sender_data_secret))
        return messages.to_bytes(to_public(message, self.state.context, self.state.epoch.membership_key))

    def send(self, data: bytes) -> bytes:
        """Return application data as it travels. Raise Refused if the member was removed."""
        return self._travelling(self._signed(ApplicationData(data)))

    def propose(self, proposal: Proposal) -> bytes:
        """Return a proposal as it travels, which counts as received here, too. Raise Refused as `send`."""
        signed = self._signed(Proposed(proposal))
        self.proposals[signed.reference] = signed
        return self._travelling(signed)

    def update(self) -> bytes:
        """Return a proposal to give the member a new encryption key, as it travels. Raise Refused as `send`."""
        fresh = new_private()
        self._updates[fresh.public] = fresh
        leaf = replace(self.leaf, encryption_key=fresh.public, source=FromUpdate())
        return self.propose(UpdateLeaf(leaf.signed(self.signing, self.state.context.group_id, self.index)))
