"""The provider: a directory of devices, keys and groups, and a relay that keeps mail until it is collected.

Group membership and device lists are the provider's word, unsigned, as in WhatsApp's server (Roesler, Mainka and
Schwenk, "More is Less", EuroS&P 2018, on groups). A party that controls the provider can add to either.

  bounds   on what each party may drain, publish or let pile up: the constants of Provider. Each is counted for each
           sender, so that a party that exceeds one is refused by name, and the others notice nothing
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from escrow import codec
from escrow.codec import Packet, Public
from escrow.e2ee.x3dh import Bundle, Initial, PqInitial
from escrow.errors import EscrowError, Unreachable
from escrow.principal import Principal, shared
from escrow.wire import Wire


class Listed(Packet, frozen=True):
    """A device as the directory lists it: its owner, its name, its Ed25519 identity key (32 bytes)."""

    unchecked = {
        "user": "the directory's word: new devices raise a notice, and two users who meet compare safety numbers",
        "device": "the directory's word: new devices raise a notice, and two users who meet compare safety numbers",
    }

    user: str
    device: str
    identity: Public


class Publish(Packet, frozen=True):
    """A device's keys for the directory; new one-time prekeys are added to those that are left."""

    user: str
    identity: Public
    prekey: Public
    signature: Public
    one_time: tuple[Public, ...]


class Fetch(Packet, frozen=True):
    """Ask for the keys with which to begin a session with a device."""

    device: str


class CountPrekeys(Packet, frozen=True):
    """Ask how many of the asking device's one-time prekeys the directory still has."""


class PrekeysLeft(Packet, frozen=True):
    """The number of one-time prekeys that are left, of the kind of which fewest are left."""

    count: int


class DevicesOf(Packet, frozen=True):
    """Ask for the devices of a user."""

    unchecked = {
        "user": "a question",
    }

    user: str


class OwnerOf(Packet, frozen=True):
    """Ask for the owner of a device."""

    unchecked = {
        "device": "a question",
    }

    device: str


class DeviceList(Packet, frozen=True):
    """The devices of a user, by name."""

    unchecked = {
        "devices": "the directory's word: new devices raise a notice, and two users who meet compare safety numbers",
    }

    devices: tuple[Listed, ...]


class GroupOf(Packet, frozen=True):
    """Ask for the members of a group."""

    group: str


class Group(Packet, frozen=True):
    """A group: its member users, whether it uses Sender Keys or pairwise fan-out, and its last change.

    The provider fills in who made that change, and how many there were before it.
    """

    unchecked = {
        "members": "a member says who is in a group; every client tells its user who is new",
        "sender_keys": "a member says how the texts of a group are sent",
    }

    name: str
    members: tuple[str, ...]
    sender_keys: bool
    by: str = ""
    change: int = 0


class Mail(Packet, frozen=True):
    """A ciphertext on its way between devices, with the scheme's access field beside it.

    `group` is empty for a pairwise message; `initial` precedes the messages of a session until it is answered.
    """

    unchecked = {
        "sender": "a relay that names another sender may as well keep the mail back",
        "group": "a text waits for a sender key that never comes, as if it had not been sent",
        "body": "what does not open is not shown, as if a relay had kept it back",
    }

    sender: str
    recipients: tuple[str, ...]
    group: str
    initial: Initial | PqInitial | None
    body: Public
    field: Public


class Collect(Packet, frozen=True):
    """Ask for the mail that is waiting."""


class Delivery(Packet, frozen=True):
    """The mail that was waiting, oldest first."""

    unchecked = {
        "mails": "a relay may keep mail back",
    }

    mails: tuple[Mail, ...]


class Entry(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The keys and the owner that the directory keeps for one device."""

    user: str
    identity: Public
    prekey: Public
    signature: Public
    one_time: list[Public]


class Provider(Principal):
    """Directory and relay. Everything that it keeps is public, except which device has mail waiting.

    `accounts` maps each device to its owner: linking a device is an act of the user, done before the scenario begins.
    `conversing` names the fields in which a subclass keeps what it relays of sessions.
    """

    conversing: ClassVar[tuple[str, ...]] = ()

    PACKET_BYTES: ClassVar[int] = 2**21  # a publication of ONE_TIME prekeys with as many KEM prekeys fits
    ONE_TIME: ClassVar[int] = 1_000  # one-time prekeys of each kind, for each device
    FETCHES: ClassVar[int] = 10  # of one device's keys, by each other device on each day
    MAILS: ClassVar[int] = 1_000  # waiting in one mailbox, of each sender
    GROUPS: ClassVar[int] = 100  # founded by each user
    MEMBERS: ClassVar[int] = 1_024  # of a group

    accounts: dict[str, str] = {}
    directory: dict[str, Entry] = {}
    groups: dict[str, Group] = {}
    mailboxes: dict[str, list[Mail]] = {}
    founders: dict[str, str] = {}
    fetched: dict[str, list[str]] = {}
    fetched_on: int = 0

    def answer(self, sender: str, request: bytes, wire: object) -> bytes:
        """Return the encoded answer to an encoded packet. Refuse one of more than PACKET_BYTES unread."""
        self.insist(len(request) <= self.PACKET_BYTES, f"{sender} sends a packet that is too long: it must be split")
        return super().answer(sender, request, wire)

    def proofs(self, mail: Mail, field: Any) -> Iterator[tuple[str, bool]]:
        """Yield what a relay that polices checks of a field beside its labels: nothing, unless fields carry proofs."""
        return iter(())

    def on_publish(self, sender: str, packet: Publish, wire: Wire) -> None:
        """File a device's keys.

        Refuse another user's device, a change of its identity key, more than ONE_TIME one-time prekeys, and more than
        PACKET_BYTES of keys.
        """
        self.insist(self.writes(sender) and self.accounts[sender] == packet.user, "the user linked this device")
        entry = self.directory.get(sender)
        self.insist(entry is None or entry.identity == packet.identity, "a device's identity key does not change")
        filed = self.filed(packet, entry)
        few = all(count <= self.ONE_TIME for count in self.left(filed))
        self.insist(few, f"{sender} publishes too many one-time prekeys: it must publish only what is missing")
        short = len(codec.encode(filed)) <= self.PACKET_BYTES
        self.insist(short, f"{sender} publishes keys that are too long: all of them together must fit into a packet")
        self.directory[sender] = filed

    @shared("every linked device may begin a session with every other")
    def on_fetch(self, sender: str, packet: Fetch, wire: Wire) -> Bundle:
        """Return the keys for one new session; this consumes a one-time prekey if any is left.

        Refuse more than FETCHES a day by one device: the stock of another is not its to drain.
        """
        self.insist(self.writes(sender), "a user linked this device")
        entry = self.entry(packet.device, sender)
        if self.fetched_on != wire.day:
            self.fetched, self.fetched_on = {}, wire.day
        devices = self.fetched.setdefault(sender, [])
        few = devices.count(packet.device) < self.FETCHES
        self.insist(few, f"{sender} fetches {packet.device}'s keys too often: it must use its session, or wait a day")
        devices.append(packet.device)
        return self.handed_out(entry)

    def on_count_prekeys(self, sender: str, packet: CountPrekeys, wire: Wire) -> PrekeysLeft:
        """Return how many one-time prekeys of the sender are left. Raise Unreachable if it never published keys."""
        return PrekeysLeft(min(self.left(self.entry(sender, sender))))

    def on_devices_of(self, sender: str, packet: DevicesOf, wire: Wire) -> DeviceList:
        """Return the devices of a user, sorted by name."""
        names = sorted(name for name, entry in self.directory.items() if entry.user == packet.user)
        return DeviceList(tuple(self.listed(name, sender) for name in names))

    def on_owner_of(self, sender: str, packet: OwnerOf, wire: Wire) -> Listed:
        """Return the directory's line for one device. Raise Unreachable if it never published keys."""
        return self.listed(packet.device, sender)

    @shared("every member may change a group")
    def on_group(self, sender: str, packet: Group, wire: Wire) -> None:
        """File a group under its name, in place of an earlier one of that name.

        Refuse a sender who is no member, a member who is named twice, more than MEMBERS members, and more than GROUPS
        new groups of one user.
        """
        self.insist(bool(packet.name), "a group has a name")
        self.insist(len({*packet.members}) == len(packet.members), "a group names each member once")
        before, user = self.groups.get(packet.name), self.accounts.get(sender, "")
        self.insist(self.writes(sender) and user in (before or packet).members, "a member changes a group")
        few = len(packet.members) <= self.MEMBERS
        self.insist(few, f"{sender} makes a group too large: it must be at most {self.MEMBERS} members")
        if before is None:
            few = list(self.founders.values()).count(user) < self.GROUPS
            self.insist(few, f"{user} founds too many groups: one of these must be used again")
            self.founders[packet.name] = user
        change = before.change + 1 if before else 0
        self.groups[packet.name] = msgspec.structs.replace(packet, by=user, change=change)

    def on_group_of(self, sender: str, packet: GroupOf, wire: Wire) -> Group:
        """Return a group. Raise Unreachable if there is none of that name."""
        if packet.group not in self.groups:
            raise Unreachable(f"there is no group {packet.group}")
        return self.groups[packet.group]

    def on_mail(self, sender: str, packet: Mail, wire: Wire) -> None:
        """Queue mail for each recipient. Refuse mail that names another sender, or comes from an unlinked device.

        A recipient that the directory does not list, or with MAILS of this sender waiting, is complained of; the others
        get theirs.
        """
        self.insist(packet.sender == sender, "mail names its sender")
        self.insist(self.writes(sender), "a user linked this device")
        for recipient in dict.fromkeys(packet.recipients):  # each once, however often it is named
            try:
                self.queue(recipient, packet)
            except EscrowError as error:
                wire.complain(self.name, error)

    def queue(self, recipient: str, mail: Mail) -> None:
        """Put mail into a mailbox. Raise Unreachable if there is none, Refused if MAILS of its sender wait there."""
        if recipient not in self.accounts:
            raise Unreachable(f"{mail.sender} writes to {recipient}, which no user linked")
        waiting = self.mailboxes.setdefault(recipient, [])
        few = len(waiting) < self.MAILS or sum(each.sender == mail.sender for each in waiting) < self.MAILS
        self.insist(few, f"{mail.sender} sends {recipient} too much: it must wait until its mail is collected")
        waiting.append(mail)

    @shared("each device collects its own mail")
    def on_collect(self, sender: str, packet: Collect, wire: Wire) -> Delivery:
        """Return the sender's waiting mail and empty its mailbox."""
        return Delivery(tuple(self.mailboxes.pop(sender, [])))

    def writes(self, device: str) -> bool:
        """Return whether a device may write, publish and begin sessions: one that a user linked."""
        return device in self.accounts

    def add(self, device: str, entry: Entry) -> None:
        """List a device among those of the entry's user, unasked: no cryptography prevents this."""
        self.accounts[device] = entry.user
        self.directory[device] = entry

    @staticmethod
    def filed(packet: Publish, before: Entry | None) -> Entry:
        """Return the directory's new entry for a device; new one-time prekeys follow those that are left."""
        left = before.one_time if before else []
        return Entry(packet.user, packet.identity, packet.prekey, packet.signature, left + list(packet.one_time))

    @staticmethod
    def left(entry: Entry) -> tuple[int, ...]:
        """Return how many one-time prekeys of each kind an entry has."""
        return (len(entry.one_time),)

    @staticmethod
    def handed_out(entry: Entry) -> Bundle:
        """Return the keys for one new session; a one-time prekey among them is removed from the entry."""
        one_time = entry.one_time.pop(0) if entry.one_time else b""
        return Bundle(entry.identity, entry.prekey, entry.signature, one_time)

    def entry(self, device: str, asker: str) -> Entry:
        """Return the entry that the directory shows `asker`: here the same to everybody.

        Raise Unreachable if the device never published keys.
        """
        if device not in self.directory:
            raise Unreachable(f"the directory knows no device {device}")
        return self.directory[device]

    def listed(self, device: str, asker: str) -> Listed:
        """Return a device's line, with the identity key that the directory shows `asker`."""
        entry = self.entry(device, asker)
        return Listed(entry.user, device, entry.identity)
