"""Who stands at a leaf: keys, a credential, and the signature of the one by the other; and how he is added.

A leaf says where it comes from. One out of a key package lasts for a time; one out of an update or a commit is signed
together with group and place, so that it fits no other. Source: RFC 9420, sections 5.3, 7.2 and 10.
"""

from __future__ import annotations

from typing import Annotated

from msgspec.structs import replace

from escrow.crypto import Private, SigningKey
from escrow.errors import Forged
from escrow.mls.key_schedule import Extension
from escrow.mls.labelled import SUITE, VERSION, check_signature, ref_hash, sign_with_label
from escrow.mls.presentation import Opaque, Select, Tls, Uint16, Uint64, Vector, opaque

ALWAYS = (1 << 64) - 1  # a time that never comes


class BasicCredential(Tls, frozen=True):
    """A bare assertion of an identity."""

    identity: Opaque


class X509Credential(Tls, frozen=True):
    """A chain of certificates, which nothing here reads."""

    certificates: Vector[Opaque]


Credential = Annotated[
    BasicCredential | X509Credential, Select("credential type", 2, {1: BasicCredential, 2: X509Credential})
]


class Capabilities(Tls, frozen=True):
    """What a client understands, by number: versions, suites, extensions, proposals, credentials."""

    versions: Vector[Uint16] = (VERSION,)
    cipher_suites: Vector[Uint16] = (SUITE,)
    extensions: Vector[Uint16] = ()
    proposals: Vector[Uint16] = ()
    credentials: Vector[Uint16] = (1,)


class FromKeyPackage(Tls, frozen=True):
    """The leaf of a key package: valid from one time (seconds since 1970) to another."""

    not_before: Uint64 = 0
    not_after: Uint64 = ALWAYS


class FromUpdate(Tls, frozen=True):
    """The leaf of an Update proposal."""


class FromCommit(Tls, frozen=True):
    """The leaf of a commit: the hash that ties it to the nodes above."""

    parent_hash: Opaque


LeafSource = Annotated[
    FromKeyPackage | FromUpdate | FromCommit,
    Select("leaf node source", 1, {1: FromKeyPackage, 2: FromUpdate, 3: FromCommit}),
]


class LeafNode(Tls, frozen=True):
    """A member's keys (32 bytes each), credential and signature."""

    encryption_key: Opaque
    signature_key: Opaque
    credential: Credential
    capabilities: Capabilities
    source: LeafSource
    extensions: Vector[Extension] = ()
    signature: Opaque = b""

    @property
    def identity(self) -> bytes:
        """The name that the credential asserts: of a chain of certificates, the first of them."""
        if isinstance(self.credential, BasicCredential):
            return self.credential.identity
        return self.credential.certificates[0] if self.credential.certificates else b""

    @property
    def name(self) -> str:
        """The identity as text; bytes that are none stand as escapes."""
        return self.identity.decode(errors="backslashreplace")

    @property
    def parent_hash(self) -> bytes | None:
        """The parent hash, or None of a leaf that no commit made."""
        return self.source.parent_hash if isinstance(self.source, FromCommit) else None

    def _signed_bytes(self, group_id: bytes, leaf: int) -> bytes:
        if isinstance(self.source, FromKeyPackage):
            return self.without_last()
        return self.without_last() + opaque(group_id) + leaf.to_bytes(4, "big")

    def signed(self, key: SigningKey, group_id: bytes = b"", leaf: int = 0) -> LeafNode:
        """Return the leaf with its signature. Group and leaf index matter unless it is that of a key package."""
        return replace(self, signature=sign_with_label(key, "LeafNodeTBS", self._signed_bytes(group_id, leaf)))

    def check(self, group_id: bytes, leaf: int) -> None:
        """Raise Forged unless the leaf is signed by its own key, for this group and place."""
        check_signature(self.signature_key, "LeafNodeTBS", self._signed_bytes(group_id, leaf), self.signature)


class KeyPackage(Tls, frozen=True, kw_only=True):
    """What a client publishes so that others can add him: a key for one Welcome, and his leaf."""

    version: Uint16 = VERSION
    cipher_suite: Uint16 = SUITE
    init_key: Opaque
    leaf_node: LeafNode
    extensions: Vector[Extension] = ()
    signature: Opaque = b""

    @property
    def reference(self) -> bytes:
        """The hash (32 bytes) by which a Welcome names the package."""
        return ref_hash("MLS 1.0 KeyPackage Reference", self.encoded())

    def signed(self, key: SigningKey) -> KeyPackage:
        """Return the package with its signature."""
        return replace(self, signature=sign_with_label(key, "KeyPackageTBS", self.without_last()))

    def check(self) -> None:
        """Raise Forged unless version and suite are ours, both signatures fit, and no key serves twice."""
        if (self.version, self.cipher_suite) != (VERSION, SUITE):
            raise Forged(f"a key package is of version {self.version} and ciphersuite {self.cipher_suite}")
        if not isinstance(self.leaf_node.source, FromKeyPackage):
            raise Forged("the leaf of a key package comes from elsewhere")
        if self.init_key == self.leaf_node.encryption_key:
            raise Forged("a key package has one key for the Welcome and for its leaf")
        check_signature(self.leaf_node.signature_key, "KeyPackageTBS", self.without_last(), self.signature)
        self.leaf_node.check(b"", 0)


def new_leaf(
    identity: bytes, signing: SigningKey, encryption: Private, extensions: tuple[Extension, ...] = ()
) -> LeafNode:
    """Return a leaf as a key package has it, signed."""
    numbers = Capabilities(extensions=tuple(each.kind for each in extensions))
    leaf = LeafNode(encryption.public, signing.public, BasicCredential(identity), numbers, FromKeyPackage(), extensions)
    return leaf.signed(signing)
