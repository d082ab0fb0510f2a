"""The run that the door serves: its randomness, its observer, and the results that it keeps.

Inside a run random bytes are SHAKE-256(run secret, party, day ‖ counter), on day 0 without the day. So one party's
extra draw leaves all bytes of other parties as they were, and its own of other days. Outside a run random bytes are the
operating system's. A run has one observer, which costs one context look-up when there is none: `escrow.crypto` and
`escrow.primitives` tell it what went into each operation and what came out, also where a result was kept from an
earlier call.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar

from escrow.codec import prefixed

P = ParamSpec("P")
T = TypeVar("T")


class Call(NamedTuple):
    """One operation of the door or of a primitive: its arguments and results, in their order, and who acted.

    Everything is bytes: scalars and points are encoded as they travel. An operation that failed has no outputs.
    """

    operation: str
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    party: str


Observer = Callable[[Call], None]


class Results:
    """Results of operations that depend on their arguments alone, by the operation's name and arguments.

    At least the last `most` that were asked for are kept, and at most twice as many: when the newer half is full, the
    older one is dropped.
    """

    __slots__ = ("_most", "_older", "newer")

    def __init__(self, most: int = 1 << 16) -> None:
        self._most = most
        self.newer: dict[tuple[object, ...], object] = {}
        self._older: dict[tuple[object, ...], object] = {}

    def recalled(self, key: tuple[object, ...], work: Callable[..., T], *arguments: object) -> T:
        """Return the result kept under `key`, or what `work` gives for the arguments. An exception is not kept."""
        if (found := self.newer.get(key, self)) is self:
            found = self._older.get(key, self)
            if found is self:
                found = work(*arguments)
            if len(self.newer) == self._most:
                self._older, self.newer = self.newer, {}
            self.newer[key] = found
        return found  # type: ignore[return-value]  # each key begins with its operation's name


class Run:
    """The run that the door serves: the secret of its randomness, the acting party, the observer, the results kept.

    Without `results` every operation is computed. The observer is told of an operation in either case. `draws` counts
    how often each party has drawn on this `day`. `traced`: what traces this thread traces a `tool`, too.
    """

    __slots__ = ("day", "draws", "observer", "party", "results", "secret", "traced")

    def __init__(
        self,
        secret: bytes | None,
        observer: Observer | None = None,
        results: Results | None = None,
        *,
        traced: bool = True,
    ) -> None:
        self.secret, self.observer, self.party, self.results, self.traced = secret, observer, "", results, traced
        self.draws: Counter[str] = Counter()
        self.day = 0

    def draw(self, n: int) -> bytes:
        """Return the acting party's next `n` bytes; without a secret, `n` bytes of the operating system."""
        drawn = os.urandom(n) if self.secret is None else self._following(self.secret, self.party, n)
        if self.observer is not None:
            observe("random", (), (drawn,))
        return drawn

    def _following(self, secret: bytes, party: str, n: int) -> bytes:
        self.draws[party] += 1
        counter = self.draws[party].to_bytes(8, "big")
        at = self.day.to_bytes(8, "big") + counter if self.day else counter
        return hashlib.shake_256(prefixed(secret, party.encode(), at)).digest(n)


class Repeated(Run):
    """A run inside another, whose random bytes follow from a secret that parties know: the same ones, whoever acts."""

    __slots__ = ("known",)

    def __init__(self, known: bytes, outer: Run | None) -> None:
        super().__init__(known, outer.observer if outer else None)
        self.known, self.party = known, outer.party if outer else ""

    def draw(self, n: int) -> bytes:
        """Return the next `n` bytes."""
        drawn = self._following(self.known, "", n)
        if self.observer is not None:
            observe("draw", (self.known, self.draws[""].to_bytes(8, "big")), (drawn,))
        return drawn


current: ContextVar[Run | None] = ContextVar("escrow_run", default=None)  # the run that is served here


@contextmanager
def running(run: Run) -> Iterator[Run]:
    """Let the door serve `run` inside this context. A run without results takes those of the run around it."""
    if run.results is None and (outer := current.get()) is not None:
        run.results = outer.results
    token = current.set(run)
    try:
        yield run
    finally:
        current.reset(token)


class acting:  # noqa: N801  # it is called as a function is
    """Draw random bytes as `party` inside this context. It is no generator, as that would take four times as long."""

    __slots__ = ("_before", "_party", "_run")

    def __init__(self, party: str) -> None:
        self._party = party

    def __enter__(self) -> None:
        """Let the party act."""
        if (run := current.get()) is not None:
            self._before, run.party = run.party, self._party
        self._run = run

    def __exit__(self, *_: object) -> None:
        """Let the party before act again."""
        if self._run is not None:
            self._run.party = self._before


def begin_day(day: int) -> None:
    """Let what is drawn from now on not depend on how often anybody drew on the days before.

    A run begins on day 0. Each later day is begun once: who begins one again draws the same bytes again.
    """
    if (run := current.get()) is not None:
        run.day = day
        run.draws.clear()


@contextmanager
def drawing_from(secret: bytes) -> Iterator[None]:
    """Draw random bytes from a secret (32 bytes) inside this context: the same ones each time, whoever acts."""
    with running(Repeated(secret, current.get())):
        yield


def observed() -> bool:
    """Return whether there is an observer: what only it needs need not be encoded without one."""
    return (run := current.get()) is not None and run.observer is not None


def observe(operation: str, inputs: tuple[bytes, ...], outputs: tuple[bytes, ...]) -> None:
    """Tell the observer, if there is one, of one operation of the acting party."""
    if (run := current.get()) is not None and run.observer is not None:
        run.observer(Call(operation, inputs, outputs, run.party))


def recalled(key: tuple[object, ...], work: Callable[..., T], *arguments: object) -> T:
    """Return `work(*arguments)`, which depends on `key` alone: from the results that the run keeps, if it keeps any."""
    if (run := current.get()) is None or (results := run.results) is None:
        return work(*arguments)
    if (found := results.newer.get(key, results)) is not results:  # nearly always: a call less
        return found  # type: ignore[return-value]  # each key begins with its operation's name
    return results.recalled(key, work, *arguments)


def recalls() -> bool:
    """Return whether results of several operations are kept, too: not before an observer, who is told of each."""
    return (run := current.get()) is not None and run.results is not None and run.observer is None


def recalled_whole(work: Callable[P, T]) -> Callable[P, T]:
    """Mark a function of several operations whose result depends on its arguments alone: it is kept if `recalls`.

    Its key is the marked function, with the arguments; so nothing in an argument may change. What draws random bytes is
    never marked.
    """

    @wraps(work)
    def whole(*arguments: P.args, **named: P.kwargs) -> T:
        if named or not recalls():
            return work(*arguments, **named)
        return recalled((whole, *arguments), work, *arguments)

    return whole


def tool(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function; in a run that is not `traced`, nothing traces what it calls: only what goes in and out."""

    @wraps(function)
    def used(*arguments: P.args, **named: P.kwargs) -> T:
        tracer = sys.gettrace()
        if tracer is None or (run := current.get()) is None or run.traced:
            return function(*arguments, **named)
        sys.settrace(None)
        try:
            return function(*arguments, **named)
        finally:
            sys.settrace(tracer)

    return used


def random_bytes(n: int) -> bytes:
    """Return `n` random bytes: the run's, or outside a run the operating system's."""
    run = current.get()
    return os.urandom(n) if run is None else run.draw(n)
