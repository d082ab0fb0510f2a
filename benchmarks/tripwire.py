"""Ratios of times compared with what `ratios/` says: every job between sessions, of every scheme that is shipped.

  python -m benchmarks.tripwire                one line for each alarm, exit code 1 if there is any
  python -m benchmarks.tripwire --committed    the same, and a committed scheme without ratios is an alarm
  python -m benchmarks.tripwire --write        the ratios of today are what is expected from now on

Plain's jobs stand over the baseline, a scheme's over plain's: what is compared was run turn by turn in one process, in
processor time, so neither the machine nor its other users move it much. A ratio that exceeds the expected one by more
than 25 % is measured again, in more turns, twice; it is an alarm only if it exceeds it each time. Becoming faster is
none, but is worth new files: else the next slow-down hides behind it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from attacks.lab.costs.measure import BASELINE, JobTurns
from attacks.lab.costs.workload import JOBS, Workload, jobs_of
from benchmarks import pinned
from benchmarks.pinned import shipped
from escrow.schemes.plain import SCHEME as PLAIN

EXPECTED = Path(__file__).with_name("ratios")
TOLERANCE = 0.25
MESSAGES = 12  # of each job: a turn is short, so that whatever else runs meets both sides of a ratio
TURNS = range(15, 120)  # at least, and at most
ENOUGH = 60_000.0  # microseconds of one job after which no more turns are needed
CONFIRMATIONS = (2, 4)  # how many times as many turns what seemed slow is given: first, and then
SESSIONS = tuple(job for job, level in JOBS if level == "session")

Ratios = dict[str, dict[str, float]]  # scheme -> job -> ratio to plain, plain's own to the baseline


class Alarm(NamedTuple):
    """A job that became slower, and what it was expected to be."""

    scheme: str
    job: str
    old: float
    new: float

    def __str__(self) -> str:
        base = "baseline" if self.scheme == PLAIN.name else "plain"
        return f"{self.scheme}, {self.job}: {self.old:.2f} → {self.new:.2f} x {base} ({self.new / self.old - 1:+.0%})"


class Tripwire:
    """The workloads of the shipped schemes, on which ratios are measured as often as it takes."""

    def __init__(self) -> None:
        self.workloads = {scheme.name: Workload(scheme) for scheme in (PLAIN, *shipped())}

    def ratios(self) -> Ratios:
        """Every job of every scheme between pairwise sessions; none where there are none."""
        return {
            name: {job: self.ratio(name, job) for job in SESSIONS if (job, "session") in jobs_of(each.scheme)}
            for name, each in self.workloads.items()
        }

    def ratio(self, scheme: str, job: str, times: int = 1) -> float:
        """One job of one scheme to its base, in `times` as many turns as are usually enough."""
        turns = JobTurns([self.workloads[name] for name in dict.fromkeys([PLAIN.name, scheme])], (), MESSAGES)
        spent = taken = 0.0
        while taken < times * TURNS.start or (taken < times * TURNS.stop and spent < times * ENOUGH):
            turns.take([(job, "session")])
            taken, spent = taken + 1, spent + turns.times.samples[scheme, job, "session"][-1] * MESSAGES
        base = BASELINE if scheme == PLAIN.name else PLAIN.name
        return round(turns.times.ratio((scheme, job, "session"), (base, job, "session")), 3)

    def alarms(self, old: Ratios, new: Ratios) -> Iterator[Alarm]:
        """What exceeds the expected ratio, then and whenever it is measured again."""
        for scheme, jobs in new.items():
            for job, ratio in jobs.items():
                expected = old.get(scheme, {}).get(job)
                if expected is None or not _exceeds(ratio, expected):
                    continue
                retried = (self.ratio(scheme, job, times) for times in CONFIRMATIONS)
                confirmed = [each for each in retried if _exceeds(each, expected)]
                if len(confirmed) == len(CONFIRMATIONS):
                    yield Alarm(scheme, job, expected, confirmed[-1])


def _exceeds(ratio: float, expected: float) -> bool:
    return ratio > expected * (1 + TOLERANCE)


def unlisted(old: Ratios, new: Ratios) -> Iterator[str]:
    """Yield a line for each job that stands on one side only, of the schemes of which ratios are expected."""
    pairs = [(scheme, job) for ratios in (old, new) for scheme, jobs in ratios.items() for job in jobs if scheme in old]
    for name, job in dict.fromkeys(pairs):
        if job not in old[name]:
            yield f"{name}, {job}: not in {EXPECTED.name}"
        elif job not in new.get(name, {}):
            yield f"{name}, {job}: only in {EXPECTED.name}"


def main(arguments: list[str]) -> int:
    """Return 0 if there is no alarm, or the ratios are written; 1 if there is one; 2 if it cannot be told."""
    if arguments not in pinned.OPTIONS:
        print("usage: python -m benchmarks.tripwire [--committed | --write]", file=sys.stderr)
        return 2
    try:
        old: Ratios = {} if arguments == ["--write"] else pinned.read(EXPECTED)
        unpinned = [each for each in shipped() if each.name not in old]
        wanting = pinned.committed(unpinned) if arguments == ["--committed"] else []
    except pinned.CannotTell as error:
        print(f"{error}; `python -m benchmarks.tripwire --write` writes what is expected", file=sys.stderr)
        return 2
    tripwire = Tripwire()
    new = tripwire.ratios()
    if arguments == ["--write"]:
        pinned.write(EXPECTED, new)
        return 0
    lines = [*unlisted(old, new), *map(str, tripwire.alarms(old, new))]
    lines += [f"{name}: committed, and not in {EXPECTED.name}" for name in wanting]
    for line in lines:
        print(line)
    if lines:
        print(f"{len(lines)} alarms; if what they say is meant: python -m benchmarks.tripwire --write")
    print(f"{len(old)} schemes are expected{pinned.summary([each.name for each in unpinned], 'benchmarks.tripwire')}")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
