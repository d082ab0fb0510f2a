"""What a device learns of users whose devices have one identity key: that key, and numbers of registrations."""

from __future__ import annotations

from contextlib import suppress

from escrow.derivation import honest_only
from escrow.e2ee.device import Device
from escrow.e2ee.listing.device_lists import Registrations, RegistrationsOf
from escrow.e2ee.listing.kept_lists import Vouching
from escrow.e2ee.provider import Listed
from escrow.errors import EscrowError
from escrow.wire import Wire


@honest_only("what a device does with its own contacts")
def learn(device: Device, own: Vouching, wire: Wire, user: str, listed: list[Listed]) -> None:
    """Learn a user's key from the first list, or from one under other keys, of which the device told its user just now.

    And forget sessions and chains of whoever had a device's name under another number.
    """
    told = Registrations({}, b"")
    with suppress(EscrowError):
        told = wire.ask(device.name, device.provider, RegistrationsOf(user), Registrations)
    keys = [each.identity for each in listed if not device.is_exempt(each, wire.day)]
    if keys and own.keys.get(user) not in keys:
        own.keys[user] = told.identity if told.identity in keys else keys[0]
    for name in {each.device for each in listed} & {*told.numbers}:
        if own.numbers.setdefault(name, told.numbers[name]) != told.numbers[name]:
            own.numbers[name] = told.numbers[name]
            _forget(device, name)


def _forget(device: Device, name: str) -> None:
    device.sessions.pop(name, None)
    device.receiving = [each for each in device.receiving if each.device != name]
    device.sending = {
        group: chain for group, chain in device.sending.items() if all(each.device != name for each in chain.holders)
    }
