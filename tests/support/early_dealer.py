"""Schemes with a dealer that has the agent's key at set-up only, erased before the first evening; and a sound twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from escrow.principal import Principal
from escrow.scheme import Claim, Grant, Source, User
from escrow.schemes.envelope import AgentKey, EnvelopeScheme
from escrow.schemes.plain import DEVICES
from escrow.wire import Wire


class EarlyDealer(Principal):
    """It makes the agent's key before everything, and forgets it."""

    key: AgentKey | None = None


class DealtEnvelope(EnvelopeScheme, frozen=True, kw_only=True):
    """Envelope, whose agent's key a dealer has from its birth until `erased`: "set-up", "morning", or "never had"."""

    name = "dealt-envelope"
    title = "Envelope with a dealer"
    source = Source("Author", "Title", 2026, "section", "everything")
    erased: str = "set-up"

    @property
    def claim(self) -> Claim:
        """The agent opens everything, and nobody says a word of the dealer."""
        grants = (*DEVICES, Grant("agent", "everything"), Grant("authority", "in scope"))
        return Claim(words="The agent opens everything.", section="", grants=grants, access="in scope")

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of envelope, and the dealer."""
        parties = list(super().cast(users, court))
        [key] = [party.key for party in parties if party.name == "agent"]
        yield EarlyDealer("dealer", key=None if self.erased == "never had" else key)
        yield from parties

    def setup(self, wire: Wire) -> None:
        """Let the dealer forget the key, if it does so early."""
        if self.erased == "set-up":
            wire.party("dealer", EarlyDealer).key = None

    def each_day(self, wire: Wire, day: int) -> None:
        """Let the dealer forget the key."""
        wire.party("dealer", EarlyDealer).key = None
