"""A dealer that may abort chooses a bit of a jointly generated key three times in four; GJKR gives it one in two.

  joint Feldman  the dealer sends one bad share, waits for every A_i0 and the complaint, and answers it only if the
                 key then ends in the wanted bit: without it in QUAL the key is another, and the bit a second toss
  GJKR           the same dealer judges by the C_i0, which say nothing; if it is silent in the extraction, it is exposed

2 of 3 members, one of them corrupted and rushing; the key generation is the library's. The short run is over a Schnorr
group, the subgroup of order Q modulo p = 52Q + 1 of 262 bits: small, for speed only, and not fit for a real key. The
long run is over P-256. Source: Gennaro, Jarecki, Krawczyk, Rabin, EUROCRYPT '99, section 3.2, where two members are
corrupted; since an unanswered complaint disqualifies too, one is enough.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from math import sqrt
from typing import Any

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow.errors import Forged
from escrow.primitives.group import Q, scalar, scalar_bytes
from escrow.scheme import Source
from escrow.sharing.dkg import gjkr, in_process, result
from escrow.sharing.dkg.gjkr import Commitments, PublicShare, Setting, SubShare
from escrow.sharing.dkg.in_process import Broadcasts, LocalMember
from escrow.sharing.feldman import PrimeGroup
from escrow.sharing.pedersen import P256, Bases

RUNS = 20_000
WANTED = 1
P = 52 * Q + 1


class SchnorrGroup:
    """The subgroup of order Q modulo P, with only the operations that `escrow.sharing.dkg` needs.

    An element is 33 bytes.
    """

    def base(self, k: int, /) -> bytes:
        """Return the generator 2^52 to the power k."""
        return self.multiply(_element(pow(2, 52, P)), k)

    def multiply(self, point: bytes, k: int, /) -> bytes:
        """Return `point` to the power k, from a table, because the same two points are used throughout."""
        product = 1
        for powers, digit in zip(_powers(point), scalar_bytes(k), strict=True):
            product = product * powers[digit] % P
        return _element(product)

    def add(self, *points: bytes) -> bytes:
        """Return the product of the elements."""
        product = 1
        for point in points:
            product = product * _read(point) % P
        return _element(product)

    def multi(self, points: Iterable[bytes], scalars: Iterable[int], /) -> bytes:
        """Return the product of the elements, each to the power of its scalar."""
        return self.add(*(_element(pow(_read(point), k, P)) for point, k in zip(points, scalars, strict=True)))

    def horner(self, points: Sequence[bytes], x: int, /) -> bytes:
        """Return the product of the elements, the j-th to the power x^j."""
        product = 1
        for point in reversed(points):
            product = pow(product, x, P) * _read(point) % P
        return _element(product)


def _read(element: bytes) -> int:
    value = int.from_bytes(element, "big")
    if len(element) != 33 or not 0 < value < P:
        raise Forged("not an element")
    return value


def _element(value: int) -> bytes:
    return value.to_bytes(33, "big")


@lru_cache(maxsize=4)
def _powers(point: bytes) -> list[list[int]]:
    """Return for each byte of a scalar, the highest first, the power for each of its 256 values."""
    rows, step = [], _read(point)
    for _ in range(32):
        row = [1]
        for _ in range(255):
            row.append(row[-1] * step % P)
        rows.append(row)
        step = row[-1] * step % P
    return rows[::-1]


def small_group() -> Bases:
    """Return the Schnorr group, and a second generator hashed from a string."""
    hashed = int.from_bytes(hashlib.shake_256(b"escrow-lab second generator of a small group").digest(64), "big")
    return Bases(SchnorrGroup(), _element(pow(hashed, 52, P)))


def bit(points: Iterable[bytes], over: PrimeGroup) -> int:
    """Return the last bit of the sum's encoding (in P-256, the last bit of the x-coordinate)."""
    return over.add(*points)[-1] & 1


class Aborting(LocalMember):
    """The corrupted dealer. It hears the others' broadcasts before it acts."""

    rushing = True

    def share_to(self, member: int) -> SubShare | None:
        """Return a wrong share to member 1, and honest ones to the others."""
        share = self.subshares[member]
        if member != 1:
            return share
        return SubShare(share.session, share.dealer, member, scalar_bytes(scalar(share.value) + 1), share.blinding)

    def _likes(self, heard: Iterable[Commitments]) -> bool:
        """Return whether the key would end in the wanted bit, if these were the Feldman commitments of QUAL."""
        return bit((each.points[0] for each in heard), self.setting.over.group) == WANTED

    def answer(self, record: Broadcasts) -> Iterable[PublicShare]:
        """Answer the complaint only if the key with this dealer ends in the wanted bit."""
        return super().answer(record) if self._likes(record.commitments.values()) else ()

    def reveal(self, record: Broadcasts) -> Commitments | None:
        """Return the Feldman commitments only if the key then ends in the wanted bit."""
        mine = super().reveal(record)
        return mine if mine and self._likes([*record.revealed.values(), mine]) else None


Make = Callable[[bytes, int, int, Bases], Setting]


def wanted(make: Make, kind: type[LocalMember], runs: int, over: Bases, progress: Callable[[int], None]) -> int:
    """Return how many of `runs` keys, with one member of that kind, end in the wanted bit."""
    count = 0
    for number in range(runs):
        progress(number)
        setting = make(scalar_bytes(number), 2, 3, over)
        members = [LocalMember(setting, 1), LocalMember(setting, 2), kind(setting, 3)]
        made = in_process.run(members).outcome
        count += bit(result.commitments(made, over.group)[:1], over.group) == WANTED
    return count


class DkgBias(Experiment):
    """Measure how often a dealer that may abort gets the key bit that it wants."""

    name = "dkg-bias"
    title = "A dealer that may abort biases the jointly generated key"
    source = Source("Gennaro, Jarecki, Krawczyk, Rabin", "Secure distributed key generation", 1999, "3.2")
    in_pages = True

    runs = RUNS

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the share of keys that end in the wanted bit, under joint Feldman and under GJKR."""
        over = P256 if long else small_group()
        where = (
            "P-256" if long else f"A Schnorr group of order Q modulo a prime of {P.bit_length()} bits: small, for speed"
        )
        cases: tuple[tuple[str, Make, dict[str, Any]], ...] = (
            ("joint Feldman, one dealer may abort", gjkr.joint_feldman, {"published": 0.75, "where": "section 3.2"}),
            ("GJKR, one dealer may abort", gjkr.gjkr, {"expected": 0.5, "formula": "1/2, for a uniform key"}),
        )
        for done, (name, make, beside) in enumerate(cases):

            def tick(number: int, done: int = done, name: str = name) -> None:
                progress(done * self.runs + number, len(cases) * self.runs, name)

            fraction = wanted(make, Aborting, self.runs, over, tick) / self.runs
            yield Figure(
                quantity=f"{name}: keys with the wanted bit",
                measured=fraction,
                error=sqrt(fraction * (1 - fraction) / self.runs),
                **beside,
                note=f"{self.runs} key generations, 2 of 3 members. {where}.",
            )


EXPERIMENT = DkgBias()
