"""Clients take the services' word for keys; in the sound twin only keys that were exchanged when the users met.

The specimen's clients add whom the provider lists and the credential service attests. The twin's users gave each other
the keys of their devices, and its clients ask nobody whose a key is: a leaf of any other key is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from attacks.specimens import OURS
from escrow.codec import Public
from escrow.e2ee.provider import Listed
from escrow.grants import Claim
from escrow.mls.conversations.attesting import AttestationService, ServiceKey
from escrow.mls.conversations.delivery import HandshakeTold, TreeProvider
from escrow.mls.conversations.tree_device import TreeDevice, Trees
from escrow.principal import Principal
from escrow.scheme import User
from escrow.schemes._ghost_mls_claim import GRANTS
from escrow.schemes.ghost_mls import InTrees
from escrow.wire import Wire


class LeafProvider(TreeProvider):
    """A delivery service that serves no warrants."""

    commits: dict[str, list[HandshakeTold]] = {}


class LeafService(AttestationService):
    """An authentication service that serves no warrants."""

    key: ServiceKey
    linked: dict[str, list[Public]] = {}


class LeafClient(TreeDevice):
    """A client in groups of MLS."""

    trees: Trees = msgspec.field(default_factory=Trees)


class MetClient(LeafClient):
    """A client that knows the keys of its user's contacts from when they met."""

    met: list[Public] = []

    def is_attested(self, wire: Wire, listed: Listed) -> bool:
        """Return whether a device's key is one of those exchanged; the services are not asked."""
        known = self.own.attested.setdefault(listed.user, [])
        if listed.identity in self.met and listed.identity not in known:
            known.append(listed.identity)
        return listed.identity in known


class UnattestedLeaves(InTrees, frozen=True, kw_only=True):
    """Groups of MLS, whose clients take the services' word for keys."""

    name = "unattested-leaves"
    title = "Specimen: clients add whom the services name"
    source = OURS
    device = LeafClient
    provider = LeafProvider
    service = LeafService

    @property
    def claim(self) -> Claim:
        """As plain's; what a stolen device gives is as in groups of MLS."""
        return msgspec.structs.replace(super().claim, grants=GRANTS[:1])


class MetLeaves(UnattestedLeaves, frozen=True, kw_only=True):
    """Groups of MLS, whose clients add only keys that users exchanged."""

    name = "met-leaves"
    title = "Twin: clients add only keys that users exchanged"
    source = OURS
    device = MetClient

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties, and give every client the keys of all devices."""
        parties = list(super().cast(users, court))
        clients = [party for party in parties if isinstance(party, MetClient)]
        for each in clients:
            each.met = [other.identity.public for other in clients]
        return iter(parties)


SPECIMEN, TWIN = UnattestedLeaves(), MetLeaves()
