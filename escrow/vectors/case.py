"""Shared by the checks of vectors: cases with their bytes, a run that draws what a case says, verdicts to compare.

A case without "error" is a run, in which every value must come out the same. One with "error" is a fault: the run named
in `of`, with one thing wrong, and the verdict that it must give. "reason" is the library's wording, "culprits" are the
indexes of members or the names of devices.
"""

from __future__ import annotations

from typing import Any

from escrow.crypto import Run
from escrow.errors import EscrowError, Refused
from escrow.sharing.blame import Blame, Blamed

Case = dict[str, Any]

WORDS = {
    "name",
    "of",
    "at",
    "error",
    "reason",
    "step",
    "who",
    "assumption",
    "kind",
    "mode",
    "binds",
    "people",
    "sender",
}
VERDICT = {"error", "reason", "culprits", "assumption", "qualified", "key_after"}


def unhexed(value: Any, name: str = "") -> Any:
    """Return the value with hexadecimal strings as bytes, except culprits and the fields in WORDS, which are words."""
    if name in WORDS or name == "culprits":
        return value
    if isinstance(value, dict):
        return {each: unhexed(inner, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [unhexed(inner) for inner in value]
    return bytes.fromhex(value) if isinstance(value, str) else value


class Drawn(Run):
    """A run that draws these bytes, one piece after the other. Raises ValueError if another length is asked for."""

    __slots__ = ("_pieces",)

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(b"")
        self._pieces = iter(pieces)

    def draw(self, n: int) -> bytes:
        """Return the next piece. Raise ValueError unless it has `n` bytes."""
        piece = next(self._pieces, b"")
        if len(piece) != n:
            raise ValueError(f"{n} bytes are drawn where the case has {len(piece)}")
        return piece


def must(case: Case, **computed: object) -> None:
    """Raise ValueError, naming the first field of the case that differs from the computed value."""
    for name, value in computed.items():
        if case[name] != value:
            raise ValueError(f"{name} is not what the case says")


def refusal(error: EscrowError) -> Case:
    """Return the verdict on a fault that was refused."""
    reason = error.reason if isinstance(error, Refused) else str(error)
    said: Case = {"error": type(error).__name__, "reason": reason}
    return said | blamed(error.blames) if isinstance(error, Blamed) else said


def blamed(blames: tuple[Blame, ...]) -> Case:
    """Return the members blamed, and the first fault with its assumption."""
    said: Case = {"culprits": sorted({each.culprit for each in blames})}
    return said | {"reason": blames[0].fault, "assumption": blames[0].assumption.name} if blames else said


def expected(fault: Case) -> Case:
    """Return the verdict that a fault must give."""
    return {name: value for name, value in fault.items() if name in VERDICT}
