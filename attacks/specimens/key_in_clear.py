"""Each ciphertext travels beside its own message key; in the sound twin, beside that key's hash."""

from __future__ import annotations

from attacks.specimens import OURS
from escrow.crypto import sha256
from escrow.e2ee import device
from escrow.e2ee.device import Slip
from escrow.e2ee.ratchet import MessageKey
from escrow.scheme import AccessField
from escrow.schemes.plain import Plain


class Tag(AccessField, frozen=True):
    """Something beside the ciphertext by which its key can be told: 32 bytes."""

    shown: MessageKey


class TaggingDevice(device.Device):
    """A client that tags its mail."""

    def access_field(self, key: MessageKey, slip: Slip) -> Tag:
        return Tag(key.chain, key.n, slip.people, slip.day, self.shown(key))

    def shown(self, key: MessageKey) -> MessageKey:
        """What the tag says: the key itself."""
        return key


class HashingDevice(TaggingDevice):
    """A client that shows a hash."""

    def shown(self, key: MessageKey) -> MessageKey:
        """What the tag says: the key's SHA-256."""
        return MessageKey(key.chain, key.n, sha256(key.value))


class KeyInClear(Plain, frozen=True, kw_only=True):
    name = "key-in-clear"
    title = "Specimen: each message travels beside its key"
    source = OURS
    device = TaggingDevice


class KeyHashed(KeyInClear, frozen=True, kw_only=True):
    name = "key-hashed"
    title = "Twin: each message travels beside its key's hash"
    device = HashingDevice


SPECIMEN, TWIN = KeyInClear(), KeyHashed()
