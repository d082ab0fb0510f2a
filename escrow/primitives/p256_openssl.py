"""Arithmetic on P-256 points by the OpenSSL that the Python interpreter itself links, called through ctypes.

The functions are those of `escrow.primitives.p256_pycryptodome`, with the same bytes and the same errors, in a fifth of
the time. Importing this module raises ImportError where that OpenSSL cannot be reached (Windows, or an interpreter that
hides its symbols) or gives a wrong known answer.

Rules that keep this safe:
  - every function has its argument types declared, so no pointer is cut to 32 bits;
  - every result code is checked; after a failure OpenSSL's queue of errors is emptied, which the interpreter reads too;
  - a decoded point is owned by one Python object and freed with it; operations hold that object while they run;
  - scratch space belongs to one thread. `PyDLL` keeps the interpreter's lock, so one call is never interrupted.

OpenSSL multiplies one point by one scalar in constant time. `multi`, `multiply_two` and `horner` take public scalars.
Source: the manual pages EC_POINT_new(3), EC_POINT_add(3), BN_bin2bn(3) and ERR_clear_error(3) of OpenSSL 3.
"""

from __future__ import annotations

import _hashlib
import ctypes
import threading
from collections.abc import Callable, Sequence
from ctypes import c_char_p, c_int, c_size_t, c_void_p
from functools import lru_cache
from typing import Any

from escrow.errors import Forged

NAME = "OpenSSL"
_PRIME256V1, _COMPRESSED, _SIZE = 415, 2, 33  # NID_X9_62_prime256v1, POINT_CONVERSION_COMPRESSED, bytes of a point
_SHORT = 1 << 16  # up to here doubling and adding is quicker than a whole multiplication
_P = c_void_p
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "EC_GROUP_new_by_curve_name": (_P, [c_int]),
    "EC_POINT_new": (_P, [_P]),
    "EC_POINT_free": (None, [_P]),
    "EC_POINT_copy": (c_int, [_P, _P]),
    "EC_POINT_set_to_infinity": (c_int, [_P, _P]),
    "EC_POINT_oct2point": (c_int, [_P, _P, c_char_p, c_size_t, _P]),
    "EC_POINT_point2oct": (c_size_t, [_P, _P, c_int, _P, c_size_t, _P]),
    "EC_POINT_add": (c_int, [_P, _P, _P, _P, _P]),
    "EC_POINT_dbl": (c_int, [_P, _P, _P, _P]),
    "EC_POINT_invert": (c_int, [_P, _P, _P]),
    "EC_POINT_mul": (c_int, [_P, _P, _P, _P, _P, _P]),
    "BN_new": (_P, []),
    "BN_clear_free": (None, [_P]),
    "BN_bin2bn": (_P, [c_char_p, c_int, _P]),
    "BN_CTX_new": (_P, []),
    "BN_CTX_free": (None, [_P]),
    "ERR_clear_error": (None, []),
}


def _functions() -> dict[str, Callable[..., Any]]:
    """Return OpenSSL's functions by name. Raise ImportError if one of them is not to be found.

    `_hashlib` is linked with OpenSSL, so a search for a symbol in it finds those of OpenSSL.
    """
    found = {}
    try:
        library = ctypes.PyDLL(_hashlib.__file__)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            found[name] = function
    except (AttributeError, OSError) as error:
        raise ImportError(f"the interpreter's OpenSSL cannot be called: {error}") from None
    return found


_C = _functions()
_clear_errors = _C["ERR_clear_error"]
_copy, _add, _double, _invert = _C["EC_POINT_copy"], _C["EC_POINT_add"], _C["EC_POINT_dbl"], _C["EC_POINT_invert"]
_multiply, _to_number, _to_bytes = _C["EC_POINT_mul"], _C["BN_bin2bn"], _C["EC_POINT_point2oct"]


def _made(pointer: int | None) -> int:
    """Return a pointer that OpenSSL allocated. Raise MemoryError if there is none."""
    if not pointer:
        _clear_errors()
        raise MemoryError("OpenSSL could not allocate")
    return pointer


def _done(code: int) -> None:
    """Raise RuntimeError if OpenSSL reports a failure where valid points leave none but a lack of memory."""
    if not code:
        _clear_errors()
        raise RuntimeError("an operation of OpenSSL on P-256 failed")


_CURVE = _made(_C["EC_GROUP_new_by_curve_name"](_PRIME256V1))


class _Scratch(threading.local):
    """What one thread computes in: three points, two numbers, OpenSSL's own scratch space, and 33 bytes."""

    def __init__(self) -> None:
        self.total, self.term, self.start = (_Point() for _ in range(3))
        self.numbers = _Freed(_made(_C["BN_new"]()), "BN_clear_free"), _Freed(_made(_C["BN_new"]()), "BN_clear_free")
        self.context = _Freed(_made(_C["BN_CTX_new"]()), "BN_CTX_free")
        self.bytes = ctypes.create_string_buffer(_SIZE)
        self.pointers = (
            self.total.pointer,
            self.term.pointer,
            self.start.pointer,
            *(each.pointer for each in self.numbers),
            self.context.pointer,
        )


class _Freed:
    """A pointer that is freed with this object. The function that frees it lives as long as the class."""

    __slots__ = ("_free", "pointer")

    def __init__(self, pointer: int, free: str) -> None:
        self.pointer, self._free = pointer, _C[free]

    def __del__(self) -> None:
        self._free(self.pointer)


class _Point(_Freed):
    """A point in OpenSSL's memory, the neutral element at first."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(_made(_C["EC_POINT_new"](_CURVE)), "EC_POINT_free")


_scratch = _Scratch()


@lru_cache(maxsize=1 << 11)  # a point has 700 bytes
def _decoded(point: bytes) -> _Point:
    """Return the point of an encoding; callers must not change it. Raise Forged unless these 33 bytes encode one."""
    if len(point) != _SIZE:
        raise Forged("a P-256 point is 33 bytes")
    decoded = _Point()
    if not _C["EC_POINT_oct2point"](_CURVE, decoded.pointer, point, _SIZE, _scratch.context.pointer):
        _clear_errors()
        raise Forged("not the encoding of a P-256 point")
    return decoded


def _encoded(total: int, context: int) -> bytes:
    """Return the encoding of the point at a pointer. Raise Forged if it is the neutral element (one byte long)."""
    buffer = _scratch.bytes
    if _to_bytes(_CURVE, total, _COMPRESSED, ctypes.addressof(buffer), _SIZE, context) != _SIZE:
        _clear_errors()
        raise Forged("the neutral element of P-256 has no encoding")
    return buffer.raw


def _number(k: int, into: int) -> int:
    _made(_to_number(k.to_bytes(32, "big"), 32, into))
    return into


def check(point: bytes) -> None:
    """Raise Forged unless `point` encodes a point other than the neutral element."""
    _decoded(point)


def base(k: int) -> bytes:
    """Return [k]G, for k other than 0."""
    total, _, _, number, _, context = _scratch.pointers
    _done(_multiply(_CURVE, total, _number(k, number), None, None, context))
    return _encoded(total, context)


def multiply(point: bytes, k: int) -> bytes:
    """Return [k]P. Raise Forged if P is not a point or the result is the neutral element."""
    decoded = _decoded(point)
    total, _, _, number, _, context = _scratch.pointers
    _done(_multiply(_CURVE, total, None, decoded.pointer, _number(k, number), context))
    return _encoded(total, context)


def multiply_two(point: bytes, k: int, other: bytes, m: int) -> bytes:
    """Return [k]P + [m]R for public k and m. Raise Forged as `multiply` does."""
    one, two = _decoded(point), _decoded(other)
    total, term, _, number, second, context = _scratch.pointers
    if point == _G:  # the multiples of G are at hand: both in one pass
        _done(_multiply(_CURVE, total, _number(k, number), two.pointer, _number(m, second), context))
        return _encoded(total, context)
    _done(_multiply(_CURVE, total, None, one.pointer, _number(k, number), context))
    _done(_multiply(_CURVE, term, None, two.pointer, _number(m, second), context))
    _done(_add(_CURVE, total, total, term, context))
    return _encoded(total, context)


def add(points: Sequence[bytes]) -> bytes:
    """Return the sum of one or more points. Raise Forged as `multiply` does."""
    decoded = list(map(_decoded, points))
    total, _, _, _, _, context = _scratch.pointers
    _done(_copy(total, decoded[0].pointer))
    for each in decoded[1:]:
        _done(_add(_CURVE, total, total, each.pointer, context))
    return _encoded(total, context)


def multi(points: Sequence[bytes], signed: Sequence[int]) -> bytes:
    """Return Σ [k_i]P_i for public k_i of either sign; small ones are cheap. Raise Forged as `multiply` does."""
    decoded = list(map(_decoded, points))
    total, term, _, number, _, context = _scratch.pointers
    _done(_C["EC_POINT_set_to_infinity"](_CURVE, total))
    for each, k in zip(decoded, signed, strict=True):
        if abs(k) < _SHORT:
            _ladder(term, each.pointer, abs(k), context)
        else:
            _done(_multiply(_CURVE, term, None, each.pointer, _number(abs(k), number), context))
        if k < 0:
            _done(_invert(_CURVE, term, context))
        _done(_add(_CURVE, total, total, term, context))
    return _encoded(total, context)


def horner(points: Sequence[bytes], x: int) -> bytes:
    """Return Σ [x^j]P_j for one or more points and x ≥ 1. Raise Forged as `multiply` does."""
    first, *others = map(_decoded, reversed(points))
    total, _, start, _, _, context = _scratch.pointers
    _done(_copy(total, first.pointer))
    for each in others:
        _done(_copy(start, total))
        _ladder(total, start, x, context)
        _done(_add(_CURVE, total, total, each.pointer, context))
    return _encoded(total, context)


def _ladder(into: int, start: int, k: int, context: int) -> None:
    """Put [k] times the point at `start` at `into`, for a small k ≥ 0, by doubling and adding."""
    if not k:
        _done(_C["EC_POINT_set_to_infinity"](_CURVE, into))
        return
    _done(_copy(into, start))
    for bit in f"{k:b}"[1:]:
        _done(_double(_CURVE, into, into, context))
        if bit == "1":
            _done(_add(_CURVE, into, into, start, context))


_G = base(1)
if multiply(_G, 2).hex() != "037cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978":
    raise ImportError("the interpreter's OpenSSL computes P-256 wrongly")
