"""The closure and its labels over long conversations under plain, beside the baseline of the conversation itself.

`python -m pytest benchmarks -m large` runs the two large ones; ratios and texts a second stand in extra_info.
"""

from collections.abc import Callable
from time import thread_time
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from attacks.lab.adversary.closure import Closure
from attacks.lab.adversary.labelling.labels import Labels
from attacks.lab.costs.timer import beside
from attacks.registry import attacks
from benchmarks import long_play
from benchmarks.goals import baseline_of_a_text
from benchmarks.long_play import LongPlay

SIZES = [1_000, pytest.param(20_000, marks=pytest.mark.large), pytest.param(100_000, marks=pytest.mark.large)]

pytestmark = pytest.mark.benchmark(timer=thread_time)


@pytest.fixture(scope="module", params=SIZES)
def play(request: pytest.FixtureRequest) -> LongPlay:
    return long_play.ping_pong(request.param)


def beside_baseline(benchmark: BenchmarkFixture, play: LongPlay, work: Callable[[], Any]) -> Any:
    """Run the work once, note how it compares with the baseline, taken before and after, and return its result."""
    results = []
    benchmark.group = f"{play.texts} texts"
    _, baseline = beside(lambda: results.append(benchmark.pedantic(work, rounds=1)), baseline_of_a_text)
    if benchmark.stats:  # not where --benchmark-disable was given
        seconds = benchmark.stats.stats.total
        benchmark.extra_info["texts_a_second"] = round(play.texts / seconds)
        benchmark.extra_info["over_floor"] = round(seconds / play.texts * 1e6 / baseline, 3)
    return results[0]


def learnt(play: LongPlay) -> Closure:
    return long_play.read(play, list(attacks().values()))


def test_reading(benchmark: BenchmarkFixture, play: LongPlay) -> None:
    closure = beside_baseline(benchmark, play, lambda: learnt(play))
    assert long_play.opened(closure) == 0


def test_closure(benchmark: BenchmarkFixture, play: LongPlay) -> None:
    closure = learnt(play)
    beside_baseline(benchmark, play, closure.run)
    assert long_play.opened(closure) == play.texts


def test_labels(benchmark: BenchmarkFixture, play: LongPlay) -> None:
    closure = learnt(play)
    closure.run()
    label = beside_baseline(benchmark, play, lambda: Labels(closure).label())
    assert len(label) == len(closure.facts)
