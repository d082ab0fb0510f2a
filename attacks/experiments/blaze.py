"""Rogue LEAFs: how many trials a forgery takes, and how long that was in 1994.

  trials   geometric with mean 2^w for a checksum of w bits, if LEAF and checksum hide what they hold
  time     38 ms a trial on the prototype cards: 38 · 2^16 ms = 2,490,368 ms, about 42 minutes (the June draft said 28)
  naive    plain CBC and a checksum over session key and IV only: one trial, so 2^16 is the best case for the designers
  squeeze  another's IV and LEAF for the same session key: accepted, unless the checksum covers the transcript

Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", preprint of 20 August 1994 for CCS '94, sections
3.2 and 4. Times are printed as arithmetic, not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import erfc, exp, gamma, log, sqrt

from attacks.kernels.leaf_search import search
from attacks.lab.experiment import Experiment, Figure, Progress
from attacks.rogue_leaf import forge
from escrow.clipper.chip import Chip, FamilyKey, UnitKey
from escrow.clipper.leaf import UID, Make
from escrow.crypto import random_bytes
from escrow.scheme import Source
from escrow.skipjack import KEY

MILLISECONDS = 38  # a trial: Mykotronx prototype card, Spyrus SCSI reader, SPARC-10
CARDS = 60
WIDTHS, RUNS = (8, 10, 12), 200
LONG_RUNS = 400  # at 16 bits


def new_chip(make: Make = Make(), family: FamilyKey | None = None) -> Chip:  # noqa: B008 (a constant)
    """A chip with a unit key of its own, of a family of its own unless one is given."""
    uid = random_bytes(UID)
    return Chip(family or FamilyKey(make, random_bytes(KEY)), UnitKey(uid, random_bytes(KEY)))


def forgery_trials(width: int, runs: int, make: Make | None = None) -> list[int]:
    """How many random LEAFs each of `runs` searches took, each with a fresh session key and IV and one chip."""
    chip = new_chip(make or Make(width=width))
    found = (search(chip, random_bytes(KEY), 1 << width + 7, batch=min(8192, 2 << width)) for _ in range(runs))
    return [each.trials for each in found if each is not None]  # one search in e^128 is cut short


def naive_trials(runs: int) -> list[int]:
    """How many trials a forgery takes in the naive model."""
    made = (forge(new_chip(Make(mode="cbc", binds=("iv", "ks"))), random_bytes(KEY), bytes(8)) for _ in range(runs))
    return [each.trials for each in made]


def goodness_of_fit(trials: Sequence[int], width: int) -> float:
    """The p-value of Pearson's test that these are geometric with success probability 2^-width.

    Ten cells of about equal probability under the law.
    """
    cells, miss = 10, 1 - 2.0**-width
    bounds = [round(log(1 - i / cells) / log(miss)) for i in range(1, cells)]
    upto = [0.0, *(1 - miss**bound for bound in bounds), 1.0]
    counts = [0] * cells
    for each in trials:
        counts[sum(each > bound for bound in bounds)] += 1
    expected = [len(trials) * (high - low) for low, high in pairwise(upto)]
    chi2 = sum((seen - due) ** 2 / due for seen, due in zip(counts, expected, strict=True))
    return _upper_tail(chi2, cells - 1)


def _upper_tail(chi2: float, freedom: int) -> float:
    """The probability that a chi-squared variable of odd freedom is larger: by recurrence from that of freedom 1."""
    half = chi2 / 2
    terms: list[float] = [half ** (k / 2) * exp(-half) / gamma(k / 2 + 1) for k in range(1, freedom - 1, 2)]
    return erfc(sqrt(half)) + sum(terms)


def squeezed(make: Make, attempts: int) -> int:
    """How many of `attempts` LEAFs of B's, made for a session with A, C's chip takes in a session with A."""
    bob, accepted = new_chip(make), 0
    for _ in range(attempts):
        carol, ks = new_chip(make, bob.family), random_bytes(KEY)
        with_bob, with_carol = random_bytes(8), random_bytes(8)
        accepted += carol.load_iv(ks, bob.generate_iv(ks, with_bob), with_carol)
    return accepted


class Blaze(Experiment):
    name = "blaze"
    title = "Rogue LEAFs against Clipper's checksum"
    source = Source(
        "Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "3.2 and 4", "checksum and mode"
    )

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        plan = [(width, RUNS) for width in WIDTHS] + ([(16, LONG_RUNS)] if long else [])
        for done, (width, runs) in enumerate(plan):
            progress(done, len(plan), f"{runs} forgeries of {width} bits")
            yield from _law(width, runs)
        yield _exact("naive model: trials a forgery", sum(naive_trials(20)) / 20, 1, "The mean of 20 forgeries.")
        yield from _repairs()
        yield from _arithmetic()


def _law(width: int, runs: int) -> Iterator[Figure]:
    trials = forgery_trials(width, runs)
    smaller = "" if width == 16 else f"The paper's checksum has 16 bits; this one {width}."
    yield Figure(
        quantity=f"checksum of {width} bits: mean trials of {runs} forgeries",
        measured=sum(trials) / len(trials),
        error=2**width / sqrt(len(trials)),
        published=2**width,
        note=smaller,
    )
    yield Figure(
        quantity=f"checksum of {width} bits: goodness of fit to the geometric law",
        measured=goodness_of_fit(trials, width),
        unit="p-value",
        at_least=0.0001,
    )


def _repairs() -> Iterator[Figure]:
    transcript = ("iv", "ks", "uid", "wk", "peer")
    yield _exact("squeeze: false attributions accepted of 50", squeezed(Make(), 50), 50)
    bound = squeezed(Make(binds=transcript, width=32), 50)
    yield _exact("squeeze: the same, checksum of 32 bits over the transcript", bound, 0, "The repair is ours.")
    for width, partial in ((32, True), (64, False)):
        make = Make(width=width, partial=partial)
        note = (
            "64 bits of the session key are escrowed, and 2^16 trials a session are the authority's." if partial else ""
        )
        yield Figure(
            quantity=f"checksum of {width} bits: LEAF",
            measured=make.size,
            unit="bytes",
            published=16 if partial else None,
            note=note,
        )


def _arithmetic() -> Iterator[Figure]:
    total = MILLISECONDS * 2**16
    yield _exact(
        "38 ms · 2^16", total, 2_490_368, "Arithmetic. Final version; the June 1994 draft said 28 minutes.", "ms"
    )
    yield _exact("the same, rounded up", -(-total // 60_000), 42, "Arithmetic: 41.5, printed as about 42.", "minutes")
    yield Figure(
        quantity="the same by 60 cards stays below 45 s by",
        measured=45 - total / (CARDS * 1000),
        unit="s",
        at_least=0,
        note="Arithmetic; the paper says under 45 seconds.",
    )
    yield _slowed(2)


def _slowed(seconds: int) -> Figure:
    return Figure(
        quantity=f"2^16 trials where a check is slowed to {seconds} s",
        measured=seconds * 2**16 / 3600,
        unit="hours",
        note="Arithmetic; the paper puts the factor at about 50, for honest users too.",
    )


def _exact(quantity: str, measured: float, published: float, note: str = "", unit: str = "") -> Figure:
    return Figure(quantity=quantity, measured=measured, published=published, note=note, unit=unit)


EXPERIMENT = Blaze()
