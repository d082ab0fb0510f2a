"""Other libraries at the same jobs, each turn beside plain's: how many times plain's time they take, in extra_info.

A library that is not installed is skipped with the name of the extra that has it; `bench --peers` is an error instead.
"""

from operator import truediv
from statistics import median
from time import thread_time

import pytest

from attacks.lab.costs.measure import microseconds
from attacks.lab.costs.peers import PEERS, PeerMissing, peer
from attacks.lab.costs.workload import Stand
from escrow.schemes.plain import SCHEME as PLAIN

MESSAGES, TURNS = 60, 20


@pytest.mark.benchmark(timer=thread_time)
@pytest.mark.parametrize("job", ["ping-pong", "one-way", "set-up", "fan-out"])
@pytest.mark.parametrize("name", PEERS)
def test_job(benchmark, name, job):
    try:
        other = peer(name)
    except PeerMissing as error:
        pytest.skip(str(error))
    plain = Stand(PLAIN)
    ours, theirs = [], []

    def turn():
        """pytest-benchmark runs the job once more; the ratios are of these, one right after the other."""
        ready = plain.job(job, "session", MESSAGES)
        ours.append(microseconds(ready))
        theirs.append(microseconds(ready._replace(run=other.jobs[job](ready.texts, plain.text))))
        benchmark.extra_info["texts"] = ready.texts
        return (other.jobs[job](ready.texts, plain.text),), {}

    benchmark.group = f"{job}, session"
    benchmark.pedantic(lambda run: run(), setup=turn, rounds=TURNS)
    benchmark.extra_info["microseconds_a_text"] = round(median(theirs), 2)
    benchmark.extra_info["over_plain"] = round(median(map(truediv, theirs, ours)), 3)
    benchmark.extra_info["versions"] = other.versions
