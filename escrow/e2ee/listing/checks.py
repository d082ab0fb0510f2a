"""The checks of a client that its user counts on, each a promise by itself: code that a vendor can leave out.

A client asks `Principal.keeps` for a check by name as soon as it fails, and not before. So a check that never failed in
a play would not have changed it, had it been left out: the lab's search for silence sets rests on this.
"""

from __future__ import annotations

from typing import NamedTuple


class ClientCheck(NamedTuple):
    """A check by its name, and what the client does where it fails."""

    name: str
    does: str


NEW_DEVICE = ClientCheck("devices shown", "tells its user of each new device of a user")
CHANGED_KEY = ClientCheck("changed keys shown", "tells its user of a new key under a known device's name")
OWN_DEVICES = ClientCheck("own devices", "sends nothing to a device of its own user that the user did not link")
MEMBERS = ClientCheck("members shown", "tells its user of each new member of a group")
STRANGERS = ClientCheck("changes by strangers", "tells its user if a user who is in no list of a group changed it")
NUMBER = ClientCheck("safety number", "shows a number that covers every key that it encrypts to")

CHECKS = (NEW_DEVICE, CHANGED_KEY, OWN_DEVICES, MEMBERS, STRANGERS, NUMBER)
