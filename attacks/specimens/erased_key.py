"""A clerk makes the agent's key, hands it over and erases it; in the sound twin the agent makes its own.

On no evening is anything in the clerk's state, so that no theft of states finds the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attacks.specimens._box import BoxAgent, BoxKey, BoxScheme
from escrow import codec, crypto
from escrow.codec import Packet, Public
from escrow.crypto import Private, new_private
from escrow.primitives import hpke
from escrow.principal import Principal
from escrow.scheme import User
from escrow.schemes.envelope import EnvelopeDevice
from escrow.wire import Wire

CLERK, AGENT = "clerk", "agent"
_HANDED = b"escrow-lab handed key"


class Handed(Packet, frozen=True):
    """An X25519 key pair, sealed to the key of its new owner."""

    sealed: Public


class KeyClerk(Principal):
    """Makes a key for another, and keeps nothing."""

    def make(self, wire: Wire, to: Public) -> None:
        """Hand the agent, whose public key (32 bytes) is `to`, a fresh key."""
        wire.ask(self.name, AGENT, Handed(hpke.seal(to, codec.encode(new_private()), _HANDED)), type(None))


class HandedAgent(BoxAgent):
    """An agent that may be handed another key than that of its birth."""

    def on_handed(self, sender: str, packet: Handed, wire: Wire) -> None:
        """Use the clerk's key from now on."""
        self.insist(sender == CLERK, "the clerk hands over the key")
        made = codec.decode(hpke.open_(self.key, packet.sealed, _HANDED), Private)
        self.key = BoxKey(made.public, made.raw, self.key.court, self.key.authority, self.key.waives)


class OwnKey(BoxScheme, frozen=True, kw_only=True):
    """A box whose agent makes its own key; `clerk` makes another one if `handed`."""

    name = "own-key"
    title = "Twin: the agent makes its own key"
    handed: bool = False

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of a box, and the clerk."""
        yield KeyClerk(CLERK)
        for party in super().cast(users, court):
            yield HandedAgent(party.name, party.key) if isinstance(party, BoxAgent) else party

    def setup(self, wire: Wire) -> None:
        """Let the clerk make the key, if it does, and tell the devices the agent's public key."""
        if self.handed:
            with crypto.acting(CLERK):
                wire.party(CLERK, KeyClerk).make(wire, wire.party(AGENT, HandedAgent).key.public)
        for party in wire.parties.values():
            if isinstance(party, EnvelopeDevice):
                party.agent = wire.party(AGENT, HandedAgent).key.public


class ErasedKey(OwnKey, frozen=True, kw_only=True):
    """A box whose agent's key is made by a clerk."""

    name = "erased-key"
    title = "Specimen: a clerk makes the agent's key, and erases it"
    handed: bool = True


SPECIMEN, TWIN = ErasedKey(), OwnKey()
