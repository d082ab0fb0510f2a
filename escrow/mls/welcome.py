"""How a group tells newcomers: its signed state, for members from outside; and secrets, for members who were added.

  GroupInfo  context ‖ extensions ‖ confirmation tag ‖ signer ‖ signature      enough to join by oneself, with its keys
  Welcome    for each newcomer: joiner secret and path secret, sealed to the init key of his key package;
             for all of them: the GroupInfo under a key from the welcome secret

Extensions of a GroupInfo: the tree (2) and the external public key (4). Source: RFC 9420, sections 12.4.3 and 8.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from escrow import crypto
from escrow.crypto import Private, SigningKey
from escrow.errors import Forged, Malformed
from escrow.mls.framing import PreSharedKeyId
from escrow.mls.key_schedule import Extension, GroupContext, Scheduled, joined
from escrow.mls.labelled import (
    HASH,
    KEY,
    NONCE,
    SUITE,
    HpkeCiphertext,
    check_signature,
    decrypt_with_label,
    derive_secret,
    encrypt_with_label,
    expand_with_label,
    sign_with_label,
)
from escrow.mls.leaf_node import KeyPackage
from escrow.mls.pre_shared import PreSharedKeys
from escrow.mls.presentation import Opaque, Tls, Uint16, Uint32, Vector, decode
from escrow.mls.trees.ratchet_tree import RatchetTree

TREE, EXTERNAL_KEY = 2, 4  # numbers of extensions


class _Bytes(Tls, frozen=True):
    data: Opaque


class GroupInfo(Tls, frozen=True):
    """A group in one epoch, as one of its members signed it."""

    context: GroupContext
    extensions: Vector[Extension]
    confirmation_tag: Opaque
    signer: Uint32
    signature: Opaque = b""

    def signed(self, key: SigningKey) -> GroupInfo:
        """Return the same with its signature."""
        return replace(self, signature=sign_with_label(key, "GroupInfoTBS", self.without_last()))

    def check(self, public: bytes) -> None:
        """Raise Forged unless a signature key (32 bytes) signed it."""
        check_signature(public, "GroupInfoTBS", self.without_last(), self.signature)

    def extension(self, number: int) -> bytes:
        """Return the data of an extension. Raise Malformed unless it stands there once."""
        found = [each.data for each in self.extensions if each.kind == number]
        if len(found) != 1:
            raise Malformed(f"GroupInfo: extension {number} stands {len(found)} times")
        return found[0]

    def tree(self, apart: RatchetTree | None = None) -> RatchetTree:
        """Return the ratchet tree, of the extension or as it came apart from this.

        Raise Malformed if there is none, and Forged unless it has the context's tree hash.
        """
        tree = RatchetTree.decoded(self.extension(TREE)) if apart is None else apart
        if tree.tree_hash() != self.context.tree_hash:
            raise Forged("the tree hash of the group context is that of another tree")
        return tree

    def external_public(self) -> bytes:
        """Return the key (32 bytes) for a client that joins by itself. Raise Malformed if there is none."""
        return decode(self.extension(EXTERNAL_KEY), _Bytes).data


def group_info(
    context: GroupContext, tree: RatchetTree, tag: bytes, external_public: bytes, signer: int, key: SigningKey
) -> GroupInfo:
    """Return the GroupInfo of an epoch, with its tree and its external key, signed."""
    extensions = (Extension(TREE, tree.encoded()), Extension(EXTERNAL_KEY, _Bytes(external_public).encoded()))
    return GroupInfo(context, extensions, tag, signer).signed(key)


class _PathSecret(Tls, frozen=True):
    path_secret: Opaque


class GroupSecrets(Tls, frozen=True):
    """What a newcomer gets alone: the joiner secret, and that of the lowest node that he shares with the sender."""

    joiner_secret: Opaque
    path_secret: _PathSecret | None = None
    psks: Vector[PreSharedKeyId] = ()


class EncryptedSecrets(Tls, frozen=True):
    """The secrets of one newcomer, by the hash of his key package."""

    new_member: Opaque
    secrets: HpkeCiphertext


class Welcome(Tls, frozen=True):
    """What makes newcomers members."""

    cipher_suite: Uint16
    secrets: Vector[EncryptedSecrets]
    encrypted_group_info: Opaque


def _key_nonce(welcome_secret: bytes) -> tuple[bytes, bytes]:
    return expand_with_label(welcome_secret, "key", b"", KEY), expand_with_label(welcome_secret, "nonce", b"", NONCE)


def welcome(
    made: Scheduled,
    info: GroupInfo,
    newcomers: Sequence[tuple[KeyPackage, bytes | None]],
    psks: Sequence[PreSharedKeyId] = (),
) -> Welcome:
    """Return the Welcome for newcomers, each with his path secret (32 bytes), if the commit had a path."""
    key, nonce = _key_nonce(made.welcome_secret)
    sealed = crypto.seal(key, info.encoded(), b"", nonce)
    secrets = []
    for package, path_secret in newcomers:
        own = GroupSecrets(made.joiner_secret, None if path_secret is None else _PathSecret(path_secret), tuple(psks))
        secrets.append(
            EncryptedSecrets(package.reference, encrypt_with_label(package.init_key, "Welcome", sealed, own.encoded()))
        )
    return Welcome(SUITE, tuple(secrets), sealed)


class Welcomed(NamedTuple):
    """What a Welcome brings: the group as it is, its epoch, and the newcomer's path secret (32 bytes), if any."""

    info: GroupInfo
    made: Scheduled
    path_secret: bytes | None


def open_welcome(
    message: Welcome, package: KeyPackage, init_key: Private, psks: PreSharedKeys | None = None
) -> Welcomed:
    """Return what a Welcome brings to the owner of a key package; who signed it is checked by the tree, later.

    Raises:
        Forged: it is of another suite or for others, needs a pre-shared key that is not there, does not open, or its
            confirmation tag does not fit.
        Malformed: what was sealed is no such secret or group.
    """
    if message.cipher_suite != SUITE:
        raise Forged(f"the Welcome is of ciphersuite {message.cipher_suite}")
    mine = [each.secrets for each in message.secrets if each.new_member == package.reference]
    if not mine:
        raise Forged("the Welcome is for other key packages")
    plain = decrypt_with_label(init_key, "Welcome", message.encrypted_group_info, mine[0])
    own = decode(plain, GroupSecrets)
    psk = (psks or PreSharedKeys()).secret(own.psks)
    key, nonce = _key_nonce(derive_secret(crypto.hkdf_extract(own.joiner_secret, psk), "welcome"))
    try:
        info = decode(crypto.open_sealed(key, message.encrypted_group_info, b"", nonce), GroupInfo)
    except Forged:
        raise Forged("the GroupInfo of a Welcome does not open") from None
    made = joined(own.joiner_secret, info.context, psk)
    made.epoch.check_confirmation(info.confirmation_tag, info.context.confirmed_transcript_hash)
    path_secret = None if own.path_secret is None else own.path_secret.path_secret
    if path_secret is not None and len(path_secret) != HASH:
        raise Malformed("GroupSecrets: a path secret has another length than 32 bytes")
    return Welcomed(info, made, path_secret)
