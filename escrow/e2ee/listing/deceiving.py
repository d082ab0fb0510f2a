"""The methods of a provider that lists devices to some only, and keeps a second directory for them.

Each function takes the class whose methods it replaces, and `deceives(provider, asker)`, which says who is lied to.
The provider has the fields `hidden`, the names of the devices that nobody else is shown, and `second`, the directory
that only the deceived are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from escrow.e2ee.listing.published import DeviceLine, due, opened
from escrow.e2ee.provider import DeviceList, DevicesOf
from escrow.transparency.directory import Kept, KeyDirectory
from escrow.wire import Wire

Deceives = Callable[[Any, str], bool]
Methods = dict[str, Callable[..., Any]]
FIELDS = {"hidden": list[str], "second": list[Kept]}


def listing_to_some(honest: Any, deceives: Deceives) -> Methods:
    """Return the method that lists the hidden devices to the deceived only."""

    def on_devices_of(self: Any, sender: str, packet: DevicesOf, wire: Wire) -> DeviceList:
        shown: DeviceList = honest.on_devices_of(self, sender, packet, wire)
        if deceives(self, sender):
            return shown
        return DeviceList(tuple(each for each in shown.devices if each.device not in self.hidden))

    return {"on_devices_of": on_devices_of}


def publishing_without(honest: Any) -> Methods:
    """Return the method that keeps the hidden devices out of the directory."""

    def lists(self: Any, day: int) -> dict[str, DeviceLine]:
        return {
            user: DeviceLine(tuple(each for each in line.devices if each.device not in self.hidden))
            for user, line in honest.lists(self, day).items()
        }

    return {"lists": lists}


def showing_two_logs(honest: Any, deceives: Deceives) -> Methods:
    """Return the methods that keep a second directory, with the hidden devices, and show it to the deceived."""

    def begin_epochs(self: Any, day: int) -> None:
        honest.begin_epochs(self, day)
        (second,) = self.second
        for number in range(len(second.epochs), due(day, self.publishing.epoch)):
            self.publish_lists(second, honest.lists(self, day), number * self.publishing.epoch)

    def key_directory(self: Any, asker: str) -> KeyDirectory:
        return opened(self.second[0] if deceives(self, asker) else self.publishing.kept)

    return {"begin_epochs": begin_epochs, "key_directory": key_directory}


def forked(kept: Kept, epochs: int | None = None) -> Kept:
    """Return a directory with the same keys, and the past of the first so many epochs, or of all."""
    return KeyDirectory(kept).fork(epochs).kept
