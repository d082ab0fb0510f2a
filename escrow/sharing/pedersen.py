"""Pedersen's verifiable secret sharing: the commitments hide the secret whatever the adversary's power.

  deal    f, f' of degree t − 1, f(0) = secret;  C_k = [a_k]G + [b_k]H;  member j gets (s_j, s'_j) = (f(j), f'(j))
  verify  [s_j]G + [s'_j]H = Σ [j^k]C_k

H is hashed from a fixed string, so no one knows log_G H; a dealer who knew it could open C_k to any value. Source:
Pedersen, "Non-interactive and information-theoretic secure verifiable secret sharing", CRYPTO '91; t shares are needed
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import Q
from escrow.primitives.hash_to_curve import hash_to_curve
from escrow.sharing import feldman, shamir
from escrow.sharing.feldman import PrimeGroup

H = hash_to_curve(b"second generator of Pedersen commitments", b"escrow-lab-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_")

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bases:
    """A group and a second generator of unknown logarithm."""

    group: PrimeGroup
    h: bytes

    def commit(self, value: int, blinding: int) -> bytes:
        """Return [value]G + [blinding]H. Raise Forged if a term or the sum is the neutral element."""
        return self.group.add(self.group.base(value), self.group.multiply(self.h, blinding))


P256 = Bases(group, H)


def deal(secret: int, t: int, n: int, over: Bases = P256) -> tuple[list[Pair], tuple[bytes, ...]]:
    """Share a secret and commit to the polynomial without revealing anything about it.

    Args:
        secret: a scalar other than 0.
        t: the number of shares needed.
        n: the number of members.
        over: the group and its second generator.

    Returns:
        The pairs (s_j, s'_j) of members 1 … n (scalars), and the t commitments (33 bytes each).

    Raises:
        ValueError: not 1 ≤ t ≤ n.
        Forged: the secret is 0.
    """
    if not 1 <= t <= n:
        raise ValueError(f"t={t} of n={n} shares: it must be 1 <= t <= n")
    values, blindings = shamir.polynomial(secret, t), group.random_scalars(t)
    pairs = (shamir.evaluate(each, range(1, n + 1)) for each in (values, blindings))
    return list(zip(*pairs, strict=True)), tuple(map(over.commit, values, blindings))


def verify_share(commitments: Sequence[bytes], index: int, pair: Pair, over: Bases = P256) -> bool:
    """Return whether the pair is (f(index), f'(index)) of the polynomials to which the dealer committed.

    Args:
        commitments: t points, 33 bytes each.
        index: the member's index, from 1.
        pair: two scalars.
        over: the group and its second generator.
    """
    try:
        return 0 < index < Q and over.commit(*pair) == over.group.horner(commitments, index)
    except Forged:
        return False


def verify_shares(commitments: Sequence[bytes], pairs: Mapping[int, Pair], over: Bases = P256) -> bool:
    """Return whether all of {index: pair} are right, by one equation; it does not say which is wrong."""
    chosen = feldman.weights(commitments, [value for i, pair in pairs.items() for value in (i, *pair)], len(pairs))
    left = [sum(weight * pair[k] for weight, pair in zip(chosen, pairs.values(), strict=True)) for k in (0, 1)]
    columns = shamir.columns(chosen, tuple(pairs), len(commitments))
    try:
        return all(0 < index < Q for index in pairs) and over.commit(*left) == over.group.multi(commitments, columns)
    except Forged:
        return False
