"""One text to a group, by group size: pairwise fan-out, and beside it Sender Keys, which encrypt once for all.

In extra_info: the ratio of the fan-out to its floor, and how many times Sender Keys' time it takes.
"""

from operator import truediv
from statistics import median
from time import thread_time

import pytest

from attacks.lab.costs.measure import floor_of, microseconds
from attacks.lab.costs.workload import Stand
from escrow.schemes.plain import SCHEME as PLAIN

TURNS = 15


@pytest.fixture(scope="module")
def plain():
    return Stand(PLAIN)


@pytest.mark.benchmark(timer=thread_time)
@pytest.mark.parametrize("members", [10, 100, 1000])
def test_fan_out(benchmark, plain, members):
    over = {"floor": [], "sender_keys": []}

    def turn():
        """pytest-benchmark runs the job once more; the ratios are of these, one right after the other."""
        ready, chain = plain.job("fan-out", "session", members), plain.job("sender-keys", "session", 60)
        floor, mine, once = microseconds(floor_of(ready)), microseconds(ready), microseconds(chain)
        over["floor"].append((mine, floor))
        over["sender_keys"].append((mine * members, once))
        return (plain.job("fan-out", "session", members),), {}

    benchmark.group = f"group of {members}"
    benchmark.pedantic(lambda ready: ready.run(), setup=turn, rounds=TURNS)
    benchmark.extra_info["members"] = members
    for base, pairs in over.items():
        benchmark.extra_info[f"over_{base}"] = round(median(truediv(*pair) for pair in pairs), 3)
