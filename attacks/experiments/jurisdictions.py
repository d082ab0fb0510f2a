"""Several governments: what n envelopes weigh, and the risk in a year that the key of one of them is stolen.

  n envelopes   80n bytes; whoever has one key opens everything: the weakest member is the smallest coalition
  (t, n)        t holders of n; without refresh a share stolen in any year counts, with a yearly refresh those of one

A holder is robbed in a year with probability 0.02, independently: a model, whose rate no one knows. The thefts are
drawn many times over; the sizes are those of envelopes that are made. Source: Abelson and others, "Keys Under
Doormats", 2015, on jurisdictions; the rates, and so the figures, are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, sqrt

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow.crypto import new_private, random_bytes
from escrow.primitives import hpke
from escrow.scheme import Source

RATE, YEARS = 0.02, 10
NUMBERS = (1, 3, 10, 27)
THRESHOLDS = ((2, 3), (3, 5), (5, 9))


def robbed(chance: float, needed: int, holders: int) -> float:
    """Return the probability that at least so many of the holders are robbed."""
    return sum(comb(holders, k) * chance**k * (1 - chance) ** (holders - k) for k in range(needed, holders + 1))


def _stolen(chance: float) -> bool:
    return int.from_bytes(random_bytes(4), "big") < chance * (1 << 32)


def _drawn(chance: float, needed: int, holders: int, times: int) -> int:
    return sum(sum(_stolen(chance) for _ in range(holders)) >= needed for _ in range(times))


class Jurisdictions(Experiment):
    """Draw thefts of one of n governments' keys, and of t of n, and make the envelopes."""

    name = "jurisdictions"
    title = "Several governments: sizes of envelopes, and the yearly risk that one key is stolen"
    source = Source("Abelson and others", "Keys Under Doormats", 2015, "on jurisdictions", "rates")

    times = 4_000

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield bytes and risk by the number of governments, then the risk of (t, n) with and without refresh."""
        times = self.times * (25 if long else 1)
        for done, n in enumerate(NUMBERS):
            progress(done, len(NUMBERS) + len(THRESHOLDS), f"jurisdictions: {n}")
            keys = [new_private() for _ in range(n)]
            sealed = [hpke.seal(key.public, random_bytes(32), b"") for key in keys]
            yield Figure(
                quantity=f"{n} envelopes: bytes beside a text",
                measured=sum(map(len, sealed)),
                unit="bytes",
                expected=80 * n,
                formula="80n",
            )
            yield _risk(f"one of {n} keys stolen in a year", RATE, 1, n, times, "1 − (1 − 0.02)^n")
        yield _risk(f"one of 10 keys stolen in {YEARS} years", _over(YEARS), 1, 10, times, "1 − 0.98^100")
        for done, (t, n) in enumerate(THRESHOLDS, len(NUMBERS)):
            progress(done, len(NUMBERS) + len(THRESHOLDS), f"jurisdictions: {t} of {n}")
            yield _risk(f"{t} of {n}, never refreshed, in {YEARS} years", _over(YEARS), t, n, times, "P(X ≥ t)")
            yield Figure(
                quantity=f"{t} of {n}, refreshed each year: risk in a year",
                measured=100 * robbed(RATE, t, n),
                unit="%",
                expected=100 * (1 - sum(comb(n, k) * RATE**k * (1 - RATE) ** (n - k) for k in range(t))),
                formula="P(X ≥ t) of one year",
                error=1e-12,
                note="Computed from both sides, not drawn: it is too seldom.",
            )


def _over(years: int) -> float:
    return 1 - float((1 - RATE) ** years)


def _risk(what: str, chance: float, needed: int, holders: int, times: int, formula: str) -> Figure:
    """Return a risk as drawn, beside the exact one."""
    exact = robbed(chance, needed, holders)
    return Figure(
        quantity=what,
        measured=100 * _drawn(chance, needed, holders, times) / times,
        error=100 * sqrt(exact * (1 - exact) / times),
        unit="%",
        expected=100 * exact,
        formula=formula,
        note=f"{times:,} draws; 0.02 a holder and year.",
    )


EXPERIMENT = Jurisdictions()
