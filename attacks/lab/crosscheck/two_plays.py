"""Compare two plays of one scenario under two run secrets: whatever is equal in both, everybody has.

  paired    the calls of each party, in order; after a difference, the nearest place from which the calls agree again
  constant  the same bytes in both calls of a pair, at one place; or anywhere in both plays, if 8 bytes or more

What is random differs in the two plays. So what is equal follows from the scheme's text and the scenario alone: labels,
names, counters, and any secret that was written into the program.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from types import CodeType, FrameType

from attacks.lab.crosscheck.door_record import DoorRecord
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.play import play
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import Scenario
from escrow.crypto import Call, sha256
from escrow.scheme import Scheme

OTHER = sha256(b"escrow-lab another run")  # the second play's run secret
CHANCE = 8  # bytes; shorter strings of two plays may be equal by chance
AHEAD = 64  # calls that one play may make more than the other before they agree again
SURE = 6  # calls that must agree there


class TracedDoor(DoorRecord):
    """A record of the door that also keeps, for the first of equal calls, which functions were running."""

    def __init__(self) -> None:
        super().__init__()
        self.stacks: dict[Call, tuple[CodeType, ...]] = {}  # the innermost first, by the call without its party

    def __call__(self, call: Call) -> None:
        """Keep one operation."""
        super().__call__(call)
        if (alone := call._replace(party="")) not in self.stacks:
            frame: FrameType | None = sys._getframe(1)
            codes = []
            while frame is not None:
                codes.append(frame.f_code)
                frame = frame.f_back
            self.stacks[alone] = tuple(codes)


class TwoPlays:
    """The record of a play with the door's, and those of the same scenario under another run secret.

    `attack` is of both plays; `secret` (32 bytes) is the first play's, if not that of the scenario's seed.
    """

    def __init__(
        self, scheme: Scheme, scenario: Scenario, attack: Attack | None = None, secret: bytes | None = None
    ) -> None:
        """Play twice."""
        self.log, self.other_log = TracedDoor(), DoorRecord()
        self.record: Record = play(scheme, scenario, attack, secret=secret, observer=self.log)
        self.other: Record = play(scheme, scenario, attack, secret=OTHER, observer=self.other_log)

    @cached_property
    def paired(self) -> tuple[Call | None, ...]:
        """For each call of the first play, the same call in the second, or None if it cannot be told."""
        found: list[Call | None] = [None] * len(self.log.calls)
        theirs = _by_party(self.other_log.calls)
        for party, ours in _by_party(self.log.calls).items():
            for at, other in _aligned([self.log.calls[i] for i in ours], theirs.get(party, ()), self.other_log.calls):
                found[ours[at]] = other
        return tuple(found)

    @cached_property
    def twins(self) -> dict[bytes, bytes]:
        """For each string of the first play, the string of the second play at its first place."""
        found: dict[bytes, bytes] = {}
        for call, other in zip(self.log.calls, self.paired, strict=True):
            if other is not None:
                for one, another in zip(call.inputs + call.outputs, other.inputs + other.outputs, strict=False):
                    found.setdefault(one, another)
        return found

    @cached_property
    def constants(self) -> frozenset[bytes]:
        """Every string of the door's record that is constant."""
        equal = {one for one, other in self.twins.items() if one == other}
        both = set(_strings(self.log.calls)).intersection(_strings(self.other_log.calls))
        return frozenset(equal | {each for each in both if len(each) >= CHANCE})

    def counterpart(self, data: bytes) -> bytes | None:
        """Return the bytes in the place of these in the second play; None if no place is known."""
        return self.twins.get(data)

    def constant(self, data: bytes) -> bool:
        """Return whether a string of the door's record is the same in both plays."""
        return data in self.constants


def _strings(calls: Sequence[Call]) -> Iterator[bytes]:
    for call in calls:
        yield from call.inputs
        yield from call.outputs


def _by_party(calls: Sequence[Call]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, call in enumerate(calls):
        found[call.party].append(at)
    return found


def _kind(call: Call) -> tuple[str, int, int]:
    return call.operation, len(call.inputs), len(call.outputs)


def _aligned(ours: Sequence[Call], at: Sequence[int], calls: Sequence[Call]) -> Iterator[tuple[int, Call]]:
    """Yield (place in ours, their call) for the calls that correspond; theirs are `calls` at the places `at`."""
    theirs = [calls[place] for place in at]
    left, right = [*map(_kind, ours)], [*map(_kind, theirs)]
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] != right[j]:
            skipped = _skipped(left[i : i + AHEAD + SURE], right[j : j + AHEAD + SURE])
            if skipped is None:
                return  # they go on so differently that nothing more can be told
            i, j = i + skipped[0], j + skipped[1]
        yield i, theirs[j]
        i, j = i + 1, j + 1


def _skipped(left: list[tuple[str, int, int]], right: list[tuple[str, int, int]]) -> tuple[int, int] | None:
    """Return how many calls to skip on each side, as few as possible, until the calls agree again."""
    for skipped in range(1, AHEAD + 1):
        for i in range(skipped + 1):
            j = skipped - i
            ahead = left[i : i + SURE]
            if ahead and ahead == right[j : j + SURE]:
                return i, j
    return None
