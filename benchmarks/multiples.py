"""Times as multiples of each other: what is compared is run turn by turn, so that both meet the same machine.

The goals of sharing in milliseconds were set where one multiplication of a point of P-256 took UNIT. Scaled to that a
time is a multiple of the machine's own multiplication, and does not hang on how fast the machine is.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from attacks.lab.costs.timer import Work, ratio
from escrow.primitives import group, p256_pycryptodome
from escrow.primitives.group import Q

UNIT = 0.212  # milliseconds
POINT, SCALAR = p256_pycryptodome.decode(group.base(12345)), Q - 98765432198765


def one_multiplication() -> object:
    """Multiply a point by a scalar."""
    return POINT * SCALAR


def at_unit(work: Work, turns: int, times: int = 1) -> float:
    """Return the milliseconds of `work` where one multiplication takes UNIT."""
    return UNIT * ratio(work, one_multiplication, turns, times, 4)


# --- the naive forms of what is fast here ---


def naive_split(secret: int, t: int, n: int) -> list[int]:
    coefficients = [secret, *group.random_scalars(t - 1)]
    return [sum(a * pow(i, k, Q) for k, a in enumerate(coefficients)) % Q for i in range(1, n + 1)]


def naive_combine(shares: Mapping[int, int]) -> int:
    total = 0
    for i, share in shares.items():
        others = [j for j in shares if j != i]
        above, below = prod(-j for j in others), prod(i - j for j in others)
        total += share * above * pow(below, -1, Q)
    return total % Q


def naive_verify(commitments: tuple[bytes, ...], index: int, share: int) -> bool:
    """Every commitment times its power of the index, each a full multiplication."""
    total = p256_pycryptodome.decode(commitments[0]).copy()
    for k, commitment in enumerate(commitments[1:], 1):
        total += p256_pycryptodome.decode(commitment) * pow(index, k, Q)
    return p256_pycryptodome.encode(total) == group.base(share)


def naive_dleq(public: bytes, point: bytes, value: bytes, proof: bytes) -> bool:
    """Four multiplications and two additions, each by way of an encoding."""
    c, s = group.scalar(proof[:32]), group.scalar(proof[32:])
    sides = [
        group.add(group.multiply(base, s), group.negate(group.multiply(image, c)))
        for base, image in ((group.GENERATOR, public), (point, value))
    ]
    return group.hash_to_scalar("dleq", b"", public, point, value, *sides) == c
