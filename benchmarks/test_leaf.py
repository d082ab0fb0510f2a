"""G10: a rogue LEAF at 16 bits, 2^16 trials (the expected number): under 0.1 s with numpy, under 1 s without."""

from importlib.util import find_spec
from time import thread_time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from attacks.experiments.blaze import new_chip
from attacks.kernels.leaf_search import BATCH
from benchmarks.goals import SEARCH, TRIALS, expected_search

with_and_without = pytest.mark.parametrize(
    "numpy",
    [
        pytest.param(True, marks=pytest.mark.skipif(find_spec("numpy") is None, reason="numpy is in the extra `fast`")),
        False,
    ],
    ids=["numpy", "plain"],
)


@pytest.mark.benchmark(timer=thread_time)
@with_and_without
def test_expected_search(benchmark: BenchmarkFixture, numpy: bool) -> None:
    chip = new_chip()
    benchmark.group = "rogue LEAF, 16 bits"
    found = benchmark.pedantic(lambda: expected_search(chip, numpy), rounds=5, warmup_rounds=1)
    assert found <= TRIALS // BATCH
    benchmark.extra_info["trials"] = TRIALS
    if benchmark.stats is not None:  # none where benchmarks are only run, not timed
        assert benchmark.stats.stats.min < SEARCH[numpy]
