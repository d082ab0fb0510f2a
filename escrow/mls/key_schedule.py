"""The secrets of an epoch, each from the one before and from what the last commit brought.

  joiner   Expand(Extract(salt init[n-1], commit), "joiner", context[n])        what a Welcome brings
  member   Extract(salt joiner, psk);  welcome = Derive(member, "welcome")
  epoch    Expand(member, "epoch", context[n]);  from it, by label, all that `EpochSecrets` has, and init[n]

Source: RFC 9420, sections 8, 8.1, 8.3, 8.5 and 8.6.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from escrow import crypto
from escrow.crypto import Private
from escrow.derivation import honest_only
from escrow.errors import Forged
from escrow.mls.labelled import HASH, SUITE, VERSION, derive_secret, expand_with_label, mac
from escrow.mls.presentation import Opaque, Tls, Uint16, Uint64, Vector
from escrow.primitives import hpke

NO_PSK = NO_COMMIT = bytes(HASH)
_EXTERNAL_INIT = b"MLS 1.0 external init secret"


class Extension(Tls, frozen=True):
    """An extension: its number, and its bytes."""

    kind: Uint16
    data: Opaque


class GroupContext(Tls, frozen=True, kw_only=True):
    """What all members of an epoch agree on (section 8.1)."""

    version: Uint16 = VERSION
    cipher_suite: Uint16 = SUITE
    group_id: Opaque
    epoch: Uint64
    tree_hash: Opaque
    confirmed_transcript_hash: Opaque
    extensions: Vector[Extension] = ()


class EpochSecrets(msgspec.Struct, frozen=True):
    """The secrets of one epoch, 32 bytes each."""

    sender_data_secret: bytes
    encryption_secret: bytes
    exporter_secret: bytes
    external_secret: bytes
    confirmation_key: bytes
    membership_key: bytes
    resumption_psk: bytes
    epoch_authenticator: bytes
    init_secret: bytes

    @property
    @honest_only("a member's own step; what it gives is in escrow.mls.conversations.facts.enter")
    def external_key(self) -> Private:
        """The key pair to whose public half a stranger encapsulates when he joins by himself (section 8.3)."""
        return hpke.derive_key_pair(self.external_secret)

    def exported(self, label: str, context: bytes, length: int) -> bytes:
        """Return `length` bytes for an application (section 8.5)."""
        secret = derive_secret(self.exporter_secret, label)
        return expand_with_label(secret, "exported", crypto.digest(context), length)

    def confirmation_tag(self, confirmed_transcript_hash: bytes) -> bytes:
        """Return the tag (32 bytes) by which the sender of a commit shows that he has the epoch (section 8.1)."""
        return mac(self.confirmation_key, confirmed_transcript_hash)

    def check_confirmation(self, tag: bytes, confirmed_transcript_hash: bytes) -> None:
        """Raise Forged unless the tag is that of the epoch."""
        if tag != self.confirmation_tag(confirmed_transcript_hash):
            raise Forged("the confirmation tag does not fit: the sender has other secrets or another transcript")


class Scheduled(NamedTuple):
    """What the key schedule gives on the way: joiner secret, welcome secret (32 bytes each), and the epoch."""

    joiner_secret: bytes
    welcome_secret: bytes
    epoch: EpochSecrets


_LABELS = ("sender data", "encryption", "exporter", "external", "confirm", "membership", "resumption", "authentication")


def epoch_of(epoch_secret: bytes) -> EpochSecrets:
    """Return the secrets of the epoch that has an epoch secret, 32 bytes."""
    return EpochSecrets(*(derive_secret(epoch_secret, label) for label in (*_LABELS, "init")))


def joined(joiner_secret: bytes, context: GroupContext, psk_secret: bytes = NO_PSK) -> Scheduled:
    """Return the epoch as who was welcomed computes it, from the joiner secret (32 bytes)."""
    member = crypto.hkdf_extract(joiner_secret, psk_secret)
    epoch_secret = expand_with_label(member, "epoch", context.encoded(), HASH)
    return Scheduled(joiner_secret, derive_secret(member, "welcome"), epoch_of(epoch_secret))


def scheduled(init_secret: bytes, commit_secret: bytes, context: GroupContext, psk_secret: bytes = NO_PSK) -> Scheduled:
    """Return the next epoch from the init secret of the last and the commit secret, 32 bytes each."""
    extracted = crypto.hkdf_extract(init_secret, commit_secret)
    return joined(expand_with_label(extracted, "joiner", context.encoded(), HASH), context, psk_secret)


def external_init(external_public: bytes) -> tuple[bytes, bytes]:
    """Return (kem_output, init secret), 32 bytes each, as who joins by himself makes them (section 8.3)."""
    enc, context = hpke.DEFAULT.sender(external_public)
    return enc, context.export(_EXTERNAL_INIT, HASH)


def external_init_opened(key: Private, kem_output: bytes) -> bytes:
    """Return the init secret (32 bytes) as members compute it. Raise Forged if `kem_output` is no public key."""
    return hpke.DEFAULT.receiver(key, kem_output).export(_EXTERNAL_INIT, HASH)
