"""Lists of devices that a user's primary device signs, as in WhatsApp; and lists of members that a group's admin signs.

  account   Ed25519(primary; 0x06 0x00 ‖ L ‖ I_companion)                  the primary linked this companion
  device    Ed25519(companion; 0x06 0x01 ‖ L ‖ I_companion ‖ I_primary)    the companion was linked to this primary
  list      Ed25519(primary; 0x06 0x02 ‖ current and valid indexes, day)  these companions are valid now
  L         what the two first are about: the companion's index
  in chat   each pairwise content names the day and SHA-256 of both users' lists, as its sender knows them
            (escrow.e2ee.content.InChat)
  group     Ed25519(admin's device; name, members, style, serial number)   ours: WhatsApp's server holds the members

A list lives 35 days, and 2 more days once a newer one is heard of. The signatures say nothing of group members.
Source: "WhatsApp Encryption Overview", version 9, 2026, pages 4 to 14 and 32 to 34. Differences: Ed25519 in place of
XEdDSA, days in place of seconds, canonical encodings in place of protobuf; an index is the place in the order in which
keys were linked. The order of fields in the hash is ours: it was read nowhere.
"""

from __future__ import annotations

import msgspec

from escrow import codec
from escrow.codec import Packet, Public
from escrow.crypto import SigningKey, sha256, verify
from escrow.e2ee.provider import Group

LIVES, AFTER_NEWS = 35, 2  # days
_ACCOUNT, _DEVICE, _LIST, _GROUP = b"\x06\x00", b"\x06\x01", b"\x06\x02", b"escrow-lab group list"


class SignedList(Packet, frozen=True):
    """What a primary device says of its user's devices on a day: which indexes are in use, and of what number the last.

    Each list of a primary has a greater `serial` than the one before.
    `primary` is its Ed25519 identity key (32 bytes); `accounts` are its signatures (64 bytes) for each valid index.
    """

    unchecked = {"accounts": "nothing is sent to a device whose account signature does not hold"}

    user: str
    primary: Public
    day: int
    serial: int
    current: int
    valid: tuple[int, ...]
    accounts: tuple[Public, ...]
    signature: Public

    @property
    def signed(self) -> bytes:
        """Return the bytes that the list's signature is over."""
        return _LIST + codec.encode((self.user, self.day, self.serial, self.current, self.valid))


class DeviceSignature(Packet, frozen=True):
    """A companion's signature (64 bytes) that it was linked to this primary, both by Ed25519 keys (32 bytes)."""

    key_index: int
    companion: Public
    primary: Public
    signature: Public


class Registered(Packet, frozen=True):
    """A device says under which number it is registered, where its user's devices have one identity key (32 bytes).

    It draws the number as it makes its first keys: so a device that is linked anew under an old name has another.
    """

    unchecked = {
        "number": "a device that names another number has others begin new sessions with it",
        "identity": "a user's first device names the key of all; another key is a changed one",
    }

    device: str
    number: int
    identity: Public


class RegistrationsOf(Packet, frozen=True):
    """Ask for the numbers under which a user's devices are registered."""

    unchecked = {"user": "a question"}

    user: str


class Registrations(Packet, frozen=True):
    """The numbers of a user's devices, by name, and the identity key of their user, as the first device named it."""

    unchecked = {
        "numbers": "a provider that names others has clients begin new sessions; it may as well lose mail",
        "identity": "the provider's word, as a list of devices is: a changed key raises a notice",
    }

    numbers: dict[str, int]
    identity: Public


class ListOf(Packet, frozen=True):
    """Ask for the signed list of a user."""

    unchecked = {"user": "a question"}

    user: str


class Vouchers(Packet, frozen=True):
    """A user's signed list, and the signatures of the companions."""

    list: SignedList
    devices: tuple[DeviceSignature, ...]


class GroupSignature(Packet, frozen=True):
    """The members of a group as a device of its admin signs them, by an Ed25519 identity key (32 bytes).

    Each list of a group has a greater `serial` than the one before.
    """

    name: str
    members: tuple[str, ...]
    sender_keys: bool
    serial: int
    signer: Public
    signature: Public

    @property
    def signed(self) -> bytes:
        """Return the bytes that are signed."""
        return _GROUP + codec.encode(msgspec.structs.replace(self, signature=b""))

    def holds(self) -> bool:
        """Return whether the signer signed it."""
        return verify(self.signer, self.signature, self.signed)


class SignatureOf(Packet, frozen=True):
    """Ask for the signed members of the group with this name."""

    unchecked = {"name": "a question"}

    name: str


def signed_list(key: SigningKey, user: str, day: int, serial: int, companions: tuple[bytes, ...]) -> SignedList:
    """Return the list of a primary device whose user linked these companions (Ed25519 keys, 32 bytes), in order."""
    valid = tuple(range(1, len(companions) + 1))
    accounts = tuple(key.sign(_account(index, each)) for index, each in zip(valid, companions, strict=True))
    bare = SignedList(user, key.public, day, serial, len(companions), valid, accounts, b"")
    return msgspec.structs.replace(bare, signature=key.sign(bare.signed))


def device_signature(key: SigningKey, index: int, primary: bytes) -> DeviceSignature:
    """Return the signature of the companion with this key and index for its primary (Ed25519 key, 32 bytes)."""
    return DeviceSignature(index, key.public, primary, key.sign(_linked(index, key.public, primary)))


def group_signature(key: SigningKey, group: Group, serial: int) -> GroupSignature:
    """Return the members of a group, signed by a device of its admin."""
    bare = GroupSignature(group.name, group.members, group.sender_keys, serial, key.public, b"")
    return msgspec.structs.replace(bare, signature=key.sign(bare.signed))


def _account(index: int, companion: bytes) -> bytes:
    return _ACCOUNT + codec.encode(index) + companion


def _linked(index: int, companion: bytes, primary: bytes) -> bytes:
    return _DEVICE + codec.encode(index) + companion + primary


def list_is_signed(listed: SignedList) -> bool:
    """Return whether the primary that the list names signed it."""
    return verify(listed.primary, listed.signature, listed.signed)


def account_index(listed: SignedList, companion: bytes) -> int:
    """Return the index under which the primary signed this companion (Ed25519 key, 32 bytes) as linked, or -1."""
    signed = zip(listed.valid, listed.accounts, strict=False)
    return next((i for i, each in signed if verify(listed.primary, each, _account(i, companion))), -1)


def device_is_signed(signed: DeviceSignature) -> bool:
    """Return whether the companion signed that it was linked to this primary."""
    return verify(signed.companion, signed.signature, _linked(signed.key_index, signed.companion, signed.primary))


def keys_hash(keys: tuple[bytes, ...]) -> bytes:
    """Return the SHA-256 (32 bytes) over identity keys, in the order of their bytes."""
    return sha256(b"".join(sorted(keys)))
