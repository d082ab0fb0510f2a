"""Two plays of one scenario under different secrets, read side by side: which bytes everybody has.

Calls of the door are paired party by party, in order. Where the runs part (a loop that draws until something fits),
what comes before and after is paired by its order, and what lies between by its kind and lengths.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from types import CodeType, FrameType

from attacks.lab.crosscheck.door_record import DoorRecord
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.play import play, run_secret
from attacks.lab.simulation.record import Record
from attacks.lab.simulation.scenario import Scenario
from escrow.run import Call
from escrow.scheme import Scheme

Stack = tuple[CodeType, ...]  # of the functions that were running, the innermost first


class TracedDoor(DoorRecord):
    """A record of the door that also keeps, for the first of equal calls, which functions were running."""

    def __init__(self) -> None:
        super().__init__()
        self.stacks: dict[Call, Stack] = {}

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


class TwoRuns:
    """The calls of one run, and what stands in the place of their bytes in another run of the same scenario.

    `stacks` are the functions that were running at each call of the first run (without its party).
    """

    def __init__(self, one: TracedDoor, other: DoorRecord) -> None:
        self.calls, self.stacks = one.calls, one.stacks
        self._other = {each for call in other.calls for each in (*call.inputs, *call.outputs)}
        self._counterparts: dict[bytes, bytes] = {}
        theirs = _by_party(other.calls)
        for party, mine in _by_party(one.calls).items():
            for first, second in paired(mine, theirs.get(party, [])):
                self._compare((*first.inputs, *first.outputs), (*second.inputs, *second.outputs))

    def _compare(self, strings: Iterable[bytes], counterparts: Iterable[bytes]) -> None:
        for string, counterpart in zip(strings, counterparts, strict=False):
            if len(self._counterparts.setdefault(string, counterpart)) != len(string):
                self._counterparts[string] = counterpart  # one of the same length tells more

    def is_constant(self, value: bytes) -> bool:
        """Return whether these bytes stand in the other run too: no secret of the run went into them."""
        return value in self._other

    def counterpart(self, value: bytes) -> bytes | None:
        """Return the bytes in the place of these in the other run; None if no place is known."""
        return self._counterparts.get(value)


def play_twice(
    scheme: Scheme, scenario: Scenario, attack: Attack | None = None, secret: bytes | None = None
) -> tuple[Record, TwoRuns]:
    """Play a scenario under its secret (32 bytes; that of its seed) and under another, and record both at the door."""
    secret = secret or run_secret(scenario.seed)
    door, other = TracedDoor(), DoorRecord()
    record = play(scheme, scenario, attack, secret=secret, observer=door)
    play(scheme, scenario, attack, secret=sha256(b"another run" + secret).digest(), observer=other)
    return record, TwoRuns(door, other)


def paired(mine: Sequence[Call], theirs: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    """Yield the calls of two runs that belong together: from both ends, and between by kind."""
    shorter = min(len(mine), len(theirs))
    first = next((at for at in range(shorter) if _kind(mine[at]) != _kind(theirs[at])), shorter)
    rest = shorter - first
    last = next((at for at in range(rest) if _kind(mine[-1 - at]) != _kind(theirs[-1 - at])), rest)
    yield from zip(mine[:first], theirs[:first], strict=True)
    yield from zip(mine[len(mine) - last :], theirs[len(theirs) - last :], strict=True)
    of_kind: dict[tuple[object, ...], list[Call]] = defaultdict(list)
    for each in reversed(theirs[first : len(theirs) - last]):
        of_kind[_kind(each)].append(each)
    for each in mine[first : len(mine) - last]:
        if waiting := of_kind.get(_kind(each)):
            yield each, waiting.pop()


def _kind(call: Call) -> tuple[object, ...]:
    return call.operation, *map(len, call.inputs), *map(len, call.outputs)


def _by_party(calls: Iterable[Call]) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = defaultdict(list)
    for each in calls:
        found[each.party].append(each)
    return found
