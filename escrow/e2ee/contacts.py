"""What a device knows of other users' devices: what the directory lists, what changed, and the safety number."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from escrow import crypto
from escrow.crypto import montgomery
from escrow.derivation import honest_only
from escrow.e2ee.listing.checks import CHANGED_KEY, NEW_DEVICE, OWN_DEVICES, ClientCheck
from escrow.e2ee.provider import DeviceList, DevicesOf, Listed, Mail, OwnerOf
from escrow.e2ee.sender_keys import PeerChain
from escrow.errors import EscrowError, Refused
from escrow.wire import Wire

if TYPE_CHECKING:
    from escrow.e2ee.device import Device


@honest_only("what a device does with its own contacts")
def look_up(device: Device, wire: Wire, user: str) -> list[Listed]:
    """Return the devices of a user as the directory lists them today, each once; what it lists for others is left out.

    The device complains to its user about a new device or key, unless it keeps quiet about that one; it complains as
    soon as it no longer keeps quiet. And it forgets its sessions with a device whose key changed. Raise Refused if one
    device is listed under two keys.
    """
    answer = wire.ask(device.name, device.provider, DevicesOf(user), DeviceList)
    theirs = list(dict.fromkeys(each for each in answer.devices if each.user == user))
    device.insist(len({each.device for each in theirs}) == len(theirs), "a device is listed under one key")
    listed, quiet = device.in_directory(wire, user, theirs), []
    for each in listed:
        check = device.noticed(user, each)
        if check is not None or each in device.quiet:
            if device.keeps_quiet(wire, each):
                quiet.append(each)
            elif device.keeps((check or NEW_DEVICE).name):
                wire.alarm(device.name, "a new device or key is shown")
    device.quiet = [each for each in device.quiet if each.user != user] + quiet
    for each in listed:
        if any(old.device == each.device and old != each for old in device.contacts.get(each.user, [])):
            device.sessions.pop(each.device, None)
    device.contacts[user] = listed
    return listed


@honest_only("what a device does with its own contacts")
def news(device: Device, user: str, listed: Listed) -> ClientCheck | None:
    """Return which check is about a listed device, or None if the device expects it."""
    known = device.contacts.get(user, [] if user == device.user else [listed])
    if listed in known or (user == device.user and listed.identity in device.linked):
        return None
    return CHANGED_KEY if any(old.device == listed.device for old in known) else NEW_DEVICE


@honest_only("what a device does with its own contacts")
def is_vouched_for(device: Device, listed: Listed, day: int) -> bool:
    """Return whether a device of one's own user was linked, or needs no link; of others', what `vouches` says.

    To any other nothing is sent: its key is not in the safety number that this device shows.
    """
    if listed.user != device.user:
        return device.vouches(listed, day)
    linked = listed.identity in device.linked or device.is_exempt(listed, day)
    return linked or not device.keeps(OWN_DEVICES.name)


@honest_only("what a device does with its own contacts")
def author_of(device: Device, wire: Wire, mail: Mail, chain: PeerChain | None = None) -> Listed:
    """Return the device that sent a mail as it is known or, if name and key are not, as the directory lists it today.

    Raise Refused if it is not among the devices listed for its owner, which alone are noticed and in the safety number;
    or if the key that began the mail's session, or told its chain, is not the one listed under that name.
    """
    known = (listed for devices in device.contacts.values() for listed in devices if listed.device == mail.sender)
    for found in known:
        with suppress(Refused):
            _insist_on_key(device, found, mail, chain, wire.day)
            return found
    owner = wire.ask(device.name, device.provider, OwnerOf(mail.sender), Listed)
    listed = device.look_up(wire, owner.user)
    found = next((each for each in listed if each.device == mail.sender), owner)
    device.insist(found in listed, "the author is listed among its user's devices")
    _insist_on_key(device, found, mail, chain, wire.day)
    return found


def _insist_on_key(device: Device, author: Listed, mail: Mail, chain: PeerChain | None, day: int) -> None:
    device.insist(is_vouched_for(device, author, day), "the author is a device that its user linked")
    device.insist(device.hears(author), "a silent device writes nothing")
    if chain is not None:
        device.insist(chain.identity == author.identity, "the chain is of the key that is listed")
    elif mail.initial is not None:
        device.insist(mail.initial.ik_a == montgomery(author.identity), "the session is from the device listed")


@runtime_checkable
class Comparing(Protocol):
    """A device that compares more than the number with that of a user who is met."""

    def follow(self, wire: Wire) -> None:
        """Ask for what is new of that: each device by itself, since one that is corrupted speaks for nobody else."""

    def differs(self, other: Device) -> str:
        """Return which check, beside the number, finds a difference; "" if none does."""


@honest_only("what two people do with their own devices")
def compare_safety_numbers(wire: Wire, one: Device, other: Device) -> bool:
    """Return whether two users who meet see the same safety number. If they do not, both devices raise an alarm.

    Each device first asks the directory for the other user's devices, as for a message. Where devices compare more than
    the number, that is to be alike, too.
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
    for device, met in ((one, other), (other, one)):
        if isinstance(device, Comparing):
            for each in (device, met):
                if isinstance(each, Comparing):
                    with crypto.acting(each.name):
                        each.follow(wire)
            if what := device.differs(met):
                wire.alarm(device.name, what)
                agree = False
    return agree
