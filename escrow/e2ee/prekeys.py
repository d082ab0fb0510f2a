"""A device's prekeys: when they are made, how many the directory gets, and when their private halves are erased.

  signed    a new one every `rotate_every` days; an old one lives `keep_prekeys` days more, for mail that is late
  one-time  every morning the directory says how many it has left, and gets as many as are missing from `stock`
            a private half is erased with the first message that names it; or, if none comes, together with the signed
            prekey with which it was handed out, since no message that names these two can be opened any more

So strangers who drain the stock gain one day, and the private halves of what they took do not pile up: a device keeps
at most `stock` of them for each morning since its oldest signed prekey was made, and `stock` more.
Source: Marlinspike and Perrin, "The X3DH Key Agreement Protocol", revision 1, 2016, sections 3.2 and 4.7.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Protocol

import msgspec

from escrow.codec import Public
from escrow.crypto import Private
from escrow.derivation import honest_only
from escrow.e2ee.provider import CountPrekeys, PrekeysLeft
from escrow.wire import Wire


class Prekey(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A signed prekey pair, the day on which it was made, and the one-time prekeys that were handed out with it.

    These are noted when the next signed prekey is made. `begun` are the ephemeral keys (32 bytes) of the sessions begun
    with it and without a one-time prekey: they tell that a first message is repeated, until the pair is erased.
    """

    key: Private
    day: int
    handed: list[Public] = []
    begun: list[Public] = []


class _Device(Protocol):
    """What of a device is used here; a scheme may replace the publication, and add one-time prekeys of other kinds."""

    name: str
    provider: str
    rotate_every: int
    keep_prekeys: int
    stock: int
    prekeys: list[Prekey]

    def one_time_halves(self) -> tuple[list[Any], ...]: ...
    def renew(self, day: int) -> None: ...
    def publish(self, wire: Wire, fresh: int) -> None: ...


@honest_only("what a device does with its own prekeys")
def keep_house(device: _Device, wire: Wire) -> None:
    """Rotate the signed prekey when it is due, fill up the directory's stock, and erase old private halves."""
    left = _left(device, wire) if device.prekeys and device.stock else 0
    due = not device.prekeys or wire.day - device.prekeys[-1].day >= device.rotate_every
    if due:
        for newest in device.prekeys[-1:]:
            newest.handed = _handed_out(device, left)
        device.renew(wire.day)
    if due or left < device.stock:
        device.publish(wire, max(0, device.stock - left))
    kept = [old for old, later in pairwise(device.prekeys) if later.day + device.keep_prekeys > wire.day]
    kept.append(device.prekeys[-1])
    erased = {half for old in device.prekeys[: -len(kept)] for half in old.handed}
    for halves in device.one_time_halves() if erased else ():
        halves[:] = [key for key in halves if key.public not in erased]
    device.prekeys = kept


def _left(device: _Device, wire: Wire) -> int:
    """Return how many one-time prekeys the directory has, at most as many as there are private halves."""
    count = wire.ask(device.name, device.provider, CountPrekeys(), PrekeysLeft).count
    return max(0, min(count, *map(len, device.one_time_halves())))


def _handed_out(device: _Device, left: int) -> list[Public]:
    """Return the one-time prekeys that were handed out and not used yet: all but the newest, which come last."""
    return [key.public for halves in device.one_time_halves() for key in halves[: len(halves) - left]]
