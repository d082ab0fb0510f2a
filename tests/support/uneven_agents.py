"""Threshold escrow whose agents differ: each has its own court, checks, days of work, or memory for old shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from escrow.derivation import Checks, service
from escrow.principal import Principal
from escrow.scheme import User
from escrow.schemes.threshold import AgentShare, Threshold, ThresholdAgent, ThresholdField
from escrow.sharing import tdh2
from escrow.sharing.epochs import EpochShare, Sharing
from escrow.warrant import Warrant, promises


@service(tdh2.partial, holder="share", given="ciphertext = field.ciphertext")
def lax_checks(share: AgentShare, warrant: Warrant, field: ThresholdField) -> Checks:
    """Yield one check: these agents answer about anybody."""
    yield "window", warrant.order.first <= field.day <= warrant.order.last


@service(tdh2.partial, holder="share", given="ciphertext = field.ciphertext")
def even_checks(share: AgentShare, warrant: Warrant, field: ThresholdField, day: int) -> Checks:
    """Yield the checks of all agents, and that the day is even."""
    yield from promises(share.court, warrant, field.people, field.day)
    yield "an even day", day % 2 == 0


@service(tdh2.partial, holder="share", given="ciphertext = field.ciphertext")
def early_checks(share: AgentShare, warrant: Warrant, field: ThresholdField, day: int) -> Checks:
    """Yield the checks of all agents, and that it is one of the first days."""
    yield from promises(share.court, warrant, field.people, field.day)
    yield "one of the first days", day < 2


class LaxAgent(ThresholdAgent):
    """Checks the dates of the message only."""

    promise = lax_checks


class EvenAgent(ThresholdAgent):
    """Works on even days."""

    promise = even_checks


class EarlyAgent(ThresholdAgent):
    """Works on the first days."""

    promise = early_checks


class KeepingAgent(ThresholdAgent):
    """Keeps its old shares."""

    kept: list[AgentShare] = []

    def hold(self, sharing: Sharing, share: EpochShare | None) -> None:
        """Keep the share that is replaced."""
        if self.share is not None:
            self.kept = [*self.kept, self.share]
        super().hold(sharing, share)


class ForeignAgent(ThresholdAgent):
    """Honours another court, which signs nothing."""


class Uneven(Threshold, frozen=True, kw_only=True):
    """`kinds` says by letters what the agents are: a as all, l lax, e even days, f first days, k keeping, c court."""

    name = "uneven"
    in_pages = False
    letters: ClassVar = {
        "a": ThresholdAgent, "l": LaxAgent, "e": EvenAgent, "f": EarlyAgent, "k": KeepingAgent, "c": ForeignAgent,
    }  # fmt: skip
    kinds: str = "aaa"

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the agents of these kinds."""
        kinds = iter(self.kinds)
        for party in super().cast(users, court):
            if isinstance(party, ThresholdAgent):
                kind = self.letters[next(kinds)]
                fields = {name: getattr(party, name) for name in party.__struct_fields__}
                fields["court"] = bytes(32) if kind is ForeignAgent else court
                yield kind(**fields)
            else:
                yield party


SCHEME = Uneven()
