"""Verdicts: who is at fault, for what, and the assumption on which the verdict is right.

A verdict is data. A computation that cannot go on raises `Blamed`, which is Forged and carries the verdicts: what the
field calls identifiable abort.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from escrow.errors import Forged


class Assumption(StrEnum):
    """The condition under which a verdict is right, given that every sender was authenticated."""

    RECORD = "none: everyone can check it from what was broadcast"
    FEW_LIARS = "no more members lie than the threshold allows"
    HONEST_ECHO = "a member that repeats what a dealer broadcast repeats it truly"


@dataclass(frozen=True, slots=True)
class Blame:
    """A verdict: `culprit` is the index of a member, from 1."""

    culprit: int
    fault: str
    assumption: Assumption = Assumption.RECORD


class Blamed(Forged):
    """The arguments do not fit, and `blames` names the members who gave them."""

    def __init__(self, reason: str, blames: Iterable[Blame]) -> None:
        self.reason, self.blames = reason, tuple(blames)
        named = "; ".join(f"member {each.culprit}: {each.fault}" for each in self.blames)
        super().__init__(f"{reason} ({named})" if named else reason)

    def __reduce__(self) -> tuple[type[Blamed], tuple[str, tuple[Blame, ...]]]:
        """Return the class and arguments with which another process makes the error again."""
        return type(self), (self.reason, self.blames)

    @property
    def culprits(self) -> tuple[int, ...]:
        """The indexes blamed, each once, in order."""
        return tuple(sorted({each.culprit for each in self.blames}))
