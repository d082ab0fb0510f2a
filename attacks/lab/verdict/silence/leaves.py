"""How a ghost gets into groups of MLS, for silence sets: attested by the service, by its own commits, or proposed.

A provider that lets in an external commit tells it right after the commit of a conversation's member, so that the ghost
is in each new epoch; the members see it when they follow. One that groups list as an external sender proposes the ghost
to whoever writes next.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from escrow.crypto import new_signing_key
from escrow.e2ee.device import Device
from escrow.mls.conversations.attesting import AttestationService
from escrow.mls.conversations.delivery import HandshakeTaken, HandshakeTold, TreeProvider
from escrow.mls.conversations.outsiders import ProposerKey, propose
from escrow.mls.conversations.tree_device import TreeDevice, joined_by_itself
from escrow.principal import Principal, corrupted, of_kind
from escrow.wire import Wire


def attest(parties: Iterable[Principal], ghost: Device) -> None:
    """Let the authentication service attest the ghost's key to its user."""
    for party in parties:
        if isinstance(party, AttestationService):
            party.linked[ghost.user] = [*party.linked.get(ghost.user, []), ghost.identity.public]


def in_trees(ghost: Device) -> dict[str, Any]:
    """Return the methods that a ghost has in place of a client's in groups of MLS: it follows every commit."""

    def policy(self: Any, wire: Wire, conversation: Any, change: Any) -> None:
        pass

    return {"policy": policy} if isinstance(ghost, TreeDevice) else {}


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

    return _with(provider, member, on_handshake_told=on_handshake_told)


def proposing(provider: Principal, ghost: Any) -> Principal:
    """Return a provider that proposes a device in each conversation of its user, with its own key or any other."""
    member = of_kind(ghost, TreeDevice)
    key: ProposerKey = getattr(provider, "proposer", None) or new_signing_key(ProposerKey)
    package = member.client_of(member.prekeys[-1].key).package

    def proposed(self: Any, newest: HandshakeTold) -> tuple[bytes, ...]:
        return propose(key, newest, package) if member.user in self.people_of(newest.conversation) else ()

    return _with(provider, member, proposed=proposed)


def _with(provider: Principal, member: TreeDevice, **methods: Any) -> Principal:
    """Return a corrupted provider at which a device has an account that no list shows."""
    made = corrupted(of_kind(provider, TreeProvider), **methods)
    made.accounts[member.name] = member.user
    return made
