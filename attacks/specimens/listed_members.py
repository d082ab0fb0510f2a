"""Clients write to whoever the provider lists as a member; in the sound twin only to users that their user knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attacks.specimens import OURS
from escrow.e2ee import device
from escrow.e2ee.provider import Listed
from escrow.principal import Principal
from escrow.scheme import User
from escrow.schemes.plain import Plain
from escrow.wire import Wire


class AcquaintedDevice(device.Device):
    """A client that sends nothing to users whom its own did not know in the beginning."""

    acquaintances: tuple[str, ...] = ()

    def recipients(self, wire: Wire, people: Iterable[str]) -> list[Listed]:
        """Return the devices of those of these users whom its own user knows."""
        return super().recipients(wire, [user for user in people if user in self.acquaintances])


class ListedMembers(Plain, frozen=True, kw_only=True):
    """Plain, whose clients take the provider's word for who is in a group."""

    name = "listed-members"
    title = "Specimen: clients write to whoever is listed in a group"
    source = OURS


class UsersKnown(ListedMembers, frozen=True, kw_only=True):
    """Plain, whose clients write to users that their user knows."""

    name = "known-members"
    title = "Twin: clients write to users that their user knows"
    device = AcquaintedDevice

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of plain, and tell every client all users."""
        users = tuple(users)
        names = tuple(user.name for user in users)
        for party in super().cast(users, court):
            if isinstance(party, AcquaintedDevice):
                party.acquaintances = names
            yield party


SPECIMEN, TWIN = ListedMembers(), UsersKnown()
