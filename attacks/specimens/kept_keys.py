"""A device keeps the message keys that it used; in the sound twin they are gone once they have sealed a message."""

from __future__ import annotations

from attacks.lab.simulation.scenario import default
from attacks.specimens import OURS
from escrow.e2ee import device
from escrow.e2ee.device import Slip
from escrow.e2ee.ratchet import MessageKey
from escrow.schemes.plain import Plain

# A single evening, so that nobody holds two states of one phone: those open its current chain in any scheme.
SCENARIO = default(users=3, groups=1, days=1, messages=40)


class KeepingDevice(device.Device):
    """A client that throws nothing away."""

    kept: list[MessageKey] = []

    def access_field(self, key: MessageKey, slip: Slip) -> None:
        self.kept.append(key)


class KeptKeys(Plain, frozen=True, kw_only=True):
    name = "kept-keys"
    title = "Specimen: devices keep the message keys that they used"
    source = OURS
    device = KeepingDevice


class ErasedKeys(Plain, frozen=True, kw_only=True):
    name = "erased-keys"
    title = "Twin: devices erase the message keys that they used"
    source = OURS


SPECIMEN, TWIN = KeptKeys(), ErasedKeys()
