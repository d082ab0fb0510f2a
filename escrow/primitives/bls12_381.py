"""The groups G1, G2 and GT of BLS12-381, the pairing between them, and hashing to G1.

  encodings   G1 48 bytes, G2 96, compressed as IETF's BLS draft and Zcash have them; a scalar 32 bytes, below R
  pairing     e([a]P, [b]Q) = e(P, Q)^(ab), a value of 576 bytes: highest coefficient first, big-endian, as drand has it
  hash        RFC 9380, suite BLS12381G1_XMD:SHA-256_SSWU_RO_

Between modules points are their encodings, as in `escrow.primitives.group`. The neutral element is refused: input or
result that is neutral raises Forged. The arithmetic is that of arkworks, by `py-arkworks-bls12381` (extra `pairing`),
which is imported when it is first used; `MISSING` says why nothing here works, where it is not installed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from escrow import crypto
from escrow.errors import Forged

if TYPE_CHECKING:
    import py_arkworks_bls12381 as arkworks

T = TypeVar("T")
R = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
G1, G2, GT, SCALAR = 48, 96, 576, 32
PACKAGE = "py_arkworks_bls12381"


def missing() -> str:
    """Return why nothing of this curve can be computed here, or "" if it can."""
    if find_spec(PACKAGE) is None:
        return "the extra `pairing` is not installed (pip install 'escrow-lab[pairing]')"
    return ""


@lru_cache(maxsize=1)
def _library() -> Any:
    """Return the package. Raise ImportError, saying what to install, if there is none."""
    if reason := missing():
        raise ImportError(reason)
    import py_arkworks_bls12381

    return py_arkworks_bls12381


# --- encodings ---


def scalar(raw: bytes) -> int:
    """Return the scalar of 32 big-endian bytes. Raise Forged unless there are 32 and they are below R, and not 0."""
    value = int.from_bytes(raw, "big")
    if len(raw) != SCALAR or not 0 < value < R:
        raise Forged("not a BLS12-381 scalar: it has 32 bytes, and is below the group's order and not 0")
    return value


def scalar_bytes(value: int) -> bytes:
    """Return `value` modulo R as 32 big-endian bytes."""
    return (value % R).to_bytes(SCALAR, "big")


@lru_cache(maxsize=512)
def _one(point: bytes) -> arkworks.G1Point:
    """Return the decoded point of G1. Raise Forged, saying which check failed, for any other bytes."""
    return _decoded("G1", _library().G1Point, point, G1)  # type: ignore[no-any-return]  # the package is loaded late


@lru_cache(maxsize=512)
def _two(point: bytes) -> arkworks.G2Point:
    """Return the decoded point of G2. Raise Forged, saying which check failed, for any other bytes."""
    return _decoded("G2", _library().G2Point, point, G2)  # type: ignore[no-any-return]  # the package is loaded late


def _decoded(group: str, kind: Any, point: bytes, size: int) -> Any:
    if len(point) != size:
        raise Forged(f"a point of {group} has {size} bytes, not {len(point)}")
    try:
        found = kind.from_compressed_bytes(point)
    except ValueError:
        raise Forged(f"these {size} bytes are no point of {group}'s subgroup of prime order") from None
    if found == kind.identity():
        raise Forged(f"the neutral element of {group}")
    if found.to_compressed_bytes() != point:
        raise Forged(f"these {size} bytes are not the one encoding of a point of {group}")
    return found


def check_one(point: bytes) -> bytes:
    """Return `point`. Raise Forged, saying which check failed, unless it is a point (48 bytes) of G1."""
    _one(point)
    return point


def check_two(point: bytes) -> bytes:
    """Return `point`. Raise Forged, saying which check failed, unless it is a point (96 bytes) of G2."""
    _two(point)
    return point


def _encoded(group: str, point: Any) -> bytes:
    if point == type(point).identity():
        raise Forged(f"the neutral element of {group}")
    return bytes(point.to_compressed_bytes())


def _number(k: int) -> Any:
    return _library().Scalar(k % R)


# --- arithmetic ---


def random_scalars(n: int) -> list[int]:
    """Return `n` uniform scalars other than 0: each is 48 random bytes reduced, so its bias is below 2^-127."""
    drawn = crypto.random_bytes(48 * n)
    scalars = [1 + int.from_bytes(drawn[at : at + 48], "big") % (R - 1) for at in range(0, 48 * n, 48)]
    crypto.observe("bls-scalars", (drawn,), tuple(map(scalar_bytes, scalars)))
    return scalars


def hash_to_one(message: bytes, tag: bytes) -> bytes:
    """Return the point (48 bytes) of G1 of a message, whose logarithm no one knows; a tag has at most 255 bytes."""
    point = crypto.recalled(("bls-hash", message, tag), _hashed, message, tag)
    crypto.observe("bls-hash", (message, tag), (point,))
    return point


def _hashed(message: bytes, tag: bytes) -> bytes:
    return _encoded("G1", _library().G1Point.hash_to_curve(message, tag))


def base_two(k: int) -> bytes:
    """Return [k]g of G2's generator, 96 bytes. Raise Forged if k is 0 modulo R."""
    point = crypto.recalled(("bls-base", k), _base, k)
    crypto.observe("bls-base", (scalar_bytes(k),), (point,))
    return point


def _base(k: int) -> bytes:
    return _encoded("G2", _power(_combed_base(), k % R, operator.add))


def multiply_one(point: bytes, k: int) -> bytes:
    """Return [k]P in G1, 48 bytes. Raise Forged if P is not a point or k is 0 modulo R."""
    product = crypto.recalled(("bls-multiply", point, k), _product, point, k)
    crypto.observe("bls-multiply", (point, scalar_bytes(k)), (product,))
    return product


def _product(point: bytes, k: int) -> bytes:
    return _encoded("G1", _one(point) * _number(k))


def multi_one(points: Sequence[bytes], scalars: Sequence[int]) -> bytes:
    """Return Σ [k_i]P_i in G1 for public k_i. Raise Forged if there are none or the sum is the neutral element."""
    if not points or len(points) != len(scalars):
        raise Forged("a sum of no points, or not as many scalars as points")
    summed = _library().G1Point.identity()
    for point, k in zip(points, scalars, strict=True):
        summed = summed + _one(point) * _number(k)
    result = _encoded("G1", summed)
    crypto.observe("bls-multi", (*points, *map(scalar_bytes, scalars)), (result,))
    return result


@lru_cache(maxsize=512)
def horner_two(points: tuple[bytes, ...], x: int) -> bytes:
    """Return Σ [x^j]P_j in G2, of public points. Raise Forged if one is not a point, or the sum is neutral."""
    summed = _library().G2Point.identity()
    for point in reversed(points):
        summed = summed * _number(x) + _two(point)
    return _encoded("G2", summed)


def pair(one: bytes, two: bytes) -> bytes:
    """Return e(P, Q), 576 bytes, of P in G1 (48 bytes) and Q in G2 (96 bytes). Raise Forged if one is not a point."""
    value = crypto.recalled(("bls-pair", one, two), _paired, one, two)
    crypto.observe("bls-pair", (one, two), (value,))
    return value


def _paired(one: bytes, two: bytes) -> bytes:
    return _printed(_library().GT.pairing(_one(one), _two(two)))


def _printed(value: arkworks.GT) -> bytes:
    """Return a value of GT: the package prints its coefficients, lowest first and little-endian, as hexadecimal."""
    return bytes.fromhex(str(value))[::-1]


def pair_power(one: bytes, two: bytes, k: int) -> bytes:
    """Return e(P, Q)^k, 576 bytes, as `pair`. Raise Forged if one is not a point, or k is 0 modulo R.

    What the pairing alone decides is kept, so that a tenth of the time is left where many k follow.
    """
    value = crypto.recalled(("bls-pair-power", one, two, k), _powered, one, two, k)
    crypto.observe("bls-pair-power", (one, two, scalar_bytes(k)), (value,))
    return value


def _powered(one: bytes, two: bytes, k: int) -> bytes:
    return _printed(_power(_combed_pair(one, two), scalar(scalar_bytes(k)), operator.mul))


# --- powers of one base: Lim and Lee, CRYPTO '94. Their time depends on the exponent, as all arithmetic here may ---

TEETH, GAP = 8, 32  # bits that are taken at once, and bits from one of them to the next


def _comb(neutral: T, base: T, join: Callable[[T, T], T]) -> list[T]:
    """Return the products of base^(2^(GAP·j)) over each set of TEETH numbers j; a set is the bits of its index."""
    products = [neutral]
    for _ in range(TEETH):
        products += [join(each, base) for each in products]
        for _ in range(GAP):
            base = join(base, base)
    return products


def _power(comb: list[T], k: int, join: Callable[[T, T], T]) -> T:
    """Return the k-th power (in G2: multiple) of the base of a comb."""
    power = comb[0]
    for at in reversed(range(GAP)):
        power = join(join(power, power), comb[sum((k >> at + GAP * j & 1) << j for j in range(TEETH))])
    return power


@lru_cache(maxsize=1)
def _combed_base() -> list[arkworks.G2Point]:
    kind = _library().G2Point
    return _comb(kind.identity(), kind(), operator.add)


@lru_cache(maxsize=128)
def _combed_pair(one: bytes, two: bytes) -> list[arkworks.GT]:
    kind = _library().GT
    return _comb(kind.one(), kind.pairing(_one(one), _two(two)), operator.mul)


def lagrange(indexes: Sequence[int]) -> list[int]:
    """Return the λ_i with f(0) = Σ λ_i f(i) modulo R. Raise Forged unless indexes are distinct and none is 0."""
    if not indexes or len({0, *(index % R for index in indexes)}) <= len(indexes):
        raise Forged("interpolation needs indexes that are distinct and not 0")
    factors = []
    for i in indexes:
        above, below = 1, 1
        for j in indexes:
            if j != i:
                above, below = above * j % R, below * (j - i) % R
        factors.append(above * pow(below, -1, R) % R)
    return factors


# --- BLS signatures on G1, keys in G2 ---

GENERATOR_TWO = bytes.fromhex(
    "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
)


def verifies(public: bytes, message_point: bytes, signature: bytes) -> bool:
    """Return whether e(S, g) = e(M, P): S (48 bytes) is the signature of M (48 bytes) under P (96 bytes)."""
    try:
        return pair(signature, GENERATOR_TWO) == pair(message_point, public)
    except Forged:
        return False
