"""One text to a group, by group size: pairwise fan-out, and beside it Sender Keys, which encrypt once for all.

In extra_info: the ratio of the fan-out to its baseline, and how many times Sender Keys' time it takes.
"""

from functools import partial
from time import thread_time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from attacks.lab.costs.measure import baseline_of, microseconds
from attacks.lab.costs.timer import Turns
from attacks.lab.costs.workload import Job, Workload
from escrow.schemes.plain import SCHEME as PLAIN

TURNS = 15


@pytest.fixture(scope="module")
def plain() -> Workload:
    return Workload(PLAIN)


@pytest.mark.benchmark(timer=thread_time)
@pytest.mark.parametrize("members", [10, 100, 1000])
def test_fan_out(benchmark: BenchmarkFixture, plain: Workload, members: int) -> None:
    taken = Turns[str]()

    def turn() -> tuple[tuple[Job], dict[str, object]]:
        """Take a turn. pytest-benchmark runs the job once more; the ratios are of the turns."""
        ready, chain = plain.job("fan-out", "session", members), plain.job("sender-keys", "session", 60)
        jobs = {"floor": baseline_of(ready), "mine": ready, "sender_keys": chain}
        taken.take({who: partial(microseconds, job) for who, job in jobs.items()})
        return (plain.job("fan-out", "session", members),), {}

    benchmark.group = f"group of {members}"
    benchmark.pedantic(lambda ready: ready.run(), setup=turn, rounds=TURNS)
    benchmark.extra_info["members"] = members
    benchmark.extra_info["over_floor"] = round(taken.ratio("mine", "floor"), 3)
    benchmark.extra_info["over_sender_keys"] = round(members * taken.ratio("mine", "sender_keys"), 3)
