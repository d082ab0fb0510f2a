"""A device keeps the message keys that it used; in the sound twin they are gone once they have sealed a message."""

from __future__ import annotations

from attacks.lab.simulation.scenario import default
from attacks.specimens import OURS
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.schemes.plain import Plain

# A single evening, because two states of one phone open its current chain in any scheme.
SCENARIO = default(users=3, groups=1, days=1, messages=40)


class KeepingDevice(device.Device):
    """A client that erases no message key."""

    kept: list[MessageKey] = []

    def access_field(self, key: MessageKey, context: FieldContext) -> None:
        """Keep the message key; send no field."""
        self.kept.append(key)


class KeptKeys(Plain, frozen=True, kw_only=True):
    """Plain, with devices that keep every message key."""

    name = "kept-keys"
    title = "Specimen: devices keep the message keys that they used"
    source = OURS
    device = KeepingDevice


class ErasedKeys(Plain, frozen=True, kw_only=True):
    """Plain, with devices that erase a message key after use."""

    name = "erased-keys"
    title = "Twin: devices erase the message keys that they used"
    source = OURS


SPECIMEN, TWIN = KeptKeys(), ErasedKeys()
