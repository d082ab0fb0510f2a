"""Other libraries at the same jobs, each turn beside plain's: how many times plain's time they take, in extra_info.

A library that is not installed is skipped with the name of the extra that has it; `bench --peers` is an error instead.
"""

from collections.abc import Callable
from functools import partial
from time import thread_time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from attacks.lab.costs.measure import microseconds
from attacks.lab.costs.peers import PEERS, PeerMissing, peer
from attacks.lab.costs.timer import Turns
from attacks.lab.costs.workload import Workload
from escrow.schemes.plain import SCHEME as PLAIN

MESSAGES, TURNS = 60, 20


@pytest.mark.benchmark(timer=thread_time)
@pytest.mark.parametrize("job", ["ping-pong", "one-way", "set-up", "fan-out"])
@pytest.mark.parametrize("name", PEERS)
def test_job(benchmark: BenchmarkFixture, name: str, job: str) -> None:
    try:
        other = peer(name)
    except PeerMissing as error:
        pytest.skip(str(error))
    plain, taken = Workload(PLAIN), Turns[str]()

    def turn() -> tuple[tuple[Callable[[], object]], dict[str, object]]:
        """Take a turn. pytest-benchmark runs the job once more; the ratios are of the turns."""
        ours = plain.job(job, "session", MESSAGES)
        theirs = ours._replace(run=other.jobs[job](ours.texts, plain.text))
        taken.take({"ours": partial(microseconds, ours), "theirs": partial(microseconds, theirs)})
        benchmark.extra_info["texts"] = ours.texts
        return (other.jobs[job](ours.texts, plain.text),), {}

    benchmark.group = f"{job}, session"
    benchmark.pedantic(lambda run: run(), setup=turn, rounds=TURNS)
    benchmark.extra_info["microseconds_a_text"] = round(taken.median("theirs"), 2)
    benchmark.extra_info["over_plain"] = round(taken.ratio("theirs", "ours"), 3)
    benchmark.extra_info["versions"] = other.versions
