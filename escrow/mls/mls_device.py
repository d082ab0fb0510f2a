"""A device in a group of MLS: whom it takes for whom, and what it tells its user.

  attestation   a leaf's extension: the authentication service signs (user, signature key)
  checks        each a promise by itself, asked for when it fails: a vendor can leave out one without the others

RFC 9420 leaves all of this to the application (section 5.3.1: credentials; 12.4.3.2: who may join from outside), and
the service is trusted to attest each key to its true owner (RFC 9750, section 5.3). That key packages and leaves
carry the attestation as an extension, of a number for private use, is ours.
"""

from __future__ import annotations

from collections.abc import Callable

from escrow import crypto
from escrow.crypto import SigningKey
from escrow.e2ee.listing.checks import ClientCheck
from escrow.errors import Forged, Refused
from escrow.mls.applying import external_senders
from escrow.mls.framing import ExternalSender, NewMemberCommit
from escrow.mls.group_state import GroupChange, GroupState
from escrow.mls.joining import MlsClient, new_client
from escrow.mls.key_schedule import Extension
from escrow.mls.labelled import check_signature, sign_with_label
from escrow.mls.leaf_node import LeafNode
from escrow.mls.participant import Participant
from escrow.mls.presentation import opaque

ATTESTATION = 0xF001  # of the numbers for private use

CREDENTIALS = ClientCheck("credentials", "refuses a leaf whose key the authentication service attests to nobody else")
OUTSIDE = ClientCheck("external commits", "refuses who joins by his own commit")
SENDERS = ClientCheck("external senders", "tells its user that outsiders may propose, and of each of their proposals")
PEOPLE = ClientCheck("people shown", "tells its user of each user whom he did not expect")
LEAVES = ClientCheck("leaves shown", "tells its user of each new leaf of a user who was in the group")
OWN = ClientCheck("own leaves", "tells its user of a leaf of his that he did not link")
NUMBERS = ClientCheck("safety number", "shows a number that covers every signature key of both users")
REMOVALS = ClientCheck("removals shown", "tells its user of each leaf that is removed, its own too")
DIRECTORY = ClientCheck("key transparency", "tells its user of a leaf that the directory lacks, or of a key there")
AUTHENTICATORS = ClientCheck("epoch authenticator", "shows what two members have alike, if they are in one group")

CHECKS = (CREDENTIALS, OUTSIDE, SENDERS, PEOPLE, LEAVES, OWN, REMOVALS, NUMBERS, DIRECTORY, AUTHENTICATORS)


def attested(service: SigningKey, user: str, public: bytes) -> Extension:
    """Return the service's word that a signature key (32 bytes) is a user's."""
    return Extension(ATTESTATION, sign_with_label(service, "Attestation", _claim(user.encode(), public)))


def _claim(identity: bytes, public: bytes) -> bytes:
    return opaque(identity) + opaque(public)


def check_attestation(service: bytes, leaf: LeafNode) -> None:
    """Raise Forged unless a service's public key (32 bytes) attests the leaf's signature key to its identity."""
    for each in leaf.extensions:
        if each.kind == ATTESTATION:
            check_signature(service, "Attestation", _claim(leaf.identity, leaf.signature_key), each.data)
            return
    raise Forged("a leaf has no attestation")


def _new_keys(before: GroupState | None, after: GroupState, added: tuple[int, ...]) -> list[int]:
    """Return the leaf indices of new members, and of members who took another name or signature key."""
    known = {} if before is None else {index: _who(leaf) for index, leaf in before.tree.members()}
    changed = (index for index, leaf in after.tree.members() if known.get(index) != _who(leaf))
    return sorted({*added, *changed})


def _who(leaf: LeafNode) -> tuple[bytes, bytes]:
    return leaf.identity, leaf.signature_key


class MlsDevice:
    """A device of a user, with the public key of the service that it trusts, and the people whom its user expects."""

    def __init__(self, name: str, user: str, service: SigningKey, expected: frozenset[str]) -> None:
        """Make the device's keys, which the service attests."""
        self.name, self.user, self.service, self.expected = name, user, service.public, expected
        signing = crypto.new_signing_key()
        self.client: MlsClient = new_client(user.encode(), signing, (attested(service, user, signing.public),))
        self.linked: set[bytes] = {signing.public}  # signature keys of the user's devices
        self.member: Participant | None = None
        self.shown: Callable[[str], frozenset[bytes]] | None = None  # a user's keys in the key directory, proved
        self.told: list[ClientCheck] = []

    def keeps(self, check: ClientCheck) -> bool:
        """Return whether the device makes a check: it is asked for only where it fails."""
        return check in CHECKS

    def _fails(self, check: ClientCheck) -> bool:
        """Tell the user of a check that failed, and return whether the device makes it."""
        if kept := self.keeps(check):
            self.told.append(check)
        return kept

    def policy(self, change: GroupChange) -> None:
        """Look at a change before it takes effect. Raise Refused if credentials or the way of joining do not suit."""
        if isinstance(change.sender, NewMemberCommit) and self._fails(OUTSIDE):
            raise Refused(self.name, "somebody joins by his own commit")
        if change.removed:
            self._fails(REMOVALS)
        if change.after is None:
            return
        self._admit(change, change.after)
        outsiders = any(isinstance(sender, ExternalSender) for sender, _ in change.proposals)
        if outsiders or (change.before is None and external_senders(change.after.context.extensions)):
            self._fails(SENDERS)
        leaves = [change.after.tree.leaf(index) for index in _new_keys(change.before, change.after, change.added)]
        before = set() if change.before is None else {leaf.identity for _, leaf in change.before.tree.members()}
        for leaf in leaves:
            if leaf.name not in self.expected:
                self._fails(PEOPLE)
            own = leaf.name == self.user and leaf.signature_key in self.linked
            if leaf.identity in before and not own:
                self._fails(LEAVES)
            if leaf.name == self.user and not own:
                self._fails(OWN)
            if self.shown and leaf.signature_key not in self.shown(leaf.name):
                self._fails(DIRECTORY)

    def _admit(self, change: GroupChange, after: GroupState) -> None:
        for index in _new_keys(change.before, after, change.added):
            try:
                check_attestation(self.service, after.tree.leaf(index))
            except Forged:
                if self._fails(CREDENTIALS):
                    raise Refused(self.name, f"nobody attests the key of leaf {index}") from None

    def look_up_own(self) -> None:
        """Search the own user's label in the key directory: a key that was not linked is somebody else's."""
        if self.shown and self.shown(self.user) - self.linked:
            self._fails(DIRECTORY)

    def keys_of(self, user: str) -> frozenset[bytes]:
        """Return the signature keys (32 bytes each) that the device takes for a user's; of its own, the linked ones."""
        if user == self.user:
            return frozenset(self.linked)
        tree = self.member.state.tree if self.member else None
        leaves = tree.members() if tree else ()
        return frozenset(leaf.signature_key for _, leaf in leaves if leaf.identity == user.encode())

    def compare(self, other: MlsDevice) -> None:
        """Compare safety numbers and epoch authenticators with another user's device: each tells its own user."""
        for user, holder in ((self.user, other), (other.user, self)):
            if self.keys_of(user) != other.keys_of(user) and holder.keeps(NUMBERS):
                self.told.append(NUMBERS)
                other.told.append(NUMBERS)
        if self.member and other.member:
            mine, theirs = self.member.state.epoch, other.member.state.epoch
            if mine.epoch_authenticator != theirs.epoch_authenticator:
                for each in (self, other):
                    each._fails(AUTHENTICATORS)
