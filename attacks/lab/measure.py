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
from itertools import cycle, islice
from operator import truediv
from statistics import median
from time import thread_time
from typing import Literal, NamedTuple

from attacks.lab import floor
from attacks.lab.counts import TEXT, Conversation, Exact, exact
from attacks.lab.results import Result
from escrow import __version__, codec, crypto
from escrow.e2ee import ratchet, x3dh
from escrow.e2ee.device import Device, Slip
from escrow.e2ee.ratchet import Message, MessageKey, decrypt, encrypt, pack, unpack
from escrow.e2ee.x3dh import Bundle
from escrow.registry import is_plugin, parameters
from escrow.scheme import Scheme
from escrow.schemes.plain import SCHEME as PLAIN

Level = Literal["session", "device"]
Progress = Callable[[int, int, str], None]
JOBS: tuple[tuple[str, Level], ...] = (
    ("ping-pong", "session"),
    ("one-way", "session"),
    ("set-up", "session"),
    ("ping-pong", "device"),
    ("one-way", "device"),
    ("set-up", "device"),
    ("access", "device"),
)
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
    """Medians over `repeats` turns, in microseconds a text. Outside every digest.

    A turn has `messages` texts one way between sessions, and fewer in slower jobs.
    """

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
    schemes: Iterable[Scheme], *, messages: int = 60, repeats: int = 20, progress: Progress | None = None
) -> Overhead:
    """Measure these schemes, and plain, whether it is among them or not. ValueError without a message or a repeat."""
    if messages < 1 or repeats < 1:
        raise ValueError("a measurement needs a message and a repeat")
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
        timing=_timing(samples, chosen, messages, repeats),
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
    stands = [Stand(scheme) for scheme in chosen]
    for turn in range(repeats):
        if progress is not None:
            progress(len(chosen) + turn, len(chosen) + repeats, f"turn {turn + 1}")
        for name, level in JOBS:
            jobs = {stand.scheme.name: stand.job(name, level, messages) for stand in stands}
            if level == "session":
                jobs[""] = floor_of(jobs[PLAIN.name])
            for who in sorted(jobs, reverse=turn % 2 == 1):
                samples.setdefault((who, name, level), []).append(microseconds(jobs[who]))
    return samples


def floor_of(job: Job) -> Job:
    """The floor below a job on the level of sessions, of as many texts."""
    return Job(job.name, job.level, job.texts, FLOORS[job.name](job.texts, bytes(TEXT)))


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


def _timing(samples: Samples, chosen: Sequence[Scheme], messages: int, repeats: int) -> Timing:
    names = [scheme.name for scheme in chosen]
    return Timing(
        python=platform.python_version(),
        cryptography=version("cryptography"),
        messages=messages,
        repeats=repeats,
        floor={job: median(times) for (name, job, _), times in samples.items() if not name},
        rows=tuple(_timed(samples, name, job, level) for name in names for job, level in JOBS),
    )


def _timed(samples: Samples, name: str, job: str, level: Level) -> Timed:
    def over(base: str, base_level: Level) -> float | None:
        """Medians of ratios, not ratios of medians: what slows a turn slows both."""
        beside = samples.get((base, job, base_level))
        return median(map(truediv, mine, beside)) if beside and base != name else None

    mine = samples[name, job, level]
    return Timed(
        scheme=name,
        job=job,
        level=level,
        microseconds=median(mine),
        over_plain=over(PLAIN.name, level) if job != "access" else None,  # plain gives nothing
        over_floor=over("", "session"),
    )


# --- what is timed ---


class Stand:
    """One scheme with a conversation that goes on, and below its devices the two directions of their session."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme, self.talk, self.text = scheme, Conversation(scheme), bytes(TEXT)
        alice, bob = self.talk.alice, self.talk.bob
        for sender, receiver in ((alice, bob), (bob, alice)) * 2:
            self.talk.say(sender, receiver, self.text)
        self.there, self.back = Direction(alice, bob), Direction(bob, alice)

    def job(self, name: str, level: Level, messages: int) -> Job:
        """One of JOBS, prepared, of so many texts or, where they are slow, of fewer."""
        few = max(1, messages // 6)
        self.talk.wire.heard.clear()
        if level == "device":
            few = few if name in {"ping-pong", "one-way"} else max(1, few // 3)  # these need new conversations
            return Job(name, level, few, self._between_devices(name, few))
        if name == "set-up":
            return Job(name, level, few, self.there.set_ups(few, self.text))
        for direction in (self.back, self.there) * 2:  # a new chain after one of a single message, not of the last turn
            direction.carry(self.text)
        if name == "one-way":
            return Job(name, level, messages, partial(self.there.carry, self.text, messages))
        return Job(name, level, few, partial(self._ping_pong, few))

    def _ping_pong(self, texts: int) -> None:
        for direction in islice(cycle((self.back, self.there)), texts):
            direction.carry(self.text)

    def _between_devices(self, name: str, texts: int) -> Callable[[], object]:
        if name == "set-up":
            strangers = [Conversation(self.scheme) for _ in range(texts)]
            return lambda: [each.say(each.alice, each.bob, self.text) for each in strangers]
        if name == "access":
            fresh = Conversation(self.scheme)
            fresh.say(fresh.alice, fresh.bob, self.text)
            fresh.access(fresh.intercepted())  # what the first text alone needs, is done
            for _ in range(texts):
                fresh.say(fresh.alice, fresh.bob, self.text)
            return partial(fresh.access, fresh.intercepted())
        alice, bob = self.talk.alice, self.talk.bob
        self.talk.say(alice, bob, self.text)
        pairs = ((bob, alice), (alice, bob)) if name == "ping-pong" else ((alice, bob),)
        return lambda: [self.talk.say(*pair, self.text) for pair in islice(cycle(pairs), texts)]


class Direction:
    """One direction of a conversation, below the devices. A scheme may have made the sender write to more devices."""

    def __init__(self, sender: Device, receiver: Device) -> None:
        sessions = {peer: kept[0].session for peer, kept in sender.sessions.items()}
        own = sessions.pop(receiver.name)
        self.sender, self.receiver, self.outgoing = sender, receiver, [*sessions.values(), own]
        self.incoming = receiver.sessions[sender.name][0].session
        self.people = (sender.user, receiver.user)
        self.escrows = type(sender).access_field is not Device.access_field  # plain's hook gives nothing

    def carry(self, text: bytes, times: int = 1) -> None:
        """A text is encrypted for every device, for the receiver last, and read."""
        outgoing, incoming, escrows = self.outgoing, self.incoming, self.escrows
        for _ in range(times):
            for session in outgoing:
                message, key = encrypt(session, text)
                if escrows:
                    self._field(message, key)
                sent = pack(message)
            decrypt(incoming, unpack(sent, incoming.associated))

    def _field(self, message: Message, key: MessageKey) -> bytes:
        slip = Slip(self.people, 0, message.associated + ratchet.header(message))
        return codec.encode(self.sender.access_field(key, slip))

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
                message, key = encrypt(ratchet.begin(root, initial.associated), text)
                if self.escrows:
                    self._field(message, key)
                root = x3dh.accept(initial, identity, prekey, one_time)
                session = ratchet.respond(root, initial.associated, prekey)
                decrypt(session, unpack(pack(message), session.associated))

        return run
