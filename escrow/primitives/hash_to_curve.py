"""Hashing to a point of P-256 whose logarithm no one knows: the suite P256_XMD:SHA-256_SSWU_RO_.

  expand   b_0 = H(0^64 ‖ msg ‖ len ‖ 0 ‖ DST'),  b_1 = H(b_0 ‖ 1 ‖ DST'),  b_i = H((b_0 ⊕ b_{i−1}) ‖ i ‖ DST')
  field    u_0, u_1 = two strings of 48 bytes, modulo p
  map      x_1 = (−B/A)(1 + 1/(Z²u⁴ + Zu²)),  x_2 = Zu²x_1;  the first with a root y, of u's parity
  point    map(u_0) + map(u_1)

Source: RFC 9380, sections 5.3.1, 5.2, 6.6.2 and 8.2. Not constant-time: for public strings only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from escrow.crypto import observe
from escrow.primitives import group

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = -3
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
Z = -10
_L = 48  # bytes hashed for one element of the field: 128 bits more than it has
Hashing = Callable[..., Any]  # a constructor of hashlib, whose type has no name while the program runs


def expand(message: bytes, tag: bytes, length: int, hashing: Hashing = hashlib.sha256) -> bytes:
    """Return `length` bytes (expand_message_xmd), by SHA-256 or another hash of hashlib.

    Raises:
        ValueError: the tag has more than 255 bytes, or the length is over 255 digests (8,160 bytes of SHA-256).
    """
    digest, block = hashing().digest_size, hashing().block_size
    if len(tag) > 255 or length > 255 * digest:
        raise ValueError(f"a tag has at most 255 bytes and an expansion {255 * digest}")
    suffix = tag + len(tag).to_bytes(1, "big")
    first = hashing(bytes(block) + message + length.to_bytes(2, "big") + b"\x00" + suffix).digest()
    out, last = b"", bytes(digest)
    for number in range(1, -(-length // digest) + 1):
        mixed = (int.from_bytes(first, "big") ^ int.from_bytes(last, "big")).to_bytes(digest, "big")
        last = hashing(mixed + number.to_bytes(1, "big") + suffix).digest()
        out += last
    observe("expand", (message, tag), (out[:length],))
    return out[:length]


def field_elements(message: bytes, tag: bytes, count: int) -> list[int]:
    """Return `count` integers modulo p (hash_to_field)."""
    hashed = expand(message, tag, count * _L)
    return [int.from_bytes(hashed[at : at + _L], "big") % P for at in range(0, len(hashed), _L)]


def map_to_curve(u: int) -> bytes:
    """Return the point (33 bytes) of one field element (simplified Shallue-van de Woestijne-Ulas)."""
    tv = (Z * Z * pow(u, 4, P) + Z * u * u) % P
    x = B * pow(Z * A, -1, P) % P if tv == 0 else -B * pow(A, -1, P) * (1 + pow(tv, -1, P)) % P
    if (y := _root(x)) is None:
        x = Z * u * u * x % P
        y = _root(x)
    if y is None:
        raise ArithmeticError("one of the two candidates has a root, by the choice of Z")
    parity = u & 1  # the point takes the root whose parity is u's
    return (2 + parity).to_bytes(1, "big") + x.to_bytes(32, "big")


def _root(x: int) -> int | None:
    square = (x**3 + A * x + B) % P
    y = pow(square, (P + 1) // 4, P)
    return y if y * y % P == square else None


def hash_to_curve(message: bytes, tag: bytes) -> bytes:
    """Return the point (33 bytes) of a message, under a domain separation tag of at most 255 bytes."""
    point = group.add(*map(map_to_curve, field_elements(message, tag, 2)))
    observe("hash-to-curve", (message, tag), (point,))
    return point
