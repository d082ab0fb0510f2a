"""The closure and its labels over long conversations under plain, beside the floor of the conversation itself.

`python -m pytest benchmarks -m large` runs the two large ones; ratios and texts a second stand in extra_info.
"""

from statistics import median
from time import thread_time

import pytest

from attacks.lab.adversary.labels import Labels
from attacks.lab.costs.measure import floor_of, microseconds
from attacks.lab.costs.workload import Job
from attacks.registry import attacks
from benchmarks import long_play

SIZES = [1_000, pytest.param(20_000, marks=pytest.mark.large), pytest.param(100_000, marks=pytest.mark.large)]
FLOOR = Job("ping-pong", "session", 100, lambda: None)  # of how many texts the floor is taken, several times

pytestmark = pytest.mark.benchmark(timer=thread_time)


@pytest.fixture(scope="module", params=SIZES)
def play(request):
    return long_play.ping_pong(request.param)


def beside_floor(benchmark, play, work, ready):
    """Run `work` once on what is ready, and note what that is to the floor, taken before and after."""
    floors = [microseconds(floor_of(FLOOR)) for _ in range(5)]
    result = benchmark.pedantic(work, args=(ready,), rounds=1)
    floors += [microseconds(floor_of(FLOOR)) for _ in range(5)]
    benchmark.group = f"{play.texts} texts"
    if benchmark.stats:  # not where --benchmark-disable was given
        seconds = benchmark.stats.stats.total
        benchmark.extra_info["texts_a_second"] = round(play.texts / seconds)
        benchmark.extra_info["over_floor"] = round(seconds / play.texts * 1e6 / median(floors), 3)
    return result


def learnt(play):
    return long_play.read(play, list(attacks().values()))


def test_reading(benchmark, play):
    closure = beside_floor(benchmark, play, learnt, play)
    assert long_play.opened(closure) == 0


def test_closure(benchmark, play):
    closure = learnt(play)
    beside_floor(benchmark, play, lambda closure: closure.run(), closure)
    assert long_play.opened(closure) == play.texts


def test_labels(benchmark, play):
    closure = learnt(play)
    closure.run()
    label = beside_floor(benchmark, play, lambda closure: Labels(closure).label(), closure)
    assert len(label) == len(closure.facts)
