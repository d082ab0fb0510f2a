"""The goals of speed and size, each beside what is measured here and now.

  python -m benchmarks.goals              a table: goal, limit, measured, met or by how much it is missed
  python -m benchmarks.goals G2 G5        these only

Exit code 1 where a goal is missed, 3 where one cannot be measured because a package is not installed. Ratios are
medians over interleaved turns of one process, in processor time; the few absolute times hold for the machine on which
they are printed, and no gate reads them. A further goal is a function that yields rows, in GOALS.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

from attacks.lab import counts
from attacks.lab.measure import FLOOR, Turns
from attacks.lab.peers import PeerMissing, peer
from attacks.lab.stand import Stand
from escrow.e2ee import ratchet
from escrow.schemes.plain import SCHEME as PLAIN

MESSAGES = 1000  # of 100 bytes, in a turn of one-way; members of the group in a turn of fan-out
TURNS = 15


class Row(NamedTuple):
    """One goal: `measured` is to be at most `limit`, or at least, where `least` says so. None: it was not measured."""

    goal: str
    what: str
    limit: float
    measured: float | None
    unit: str
    least: bool = False
    why: str = ""  # it was not measured

    @property
    def met(self) -> bool:
        if self.measured is None:
            return False
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    @property
    def verdict(self) -> str:
        """Met, or by how much of the limit it is missed."""
        if self.measured is None:
            return self.why
        return "met" if self.met else f"missed by {abs(self.measured / self.limit - 1):.1%}"

    def line(self) -> str:
        bound = f"{'≥' if self.least else '≤'} {self.limit:g} {self.unit}"
        measured = "" if self.measured is None else f"{self.measured:.4g}"
        return f"{self.goal:<4} {self.what:<42} {bound:>10} {measured:>7}  {self.verdict}"


def _turns(job: str, messages: int, peers: tuple[str, ...] = ()) -> Turns:
    """One job under plain, on the floor, and by other libraries."""
    taken = Turns([Stand(PLAIN)], [peer(name) for name in peers], messages)
    for _ in range(TURNS):
        taken.take([(job, "session")])
    return taken


def _over(taken: Turns, who: str, base: str, job: str) -> float:
    ratio = taken.over(who, base, job, "session")
    assert ratio  # both are in every turn
    return ratio


def _over_floor(goal: str, job: str, limit: float, messages: int) -> Row:
    return Row(goal, f"{job} over the floor", limit, _over(_turns(job, messages), PLAIN.name, FLOOR, job), "x")


def _faster(goal: str, job: str, name: str, limit: float, messages: int) -> Row:
    """How many times as long another library takes."""
    what = f"{job}, as fast as {name}"
    try:
        taken = _turns(job, messages, (name,))
    except PeerMissing as error:
        return Row(goal, what, limit, None, "x", True, str(error))
    return Row(goal, what, limit, _over(taken, name, PLAIN.name, job), "x", True)


# --- the goals ---


def ping_pong() -> Iterator[Row]:
    yield _over_floor("G1", "ping-pong", 1.10, 600)


def one_way() -> Iterator[Row]:
    yield _over_floor("G2", "one-way", 1.35, MESSAGES)
    yield _faster("G2", "one-way", "vodozemac", 1.8, MESSAGES)
    yield _faster("G2", "one-way", "DoubleRatchet", 10, MESSAGES // 5)


def set_up() -> Iterator[Row]:
    yield _over_floor("G3", "set-up", 1.10, 240)
    yield _faster("G3", "set-up", "DoubleRatchet", 2.5, 60)


def sizes() -> Iterator[Row]:
    """Exact, by the same counts that the gate holds; the counters are those of the longest header below 2^21."""
    message = ratchet.Message(bytes(32), 2**21 - 1, 2**21 - 1, b"", bytes(counts.TEXT + ratchet.TAG))
    yield Row("G4", "a message longer than its text", 60, len(ratchet.pack(message)) - counts.TEXT, "B")
    kept = max(row.sessions for row in counts.exact(PLAIN) if row.job == "one-way")
    yield Row("G4", "both ends of a session, as stored", 4096, kept, "B")


def fan_out() -> Iterator[Row]:
    taken = _turns("fan-out", MESSAGES)
    milliseconds = median(taken.samples[PLAIN.name, "fan-out", "session"]) * MESSAGES / 1e3
    yield Row("G5", f"a text to {MESSAGES} members", 5, milliseconds, "ms")
    yield _faster("G5", "fan-out", "vodozemac", 3, MESSAGES // 5)


GOALS: dict[str, Callable[[], Iterator[Row]]] = {
    "G1": ping_pong,
    "G2": one_way,
    "G3": set_up,
    "G4": sizes,
    "G5": fan_out,
}


def main(arguments: list[str]) -> int:
    """0: all are met. 1: one is missed. 2: no goal has that name. 3: one could not be measured."""
    chosen = [name for name in GOALS if not arguments or name in arguments]
    if unknown := [name for name in arguments if name not in GOALS]:
        print(f"no goal {unknown[0]}; there are {', '.join(GOALS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in chosen:
        for row in GOALS[name]():
            rows.append(row)
            print(row.line(), flush=True)
    if any(row.measured is None for row in rows):
        return 3
    return int(not all(row.met for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
