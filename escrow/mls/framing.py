"""What members send: proposals, commits and application data, with their senders; and the form in which they travel.

  proposal   what shall change: a member comes, changes his keys, or goes; an outsider brings a secret; extensions
  commit     proposals, whole or by their hash, and new keys from the sender's leaf to the root
  sender     a member by leaf index; an outsider whom the group's extensions list; or who joins

Source: RFC 9420, sections 6, 7.6, 8.4, 12.1 and 12.4.
"""

from __future__ import annotations

from typing import Annotated, Self

import msgspec

from escrow.mls.key_schedule import Extension
from escrow.mls.labelled import VERSION, HpkeCiphertext, ref_hash
from escrow.mls.leaf_node import Credential, KeyPackage, LeafNode
from escrow.mls.presentation import Opaque, Select, Stream, Tls, Uint8, Uint16, Uint32, Uint64, Vector, opaque

PUBLIC, PRIVATE = 1, 2  # the wire formats that have content
EXTERNAL_SENDERS = 5  # the number of the extension


# --- proposals ---


class AddMember(Tls, frozen=True):
    """Add who published a key package."""

    key_package: KeyPackage


class UpdateLeaf(Tls, frozen=True):
    """Replace the sender's leaf."""

    leaf_node: LeafNode


class RemoveMember(Tls, frozen=True):
    """Remove the member at a leaf index."""

    removed: Uint32


class ExternalPsk(Tls, frozen=True):
    """A pre-shared key that the application gave."""

    psk_id: Opaque


class ResumptionPsk(Tls, frozen=True):
    """A pre-shared key out of an earlier epoch: for what use, of which group and epoch."""

    usage: Uint8
    group_id: Opaque
    epoch: Uint64


class PreSharedKeyId(Tls, frozen=True):
    """Which pre-shared key, and a nonce of 32 bytes."""

    psk: Annotated[ExternalPsk | ResumptionPsk, Select("type of pre-shared key", 1, {1: ExternalPsk, 2: ResumptionPsk})]
    psk_nonce: Opaque


class UsePsk(Tls, frozen=True):
    """Mix a pre-shared key into the next epoch."""

    psk: PreSharedKeyId


class ReInit(Tls, frozen=True):
    """End the group, to begin another."""

    group_id: Opaque
    version: Uint16
    cipher_suite: Uint16
    extensions: Vector[Extension]


class ExternalInit(Tls, frozen=True):
    """Begin the next epoch from a secret that was encapsulated to the external key."""

    kem_output: Opaque


class ChangeExtensions(Tls, frozen=True):
    """Replace the extensions of the group."""

    extensions: Vector[Extension]


Proposal = AddMember | UpdateLeaf | RemoveMember | UsePsk | ReInit | ExternalInit | ChangeExtensions
_TYPES: dict[int, type[Tls]] = {
    1: AddMember,
    2: UpdateLeaf,
    3: RemoveMember,
    4: UsePsk,
    5: ReInit,
    6: ExternalInit,
    7: ChangeExtensions,
}
EncodedProposal = Annotated[Proposal, Select("proposal type", 2, _TYPES)]


class Proposed(Tls, frozen=True):
    """A proposal, as content of a message."""

    proposal: EncodedProposal


# --- commits ---


class ByReference(Tls, frozen=True):
    """A proposal that was sent before, by its hash (32 bytes)."""

    reference: Opaque


class UpdatePathNode(Tls, frozen=True):
    """A new public key, and its path secret sealed to each node of the resolution on the other side."""

    encryption_key: Opaque
    encrypted_path_secrets: Vector[HpkeCiphertext]


class UpdatePath(Tls, frozen=True):
    """The sender's new leaf, and the nodes of his filtered direct path, from below."""

    leaf_node: LeafNode
    nodes: Vector[UpdatePathNode]


class Commit(Tls, frozen=True):
    """The proposals that take effect, and the sender's new keys, if any."""

    proposals: Vector[
        Annotated[Proposed | ByReference, Select("way to give a proposal", 1, {1: Proposed, 2: ByReference})]
    ]
    path: UpdatePath | None = None


# --- who sends ---


class MemberSender(Tls, frozen=True):
    """A member, by leaf index."""

    leaf: Uint32


class ExternalSender(Tls, frozen=True):
    """An outsider, by his place in the extension `external_senders`."""

    index: Uint32


class NewMemberProposal(Tls, frozen=True):
    """Who proposes to add himself."""


class NewMemberCommit(Tls, frozen=True):
    """Who joins by his own commit."""


Sender = MemberSender | ExternalSender | NewMemberProposal | NewMemberCommit
_SENDERS: dict[int, type[Tls]] = {1: MemberSender, 2: ExternalSender, 3: NewMemberProposal, 4: NewMemberCommit}


class SenderKey(Tls, frozen=True):
    """An outsider who may propose: his public key (32 bytes) and credential. `external_senders` has a list of them."""

    signature_key: Opaque
    credential: Credential


class SenderKeys(Tls, frozen=True):
    """The data of the extension `external_senders`."""

    senders: Vector[SenderKey]


# --- messages ---


class ApplicationData(Tls, frozen=True):
    """What an application sends."""

    data: Opaque


Content = ApplicationData | Proposed | Commit
CONTENTS: dict[int, type[ApplicationData] | type[Proposed] | type[Commit]] = {
    1: ApplicationData,
    2: Proposed,
    3: Commit,
}


class FramedContent(Tls, frozen=True):
    """Content with group, epoch, sender, and bytes that travel in the clear."""

    group_id: Opaque
    epoch: Uint64
    sender: Annotated[Sender, Select("sender type", 1, _SENDERS)]
    authenticated_data: Opaque
    content: Annotated[Content, Select("content type", 1, CONTENTS)]

    @property
    def content_type(self) -> int:
        """The number of the content's type."""
        return next(number for number, kind in CONTENTS.items() if type(self.content) is kind)


class AuthData(msgspec.Struct, frozen=True):
    """A signature (64 bytes) and, of a commit alone, a confirmation tag (32 bytes)."""

    signature: bytes
    confirmation_tag: bytes | None = None

    def encoded(self) -> bytes:
        """Return the encoding, which does not say whether there is a tag: the content's type does."""
        return opaque(self.signature) + (b"" if self.confirmation_tag is None else opaque(self.confirmation_tag))

    @classmethod
    def read_from(cls, stream: Stream, content: Content) -> AuthData:
        """Return what follows a content. Raise Malformed if it is cut off."""
        signature = stream.opaque("signature")
        return cls(signature, stream.opaque("confirmation tag") if isinstance(content, Commit) else None)


class AuthenticatedContent(Tls, frozen=True):
    """A message apart from how it travels: what transcripts and references hash (section 6)."""

    wire_format: Uint16
    content: FramedContent
    auth: AuthData

    def encoded(self) -> bytes:
        """Return the encoding."""
        return self.wire_format.to_bytes(2, "big") + self.content.encoded() + self.auth.encoded()

    @classmethod
    def read_from(cls, stream: Stream, what: str) -> Self:
        """Return the next message. Raise Malformed, naming the field, if the bytes do not encode one."""
        wire_format = stream.number(2, what)
        content = FramedContent.read_from(stream, what)
        return cls(wire_format, content, AuthData.read_from(stream, content.content))

    @property
    def reference(self) -> bytes:
        """The hash (32 bytes) by which commits name a proposal (section 5.2)."""
        return ref_hash("MLS 1.0 Proposal Reference", self.encoded())

    def signed_bytes(self, context: bytes) -> bytes:
        """Return what the signature covers. `context` is the encoded group context of a sender who knows it."""
        knows = isinstance(self.content.sender, MemberSender | NewMemberCommit)
        head = VERSION.to_bytes(2, "big") + self.wire_format.to_bytes(2, "big")
        return head + self.content.encoded() + (context if knows else b"")


class PublicMessage(Tls, frozen=True):
    """A message that everybody can read; of a member it has a tag (32 bytes) by a key that only members have."""

    content: FramedContent
    auth: AuthData
    membership_tag: bytes | None = None

    def encoded(self) -> bytes:
        """Return the encoding."""
        tag = b"" if self.membership_tag is None else opaque(self.membership_tag)
        return self.content.encoded() + self.auth.encoded() + tag

    @classmethod
    def read_from(cls, stream: Stream, what: str) -> Self:
        """Return the next message. Raise Malformed, naming the field, if the bytes do not encode one."""
        content = FramedContent.read_from(stream, what)
        auth = AuthData.read_from(stream, content.content)
        member = isinstance(content.sender, MemberSender)
        return cls(content, auth, stream.opaque("membership tag") if member else None)


class PrivateMessage(Tls, frozen=True):
    """A message that only members can read."""

    group_id: Opaque
    epoch: Uint64
    content_type: Uint8
    authenticated_data: Opaque
    encrypted_sender_data: Opaque
    ciphertext: Opaque
