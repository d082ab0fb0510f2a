"""Guesses: premises that work pays for. A guess of b bits takes up to 2^b trials, and several guesses add up.

For each fact that some rule takes as a guess there is one more fact, `Guessed`. Whoever has the fact has it; or it is
bought, by an assumption of its own, `guess 13.3 of 7`. So labels are computed as without guesses, and a graph without
guesses has nothing of them. What is read from labels is then asked with a limit: sets of assumptions whose guesses take
more trials are left out, and from the others the guesses are taken off, since they are nobody.

Example: a text opens to {agent, guess 13.3 of 7} and to {alice-phone}. Within 2^60 its label is {agent}, {alice-phone};
within 2^10 it is {alice-phone}, and the agent alone opens it beyond that limit, with 2^13.3 trials.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log2
from typing import Any

from attacks.lab.adversary.labelling.antichains import Antichains
from escrow.codec import Fact
from escrow.derivation import Rule, honest_only

LIMIT = 60  # bits of work that count, unless said otherwise
_GUESS, _BLIND = "guess ", " blind of "


class Guessed(Fact, frozen=True):
    """That the fact of this number is known, or was found by 2^bits trials."""

    bits: float
    fact: int


@honest_only("an edge of the graph: nobody computes it")
def known(fact: Fact) -> Fact:
    """Stand for the step from a fact to its being known; never applied."""
    raise NotImplementedError("an edge, not a function")


KNOWN = Rule(known, (Fact,), (True,), (), (Guessed,))


def guess_of(bits: float, fact: int) -> str:
    """Return the name of the assumption that the fact of this number is guessed."""
    return f"{_GUESS}{bits!r} of {fact}"


def blind_guess_of(bits: float, fact: int) -> str:
    """Return the name of the assumption that a string of bytes is tried, of which nothing says when it is right.

    So of two such strings every pair is tried, and their trials are multiplied.
    """
    return f"{_GUESS}{bits!r}{_BLIND}{fact}"


def bits_of(assumption: str) -> float:
    """Return the bits of a guess by the name of its assumption; 0 for any other assumption."""
    return float(assumption.split(" ")[1]) if assumption.startswith(_GUESS) else 0.0


def fact_of(assumption: str) -> int:
    """Return the number of the fact that is guessed, by the name of the assumption."""
    return int(assumption.rsplit(" ", 1)[1])


def in_words(bits: float) -> str:
    """Return the work of so many bits: "10^4 guesses" has 13.3 and is "2^13.3 guesses"."""
    return f"2^{round(bits, 1):g} guesses"


class Work:
    """The guesses among the atoms of labels, and what a set of assumptions costs.

    `named` are the atoms by bit, from the lowest; `limit` is in bits.
    """

    def __init__(self, named: Iterable[Any], antichains: Antichains, limit: float) -> None:
        self.antichains, self.limit = antichains, limit
        self.bits: dict[int, float] = {}
        self.names: dict[int, str] = {}
        for at, atom in enumerate(named):
            if isinstance(atom, tuple) and (bits := bits_of(atom[0])):
                self.bits[1 << at], self.names[1 << at] = bits, atom[0]
        self.guesses = sum(self.bits)
        self.cheap = sum(bit for bit, bits in self.bits.items() if bits <= limit)
        self._within: dict[int, int] = {}

    def of(self, mask: int) -> float:
        """Return the work of a set of assumptions, in bits: the logarithm of all trials together; 0 for none."""
        paid = {bit: bits for bit, bits in self.bits.items() if mask & bit}
        blind = sum(bits for bit, bits in paid.items() if _BLIND in self.names[bit])
        trials = sum(2.0**bits for bit, bits in paid.items() if _BLIND not in self.names[bit]) + (blind and 2.0**blind)
        return log2(trials) if trials else 0.0

    def within(self, label: int) -> int:
        """Return the label of the sets within the limit, without their guesses."""
        if label not in self._within:
            masks = self.antichains.sets[label]
            inside = (mask & ~self.guesses for mask in masks if self.of(mask) <= self.limit)
            self._within[label] = label if not any(map(self.guesses.__and__, masks)) else self.antichains.intern(inside)
        return self._within[label]

    def cheapest(self, label: int, held: int) -> tuple[float, tuple[str, ...]] | None:
        """Return the least work by which those who hold `held` meet a label, and its guesses; None if none does."""
        met = [mask for mask in self.antichains.sets[label] if mask & ~self.guesses & ~held == 0]
        if not met:
            return None
        least = min(met, key=self.of)
        return self.of(least), tuple(name for bit, name in self.names.items() if least & bit)
