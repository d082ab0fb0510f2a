"""One AES-GCM ciphertext that opens under k keys: k blocks, by interpolation in GF(2^128).

  tag        T = H²·(x_k ⊕ x_{k−1}·H ⊕ … ⊕ x_1·H^{k−1}) ⊕ length·H ⊕ s     x_j the blocks, H and s of the key
  all equal  T drawn;  the polynomial of degree k − 1 through (H_i, (T ⊕ length·H_i ⊕ s_i)/H_i²) has the blocks as
             coefficients

A number of the field is an integer with one byte for each coefficient, so that a product of integers is one of
polynomials: no byte overflows, as there are 128 of them. Interpolation takes about 3.5 k² products.
Source: Len, Grubbs and Ristenpart, "Partitioning Oracle Attacks", USENIX Security 2021, section 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from escrow.crypto import random_bytes, seal

BLOCK, BITS = 16, 128
_ONES = int.from_bytes(b"\x01" * (2 * BITS), "little")  # the lowest bit of each coefficient
_LOW = (1 << 8 * BITS) - 1


def spread(block: bytes) -> int:
    """Return a block of 16 bytes as a number of the field; its first bit is the coefficient of x^0."""
    return int.from_bytes(bytes(map(int, format(int.from_bytes(block, "big"), "0128b"))), "little")


def packed(number: int) -> bytes:
    """Return the block of a number of the field."""
    bits = number.to_bytes(BITS, "little")
    return int("".join(map(str, bits)), 2).to_bytes(BLOCK, "big")


def times(one: int, other: int) -> int:
    """Return the product modulo x^128 + x^7 + x^2 + x + 1."""
    product = one * other & _ONES
    high = product >> 8 * BITS
    folded = high ^ high << 8 ^ high << 16 ^ high << 56
    over = folded >> 8 * BITS
    return product & _LOW ^ folded & _LOW ^ over ^ over << 8 ^ over << 16 ^ over << 56


def inverse(number: int) -> int:
    """Return 1/x = x^(2^128 − 2). That of 0 is 0."""
    result, square = spread(b"\x80" + bytes(BLOCK - 1)), number
    for _ in range(BITS - 1):
        square = times(square, square)
        result = times(result, square)
    return result


def inverses(numbers: Sequence[int]) -> list[int]:
    """Return the inverses of numbers other than 0, by one inversion and three products each."""
    before = [spread(b"\x80" + bytes(BLOCK - 1))]
    for number in numbers:
        before.append(times(before[-1], number))
    left, out = inverse(before.pop()), list[int]()
    for number, product in zip(reversed(numbers), reversed(before), strict=True):
        out.append(times(left, product))
        left = times(left, number)
    return out[::-1]


def interpolated(points: Sequence[int], values: Sequence[int]) -> list[int]:
    """Return the coefficients, lowest first, of the polynomial of least degree through distinct points."""
    master = [spread(b"\x80" + bytes(BLOCK - 1))]
    for point in points:
        shifted = [0, *master]
        for at, each in enumerate(master):
            shifted[at] ^= times(each, point)
        master = shifted
    slopes = []
    for point in points:
        slope = 0
        for degree in range(len(points) - 1 | 1, 0, -2):  # of the derivative in characteristic 2, odd degrees are left
            slope = times(slope, times(point, point)) ^ (master[degree] if degree < len(master) else 0)
        slopes.append(slope)
    weights = [times(value, each) for value, each in zip(values, inverses(slopes), strict=True)]
    found = [0] * len(points)
    for point, weight in zip(points, weights, strict=True):
        quotient = 0
        for degree in range(len(points) - 1, -1, -1):
            quotient = times(quotient, point) ^ master[degree + 1]
            found[degree] ^= times(quotient, weight)
    return found


def opened_by_all(keys: Iterable[bytes]) -> bytes:
    """Return k blocks and a tag that AES-GCM opens under each of k keys (16 or 32 bytes), with the nonce zero."""
    halves = [_half(key) for key in keys]
    length, tag = spread((8 * BLOCK * len(halves)).to_bytes(BLOCK, "big")), spread(random_bytes(BLOCK))
    squares = inverses([times(h, h) for h, _ in halves])
    values = [times(tag ^ times(length, h) ^ s, each) for (h, s), each in zip(halves, squares, strict=True)]
    blocks = interpolated([h for h, _ in halves], values)
    return b"".join(map(packed, blocks[::-1])) + packed(tag)


def _half(key: bytes) -> tuple[int, int]:
    """Return H and s of a key, from two tags of AES-GCM: of nothing, s; of one zero block of data, length·H ⊕ s."""
    s, tag = (int.from_bytes(seal(key, b"", associated), "big") for associated in (b"", bytes(BLOCK)))
    lengths = (s ^ tag).to_bytes(BLOCK, "big")
    return times(spread(lengths), _DATA), spread(s.to_bytes(BLOCK, "big"))


_DATA = inverse(spread((8 * BLOCK << 64).to_bytes(BLOCK, "big")))  # of the length of one block of data
