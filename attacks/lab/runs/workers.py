"""Worker processes for tasks. They end with the process that started them, even if that was killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

from escrow.registry import PREFIX, load_files

TICK = 0.2  # seconds between two checks of the clock, and of whether the parent still lives
GRACE = 5.0  # seconds that a stopped task has to clean up before it is stopped again

T = TypeVar("T")
P = TypeVar("P")


class TimedOut(BaseException):
    """A task's time is over. It is no Exception, so that no `except Exception` of a scheme stops it."""


def spread(perform: Callable[[T], P], tasks: Sequence[T], jobs: int, killed: Callable[[T], P]) -> Iterator[P]:
    """Yield the results of `perform` for each task, in the order in which they end, `jobs` at once.

    For a task whose process was killed from outside, the result is that of `killed`.
    """
    if jobs == 1:
        yield from map(perform, tasks)
        return
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    given = os.getpid(), _plugin_files()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare, initargs=given) as pool:
        waiting = {pool.submit(perform, task): task for task in tasks}
        for future in as_completed(waiting):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield killed(waiting[future])


def _plugin_files() -> tuple[str, ...]:
    files = (getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith(PREFIX))
    return tuple(sorted(file for file in files if file))


def _prepare(parent: int, plugins: tuple[str, ...]) -> None:
    _end_with(parent)
    load_files(Path(file) for file in plugins)


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
