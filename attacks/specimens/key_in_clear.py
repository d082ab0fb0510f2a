"""Each ciphertext travels beside its own message key; in the sound twin, beside that key's hash."""

from __future__ import annotations

from attacks.specimens import OURS
from escrow.crypto import sha256
from escrow.derivation import honest_only
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.scheme import AccessField
from escrow.schemes.plain import Plain


class Tag(AccessField, frozen=True):
    """32 bytes beside the ciphertext that depend on its key."""

    shown: MessageKey


class TaggingDevice(device.Device):
    """A client that tags its mail."""

    def access_field(self, key: MessageKey, context: FieldContext) -> Tag:
        """Return a tag with what this client shows of the key."""
        return Tag(key.chain, key.n, context.people, context.day, self.shown(key))

    def shown(self, key: MessageKey) -> MessageKey:
        """Return the key itself."""
        return key


class HashingDevice(TaggingDevice):
    """A client that shows the key's hash."""

    @honest_only("from a hash follows no text: that is what the twin is for")
    def shown(self, key: MessageKey) -> MessageKey:
        """Return the key's SHA-256 in place of the key."""
        return MessageKey(key.chain, key.n, sha256(key.value))


class KeyInClear(Plain, frozen=True, kw_only=True):
    """Plain, with each message's key in its access field."""

    name = "key-in-clear"
    title = "Specimen: each message travels beside its key"
    source = OURS
    device = TaggingDevice


class KeyHashed(KeyInClear, frozen=True, kw_only=True):
    """Plain, with the hash of each message's key in its access field."""

    name = "key-hashed"
    title = "Twin: each message travels beside its key's hash"
    device = HashingDevice


SPECIMEN, TWIN = KeyInClear(), KeyHashed()
