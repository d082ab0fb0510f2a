"""Somebody outside a conversation's group proposes a member: a device reads it, and may add the member by its commit.

  listed   a group's extensions list who may propose, from its foundation on; nobody, if the scheme names nobody
  told     the delivery service hands a proposal for the newest epoch to who follows it; the next commit carries it
  admit    a client tells its user, and commits no leaf that no list of devices has, unless it hides the leaf

Source: RFC 9420, sections 12.1.8 (external senders) and 12.4; what a client makes of a proposal is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from escrow.codec import Public
from escrow.crypto import SigningKey
from escrow.derivation import honest_only
from escrow.e2ee.listing.checks import ClientCheck
from escrow.e2ee.provider import Listed
from escrow.mls.applying import external_senders_extension
from escrow.mls.conversations.delivery import HandshakeTold
from escrow.mls.conversations.tree_membership import group_in, listed_leaf
from escrow.mls.framing import AddMember, ExternalSender, SenderKey
from escrow.mls.group_state import GroupChange
from escrow.mls.joining import propose_from_outside
from escrow.mls.key_schedule import Extension
from escrow.mls.leaf_node import BasicCredential, KeyPackage

PROPOSED = ClientCheck("proposals shown", "tells its user of each member whom somebody outside the group proposes")
SHOWN = "a proposal from outside is shown"


class ProposerKey(SigningKey, frozen=True, dict=True):
    """The Ed25519 key pair of who may propose members from outside."""


def listing(outsider: bytes) -> tuple[Extension, ...]:
    """Return the extensions of a new group in which the owner of a key (32 bytes, or none) may propose."""
    if not outsider:
        return ()
    return (external_senders_extension([SenderKey(outsider, BasicCredential(b"outsider"))]),)


@honest_only("whoever has the key proposes")
def propose(key: SigningKey, told: HandshakeTold, package: KeyPackage) -> tuple[Public, ...]:
    """Return the proposal to add a client in the epoch that a commit began; nothing, if its leaf is there already.

    Raise Malformed or Forged if the commit brings no GroupInfo that fits.
    """
    if is_member(told, package.leaf_node.signature_key):
        return ()
    return (propose_from_outside(key, ExternalSender(0), group_in(told.handshake.info), AddMember(package)),)


def is_member(told: HandshakeTold, public: bytes) -> bool:
    """Return whether a signature key (32 bytes) has a leaf after a commit. Raise Malformed as `propose`."""
    return any(leaf.signature_key == public for _, leaf in group_in(told.handshake.info).tree().members())


def from_outside(change: GroupChange) -> Iterator[Listed | None]:
    """Yield the device that each proposal of an outsider adds, among those of a commit; None if it adds none."""
    for sender, proposal in change.proposals:
        if isinstance(sender, ExternalSender):
            yield listed_leaf(proposal.key_package.leaf_node) if isinstance(proposal, AddMember) else None
