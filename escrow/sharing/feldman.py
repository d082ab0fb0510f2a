"""Feldman's verifiable secret sharing: every member checks its share against public commitments.

  deal    A_j = [a_j]G for each coefficient of Shamir's polynomial;  A_0 = [secret]G
  verify  [f(i)]G = Σ [i^j]A_j

The commitments hide the secret only as far as discrete logarithms are hard. Source: Feldman, "A practical scheme for
non-interactive verifiable secret sharing", FOCS 1987. t shares are needed, as in `escrow.sharing.shamir`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from escrow.codec import prefixed
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import scalar_bytes
from escrow.sharing import shamir

_WEIGHT = 16  # bytes of a batch weight: a wrong batch passes with probability 2^-128


class PrimeGroup(Protocol):
    """The operations of a group of order Q that verifiable sharing needs; `escrow.primitives.group` offers them."""

    def base(self, k: int, /) -> bytes:
        """Return [k]G."""

    def multiply(self, point: bytes, k: int, /) -> bytes:
        """Return [k]P."""

    def add(self, *points: bytes) -> bytes:
        """Return the sum of the points."""

    def multi(self, points: Iterable[bytes], scalars: Iterable[int], /) -> bytes:
        """Return Σ [k_i]P_i, for public k_i."""

    def horner(self, points: Sequence[bytes], x: int, /) -> bytes:
        """Return Σ [x^j]P_j, for a small public x."""


def deal(secret: int, t: int, n: int) -> tuple[list[int], tuple[bytes, ...]]:
    """Share a secret and commit to the polynomial.

    Args:
        secret: a scalar other than 0.
        t: the number of shares needed.
        n: the number of members.

    Returns:
        The shares of members 1 … n (scalars), and the t commitments (33 bytes each).

    Raises:
        ValueError: not 1 ≤ t ≤ n.
        Forged: the secret is 0, whose commitment has no encoding.
    """
    if not 1 <= t <= n:
        raise ValueError(f"t={t} of n={n} shares: it must be 1 <= t <= n")
    coefficients = shamir.polynomial(secret, t)
    return shamir.evaluate(coefficients, range(1, n + 1)), tuple(map(group.base, coefficients))


def verify_share(commitments: Sequence[bytes], index: int, share: int, over: PrimeGroup = group) -> bool:
    """Return whether `share` is f(index) of the polynomial to which the dealer committed.

    Args:
        commitments: t points, 33 bytes each.
        index: the member's index, from 1.
        share: a scalar.
        over: the group; P-256 if not given.
    """
    try:
        return 0 < index < group.Q and over.base(share) == over.horner(commitments, index)
    except Forged:
        return False


def verify_shares(commitments: Sequence[bytes], shares: Mapping[int, int]) -> bool:
    """Return whether all of {index: share} are right, by one equation: a random combination of all single checks.

    It does not say which share is wrong.
    """
    chosen = weights(commitments, [value for pair in shares.items() for value in pair], len(shares))
    left = sum(weight * share for weight, share in zip(chosen, shares.values(), strict=True))
    columns = shamir.columns(chosen, tuple(shares), len(commitments))
    try:
        return all(0 < index < group.Q for index in shares) and group.base(left) == group.multi(commitments, columns)
    except Forged:
        return False


def weights(commitments: Sequence[bytes], values: Sequence[int], count: int) -> list[int]:
    """Return `count` factors of 128 bits, hashed from all the values that they will weigh.

    No one can choose the values after the factors are known.
    """
    hashed = hashlib.shake_256(prefixed(b"escrow-lab batch", *commitments, b"".join(map(scalar_bytes, values))))
    stream = hashed.digest(_WEIGHT * count)
    return [int.from_bytes(stream[at : at + _WEIGHT], "big") for at in range(0, len(stream), _WEIGHT)]
