"""G10: a rogue LEAF at 16 bits, 2^16 trials (the expected number): under 0.1 s with numpy, under 1 s without."""

from importlib.util import find_spec
from time import thread_time

import pytest

from attacks.experiments.blaze import new_chip
from attacks.kernels.leaf_search import BATCH, first_valid
from escrow.clipper.leaf import IV
from escrow.crypto import random_bytes
from escrow.skipjack import KEY

TRIALS = 1 << 16
LIMITS = {True: 0.1, False: 1.0}  # seconds

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
def test_expected_search(benchmark, numpy):
    """Every batch of 2^16 random LEAFs is tried, and half a batch more: what a search draws beyond its last trial."""
    chip = new_chip()

    def search():
        ks, iv, valid = random_bytes(KEY), random_bytes(IV), 0
        for _ in range(TRIALS // BATCH):
            drawn = random_bytes(BATCH * chip.family.make.size)
            valid += first_valid(chip, ks, iv, drawn, numpy=numpy) is not None
        first_valid(chip, ks, iv, drawn[: len(drawn) // 2], numpy=numpy)
        return valid

    benchmark.group = "rogue LEAF, 16 bits"
    assert benchmark.pedantic(search, rounds=5, warmup_rounds=1) <= TRIALS // BATCH
    benchmark.extra_info["trials"] = TRIALS
    if benchmark.stats is not None:  # none where benchmarks are only run, not timed
        assert benchmark.stats.stats.min < LIMITS[numpy]
