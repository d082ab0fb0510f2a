"""Find two strings whose sum, difference, product or exclusive or, as integers, is a given string.

A party may compute round the door, with Python's integers. Strings are read with the first byte as the highest or the
lowest; results may be cut to any number of bytes, or reduced modulo a prime of the groups that the library knows. So a
string that is longer than the result is known by its end or its beginning alone. A small number that is added, up to
2^32, is whoever's who tries.

Example: with `a` and `b` of 32 bytes, `(a + b) % 2**256` is found from its last 8 bytes: for each `a`, `b` must end in
that minus the end of `a`. What is found so is then compared as a whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import accumulate, chain, product
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
        self._ends: dict[int, list[int]] = {}  # a string and its last half end alike: each may be the one added
        odd: dict[int, tuple[int, int]] = {}  # each number without its factors of 2, and how many these are
        for number in self._strings:
            self._ends.setdefault(number % _SURE, []).append(number)
            twos = (number & -number).bit_length() - 1
            if twos <= 16:
                odd[number] = (number >> twos) % _SURE, twos
        inverse = _inverses([each for each, _ in odd.values()], _SURE)
        self._odd = [(number, inverse[each], twos) for number, (each, twos) in odd.items()]
        self._rising = sorted(self._strings, key=_low)
        self._residues: dict[str, tuple[dict[int, int], dict[int, int]]] = {}

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
        ends, low, end = self._ends, whole % _LOW, whole % _SURE
        mixed = (("exclusive or", end ^ other, other) for other in filter(ends.__contains__, map(end.__xor__, ends)))
        for how, one_end, other_end in chain(_meeting(ends, end, _SURE), mixed):
            for one, other in product(ends[one_end], ends[other_end]):
                if _ANEW[how](one, other) % size == whole:
                    yield how, (one, other)
        for one, inverse, twos in self._odd:
            for other in ends.get((low >> twos) * inverse % _SURE, ()):
                if one * other % size == whole:
                    yield "product", (one, other)
        for near in (low - _LOW, low, low + _LOW):
            first = bisect_left(self._rising, near - _TRIED + 1, key=_low)
            for one in self._rising[first : bisect_left(self._rising, near + _TRIED, key=_low)]:
                if (whole - one) % size < _TRIED:
                    yield "sum with a small number", (one,)
                elif (one - whole) % size < _TRIED:
                    yield "difference with a small number", (one,)

    def _modulo(self, whole: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for name, prime in _PRIMES.items():
            if whole >= prime:
                continue
            residues, inverses = self._of(name, prime)
            for how, one, other in _meeting(residues, whole, prime):
                yield f"{how} modulo {name}", (residues[one], residues[other])
            for one, inverse in inverses.items():
                if (other := whole * inverse % prime) in residues:
                    yield f"product modulo {name}", (residues[one], residues[other])

    def _of(self, name: str, prime: int) -> tuple[dict[int, int], dict[int, int]]:
        if name not in self._residues:
            residues = {number % prime: number for number in self._strings}
            self._residues[name] = residues, _inverses(filter(None, residues), prime)
        return self._residues[name]


def _low(number: int) -> int:
    return number % _LOW


def _meeting(there: Collection[int], whole: int, modulo: int) -> Iterator[tuple[str, int, int]]:
    """Yield how, and two of these numbers, wherever their sum or difference is `whole`; all are below `modulo`."""
    for near in (whole, whole + modulo):
        for other in filter(there.__contains__, map(near.__sub__, there)):
            yield "sum", near - other, other
    for near in (whole, whole - modulo):
        for other in filter(there.__contains__, map(near.__add__, there)):
            yield "difference", other - near, other


def _inverses(numbers: Iterable[int], modulo: int) -> dict[int, int]:
    """Return the inverse of each number: one inversion, and three products a number (Montgomery's trick)."""
    numbers = [*numbers]
    products = [*accumulate(numbers, lambda one, other: one * other % modulo, initial=1)]
    inverse, found = pow(products.pop(), -1, modulo), dict[int, int]()
    for number, before in zip(reversed(numbers), reversed(products), strict=True):
        found[number] = inverse * before % modulo
        inverse = inverse * number % modulo
    return found


_ANEW: dict[str, Callable[[int, int], int]] = {
    "sum": lambda one, other: one + other,
    "difference": lambda one, other: other - one,
    "exclusive or": lambda one, other: one ^ other,
}
