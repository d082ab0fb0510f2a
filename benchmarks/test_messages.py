"""Every job of every scheme, each turn beside plain's and the floor's: the ratios stand in extra_info."""

from operator import truediv
from statistics import median
from time import thread_time

import pytest

from attacks.lab.costs.measure import floor_of, microseconds
from attacks.lab.costs.workload import JOBS, Stand
from escrow import registry
from escrow.schemes.plain import SCHEME as PLAIN

MESSAGES, TURNS = 60, 20
SCHEMES = registry.schemes()


@pytest.mark.benchmark(timer=thread_time)
@pytest.mark.parametrize(("job", "level"), JOBS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_job(benchmark, scheme, job, level):
    stand, plain = Stand(SCHEMES[scheme]), Stand(PLAIN)
    mine, over = [], {"plain": [], "floor": []}

    def turn():
        """pytest-benchmark runs the job once more; the ratios are of these, one right after the other."""
        ready = stand.job(job, level, MESSAGES)
        mine.append(microseconds(ready))
        if job != "access":  # plain gives nothing
            over["plain"].append(microseconds(plain.job(job, level, MESSAGES)))
        if level == "session":
            over["floor"].append(microseconds(floor_of(ready)))
        again = stand.job(job, level, MESSAGES)
        benchmark.extra_info["texts"] = again.texts
        return (again,), {}

    benchmark.group = f"{job}, {level}"
    benchmark.pedantic(lambda ready: ready.run(), setup=turn, rounds=TURNS)
    benchmark.extra_info["microseconds_a_text"] = round(median(mine), 2)
    for base, times in over.items():
        if times:
            benchmark.extra_info[f"over_{base}"] = round(median(map(truediv, mine, times)), 3)
