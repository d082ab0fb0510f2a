"""Points of edwards25519 as bytes: what verifiable random functions need beyond signatures and key agreement.

A point is 32 bytes (RFC 8032, section 5.1.2), a scalar an integer; pycryptodome computes. Any point of the curve has an
encoding here, the neutral element and points of small order too: who takes a point from others asks `of_small_order`.

  map     t = −J/(1 + 2u²);  of t and −t − J, the first whose s³ + Js² + s is a square:  a point of curve25519
          v = √−486664 · s/√(s³ + Js² + s),  w = (s − 1)/(s + 1):  the same point on edwards25519
  point   8 · map(u)

Source: RFC 8032, section 5.1; RFC 9380, sections 6.7.1, 6.8.2 and 8.5. Not constant-time in what is hashed: for public
strings only.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]  # documented there, defined elsewhere

from escrow.errors import Forged
from escrow.primitives.hash_to_curve import expand

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
COFACTOR = 8
_D = -121665 * pow(121666, -1, P) % P
_J = 486662
_ROOT = pow(2, (P - 1) // 4, P)  # of −1
_L = 48  # bytes hashed for one element of the field


def _square_root(value: int) -> int | None:
    """Return the even one of the two roots modulo P, or None."""
    root = pow(value, (P + 3) // 8, P)
    if (root * root - value) % P:
        root = root * _ROOT % P
    if (root * root - value) % P:
        return None
    return P - root if root & 1 else root


@lru_cache(maxsize=1 << 12)
def _decoded(point: bytes) -> EccPoint:
    y = int.from_bytes(point, "little")
    odd, y = y >> 255, y & ((1 << 255) - 1)
    if len(point) != 32 or y >= P:
        raise Forged("not the encoding of a point of edwards25519")
    x = _square_root((y * y - 1) * pow(_D * y * y + 1, -1, P) % P)
    if x is None or (odd and not x):
        raise Forged("not the encoding of a point of edwards25519")
    return EccPoint(P - x if odd else x, y, "Ed25519")


def _encoded(point: EccPoint) -> bytes:
    x, y = map(int, point.xy)
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = (4 * pow(5, -1, P) % P).to_bytes(32, "little")  # with the even root


def multiply(point: bytes, k: int) -> bytes:
    """Return [k]P for k ≥ 0. Raise Forged if these are not 32 bytes that encode a point."""
    return _encoded(_decoded(point) * k)


def subtract(one: bytes, other: bytes) -> bytes:
    """Return the difference of two points. Raise Forged if one is not encoded."""
    return _encoded(_decoded(one) + -_decoded(other))


def of_small_order(point: bytes) -> bool:
    """Return whether 8 times the point is the neutral element. Raise Forged if it is not a point."""
    return (_decoded(point) * COFACTOR).is_point_at_infinity()


def field_element(message: bytes, tag: bytes) -> int:
    """Return one integer modulo P (hash_to_field by SHA-512)."""
    return int.from_bytes(expand(message, tag, _L, hashlib.sha512), "big") % P


def map_to_curve(u: int) -> bytes:
    """Return the point (32 bytes) of one field element, before the cofactor is cleared (Elligator 2)."""
    s = -_J * pow(1 + 2 * u * u, -1, P) % P if (1 + 2 * u * u) % P else -_J % P
    t, wanted = _square_root((s * s + _J * s + 1) * s % P), 1
    if t is None:
        s, wanted = (-s - _J) % P, 0
        t = _square_root((s * s + _J * s + 1) * s % P)
    if t is None:
        raise ArithmeticError("one of the two candidates has a root, since 2 is no square")
    if t & 1 != wanted:
        t = -t % P
    if not t or not (s + 1) % P:
        return _encoded(EccPoint(0, 1, "Ed25519"))
    scale = _square_root(-(_J + 2) % P)
    return _encoded(EccPoint((scale or 0) * s * pow(t, -1, P) % P, (s - 1) * pow(s + 1, -1, P) % P, "Ed25519"))


def encode_to_curve(message: bytes, tag: bytes) -> bytes:
    """Return the point (32 bytes) of a message, under a tag of at most 255 bytes: edwards25519_XMD:SHA-512_ELL2_NU_."""
    return multiply(map_to_curve(field_element(message, tag)), COFACTOR)
