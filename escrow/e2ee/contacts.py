"""What a device knows of other users' devices: what the directory lists, what changed, and the safety number."""

from __future__ import annotations

from typing import Protocol

from escrow import crypto
from escrow.codec import Public
from escrow.derivation import honest_only
from escrow.e2ee.provider import DeviceList, DevicesOf, Listed, OwnerOf
from escrow.e2ee.sessions import Conversing
from escrow.errors import EscrowError
from escrow.wire import Wire


class _Device(Protocol):
    """What of a device is used here."""

    name: str
    user: str
    provider: str
    linked: list[Public]
    contacts: dict[str, list[Listed]]
    sessions: dict[str, list[Conversing]]

    def look_up(self, wire: Wire, user: str) -> list[Listed]: ...
    def keeps_quiet(self, wire: Wire, device: Listed) -> bool: ...
    def safety_number(self, user: str) -> str: ...


@honest_only("what a device does with its own contacts")
def look_up(device: _Device, wire: Wire, user: str) -> list[Listed]:
    """Return the devices of a user as the directory lists them today.

    The device complains to its user about a new device or key, unless it keeps quiet about that one; and it forgets
    its sessions with a device whose key changed.
    """
    listed = list(wire.ask(device.name, device.provider, DevicesOf(user), DeviceList).devices)
    for each in listed:
        if not _expected(device, user, each) and not device.keeps_quiet(wire, each):
            wire.alarm(device.name, "a new device or key is shown")
    for each in listed:
        if any(old.device == each.device and old != each for old in device.contacts.get(each.user, [])):
            device.sessions.pop(each.device, None)
    device.contacts[user] = listed
    return listed


def _expected(device: _Device, user: str, listed: Listed) -> bool:
    if user == device.user:
        return listed.identity in device.linked or listed in device.contacts.get(user, [])
    return user not in device.contacts or listed in device.contacts[user]


@honest_only("what a device does with its own contacts")
def author_of(device: _Device, wire: Wire, sender: str) -> Listed:
    """Return the device of this name as it is known or, if it is not, as the directory lists it."""
    known = (listed for devices in device.contacts.values() for listed in devices if listed.device == sender)
    found = next(known, None)
    if found is None:
        owner = wire.ask(device.name, device.provider, OwnerOf(sender), Listed)
        found = next((each for each in device.look_up(wire, owner.user) if each.device == sender), owner)
    return found


@honest_only("what two people do with their own devices")
def compare_safety_numbers(wire: Wire, one: _Device, other: _Device) -> bool:
    """Return whether two users who meet see the same safety number. If they do not, both devices raise an alarm.

    Each device first asks the directory for the other user's devices, as for a message.
    """
    for device, peer in ((one, other.user), (other, one.user)):
        with crypto.acting(device.name):
            device.look_up(wire, peer)
    try:
        agree = one.safety_number(other.user) == other.safety_number(one.user)
    except EscrowError:  # a key in the list is not a key, so there is no number to agree on
        agree = False
    if not agree:
        wire.alarm(one.name, "safety number")
        wire.alarm(other.name, "safety number")
    return agree
