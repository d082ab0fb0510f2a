"""The provider: directory (who has which devices and keys, who is in which group) and relay (mail until collected).

Group membership and device lists are the provider's word, unsigned, as in WhatsApp's server (Roesler, Mainka and
Schwenk, "More is Less", EuroS&P 2018, on groups). Whoever controls the provider can add to either.
"""

from __future__ import annotations

import msgspec

from escrow.codec import Packet, Public
from escrow.e2ee.x3dh import Bundle, Initial, PqInitial
from escrow.errors import Unreachable
from escrow.principal import Principal
from escrow.wire import Wire


class Listed(Packet, frozen=True):
    """A device as the directory lists it: whose it is, its name, its Ed25519 identity key (32 bytes)."""

    user: str
    device: str
    identity: Public


class Publish(Packet, frozen=True):
    """A device's keys for the directory; one-time prekeys add to those that are left."""

    user: str
    identity: Public
    prekey: Public
    signature: Public
    one_time: tuple[Public, ...]


class Fetch(Packet, frozen=True):
    """Ask for the keys with which to begin a session with a device."""

    device: str


class DevicesOf(Packet, frozen=True):
    """Ask for the devices of a user."""

    user: str


class OwnerOf(Packet, frozen=True):
    """Ask whose a device is."""

    device: str


class DeviceList(Packet, frozen=True):
    """The devices of a user, by name."""

    devices: tuple[Listed, ...]


class GroupOf(Packet, frozen=True):
    """Ask for the members of a group."""

    group: str


class Group(Packet, frozen=True):
    """A group: its member users, and whether it uses Sender Keys or pairwise fan-out."""

    name: str
    members: tuple[str, ...]
    sender_keys: bool


class Mail(Packet, frozen=True):
    """A ciphertext on its way between devices, with the scheme's access field beside it.

    `group` is empty for a pairwise message; `initial` precedes the messages of a session that was not answered yet.
    """

    sender: str
    recipients: tuple[str, ...]
    group: str
    initial: Initial | PqInitial | None
    body: Public
    field: Public


class Collect(Packet, frozen=True):
    """Ask for the mail that waits."""


class Delivery(Packet, frozen=True):
    """The mail that waited, oldest first."""

    mails: tuple[Mail, ...]


class Entry(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """What the directory keeps of a device."""

    user: str
    identity: Public
    prekey: Public
    signature: Public
    one_time: list[Public]


class Provider(Principal):
    """Directory and relay. Everything that it keeps is public but for who waits for which mail.

    `accounts` says whose each device is: linking a device is the user's act, which the scenario has done beforehand.
    """

    accounts: dict[str, str] = {}
    directory: dict[str, Entry] = {}
    groups: dict[str, Group] = {}
    mailboxes: dict[str, list[Mail]] = {}

    def on_publish(self, sender: str, packet: Publish, wire: Wire) -> None:
        self.insist(self.accounts.get(sender) == packet.user, "the user linked this device")
        entry = self.directory.get(sender)
        self.insist(entry is None or entry.identity == packet.identity, "a device's identity key does not change")
        self.directory[sender] = self.filed(packet, entry)

    def on_fetch(self, sender: str, packet: Fetch, wire: Wire) -> Bundle:
        return self.handed_out(self.entry(packet.device, sender))

    def on_devices_of(self, sender: str, packet: DevicesOf, wire: Wire) -> DeviceList:
        names = sorted(name for name, entry in self.directory.items() if entry.user == packet.user)
        return DeviceList(tuple(self.listed(name, sender) for name in names))

    def on_owner_of(self, sender: str, packet: OwnerOf, wire: Wire) -> Listed:
        return self.listed(packet.device, sender)

    def on_group(self, sender: str, packet: Group, wire: Wire) -> None:
        self.groups[packet.name] = packet

    def on_group_of(self, sender: str, packet: GroupOf, wire: Wire) -> Group:
        if packet.group not in self.groups:
            raise Unreachable(f"there is no group {packet.group}")
        return self.groups[packet.group]

    def on_mail(self, sender: str, packet: Mail, wire: Wire) -> None:
        self.insist(packet.sender == sender, "mail names its sender")
        self.insist(sender in self.accounts, "a user linked this device")
        for recipient in packet.recipients:
            self.mailboxes.setdefault(recipient, []).append(packet)

    def on_collect(self, sender: str, packet: Collect, wire: Wire) -> Delivery:
        return Delivery(tuple(self.mailboxes.pop(sender, [])))

    @staticmethod
    def filed(packet: Publish, before: Entry | None) -> Entry:
        """What the directory keeps of a publication; one-time prekeys add to those that are left."""
        left = before.one_time if before else []
        return Entry(packet.user, packet.identity, packet.prekey, packet.signature, left + list(packet.one_time))

    @staticmethod
    def handed_out(entry: Entry) -> Bundle:
        """The keys with which to begin one session; a one-time prekey among them is taken out of the entry."""
        one_time = entry.one_time.pop(0) if entry.one_time else b""
        return Bundle(entry.identity, entry.prekey, entry.signature, one_time)

    def entry(self, device: str, asker: str) -> Entry:
        """What the directory tells `asker` of a device, here to all the same. Unreachable if it never was published."""
        if device not in self.directory:
            raise Unreachable(f"the directory knows no device {device}")
        return self.directory[device]

    def listed(self, device: str, asker: str) -> Listed:
        """A device by the keys that the directory tells `asker`."""
        entry = self.entry(device, asker)
        return Listed(entry.user, device, entry.identity)
