"""The one timer: everybody takes turns, and what counts is the median of the ratios within a turn.

  turn   each clock is read once, one right after the other, in an order that alternates from turn to turn
  ratio  the median over the turns of mine / base, not the ratio of medians: what slows a turn slows both

Times are the processor's for this thread, so what others do on the machine in the meantime is not counted. A clock is a
function that does its work and returns what it took.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from operator import truediv
from statistics import median
from time import thread_time
from typing import Generic, TypeVar

Work = Callable[[], object]
Clock = Callable[[], float]
K = TypeVar("K", bound=Hashable)


class Turns(Generic[K]):
    """Times by the job and party that took them, turn after turn."""

    def __init__(self) -> None:
        """Begin without a turn."""
        self.samples: dict[K, list[float]] = {}

    def take(self, clocks: Mapping[K, Clock]) -> None:
        """Take one more turn: read every clock once. The order alternates with the turns that the first has had."""
        order = list(clocks)
        if order and len(self.samples.get(order[0], ())) % 2:
            order.reverse()
        for who in order:
            self.samples.setdefault(who, []).append(clocks[who]())

    def ratio(self, who: K, base: K) -> float:
        """Return the median of the ratios of the two in the same turn. Raise KeyError if one had no turn."""
        return float(median(map(truediv, self.samples[who], self.samples[base])))

    def median(self, who: K) -> float:
        """Return the median of the times of one. Raise KeyError if it had no turn."""
        return median(self.samples[who])


def elapsed(work: Work, times: int = 1) -> float:
    """Return the seconds that the work takes: the mean of so many times, one right after the other."""
    with _without_collector():
        begin = thread_time()
        for _ in range(times):
            work()
        return (thread_time() - begin) / times


def clock_ratio(clock: Clock, base: Clock, turns: int) -> float:
    """Return the median over so many turns of one clock's time over the other's."""
    taken = Turns[str]()
    for _ in range(turns):
        taken.take({"clock": clock, "base": base})
    return taken.ratio("clock", "base")


def ratio(work: Work, base: Work, turns: int, times: int = 1, base_times: int | None = None) -> float:
    """Return the median over so many turns of how many times as long `work` takes as `base`.

    Both are run once before. In a turn `work` is run so many `times`, and `base` `base_times`, or as often.
    """
    work(), base()
    return clock_ratio(partial(elapsed, work, times), partial(elapsed, base, base_times or times), turns)


def beside(work: Work, base: Clock, around: int = 5) -> tuple[float, float]:
    """Run long work once, and return its seconds and the median time of `base`, read so often before and after.

    The garbage collector runs as usual: in long work it is part of the cost.
    """
    bases = [base() for _ in range(around)]
    begin = thread_time()
    work()
    spent = thread_time() - begin
    return spent, median([*bases, *(base() for _ in range(around))])


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector from running: a collection would be charged to the job that runs when it is due."""
    gc.collect(0)
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
