"""Feldman's verifiable secret sharing: every member checks its share against public commitments.

  deal    A_j = [a_j]G for each coefficient of Shamir's polynomial;  A_0 = [secret]G
  verify  [f(i)]G = Σ [i^j]A_j

The commitments hide the secret only as far as discrete logarithms are hard. Source: Feldman, "A practical scheme for
non-interactive verifiable secret sharing", FOCS 1987. t shares are needed, as in `escrow.sharing.shamir`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from escrow import group
from escrow.codec import prefixed
from escrow.errors import Forged
from escrow.group import scalar_bytes
from escrow.sharing import shamir

_WEIGHT = 16  # bytes of a batch weight: a wrong batch passes with probability 2^-128


def deal(secret: int, t: int, n: int) -> tuple[list[int], tuple[bytes, ...]]:
    """(the shares of members 1 … n, the t commitments of 33 bytes each). ValueError unless 1 ≤ t ≤ n; Forged for 0."""
    if not 1 <= t <= n:
        raise ValueError(f"{t} of {n} shares cannot be needed")
    coefficients = shamir.polynomial(secret, t)
    return shamir.evaluate(coefficients, range(1, n + 1)), tuple(map(group.base, coefficients))


def verify_share(commitments: Sequence[bytes], index: int, share: int) -> bool:
    """Whether `share` is f(index) of the polynomial to which the dealer committed."""
    try:
        return 0 < index < group.Q and group.base(share) == group.horner(commitments, index)
    except Forged:
        return False


def verify_shares(commitments: Sequence[bytes], shares: Mapping[int, int]) -> bool:
    """Whether all of {index: share} are right, in one equation: a random combination of all of `verify_share`'s.

    The weights are hashed from the whole input, so they cannot be known before the shares are fixed. It does not
    say which share is wrong.
    """
    listed = b"".join(scalar_bytes(index) + scalar_bytes(share) for index, share in shares.items())
    hashed = hashlib.shake_256(prefixed(b"escrow-lab Feldman batch", *commitments, listed))
    stream = hashed.digest(_WEIGHT * len(shares))
    weights = [int.from_bytes(stream[at : at + _WEIGHT], "big") for at in range(0, len(stream), _WEIGHT)]
    left = sum(weight * share for weight, share in zip(weights, shares.values(), strict=True))
    columns, powers = [], weights  # the j-th column is Σ weight · index^j, the factor of A_j
    for _ in commitments:
        columns.append(sum(powers))
        powers = [power * index % group.Q for power, index in zip(powers, shares, strict=True)]
    try:
        return all(0 < index < group.Q for index in shares) and group.base(left) == group.multi(commitments, columns)
    except Forged:
        return False
