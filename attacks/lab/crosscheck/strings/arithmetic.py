"""Find two strings whose sum, difference, product or exclusive or, as integers, is a given string.

A party may compute round the door, with Python's integers. Strings are read with the first byte as the highest or the
lowest; results may be cut to any number of bytes, or reduced modulo a prime of the groups that the library knows. So a
string that is longer than the result is known by its end or its beginning alone. A small number that is added, up to
2^32, is whoever's who tries.

Example: with `a` and `b` of 32 bytes, `(a + b) % 2**256` is found from its last 8 bytes: for each `a`, `b` must end in
that minus the end of `a`. What is found so is then compared as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Literal

SHORTEST, LONGEST = 8, 72  # bytes of a result
_LOW, _SURE = 1 << 64, 1 << 48  # what is compared first; chance needs 2^48 trials
_TRIED = 1 << 32
_PRIMES = {
    "the order of P-256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "the prime of P-256": 2**256 - 2**224 + 2**192 + 2**96 - 1,
    "the order of Curve25519": 2**252 + 27742317777372353535851937790883648493,
    "2^255 - 19": 2**255 - 19,
}
_ORDERS: tuple[Literal["big", "little"], ...] = ("big", "little")

Found = tuple[bytes, tuple[bytes, ...], str]  # the result, what it was made of, how


def combined(results: Collection[bytes], strings: Iterable[bytes]) -> Iterator[Found]:
    """Yield the first way found in which each of these results is made of one or two of these strings."""
    sought = [each for each in results if SHORTEST <= len(each) <= LONGEST]
    given = {each for each in strings if SHORTEST <= len(each) <= LONGEST}
    for size in {size for each in sought if (size := len(each)) < 32}:
        given |= {cut for each in given if len(each) > size for cut in (each[:size], each[-size:])}
    numbers = {order: _Numbers({int.from_bytes(each, order): each for each in given}) for order in _ORDERS if sought}
    for result in sought:
        ways = (way for order in _ORDERS for way in numbers[order].making(result))
        if found := next(ways, None):
            yield result, *found


class _Numbers:
    """Strings as integers, in one order of their bytes."""

    def __init__(self, strings: dict[int, bytes]) -> None:
        self._strings = {number: each for number, each in strings.items() if number % _LOW > _TRIED}
        self._ends = defaultdict(list)  # a string and its last half end alike: each may be the one that was added
        for number in self._strings:
            self._ends[number % _SURE].append(number)
        self._odd = {}  # the inverse of each number without its factors of 2, and how many these are
        for number in self._strings:
            twos = (number & -number).bit_length() - 1
            if twos <= 16:
                self._odd[number] = pow(number >> twos, -1, _SURE), twos
        self._residues: dict[str, tuple[dict[int, int], list[tuple[int, int, int]]]] = {}

    def making(self, result: bytes) -> Iterator[tuple[tuple[bytes, ...], str]]:
        for order in _ORDERS:
            whole = int.from_bytes(result, order)
            for how, numbers in self._powers(whole, 1 << 8 * len(result)):
                yield tuple(self._strings[each] for each in numbers), how
            if len(result) >= 31:
                for how, numbers in self._modulo(whole):
                    yield tuple(self._strings[each] for each in numbers), how

    def _powers(self, whole: int, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield sums and so on, modulo the powers of 2 that results of so many bytes are cut to."""
        ends, low = self._ends, whole % _LOW
        for one, (inverse, twos) in self._odd.items():
            for how, end in (
                ("sum", low - one),
                ("difference", low + one),
                ("exclusive or", low ^ one % _LOW),
                ("product", (low >> twos) * inverse),
            ):
                for other in ends.get(end % _SURE, ()):
                    if _ANEW[how](one, other) % size == whole:
                        yield how, (one, other)
            if (low - one) % _LOW < _TRIED and (whole - one) % size < _TRIED:
                yield "sum with a small number", (one,)
            elif (one - low) % _LOW < _TRIED and (one - whole) % size < _TRIED:
                yield "difference with a small number", (one,)

    def _modulo(self, whole: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for name, prime in _PRIMES.items():
            if whole >= prime:
                continue
            residues, inverses = self._of(name, prime)
            for one, residue, inverse in inverses:
                for how, wanted in (
                    ("sum", whole - residue),
                    ("difference", whole + residue),
                    ("product", whole * inverse),
                ):
                    if (other := residues.get(wanted % prime)) is not None:
                        yield f"{how} modulo {name}", (one, other)

    def _of(self, name: str, prime: int) -> tuple[dict[int, int], list[tuple[int, int, int]]]:
        if name not in self._residues:
            residues = {number % prime: number for number in self._strings}
            inverses = [(number, residue, pow(residue, -1, prime)) for residue, number in residues.items() if residue]
            self._residues[name] = residues, inverses
        return self._residues[name]


_ANEW: dict[str, Callable[[int, int], int]] = {
    "sum": lambda one, other: one + other,
    "difference": lambda one, other: other - one,
    "exclusive or": lambda one, other: one ^ other,
    "product": lambda one, other: one * other,
}
