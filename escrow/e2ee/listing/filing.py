"""A provider that files what devices sign, and hands it out: the newest list of each user, the members of each group.

What it refuses is what every client would refuse: an entry of another sender, a bad signature, an older list.
"""

from __future__ import annotations

from escrow.e2ee.listing import device_lists
from escrow.e2ee.listing.device_lists import (
    DeviceSignature,
    GroupSignature,
    ListOf,
    Registered,
    Registrations,
    RegistrationsOf,
    SignatureOf,
    SignedList,
    Vouchers,
)
from escrow.e2ee.provider import Provider
from escrow.errors import Unreachable
from escrow.wire import Wire


class VouchingProvider(Provider):
    """A provider that hands out what devices sign: the newest list of each user, and members of each group."""

    signed_lists: dict[str, SignedList] = {}
    companions: dict[str, DeviceSignature] = {}
    signed_groups: dict[str, GroupSignature] = {}
    registered: dict[str, Registered] = {}

    def on_signed_list(self, sender: str, packet: SignedList, wire: Wire) -> None:
        """File the list of the sender's user. Refuse one of another user, or of another device's key."""
        entry = self.entry(sender, sender)
        self.insist((entry.user, entry.identity) == (packet.user, packet.primary), "a list is of its sender")
        self.insist(packet.day == wire.day, "a list is of today")
        self.insist(device_lists.list_is_signed(packet), "signature of a list")
        first = self.signed_lists.get(packet.user, packet)
        self.insist(first.primary == packet.primary, "a user has one primary device")
        self.insist(first.serial <= packet.serial, "a list is not older than the one before")
        self.insist(len(packet.accounts) == len(packet.valid), "a list has a signature for each valid index")
        self.signed_lists[packet.user] = packet

    def on_device_signature(self, sender: str, packet: DeviceSignature, wire: Wire) -> None:
        """File the signature of a companion. Refuse one of another device's key."""
        self.insist(self.entry(sender, sender).identity == packet.companion, "a device signs for itself")
        self.insist(device_lists.device_is_signed(packet), "signature of a companion")
        self.companions[sender] = packet

    def on_list_of(self, sender: str, packet: ListOf, wire: Wire) -> Vouchers:
        """Return a user's list, with the companions' signatures. Raise Unreachable if there is none."""
        if packet.user not in self.signed_lists:
            raise Unreachable(f"no primary of {packet.user} signed a list")
        names = sorted(name for name in self.companions if self.accounts.get(name) == packet.user)
        return Vouchers(self.signed_lists[packet.user], tuple(self.companions[name] for name in names))

    def on_registered(self, sender: str, packet: Registered, wire: Wire) -> None:
        """File the sender's registration. Refuse one of another device."""
        self.insist(sender in self.accounts and sender == packet.device, "a device registers itself")
        self.registered[sender] = packet

    def on_registrations_of(self, sender: str, packet: RegistrationsOf, wire: Wire) -> Registrations:
        """Return what a user's devices registered. Raise Unreachable if none did."""
        mine = [
            self.registered[name]
            for name, user in self.accounts.items()
            if user == packet.user and name in self.registered
        ]
        if not mine:
            raise Unreachable(f"no device of {packet.user} registered")
        return Registrations({each.device: each.number for each in mine}, mine[0].identity)

    def on_group_signature(self, sender: str, packet: GroupSignature, wire: Wire) -> None:
        """File the signed members of a group. Refuse those by another than the member who changed it last."""
        group, user = self.groups.get(packet.name), self.accounts.get(sender, "")
        changed = group is not None and group.by == user and user in group.members
        signs = changed and self.entry(sender, sender).identity == packet.signer
        self.insist(signs, "the member who changed a group last signs it")
        same = group is not None and (group.members, group.sender_keys) == (packet.members, packet.sender_keys)
        self.insist(same, "what is signed of a group is what was said of it")
        self.insist(packet.holds(), "signature of a group")
        before = self.signed_groups.get(packet.name, packet)
        self.insist(before.serial <= packet.serial, "a list is not older than the one before")
        self.signed_groups[packet.name] = packet

    def on_signature_of(self, sender: str, packet: SignatureOf, wire: Wire) -> GroupSignature:
        """Return the signed members of a group. Raise Unreachable if nobody signed them."""
        if packet.name not in self.signed_groups:
            raise Unreachable(f"nobody signed who is in {packet.name}")
        return self.signed_groups[packet.name]
