"""How a ghost gets into groups of MLS, for silence sets: attested by the service, and by its own commits.

A provider that lets in an external commit tells it right after the commit of a conversation's member, so that the ghost
is in each new epoch; the members see it when they follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from escrow.e2ee.device import Device
from escrow.mls.conversations.attesting import AttestationService
from escrow.mls.conversations.delivery import HandshakeTaken, HandshakeTold, TreeProvider
from escrow.mls.conversations.tree_device import TreeDevice, joined_by_itself
from escrow.principal import Principal, corrupted, of_kind
from escrow.wire import Wire


def attest(parties: Iterable[Principal], ghost: Device) -> None:
    """Let the authentication service attest the ghost's key to its user."""
    for party in parties:
        if isinstance(party, AttestationService):
            party.linked[ghost.user] = [*party.linked.get(ghost.user, []), ghost.identity.public]


def letting_in(provider: Principal, ghost: Any) -> Principal:
    """Return a provider that lets a device join each conversation of its user by an own commit."""
    honest, member = type(of_kind(provider, TreeProvider)), of_kind(ghost, TreeDevice)

    def on_handshake_told(self: Any, sender: str, packet: HandshakeTold, wire: Wire) -> HandshakeTaken:
        taken: HandshakeTaken = honest.on_handshake_told(self, sender, packet, wire)
        if member.user in self.people_of(packet.conversation) and sender != member.name:
            joined = joined_by_itself(member, packet, wire.day)
            member.own.read[str(packet.conversation)] = taken.count + 1
            honest.on_handshake_told(self, member.name, joined, wire)
        return taken

    made = corrupted(of_kind(provider, TreeProvider), on_handshake_told=on_handshake_told)
    made.accounts[member.name] = member.user
    return made
