"""Clients that leave out checks, because their vendor ships such an update. Nobody takes their states.

An attack says which checks, as data (`Attack.silenced`): none of its code comes near a client's keys.
"""

from __future__ import annotations

from typing import Any

import msgspec

from escrow.e2ee.device import Device
from escrow.e2ee.listing.checks import NUMBER
from escrow.e2ee.provider import Listed
from escrow.principal import lying


class LeftOutChecks(msgspec.Struct, frozen=True):
    """Checks (escrow.e2ee.listing.checks), by name, that a client leaves out; devices that its number lacks."""

    checks: tuple[str, ...]
    hides: tuple[str, ...] = ()


def silenced(device: Device, left_out: LeftOutChecks) -> Device:
    """Return a device with the same data whose client leaves out these checks."""
    honest: Any = type(device)

    def keeps(self: Any, promise: str) -> bool:
        return promise not in left_out.checks

    def in_number(self: Any, user: str) -> list[Listed]:
        listed: list[Listed] = honest.in_number(self, user)
        hides = () if self.keeps(NUMBER.name) else left_out.hides
        return [each for each in listed if each.device not in hides]

    return lying(device, keeps=keeps, in_number=in_number)
