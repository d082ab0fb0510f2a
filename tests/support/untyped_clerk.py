"""A scheme whose clerk deals in bytes that no type names, and an attack that replaces what no play may call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from attacks.specimens.erased_key import ErasedKey, Handed, HandedAgent, KeyClerk
from escrow.crypto import Private, random_bytes
from escrow.derivation import honest_only
from escrow.primitives import hpke
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source, User
from escrow.warrant import Request
from escrow.wire import Wire

OURS = Source("This project", "Tests", 2026, "all")


class UntypedClerk(KeyClerk):
    """Draws the key's bytes itself and forgets them; it never has a fact."""

    def make(self, wire: Wire, to: bytes) -> None:
        """Hand the agent 32 bytes."""
        wire.ask(self.name, "agent", Handed(hpke.seal(to, random_bytes(32), b"untyped")), type(None))


class UntypedAgent(HandedAgent):
    """Makes its key of the bytes."""

    @honest_only("the key is the bytes: whoever has these has it")
    def on_handed(self, sender: str, packet: Handed, wire: Wire) -> None:
        """Use the key that the bytes are."""
        raw = hpke.open_(self.key, packet.sealed, b"untyped")
        public = Private(b"", raw).live.public_key().public_bytes_raw()
        self.key = msgspec.structs.replace(self.key, public=public, raw=raw)


class UntypedKey(ErasedKey, frozen=True, kw_only=True):
    """The specimen whose clerk types nothing."""

    name = "untyped-key"

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the same parties, two of them of other classes."""
        for party in super().cast(users, court):
            if isinstance(party, KeyClerk):
                yield UntypedClerk(party.name)
            else:
                yield UntypedAgent(party.name, party.key) if isinstance(party, HandedAgent) else party


class NeverRuns(Attack):
    """Corrupts the agent, and replaces its answer to requests, which come only if there are warrants."""

    name, title, source, specimen = "never-runs", "An answer that nobody asks for", OURS, "trusting"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the agent."""
        return [Turn("agent", 0)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Replace its answer by the same."""
        honest: Any = type(party)

        def on_request(self: Any, sender: str, request: Request, wire: Wire) -> Any:
            return honest.on_request(self, sender, request, wire)

        return corrupted(party, on_request=on_request)
