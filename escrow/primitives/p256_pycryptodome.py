"""Arithmetic on P-256 points by pycryptodome: what runs where no OpenSSL is found, and what tests compare with.

Points are compressed encodings (33 bytes) and scalars are integers from 0 to Q − 1; the operations of
`escrow.primitives.group` reduce scalars, tell the observer, and call these. `base` and `multiply` are as constant in
time as the library underneath; the ladders of `multi` and `horner` branch on their scalars, so those must be public.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache

from Crypto.Math.Numbers import Integer
from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]  # documented there, defined elsewhere
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from escrow.errors import Forged

NAME = "pycryptodome"
_CURVE = ec.SECP256R1()
_G = EccPoint(
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    "p256",
)
_LEAKS = "public" in inspect.signature(Integer).parameters  # since pycryptodome 4.4


@lru_cache(maxsize=1 << 12)
def decode(point: bytes) -> EccPoint:
    """Return the point of an encoding (33 bytes), as an object that callers copy before they change it.

    OpenSSL takes the square root, five times as fast as pycryptodome.

    Raises:
        Forged: these are not 33 bytes that encode a point.
    """
    if len(point) != 33:
        raise Forged("a P-256 point is 33 bytes")
    try:
        numbers = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point).public_numbers()
    except ValueError:
        raise Forged("not the encoding of a P-256 point") from None
    return EccPoint(numbers.x, numbers.y, "p256")


def encode(point: EccPoint) -> bytes:
    """Return the encoding (33 bytes) of a point. Raise Forged if it is the neutral element."""
    x, y = map(int, point.xy)
    if not x and not y:
        raise Forged("the neutral element of P-256 has no encoding")
    return (2 + (y & 1)).to_bytes(1, "big") + x.to_bytes(32, "big")


def check(point: bytes) -> None:
    """Raise Forged unless `point` encodes a point other than the neutral element."""
    decode(point)


def base(k: int) -> bytes:
    """Return [k]G, for k other than 0. OpenSSL has the multiples of G at hand: half of pycryptodome's time."""
    return ec.derive_private_key(k, _CURVE).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def multiply(point: bytes, k: int) -> bytes:
    """Return [k]P. Raise Forged if P is not a point or the result is the neutral element."""
    return encode(decode(point) * k)


def multiply_two(point: bytes, k: int, other: bytes, m: int) -> bytes:
    """Return [k]P + [m]R for public k and m. Raise Forged as `multiply` does."""
    total = decode(point) * _leaking(k)
    total += decode(other) * _leaking(m)
    return encode(total)


def add(points: Sequence[bytes]) -> bytes:
    """Return the sum of one or more points. Raise Forged as `multiply` does."""
    total = decode(points[0]).copy()
    for point in points[1:]:
        total += decode(point)
    return encode(total)


def multi(points: Sequence[bytes], signed: Sequence[int]) -> bytes:
    """Return Σ [k_i]P_i for public k_i of either sign. All terms share their doublings (Straus 1964)."""
    due: dict[int, list[EccPoint]] = {}  # what is added at which bit
    for point, k in zip(points, signed, strict=True):
        digits = list(_wnaf(abs(k)))
        odd = _odd_multiples(decode(point) if k >= 0 else -decode(point), {digit for _, digit in digits})
        for bit, digit in digits:
            due.setdefault(bit, []).append(odd[digit])
    total = _G.point_at_infinity()
    for bit in range(max(due, default=-1), -1, -1):
        total.double()
        for multiple in due.get(bit, ()):
            total += multiple
    return encode(total)


def _odd_multiples(point: EccPoint, wanted: Set[int]) -> dict[int, EccPoint]:
    """Return at least the wanted ones of the multiples by −7, −5 … 7."""
    odd = {1: point}
    if (most := max(map(abs, wanted), default=1)) > 1:
        twice = point.copy().double()
        for k in range(3, most + 1, 2):
            odd[k] = odd[k - 2] + twice
    return odd | {k: -odd[-k] for k in wanted if k < 0}


def _wnaf(k: int) -> Iterable[tuple[int, int]]:
    """Yield (bit, odd digit from −7 to 7) with k = Σ digit·2^bit, the bits at least four apart."""
    bit = 0
    while k:
        zeros = (k & -k).bit_length() - 1
        k >>= zeros
        bit += zeros
        digit = (k & 15) - 16 if k & 8 else k & 15
        yield bit, digit
        k -= digit


def horner(points: Sequence[bytes], x: int) -> bytes:
    """Return Σ [x^j]P_j for one or more points and x ≥ 1. Raise Forged as `multiply` does."""
    bits = [bit == "1" for bit in f"{x:b}"[1:]]
    total = decode(points[-1]).copy()
    for point in points[-2::-1]:
        start = total.copy()
        for bit in bits:
            total.double()
            if bit:
                total += start
        total += decode(point)
    return encode(total)


def _leaking(k: int) -> int:
    """Return a public scalar in the form by which pycryptodome multiplies unblinded, in some 60 % of the time."""
    return Integer(k, public=True) if _LEAKS else k  # type: ignore[return-value]  # EccPoint takes either
