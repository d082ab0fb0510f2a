"""What every scheme costs over plain end-to-end encryption: exact counts, and ratios of times taken in one process.

Times depend on the machine and on who else uses it; so every job of every scheme is run in turn, again and again, and
what is reported first is the median of the ratios to the same turn's plain and floor. What the jobs are, and their two
levels, stands in attacks.lab.costs.workload; other libraries that do the same jobs, in attacks.lab.costs.peers.
"""

from __future__ import annotations

import gc
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from operator import truediv
from statistics import median
from time import thread_time
from typing import Literal

from attacks.lab.costs.baseline import FLOORS
from attacks.lab.costs.counts import TEXT, Exact, exact
from attacks.lab.costs.peers import Peer
from attacks.lab.costs.workload import JOBS, Job, Level, Stand
from attacks.lab.results.types import Result
from escrow import __version__
from escrow.registry import is_plugin, parameters
from escrow.scheme import Scheme
from escrow.schemes.plain import SCHEME as PLAIN

Progress = Callable[[int, int, str], None]


class Timed(Result, frozen=True, kw_only=True):
    """One job under one scheme: microseconds a text, and the ratios to plain and to the floor, where there is one."""

    scheme: str
    job: str
    level: Level
    microseconds: float
    over_plain: float | None
    over_floor: float | None


class TimedPeer(Result, frozen=True, kw_only=True):
    """One job by another library: microseconds a text, and how many times what plain and the floor take."""

    peer: str
    versions: dict[str, str]
    job: str
    microseconds: float
    over_plain: float
    over_floor: float


class Timing(Result, frozen=True, kw_only=True):
    """Medians over `repeats` turns, in microseconds a text. Outside every digest.

    A turn has `messages` texts one way between sessions, as many sessions in a fan-out, and fewer texts in slower jobs.
    """

    python: str
    cryptography: str
    messages: int
    repeats: int
    floor: dict[str, float]
    rows: tuple[Timed, ...]
    peers: tuple[TimedPeer, ...] = ()


class Overhead(Result, frozen=True, kw_only=True):
    """Schemes beside plain. `exact` is the same on every machine, `timing` on none; `text` is the bytes of a text."""

    schema: Literal["escrow-lab/bench/1"] = "escrow-lab/bench/1"
    version: str
    text: int
    schemes: tuple[str, ...]
    parameters: dict[str, dict[str, int | str | bool]]
    unverified: tuple[str, ...]
    exact: tuple[Exact, ...]
    timing: Timing


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
    turns = Turns([Stand(scheme) for scheme in chosen], peers, messages)
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

FLOOR = ""  # its name among those of schemes


class Turns:
    """Every job by everyone, turn after turn: microseconds a text, by who did which job at which level.

    One of the stands is plain's.
    """

    def __init__(self, stands: Sequence[Stand], peers: Sequence[Peer], messages: int) -> None:
        self.stands, self.peers, self.messages = stands, peers, messages
        self.samples: dict[tuple[str, str, Level], list[float]] = {}

    def take(self, jobs: Iterable[tuple[str, Level]] = JOBS) -> None:
        """One more turn of each job; everyone has each job right after the others, in an order that alternates."""
        for name, level in jobs:
            ready = {stand.scheme.name: stand.job(name, level, self.messages) for stand in self.stands}
            if level == "session":
                ready |= self._beside(ready[PLAIN.name])
            turn = len(self.samples.get((PLAIN.name, name, level), ()))
            for who in sorted(ready, reverse=turn % 2 == 1):
                self.samples.setdefault((who, name, level), []).append(microseconds(ready[who]))

    def _beside(self, job: Job) -> dict[str, Job]:
        """The same number of texts on the floor, and by every peer that does the job."""
        doing = [peer for peer in self.peers if job.name in peer.jobs]
        return {FLOOR: floor_of(job)} | {
            peer.name: job._replace(run=peer.jobs[job.name](job.texts, bytes(TEXT))) for peer in doing
        }

    def over(self, who: str, base: str, job: str, level: Level, base_level: Level | None = None) -> float | None:
        """The median of the ratios, not the ratio of medians: what slows a turn slows both. None without a base."""
        mine, beside = self.samples[who, job, level], self.samples.get((base, job, base_level or level))
        return median(map(truediv, mine, beside)) if beside and base != who else None


def floor_of(job: Job) -> Job:
    """The floor below a job on the level of sessions, of as many texts."""
    return job._replace(run=FLOORS[job.name](job.texts, bytes(TEXT)))


def microseconds(job: Job) -> float:
    """The processor's time for one text: what others do on the machine in the meantime is not counted."""
    with _without_collector():
        begin = thread_time()
        job.run()
        return (thread_time() - begin) / job.texts * 1e6


@contextmanager
def _without_collector() -> Iterator[None]:
    """A collection would be charged to whoever runs when it is due."""
    gc.collect(0)
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _timing(turns: Turns, repeats: int) -> Timing:
    return Timing(
        python=platform.python_version(),
        cryptography=version("cryptography"),
        messages=turns.messages,
        repeats=repeats,
        floor={job: median(times) for (name, job, _), times in turns.samples.items() if name == FLOOR},
        rows=tuple(_timed(turns, stand.scheme.name, job, level) for stand in turns.stands for job, level in JOBS),
        peers=tuple(_timed_peer(turns, peer, job) for peer in turns.peers for job in peer.jobs),
    )


def _timed(turns: Turns, name: str, job: str, level: Level) -> Timed:
    return Timed(
        scheme=name,
        job=job,
        level=level,
        microseconds=median(turns.samples[name, job, level]),
        over_plain=turns.over(name, PLAIN.name, job, level) if job != "access" else None,  # plain gives nothing
        over_floor=turns.over(name, FLOOR, job, level, "session"),
    )


def _timed_peer(turns: Turns, peer: Peer, job: str) -> TimedPeer:
    plain, floor = (turns.over(peer.name, base, job, "session") for base in (PLAIN.name, FLOOR))
    assert plain and floor  # noqa: S101 (both are in every turn)
    return TimedPeer(
        peer=peer.name,
        versions=peer.versions,
        job=job,
        microseconds=median(turns.samples[peer.name, job, "session"]),
        over_plain=plain,
        over_floor=floor,
    )
