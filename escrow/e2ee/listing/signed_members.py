"""Who is in a group, as a device of its admin signed it; the admin is the user who made the group.

sign     whoever changes a group signs its members, with a number that is larger than the last one
learn    the newest list that a device of the admin signed is kept; the group of a first look-up names the admin
leave    a member who is in no signed list is left out, and gets no mail
"""

from __future__ import annotations

from contextlib import suppress

import msgspec

from escrow.derivation import honest_only
from escrow.e2ee.device import Device
from escrow.e2ee.listing import device_lists
from escrow.e2ee.listing.checks import ClientCheck
from escrow.e2ee.listing.device_lists import GroupSignature, SignatureOf
from escrow.e2ee.listing.kept_lists import Vouching
from escrow.e2ee.provider import Group
from escrow.errors import EscrowError, Refused
from escrow.wire import Wire

SIGNED_MEMBERS = ClientCheck("signed members", "sends nothing to a member of a group whom no admin signed")


@honest_only("what a device does with its own groups")
def signature(device: Device, wire: Wire, group: Group) -> GroupSignature:
    """Return the device's signature on the members of a group, numbered after the one that the provider has."""
    serial = 0
    with suppress(EscrowError):
        serial = 1 + wire.ask(device.name, device.provider, SignatureOf(group.name), GroupSignature).serial
    return device_lists.group_signature(device.identity, group, serial)


@honest_only("what a device does with its own groups")
def without_unsigned(device: Device, own: Vouching, wire: Wire, name: str, found: Group) -> Group:
    """Return the group that was found under a name, without the members whom no admin signed; complain of these."""
    admin = own.admins.setdefault(name, found.by)
    with suppress(EscrowError):
        told = wire.ask(device.name, device.provider, SignatureOf(name), GroupSignature)
        known = own.members.get(name)
        newer = known is None or known.serial <= told.serial
        if newer and told.name == name and told.holds() and _is_of(device, wire, told.signer, admin):
            own.members[name] = told
    signed = own.members[name].members if name in own.members else (device.user,)
    if set(found.members) <= set(signed) or not device.keeps(SIGNED_MEMBERS.name):
        return found
    for member in set(found.members) - set(signed):
        wire.complain(member, Refused(device.name, f"no admin signed that {member} is in {name}"))
    return msgspec.structs.replace(found, members=tuple(each for each in found.members if each in signed))


def _is_of(device: Device, wire: Wire, key: bytes, user: str) -> bool:
    """Return whether an identity key is of a device of this user that this device would send to."""
    if user == device.user:
        return key in device.linked
    listed = device.contacts.get(user) or device.look_up(wire, user)
    return any(each.identity == key and device.vouches(each, wire.day) for each in listed)
