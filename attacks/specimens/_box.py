"""The escrow of most specimens: `envelope`, where each check that the agent should make is a parameter.

  access   authority --(warrant, field)--> agent                               checks all but what it waives

The agent answers one registered authority only, so that a court's key alone opens nothing. A model for teaching, from
no paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attacks.specimens import OURS
from escrow.codec import Public
from escrow.crypto import Private
from escrow.derivation import Checks, service
from escrow.principal import Principal
from escrow.scheme import User
from escrow.schemes.envelope import Envelope, EnvelopeAgent, EnvelopeScheme, open_field
from escrow.warrant import Authority, Official, Warrant, promises

REGISTERED, WINDOW = "registered authority", "window"


class BoxKey(Private, frozen=True, dict=True):
    """The agent's X25519 key pair, the Ed25519 keys (32 bytes) of court and authority, and the checks it leaves out."""

    court: Public
    authority: Public
    waives: tuple[str, ...]


@service(open_field, holder="key")
def box_checks(key: BoxKey, warrant: Warrant, field: Envelope) -> Checks:
    """Yield what the agent promises to check before it opens a field; a check that it waives always holds."""
    for check, holds in promises(key.court, warrant, field.people, field.day):
        yield check, holds or check in key.waives
    yield REGISTERED, warrant.order.authority == key.authority or REGISTERED in key.waives


class BoxAgent(Official):
    """The escrow agent."""

    key: BoxKey
    promise = box_checks

    def held(self, subject: Envelope) -> BoxKey:
        """Return the agent's key."""
        return self.key


class SpareAuthority(Authority):
    """An authority that may have a copy of the agent's key."""

    spare: BoxKey | None = None


class BoxScheme(EnvelopeScheme, frozen=True, kw_only=True):
    """`waives`: the checks that the agent leaves out; `spare`: the authority has a copy of its key."""

    source = OURS
    authority = SpareAuthority
    waives: tuple[str, ...] = ()
    spare: bool = False

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of envelope, the agent with the authority's key and the checks that it waives."""
        parties = list(super().cast(users, court))
        made = next(party.key for party in parties if isinstance(party, EnvelopeAgent))
        authority = next(party for party in parties if isinstance(party, SpareAuthority))
        key = BoxKey(made.public, made.raw, court, authority.key.public, self.waives)
        authority.spare = key if self.spare else None
        for party in parties:
            yield BoxAgent(party.name, key) if isinstance(party, EnvelopeAgent) else party
