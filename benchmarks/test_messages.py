"""Every job of every scheme, each turn beside plain's and the baseline's: the ratios stand in extra_info."""

from functools import partial
from time import thread_time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from attacks.lab.costs.measure import baseline_of, microseconds
from attacks.lab.costs.timer import Turns
from attacks.lab.costs.workload import Job, Level, Workload, jobs_of
from escrow import registry
from escrow.schemes.plain import SCHEME as PLAIN

MESSAGES, TURNS = 60, 20
SCHEMES = registry.schemes()


@pytest.mark.benchmark(timer=thread_time)
@pytest.mark.parametrize(
    ("scheme", "job", "level"), [(name, *job) for name, scheme in SCHEMES.items() for job in jobs_of(scheme)]
)
def test_job(benchmark: BenchmarkFixture, scheme: str, job: str, level: Level) -> None:
    workload, plain = Workload(SCHEMES[scheme]), Workload(PLAIN)
    taken = Turns[str]()

    def turn() -> tuple[tuple[Job], dict[str, object]]:
        """Take a turn. pytest-benchmark runs the job once more; the ratios are of the turns."""
        jobs = {"mine": workload.job(job, level, MESSAGES)}
        if job != "access":  # plain gives nothing
            jobs["plain"] = plain.job(job, level, MESSAGES)
        if level == "session":
            jobs["floor"] = baseline_of(jobs["mine"])
        taken.take({who: partial(microseconds, each) for who, each in jobs.items()})
        again = workload.job(job, level, MESSAGES)
        benchmark.extra_info["texts"] = again.texts
        return (again,), {}

    benchmark.group = f"{job}, {level}"
    benchmark.pedantic(lambda ready: ready.run(), setup=turn, rounds=TURNS)
    benchmark.extra_info["microseconds_a_text"] = round(taken.median("mine"), 2)
    for base in taken.samples.keys() - {"mine"}:
        benchmark.extra_info[f"over_{base}"] = round(taken.ratio("mine", base), 3)
