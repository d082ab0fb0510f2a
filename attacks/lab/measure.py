"""What every scheme costs over plain end-to-end encryption: exact counts, and ratios of times taken in one process.

Times depend on the machine and on who else uses it; so every job of every scheme is run in turn, again and again, and
what is reported first is the median of the ratios to the same turn's plain and floor. Two levels stand side by side:

  session   what the two ends compute for a text: ratchet, message key, access field, their encoding
  device    from device to provider to device: the directory asked, content, packets, mailbox, screen
"""

from __future__ import annotations

import gc
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from statistics import median
from time import perf_counter
from typing import Literal, NamedTuple

from attacks.lab import floor
from attacks.lab.counts import TEXT, Conversation, Exact, exact
from attacks.lab.results import Result
from escrow import __version__, codec, crypto
from escrow.e2ee import ratchet, x3dh
from escrow.e2ee.device import Device, Slip
from escrow.e2ee.ratchet import Session
from escrow.e2ee.x3dh import Bundle
from escrow.registry import is_plugin, parameters
from escrow.scheme import Scheme
from escrow.schemes.plain import SCHEME as PLAIN

Level = Literal["session", "device"]
Progress = Callable[[int, int, str], None]
FLOORS = {"ping-pong": floor.ping_pong, "one-way": floor.one_way, "set-up": floor.set_up}


class Timed(Result, frozen=True, kw_only=True):
    """One job under one scheme: microseconds a text, and the ratios to plain and to the floor, where there is one."""

    scheme: str
    job: str
    level: Level
    microseconds: float
    over_plain: float | None
    over_floor: float | None


class Timing(Result, frozen=True, kw_only=True):
    """Medians over `repeats` turns of `messages` texts; `floor` is in microseconds a text. Outside every digest."""

    python: str
    cryptography: str
    messages: int
    repeats: int
    floor: dict[str, float]
    rows: tuple[Timed, ...]


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
    schemes: Iterable[Scheme], *, messages: int = 60, repeats: int = 15, progress: Progress | None = None
) -> Overhead:
    """Measure these schemes, and plain, whether it is among them or not. ValueError for fewer than 2 messages."""
    if messages < 2 or repeats < 1:
        raise ValueError("a measurement needs two messages and a repeat")
    given = {scheme.name: scheme for scheme in schemes}
    chosen = [given.pop(PLAIN.name, PLAIN), *given.values()]
    counted: list[Exact] = []
    for done, scheme in enumerate(chosen):
        if progress is not None:
            progress(done, len(chosen) + repeats, f"{scheme.name}: counts")
        counted += exact(scheme)
    samples = _samples(chosen, messages, repeats, progress)
    return Overhead(
        version=__version__,
        text=TEXT,
        schemes=tuple(scheme.name for scheme in chosen),
        parameters={scheme.name: parameters(scheme) for scheme in chosen},
        unverified=tuple(scheme.name for scheme in chosen if is_plugin(scheme)),
        exact=tuple(counted),
        timing=_timing(samples, messages, repeats),
    )


# --- taking times ---


class Job(NamedTuple):
    """Something ready to be run once, and for how many texts it counts."""

    name: str
    level: Level
    texts: int
    run: Callable[[], object]


Samples = dict[tuple[str, str, Level], list[float]]  # scheme ("" for the floor), job, level -> microseconds a text


def _samples(chosen: Sequence[Scheme], messages: int, repeats: int, progress: Progress | None) -> Samples:
    samples: Samples = {}
    stands = [_Stand(scheme) for scheme in chosen]
    for turn in range(repeats):
        if progress is not None:
            progress(len(chosen) + turn, len(chosen) + repeats, f"turn {turn + 1}")
        for jobs in zip(*(stand.jobs(messages) for stand in stands), strict=True):
            named = [(scheme.name, job) for scheme, job in zip(chosen, jobs, strict=True)]
            if (first := jobs[0]).level == "session":
                named.append(
                    ("", Job(first.name, "session", first.texts, FLOORS[first.name](first.texts, bytes(TEXT))))
                )
            for name, job in named[:: -1 if turn % 2 else 1]:
                samples.setdefault((name, job.name, job.level), []).append(_time(job))
    return samples


def _time(job: Job) -> float:
    with _without_collector():
        begin = perf_counter()
        job.run()
        return (perf_counter() - begin) / job.texts * 1e6


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


def _timing(samples: Samples, messages: int, repeats: int) -> Timing:
    def over(name: str, job: str, level: Level, base: str, base_level: Level) -> float | None:
        bases = samples.get((base, job, base_level))
        if not bases or name == base:
            return None
        return median(mine / its for mine, its in zip(samples[name, job, level], bases, strict=True))

    rows = tuple(
        Timed(
            scheme=name,
            job=job,
            level=level,
            microseconds=median(times),
            over_plain=over(name, job, level, PLAIN.name, level) if job != "access" else None,
            over_floor=over(name, job, level, "", "session"),
        )
        for (name, job, level), times in samples.items()
        if name
    )
    return Timing(
        python=platform.python_version(),
        cryptography=version("cryptography"),
        messages=messages,
        repeats=repeats,
        floor={job: median(times) for (name, job, _), times in samples.items() if not name},
        rows=rows,
    )


# --- what is timed ---


class _Stand:
    """One scheme with a conversation that goes on, and below its devices the two directions of their session."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme, self.talk, self.text = scheme, Conversation(scheme), bytes(TEXT)
        alice, bob = self.talk.alice, self.talk.bob
        for sender, receiver in ((alice, bob), (bob, alice)) * 2:
            self.talk.say(sender, receiver, self.text)
        self.there, self.back = _Direction(alice, bob), _Direction(bob, alice)

    def jobs(self, messages: int) -> Iterator[Job]:
        """Every job once, each prepared when it is asked for."""
        few, pairs = max(1, messages // 10), messages // 2
        self.talk.wire.heard.clear()
        yield Job("ping-pong", "session", 2 * pairs, partial(self._ping_pong, pairs))
        self.there.carry(self.text)
        yield Job("one-way", "session", messages, partial(self._one_way, messages))
        yield Job("set-up", "session", few, self.there.set_ups(few, self.text))
        yield Job("ping-pong", "device", 2 * few, partial(self._devices_ping_pong, few))
        self.talk.say(self.talk.alice, self.talk.bob, self.text)
        yield Job("one-way", "device", 2 * few, partial(self._devices_one_way, 2 * few))
        fresh = Conversation(self.scheme)
        yield Job("set-up", "device", 1, partial(fresh.say, fresh.alice, fresh.bob, self.text))
        for _ in range(few):
            fresh.say(fresh.alice, fresh.bob, self.text)
        yield Job("access", "device", few + 1, partial(fresh.access, fresh.intercepted()))

    def _ping_pong(self, pairs: int) -> None:
        for _ in range(pairs):
            self.there.carry(self.text)
            self.back.carry(self.text)

    def _one_way(self, messages: int) -> None:
        for _ in range(messages):
            self.there.carry(self.text)

    def _devices_ping_pong(self, pairs: int) -> None:
        for _ in range(pairs):
            self.talk.say(self.talk.alice, self.talk.bob, self.text)
            self.talk.say(self.talk.bob, self.talk.alice, self.text)

    def _devices_one_way(self, messages: int) -> None:
        for _ in range(messages):
            self.talk.say(self.talk.alice, self.talk.bob, self.text)


class _Direction:
    """One direction of a conversation, below the devices. A scheme may have made the sender write to more devices."""

    def __init__(self, sender: Device, receiver: Device) -> None:
        sessions = {peer: kept[0].session for peer, kept in sender.sessions.items()}
        self.sender, self.receiver, self.outgoing = sender, receiver, sessions.pop(receiver.name)
        self.others = list(sessions.values())
        self.incoming = receiver.sessions[sender.name][0].session
        self.people = (sender.user, receiver.user)
        self.escrows = type(sender).access_field is not Device.access_field  # plain's hook gives nothing

    def carry(self, text: bytes) -> None:
        """A text is encrypted for every device, and read by the receiver."""
        for session in self.others:
            self._encrypt(session, text)
        sent = self._encrypt(self.outgoing, text)
        ratchet.decrypt(self.incoming, ratchet.unpack(sent, self.incoming.associated))

    def _encrypt(self, session: Session, text: bytes) -> bytes:
        message, key = ratchet.encrypt(session, text)
        if self.escrows:
            slip = Slip(self.people, 0, message.associated + ratchet.header(message))
            codec.encode(self.sender.access_field(key, slip))
        return ratchet.pack(message)

    def set_ups(self, times: int, text: bytes) -> Callable[[], None]:
        """So many sessions, each begun and its first message read: ready to be run once."""
        prekeys = [(crypto.new_private(), crypto.new_private()) for _ in range(times)]
        identity = self.receiver.identity
        bundles = [
            Bundle(identity.public, prekey.public, x3dh.sign_prekey(identity, prekey.public), one_time.public)
            for prekey, one_time in prekeys
        ]

        def run() -> None:
            for bundle, (prekey, one_time) in zip(bundles, prekeys, strict=True):
                self.sender.insist(x3dh.prekey_is_signed(bundle), "signature of the prekey")
                initial, root = x3dh.initiate(self.sender.identity, bundle)
                sent = self._encrypt(ratchet.begin(root, initial.associated), text)
                root = x3dh.accept(initial, identity, prekey, one_time)
                session = ratchet.respond(root, initial.associated, prekey)
                ratchet.decrypt(session, ratchet.unpack(sent, session.associated))

        return run
