"""What every scheme costs over plain end-to-end encryption: exact counts, and ratios of times taken in one process.

Times depend on the machine and on who else uses it; so every job of every scheme is run in turn, again and again, and
what is reported first is the median of the ratios to plain and to the baseline in the same turn
(attacks.lab.costs.timer). The jobs and their two levels are in attacks.lab.costs.workload, the baseline in
attacks.lab.costs.baseline, and other libraries that do the same jobs in attacks.lab.costs.peers.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.metadata import version
from typing import Literal

from attacks.lab.costs.baseline import BASELINES
from attacks.lab.costs.counts import TEXT, Exact, exact
from attacks.lab.costs.peers import Peer
from attacks.lab.costs.timer import Turns, elapsed
from attacks.lab.costs.workload import JOBS, Job, Level, Workload, jobs_of
from attacks.lab.results.bounds import Count, Duration, Result, once
from escrow import __version__
from escrow.registry import is_plugin, parameters
from escrow.scheme import Scheme
from escrow.schemes.plain import SCHEME as PLAIN

Progress = Callable[[int, int, str], None]


class Timed(Result, frozen=True, kw_only=True):
    """One job under one scheme: microseconds a text, and ratios to plain and to the baseline, if there are such."""

    scheme: str
    job: str
    level: Level
    microseconds: Duration
    over_plain: Duration | None
    over_floor: Duration | None


class TimedPeer(Result, frozen=True, kw_only=True):
    """One job by another library: microseconds a text, and how many times what plain and the baseline take."""

    peer: str
    versions: dict[str, str]
    job: str
    microseconds: Duration
    over_plain: Duration
    over_floor: Duration


class Timing(Result, frozen=True, kw_only=True):
    """Medians over `repeats` turns, in microseconds a text; `floor` is the baseline's. Outside every digest.

    A turn has `messages` texts one way between sessions, as many sessions in a fan-out, and fewer texts in slower jobs.
    """

    python: str
    cryptography: str
    messages: Count
    repeats: Count
    floor: dict[str, Duration]
    rows: tuple[Timed, ...]
    peers: tuple[TimedPeer, ...] = ()


class Overhead(Result, frozen=True, kw_only=True):
    """Schemes beside plain. `exact` is the same on every machine, `timing` on none; `text` is the bytes of a text."""

    schema: Literal["escrow-lab/bench/1"] = "escrow-lab/bench/1"
    version: str
    text: Count
    schemes: tuple[str, ...]
    parameters: dict[str, dict[str, int | str | bool]]
    unverified: tuple[str, ...]
    exact: tuple[Exact, ...]
    timing: Timing

    def __post_init__(self) -> None:
        """Raise ValueError if a scheme or a row appears twice."""
        once("the list of schemes", self.schemes)
        once("the list of counts", [(each.scheme, each.job) for each in self.exact])
        once("the list of times", [(each.scheme, each.job, each.level) for each in self.timing.rows])
        once("the list of peers", [(each.peer, each.job) for each in self.timing.peers])


def bench(
    schemes: Iterable[Scheme],
    *,
    messages: int = 60,
    repeats: int = 20,
    peers: Sequence[Peer] = (),
    progress: Progress | None = None,
) -> Overhead:
    """Measure these schemes, and plain, whether it is among them or not; and peers in the same turns.

    ValueError without a message or a repeat.
    """
    if messages < 1 or repeats < 1:
        raise ValueError("a measurement needs a message and a repeat")
    given = {scheme.name: scheme for scheme in schemes}
    chosen = [given.pop(PLAIN.name, PLAIN), *given.values()]
    steps = len(chosen) + repeats
    counted: list[Exact] = []
    for done, scheme in enumerate(chosen):
        if progress is not None:
            progress(done, steps, f"{scheme.name}: counts")
        counted += exact(scheme)
    turns = JobTurns([Workload(scheme) for scheme in chosen], peers, messages)
    for turn in range(repeats):
        if progress is not None:
            progress(len(chosen) + turn, steps, f"turn {turn + 1}")
        turns.take()
    return Overhead(
        version=__version__,
        text=TEXT,
        schemes=tuple(scheme.name for scheme in chosen),
        parameters={scheme.name: parameters(scheme) for scheme in chosen},
        unverified=tuple(scheme.name for scheme in chosen if is_plugin(scheme)),
        exact=tuple(counted),
        timing=_timing(turns, repeats),
    )


# --- taking times ---

BASELINE = ""  # its name among those of schemes
Who = tuple[str, str, Level]  # a scheme, a peer or BASELINE; which job; at which level


class JobTurns:
    """Every job by everyone, turn after turn: microseconds a text. One of the workloads is plain's."""

    def __init__(self, workloads: Sequence[Workload], peers: Sequence[Peer], messages: int) -> None:
        """Begin without a turn. A turn has `messages` texts, or fewer in slower jobs."""
        self.workloads, self.peers, self.messages = workloads, peers, messages
        self.times = Turns[Who]()

    def take(self, jobs: Iterable[tuple[str, Level]] = JOBS) -> None:
        """Take one more turn of each job; everyone has each job right after the others."""
        for name, level in jobs:
            able = (each for each in self.workloads if (name, level) in jobs_of(each.scheme))
            ready = {each.scheme.name: each.job(name, level, self.messages) for each in able}
            if level == "session":
                ready |= self._beside(ready[PLAIN.name])
            self.times.take({(who, name, level): partial(microseconds, ready[who]) for who in sorted(ready)})

    def _beside(self, job: Job) -> dict[str, Job]:
        """Return the same number of texts under the baseline, and by every peer that does the job."""
        doing = [peer for peer in self.peers if job.name in peer.jobs]
        return {BASELINE: baseline_of(job)} | {
            peer.name: job._replace(run=peer.jobs[job.name](job.texts, bytes(TEXT))) for peer in doing
        }

    def over(self, who: str, base: str, job: str, level: Level, base_level: Level | None = None) -> float | None:
        """Return how many times as long one takes as the other, or None if the other does not do this job."""
        mine, theirs = (who, job, level), (base, job, base_level or level)
        return self.times.ratio(mine, theirs) if theirs in self.times.samples and base != who else None


def baseline_of(job: Job) -> Job:
    """Return the baseline of a job on the level of sessions, of as many texts."""
    return job._replace(run=BASELINES[job.name](job.texts, bytes(TEXT)))


def microseconds(job: Job) -> float:
    """Return the processor's time for one text, in microseconds. The job is run once."""
    return elapsed(job.run) / job.texts * 1e6


def _timing(turns: JobTurns, repeats: int) -> Timing:
    return Timing(
        python=platform.python_version(),
        cryptography=version("cryptography"),
        messages=turns.messages,
        repeats=repeats,
        floor={who[1]: turns.times.median(who) for who in turns.times.samples if who[0] == BASELINE},
        rows=tuple(_timed(turns, each.scheme.name, *job) for each in turns.workloads for job in jobs_of(each.scheme)),
        peers=tuple(_timed_peer(turns, peer, job) for peer in turns.peers for job in peer.jobs),
    )


def _timed(turns: JobTurns, name: str, job: str, level: Level) -> Timed:
    return Timed(
        scheme=name,
        job=job,
        level=level,
        microseconds=turns.times.median((name, job, level)),
        over_plain=turns.over(name, PLAIN.name, job, level) if job != "access" else None,  # plain gives nothing
        over_floor=turns.over(name, BASELINE, job, level, "session"),
    )


def _timed_peer(turns: JobTurns, peer: Peer, job: str) -> TimedPeer:
    own: Who = (peer.name, job, "session")
    return TimedPeer(
        peer=peer.name,
        versions=peer.versions,
        job=job,
        microseconds=turns.times.median(own),
        over_plain=turns.times.ratio(own, (PLAIN.name, job, "session")),
        over_floor=turns.times.ratio(own, (BASELINE, job, "session")),
    )
