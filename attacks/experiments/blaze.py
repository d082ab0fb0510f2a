"""Rogue LEAFs: how many trials a forgery takes, and how long that was in 1994.

  trials   geometric with mean 2^w for w bits, if LEAF and checksum hide what they hold
  time     38 ms a trial on the prototype cards: 38 · 2^16 ms, about 42 minutes
  naive    plain CBC, checksum over KS and IV only: one trial, so 2^16 is the
           best case for the designers
  repairs  of section 4, and what remains of the attack with each

Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", preprint of 20 August 1994 for CCS '94, sections
2, 3.2 and 4; its draft of June 1994 said 28 minutes. Times of 1994 and extrapolations are arithmetic, not measured, and
say so. The squeeze is Schneier's, "Applied Cryptography", section 24.16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import erfc, exp, gamma, log, sqrt
from typing import Any

from attacks.kernels.leaf_search import search
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.rogue_leaf import forge
from escrow.crypto import random_bytes
from escrow.primitives.skipjack import KEY
from escrow.scheme import Source
from escrow.schemes.clipper.chip import Chip, FamilyKey, UnitKey
from escrow.schemes.clipper.leaf import CANDIDATES, IV, UID, Make, completions, open_leaf, unwrap

MILLISECONDS = 38  # a trial: Mykotronx prototype card, Spyrus SCSI reader, SPARC-10
CARDS = 60
WIDTHS, RUNS = (8, 10, 12), 200
LONG_RUNS = 400  # at 16 bits
SLOWED = 2  # seconds a check
BAD = 16  # invalid LEAFs after which a chip stops
PEER = ("iv", "ks", "uid", "wk", "peer")


def new_chip(make: Make = Make(), family: FamilyKey | None = None) -> Chip:  # noqa: B008 (a constant)
    """Return a chip with its own unit key, of the given family or a fresh one."""
    uid = random_bytes(UID)
    return Chip(family or FamilyKey(make, random_bytes(KEY)), UnitKey(uid, random_bytes(KEY)))


def forgery_trials(width: int, runs: int, make: Make | None = None) -> list[int]:
    """Return the random LEAFs that each of `runs` searches took, each with a fresh session key and IV on one chip."""
    chip = new_chip(make or Make(width=width))
    found = (search(chip, random_bytes(KEY), 1 << width + 7, batch=min(8192, 2 << width)) for _ in range(runs))
    return [each.trials for each in found if each is not None]  # one search in e^128 is cut short


def naive_trials(runs: int) -> list[int]:
    """Return the number of trials that each of `runs` forgeries takes in the naive model."""
    made = (forge(new_chip(Make(mode="cbc", binds=("iv", "ks"))), random_bytes(KEY), bytes(8)) for _ in range(runs))
    return [each.trials for each in made]


def goodness_of_fit(trials: Sequence[int], width: int) -> float:
    """Return the p-value of Pearson's test that these are geometric with success probability 2^-width.

    It uses ten cells of about equal probability under that distribution.
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
    """Return the probability that a chi-squared variable of odd freedom is larger, by recurrence from freedom 1."""
    half = chi2 / 2
    terms: list[float] = [half ** (k / 2) * exp(-half) / gamma(k / 2 + 1) for k in range(1, freedom - 1, 2)]
    return erfc(sqrt(half)) + sum(terms)


def squeezed(make: Make, attempts: int) -> int:
    """Return how many of `attempts` LEAFs that B made for a session with A are accepted by C in a session with A."""
    bob, accepted = new_chip(make), 0
    for _ in range(attempts):
        carol, ks = new_chip(make, bob.family), random_bytes(KEY)
        with_bob, with_carol = random_bytes(8), random_bytes(8)
        accepted += carol.load_iv(ks, bob.generate_iv(ks, with_bob), with_carol)
    return accepted


def opened_by_search(make: Make) -> tuple[bool, int]:
    """Return whether the authority finds a session key of which 64 bits are escrowed, and how many keys fit."""
    chip, ks = new_chip(make), random_bytes(KEY)
    field = chip.generate_iv(ks)
    held = open_leaf(make, chip.family.raw, field[:IV], field[IV:])
    part = unwrap(make, chip.unit.raw, held.wk)
    fitting = list(completions(make, part, field[:IV], held))
    return ks in fitting, len(fitting)


def forged_within(bad: int, width: int, runs: int) -> tuple[int, int]:
    """Count rogues that forge with a chip that stops after `bad` invalid LEAFs, and those whose chip is stuck.

    A stuck chip refuses a valid LEAF too. The counts are of `runs` rogues, each with its own chip.
    """
    make, forged, stuck = Make(width=width), 0, 0
    for _ in range(runs):
        chip, ks = new_chip(make), random_bytes(KEY)
        chip.most_bad = bad
        if any(chip.load_iv(ks, random_bytes(IV + make.size)) for _ in range(bad)):
            forged += 1
        else:
            stuck += not chip.load_iv(ks, new_chip(make, chip.family).generate_iv(ks))
    return forged, stuck


def fed_back(attempts: int, refuses_own: bool, chips: int = 1) -> int:
    """Return how many of its own LEAFs a receiver with one or two chips gets accepted."""
    family, accepted = FamilyKey(Make(), random_bytes(KEY)), 0
    for _ in range(attempts):
        held = [new_chip(family=family) for _ in range(chips)]
        for chip in held:
            chip.refuses_own = refuses_own
        ks = random_bytes(KEY)
        accepted += held[0].load_iv(ks, held[-1].generate_iv(ks))
    return accepted


class Blaze(Experiment):
    """Repeat Blaze's forgery of LEAFs at several widths of the checksum, and against each repair."""

    name = "blaze"
    title = "Rogue LEAFs against Clipper's checksum"
    source = Source(
        "Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "2, 3.2 and 4", "checksum and mode"
    )
    in_pages = True

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the trials of forgeries by width, the repairs, and the times of 1994."""
        plan = [(width, RUNS) for width in WIDTHS] + ([(16, LONG_RUNS)] if long else [])
        for done, (width, runs) in enumerate(plan):
            progress(done, len(plan), f"{runs} forgeries of {width} bits")
            yield from _trials(width, runs)
        yield _exact(
            "naive model: trials a forgery",
            sum(naive_trials(20)) / 20,
            1,
            "1 trial, the first",
            "The mean of 20 forgeries.",
        )
        yield from _repairs()
        yield from _arithmetic()


def _trials(width: int, runs: int) -> Iterator[Figure]:
    trials = forgery_trials(width, runs)
    smaller = "" if width == 16 else f"The paper's checksum has 16 bits; this one {width}."
    law: dict[str, Any] = {"expected": 2**width, "formula": "2^w trials for w bits"}
    if width == 16:
        law = {"published": 2**16, "where": "section 3.2"}
    yield Figure(
        quantity=f"checksum of {width} bits: mean trials of {runs} forgeries",
        measured=sum(trials) / len(trials),
        error=2**width / sqrt(len(trials)),
        **law,
        note=smaller,
    )
    yield Figure(
        quantity=f"checksum of {width} bits: goodness of fit to the geometric distribution",
        measured=goodness_of_fit(trials, width),
        unit="p-value",
        at_least=0.0001,
    )


def _repairs() -> Iterator[Figure]:
    yield from _wider()
    yield from _patience()
    yield _exact("squeeze: false attributions accepted of 50", squeezed(Make(), 50), 50, "each of them")
    bound = squeezed(Make(binds=PEER, width=32), 50)
    repaired = "squeeze: the same, checksum of 32 bits over the transcript"
    yield _exact(repaired, bound, 0, "none of them", "The transcript is our repair.")
    yield _exact("feedback: own LEAFs accepted of 50", fed_back(50, False), 50, "each of them")
    yield _exact("feedback: the same, chips refuse their own", fed_back(50, True), 0, "none of them")
    yield _exact("feedback: the same, two chips at one end", fed_back(50, True, 2), 50, "each of them")


def _wider() -> Iterator[Figure]:
    """Yield the figures of a checksum of 32 bits: in a longer LEAF, or beside 64 escrowed key bits.

    In the second case the authority has to search for the other key bits.
    """
    partial = Make(width=32, partial=True)
    yield _exact("checksum of 32 bits, 64 key bits escrowed: LEAF", partial.size, 16, "32 + 64 + 32 bits", unit="bytes")
    yield Figure(
        quantity="checksum of 32 bits, the whole key escrowed: LEAF", measured=Make(width=32).size, unit="bytes"
    )
    trials = forgery_trials(8, RUNS, Make(width=8, partial=True))
    yield Figure(
        quantity=f"64 key bits escrowed, checksum of 8 bits: mean trials of {RUNS} forgeries",
        measured=sum(trials) / len(trials),
        error=2**8 / sqrt(len(trials)),
        expected=2**8,
        formula="2^w trials for w bits",
        note="Beside 64 escrowed bits the paper's checksum has 32 bits; this one has 8; the distribution is the same.",
    )
    yield Figure(
        quantity="the same, 32 bits: a rogue's mean trials, extrapolated",
        measured=2**32,
        note="A rogue's 2^32 trials are extrapolated by the distribution of fewer bits.",
    )
    right, fitting = opened_by_search(partial)
    once = "The authority's 2^16 trials: one run over all candidates (0, had the session key not been among them)."
    yield _exact(
        "the same, 32 bits: the authority's trials a session",
        CANDIDATES if right else 0,
        2**16,
        "2^(80 - 64) keys",
        once,
    )
    yield _exact("session keys that fit, of those 2^16", fitting, 1, "the true one")


def _patience() -> Iterator[Figure]:
    """Yield the figures of a chip that stops after some bad LEAFs: rogues that forge, honest users that noise stops."""
    forged, stuck = forged_within(BAD, 8, 2 * RUNS)
    expected = 1 - (1 - 2**-8) ** BAD
    yield Figure(
        quantity=f"chips that stop after {BAD} bad LEAFs, checksum of 8 bits: share of rogues that forge",
        measured=forged / (2 * RUNS),
        error=sqrt(expected * (1 - expected) / (2 * RUNS)),
        expected=expected,
        formula="1 - (1 - 2^-w)^k for k bad LEAFs and w bits",
        note=f"k bad LEAFs of w bits leave about k/2^w: {BAD}/2^8 here, {BAD}/2^16 = {BAD / 2**16:.2g} with 16 bits.",
    )
    yield _exact(
        "of the other chips, those that refuse a good LEAF ever after",
        stuck,
        2 * RUNS - forged,
        "each of them",
        "A chip that stops is stopped by noise as well.",
    )


def _arithmetic() -> Iterator[Figure]:
    total = MILLISECONDS * 2**16
    yield Figure(quantity="38 ms · 2^16", measured=total, unit="ms", note="Arithmetic: 38 ms a trial, section 3.2.")
    yield Figure(
        quantity="the same, rounded up",
        measured=-(-total // 60_000),
        unit="minutes",
        published=42,
        where="section 3.2 of the final version",
        note="Arithmetic: 41.5, printed as about 42. The draft of June 1994 said 28 minutes.",
    )
    yield Figure(
        quantity="the same by 60 cards stays below 45 s by",
        measured=45 - total / (CARDS * 1000),
        unit="s",
        at_least=0,
        note="Arithmetic; the paper says under 45 seconds.",
    )
    yield Figure(
        quantity=f"2^16 trials where a check is slowed to {SLOWED} s, simulated time",
        measured=SLOWED * 2**16 / 3600,
        unit="hours",
        note="36 hours: arithmetic, nobody waited.",
    )
    yield Figure(
        quantity="that check against one of 38 ms",
        measured=SLOWED * 1000 / MILLISECONDS,
        unit="times",
        note="A factor of 53: arithmetic; the paper says about 50, for honest users too.",
    )


def _exact(quantity: str, measured: float, expected: float, formula: str, note: str = "", unit: str = "") -> Figure:
    return Figure(quantity=quantity, measured=measured, expected=expected, formula=formula, note=note, unit=unit)


EXPERIMENT = Blaze()
