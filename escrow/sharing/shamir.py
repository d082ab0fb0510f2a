"""Shamir's secret sharing over the integers modulo Q, the order of P-256.

  split    f(z) = secret + a_1 z + … + a_{t-1} z^{t-1},  the a_j uniform;  member i = 1 … n gets f(i)
  combine  f(0) = Σ λ_i f(i)  over any t members

Convention of this library: t shares are needed, so the degree is t − 1 (many papers call the degree t).
Source: Shamir, "How to share a secret", CACM 22(11), 1979. Not constant-time: Python's integers are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import mul

from escrow.errors import Forged
from escrow.primitives.group import Q, combination, lagrange, random_scalars, tell

_LAZY = 24  # terms between two reductions: for indexes below 2^11 the sum stays within some 500 bits


def polynomial(secret: int, t: int) -> list[int]:
    """Return the secret and t − 1 fresh random coefficients, lowest first."""
    return [secret % Q, *random_scalars(t - 1)]


def evaluate(coefficients: Sequence[int], indexes: Iterable[int]) -> list[int]:
    """Return the value of f at each index, modulo Q, by Horner's rule; the first coefficient is the constant."""
    blocks = [coefficients[max(0, end - _LAZY) : end][::-1] for end in range(len(coefficients), 0, -_LAZY)]
    values = []
    for index in indexes:
        value = 0
        for block in blocks:
            for coefficient in block:
                value = value * index + coefficient
            value %= Q
        values.append(value)
    tell("shamir-evaluate", coefficients, values)
    return values


def split(secret: int, t: int, n: int) -> list[int]:
    """Return shares of `secret` for the members 1 … n, any t of which give it back.

    f is drawn by its differences at 0 instead of its coefficients, which is as uniform: the k-th differences at 0, 1, …
    are the running sums of those of order k + 1, and the 0-th are the values.

    Args:
        secret: an integer, taken modulo Q.
        t: the number of shares needed.
        n: the number of members.

    Returns:
        n scalars: element i − 1 is f(i).

    Raises:
        ValueError: not 1 ≤ t ≤ n.
    """
    if not 1 <= t <= n:
        raise ValueError(f"t={t} of n={n} shares: it must be 1 <= t <= n")
    *differences, highest = secret % Q, *random_scalars(t - 1)
    values = [highest] * n
    for order in range(t - 2, -1, -1):
        values = list(accumulate(values, initial=differences[order]))
        if order % _LAZY == 0:
            values = [value % Q for value in values[: n + 1]]
    shares = values[-n:] if t == 1 else [value % Q for value in values[1 : n + 1]]
    tell("shamir-split", (*differences, highest), shares)
    return shares


def combine(shares: Mapping[int, int]) -> int:
    """Return the secret, by interpolation at 0.

    Args:
        shares: {index: scalar}, t or more. More than needed do no harm; fewer, or a wrong one, give a meaningless
            value.

    Raises:
        Forged: there are no shares, or an index is 0 or equal to another, modulo Q.
    """
    indexes = tuple(shares)
    return combination(list(shares.values()), lagrange(indexes))


def columns(weights: Sequence[int], indexes: Sequence[int], t: int) -> list[int]:
    """Return Σ w_i i^k for k = 0 … t − 1, modulo Q: the factors of f's t coefficients in Σ w_i f(i)."""
    factors, powers = [], list(weights)
    for k in range(1, t + 1):
        factors.append(sum(powers) % Q)
        powers = list(map(mul, powers, indexes))
        if k % _LAZY == 0:
            powers = [power % Q for power in powers]
    return factors


def interpolate(shares: Mapping[int, int]) -> list[int]:
    """Return all coefficients, lowest first, of the polynomial through the shares (Newton's divided differences).

    Raises:
        Forged: there are no shares, or an index is 0 or equal to another, modulo Q.
    """
    indexes, values = list(shares), list(shares.values())
    if not shares or len({0, *(index % Q for index in indexes)}) <= len(indexes):
        raise Forged("interpolation needs indexes that are distinct and not 0, modulo Q")
    for order in range(1, len(values)):
        for at in range(len(values) - 1, order - 1, -1):
            step = pow(indexes[at] - indexes[at - order], -1, Q)
            values[at] = (values[at] - values[at - 1]) * step % Q
    coefficients: list[int] = []
    for index, value in zip(reversed(indexes), reversed(values), strict=True):
        raised = [0, *coefficients]  # the polynomial so far times z, less index times it, plus the next difference
        lowered = [*(index * each for each in coefficients), 0]
        coefficients = [(a - b) % Q for a, b in zip(raised, lowered, strict=True)]
        coefficients[0] = (coefficients[0] + value) % Q
    tell("shamir-interpolate", shares.values(), coefficients)
    return coefficients
