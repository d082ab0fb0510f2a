"""How content is signed, and how a message travels: readable with a tag of membership, or encrypted.

  sign      SignWithLabel("FramedContentTBS", version ‖ wire format ‖ content ‖ group context)
  public    MAC(membership key, what is signed ‖ signature ‖ confirmation tag)
  private   AES-128-GCM(key of leaf and generation, nonce ⊕ reuse guard; content ‖ signature ‖ tag ‖ padding)
            and leaf, generation, guard under a key from the first 32 bytes of the ciphertext
  hashes    confirmed = H(interim ‖ wire format ‖ content ‖ signature);  interim = H(confirmed ‖ confirmation tag)

Source: RFC 9420, sections 6.1 to 6.3 and 8.2.
"""

from __future__ import annotations

from msgspec.structs import replace

from escrow import crypto
from escrow.crypto import SigningKey, random_bytes, xor_bytes
from escrow.errors import Forged, Malformed
from escrow.mls.framing import (
    CONTENTS,
    PRIVATE,
    PUBLIC,
    ApplicationData,
    AuthData,
    AuthenticatedContent,
    FramedContent,
    MemberSender,
    PrivateMessage,
    PublicMessage,
)
from escrow.mls.key_schedule import EpochSecrets, GroupContext
from escrow.mls.labelled import check_signature, mac, sign_with_label
from escrow.mls.presentation import Opaque, Stream, Tls, Uint8, Uint32, Uint64, decode, opaque
from escrow.mls.trees.secret_tree import APPLICATION, HANDSHAKE, HashRatchet, KeyNonce, SecretTree, sender_data_key

_SIGNED, _GUARD = "FramedContentTBS", 4


def sign(key: SigningKey, wire_format: int, content: FramedContent, context: GroupContext) -> AuthenticatedContent:
    """Return content with its signature, without a confirmation tag."""
    unsigned = AuthenticatedContent(wire_format, content, AuthData(b""))
    signature = sign_with_label(key, _SIGNED, unsigned.signed_bytes(context.encoded()))
    return replace(unsigned, auth=AuthData(signature))


def check_signed(message: AuthenticatedContent, public: bytes, context: GroupContext) -> None:
    """Raise Forged unless the sender's key (32 bytes) signed the content in this group context."""
    check_signature(public, _SIGNED, message.signed_bytes(context.encoded()), message.auth.signature)


def _check_place(message: FramedContent | PrivateMessage, context: GroupContext) -> None:
    if message.group_id != context.group_id:
        raise Forged("the message is for another group")
    if message.epoch != context.epoch:
        raise Forged(f"the message is of epoch {message.epoch}, and the group in epoch {context.epoch}")


# --- readable ---


def _membership_tag(message: AuthenticatedContent, context: GroupContext, key: bytes) -> bytes:
    return mac(key, message.signed_bytes(context.encoded()) + message.auth.encoded())


def to_public(message: AuthenticatedContent, context: GroupContext, membership_key: bytes) -> PublicMessage:
    """Return a signed handshake as it travels in the clear; only a member's has a tag (section 6.2)."""
    member = isinstance(message.content.sender, MemberSender)
    tag = _membership_tag(message, context, membership_key) if member else None
    return PublicMessage(message.content, message.auth, tag)


def from_public(message: PublicMessage, context: GroupContext, membership_key: bytes) -> AuthenticatedContent:
    """Return the content. Raise Forged if group, epoch or tag do not fit, or if it should have been encrypted."""
    _check_place(message.content, context)
    if isinstance(message.content.content, ApplicationData):
        raise Forged("application data travels in the clear")
    found = AuthenticatedContent(PUBLIC, message.content, message.auth)
    if message.membership_tag is not None and message.membership_tag != _membership_tag(found, context, membership_key):
        raise Forged("the membership tag does not fit: the sender is no member of this epoch")
    return found


# --- encrypted ---


class SenderData(Tls, frozen=True):
    """Who sent a private message: leaf index, generation, and four random bytes in the nonce."""

    leaf: Uint32
    generation: Uint32
    guard: Uint32


class _ContentLabels(Tls, frozen=True):
    group_id: Opaque
    epoch: Uint64
    content_type: Uint8
    authenticated_data: Opaque


class _SenderLabels(Tls, frozen=True):
    group_id: Opaque
    epoch: Uint64
    content_type: Uint8


def _guarded(made: KeyNonce, guard: int) -> bytes:
    """Return the nonce with its first four bytes changed (section 6.3.1)."""
    return xor_bytes(made.nonce[:_GUARD], guard.to_bytes(_GUARD, "big")) + made.nonce[_GUARD:]


def ratchet_kind(content_type: int) -> str:
    """Return which of a sender's two ratchets content of a type uses."""
    return APPLICATION if CONTENTS.get(content_type) is ApplicationData else HANDSHAKE


def to_private(
    message: AuthenticatedContent, ratchet: HashRatchet, sender_data_secret: bytes, padding: int = 0
) -> PrivateMessage:
    """Return a signed message as it travels encrypted, with so many zero bytes behind the content (section 6.3).

    `ratchet` is its sender's for this kind of content; the secret (32 bytes) is the epoch's. Raise Forged unless a
    member sent it.
    """
    content = message.content
    if not isinstance(content.sender, MemberSender):
        raise Forged("only members send private messages")
    place = (content.group_id, content.epoch, content.content_type)
    generation, made = ratchet.following()
    guard = int.from_bytes(random_bytes(_GUARD), "big")
    plaintext = content.content.encoded() + message.auth.encoded() + bytes(padding)
    labels = _ContentLabels(*place, content.authenticated_data).encoded()
    ciphertext = crypto.seal(made.key, plaintext, labels, _guarded(made, guard))
    sender = sender_data_key(sender_data_secret, ciphertext)
    data = SenderData(content.sender.leaf, generation, guard).encoded()
    sealed = crypto.seal(sender.key, data, _SenderLabels(*place).encoded(), sender.nonce)
    return PrivateMessage(*place, content.authenticated_data, sealed, ciphertext)


def _opened(key: bytes, sealed: bytes, labels: Tls, nonce: bytes, what: str) -> bytes:
    try:
        return crypto.open_sealed(key, sealed, labels.encoded(), nonce)
    except Forged:
        raise Forged(f"{what} does not open") from None


def opened_sender(message: PrivateMessage, sender_data_secret: bytes) -> SenderData:
    """Return who sent a private message, by the secret (32 bytes) of its epoch. Raise Forged if it does not open."""
    place = (message.group_id, message.epoch, message.content_type)
    sender = sender_data_key(sender_data_secret, message.ciphertext)
    sealed = message.encrypted_sender_data
    return decode(_opened(sender.key, sealed, _SenderLabels(*place), sender.nonce, "the sender data"), SenderData)


def opened_content(message: PrivateMessage, data: SenderData, made: KeyNonce) -> AuthenticatedContent:
    """Return the content of a private message, by the key of its generation.

    Raises:
        Forged: the ciphertext does not open.
        Malformed: what was encrypted is no content, or its padding is not zero.
    """
    place = (message.group_id, message.epoch, message.content_type)
    labels = _ContentLabels(*place, message.authenticated_data)
    stream = Stream(_opened(made.key, message.ciphertext, labels, _guarded(made, data.guard), "the content"))
    if message.content_type not in CONTENTS:
        raise Malformed(f"PrivateMessage: there is no content type {message.content_type}")
    content = CONTENTS[message.content_type].read_from(stream, "content")
    auth = AuthData.read_from(stream, content)
    if any(stream.data[stream.at :]):
        raise Malformed("PrivateMessage: the padding is not zero")
    framed = FramedContent(
        message.group_id, message.epoch, MemberSender(data.leaf), message.authenticated_data, content
    )
    return AuthenticatedContent(PRIVATE, framed, auth)


def from_private(
    message: PrivateMessage, context: GroupContext, keys: SecretTree, epoch: EpochSecrets
) -> AuthenticatedContent:
    """Return the content. Its key is spent, unless the message does not open.

    Raises:
        Forged: group, epoch, sender, generation or a ciphertext does not fit.
        Malformed: what was encrypted is no content, or its padding is not zero.
    """
    _check_place(message, context)
    data = opened_sender(message, epoch.sender_data_secret)
    ratchet = keys.ratchet(data.leaf, ratchet_kind(message.content_type))
    made = ratchet.at(data.generation)
    try:
        return opened_content(message, data, made)
    except Forged:
        ratchet.keep(data.generation, made)  # the network may change what it carries, and the true message comes later
        raise


# --- transcript ---


def confirmed_hash(interim: bytes, commit: AuthenticatedContent) -> bytes:
    """Return the confirmed transcript hash (32 bytes) after a commit, from the interim hash before it."""
    signed = commit.wire_format.to_bytes(2, "big") + commit.content.encoded() + opaque(commit.auth.signature)
    return crypto.digest(interim + signed)


def interim_hash(confirmed: bytes, confirmation_tag: bytes) -> bytes:
    """Return the interim transcript hash (32 bytes), which the next commit continues."""
    return crypto.digest(confirmed + opaque(confirmation_tag))
