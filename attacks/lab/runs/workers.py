"""Worker processes for tasks. They end with the process that started them, even if that was killed."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

from escrow.registry import PREFIX, load_files

TICK = 0.2  # seconds between two checks of the clock, and of whether the parent still lives
GARBAGE = 500_000  # objects that a task makes before garbage is looked for while it runs
GRACE = 5.0  # seconds that a stopped task has to clean up before it is stopped again

T = TypeVar("T")
P = TypeVar("P")


class TimedOut(BaseException):
    """A task's time is over. It is no Exception, so that no `except Exception` of a scheme stops it."""


def spread(
    perform: Callable[[T], P],
    tasks: Sequence[T],
    jobs: int,
    killed: Callable[[T], P],
    group: Callable[[T], Hashable] = id,
    ready: Callable[[T], T] = lambda task: task,
) -> Iterator[P]:
    """Yield the results of `perform` for each task, in the order in which they end, `jobs` at once.

    A process goes on with the group of its last task, because it has worked out what the group shares. For a task whose
    process was killed from outside, the result is that of `killed`. A task goes to another process as `ready` returns
    it then: with what earlier results told.
    """
    if jobs == 1:
        with seldom_collecting():
            yield from map(perform, tasks)
        return
    left, workers, working = _Left(tasks, group), list[_Worker[T, P]](), dict[Any, _Worker[T, P]]()

    def begin(worker: _Worker[T, P]) -> None:
        taken, task = left.take(worker.group)
        worker.begin(taken, ready(task))
        working[worker.pipe] = worker

    def another() -> _Worker[T, P]:
        workers.append(_Worker(perform))
        return workers[-1]

    try:
        for _ in range(min(jobs, len(tasks))):
            begin(another())
        while working:
            for pipe in wait([*working]):
                worker = working.pop(pipe)
                task, result = worker.task, worker.result()
                if left:
                    begin(another() if result is None else worker)
                yield killed(task) if result is None else result
    finally:
        for worker in workers:
            worker.stop()


class _Left(Generic[T]):
    """The tasks that are left, by group."""

    def __init__(self, tasks: Iterable[T], group: Callable[[T], Hashable]) -> None:
        self._waiting: dict[Hashable, deque[T]] = {}
        self._begun: set[Hashable] = set()
        for task in tasks:
            self._waiting.setdefault(group(task), deque()).append(task)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._waiting)

    def take(self, group: Hashable) -> tuple[Hashable, T]:
        """Take a task, and say of which group: of this one, else of one that nobody has begun, else of the largest."""
        if group not in self._waiting:
            fresh = (each for each in self._waiting if each not in self._begun)
            group = next(fresh, max(self._waiting, key=lambda each: len(self._waiting[each])))
        self._begun.add(group)
        task = self._waiting[group].popleft()
        if not self._waiting[group]:
            del self._waiting[group]
        return group, task


class _Worker(Generic[T, P]):
    """A process that performs one task after another."""

    task: T
    group: Hashable = None

    def __init__(self, perform: Callable[[T], P]) -> None:
        get = multiprocessing.get_context
        context = get("fork") if hasattr(os, "fork") else get("spawn")
        self.pipe, theirs = context.Pipe()
        given = theirs, perform, os.getpid(), _plugin_files()
        self._process = context.Process(target=_perform_all, args=given, daemon=True)
        self._process.start()
        theirs.close()  # so that the pipe ends when the process does

    def begin(self, group: Hashable, task: T) -> None:
        """Begin a task."""
        self.group, self.task = group, task
        self.pipe.send((group, task))

    def result(self) -> P | None:
        """Return the task's result, or None if the process was killed. Raise the exception that stopped it."""
        try:
            result, error = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            return None
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]  # what `perform` gave in the process

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def _perform_all(pipe: Connection, perform: Callable[[T], P], parent: int, plugins: tuple[str, ...]) -> None:
    """Perform each task that comes through the pipe, and send its result back, or the exception that stopped it.

    Garbage is looked for between tasks: most of what a task makes it needs until its end. What outlasts a task is
    looked through again after the last of several tasks of a group.
    """
    _prepare(parent, plugins)
    last, stayed = None, False
    while True:
        group, task = pipe.recv()
        gc.collect(2 if stayed and group != last else 1)
        last, stayed = group, group == last
        try:
            pipe.send((perform(task), None))
        except BaseException as error:
            error.add_note(traceback.format_exc())
            pipe.send((None, error))


def _plugin_files() -> tuple[str, ...]:
    files = (getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith(PREFIX))
    return tuple(sorted(file for file in files if file))


def _prepare(parent: int, plugins: tuple[str, ...]) -> None:
    _end_with(parent)
    load_files(Path(file) for file in plugins)
    gc.freeze()  # what is loaded stays, and need not be looked through for garbage
    gc.set_threshold(GARBAGE)


def _end_with(parent: int) -> None:
    """End this process soon after its parent ends; a queue that all workers hold open would keep them waiting."""
    if sys.platform == "win32":
        return

    def look(number: int, frame: FrameType | None) -> None:
        if os.getppid() != parent:
            os._exit(1)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for garbage seldom in this block: most of what is made there is needed until its end."""
    before = gc.get_threshold()
    gc.set_threshold(GARBAGE)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise TimedOut in this block after so many seconds; never if they are None, or on systems without alarms.

    It is raised at the block's end at the latest: Python drops what a signal raises within a destructor.
    """
    if seconds is None or sys.platform == "win32":
        yield
        return
    over = end = time.monotonic() + seconds
    before, beat = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal end
        if callable(before):
            before(number, frame)
        if time.monotonic() >= end:
            end += GRACE
            raise TimedOut

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, min(TICK, seconds), TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *beat)
        signal.signal(signal.SIGALRM, before)
    if time.monotonic() >= over:
        raise TimedOut
