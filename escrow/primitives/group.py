"""The prime-order group P-256: points, scalars, sums of multiples, interpolation, and two zero-knowledge proofs.

Between modules a point is its compressed encoding (33 bytes, SEC 1 section 2.3.3) and a scalar an integer modulo Q;
facts are bytes, and decoded points are cached. The neutral element has no encoding here: a result that would be it is
Forged.

The arithmetic is OpenSSL's (`p256_openssl`) where the interpreter's own can be called, else pycryptodome's
(`p256_pycryptodome`): the same bytes and errors from both. `ESCROW_LAB_P256=pycryptodome` asks for the second.

`base` and `multiply` take a secret scalar and are as constant in time as the library underneath. Everything else is
not: Python's integers are not, and the ladders of `multi` and `horner` branch on their scalars, so they serve public
data only.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Protocol

from escrow import crypto
from escrow.codec import prefixed
from escrow.errors import Forged
from escrow.run import tool

Q = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
POINT, SCALAR, PROOF = 33, 32, 64


class Arithmetic(Protocol):
    """The operations on points: one of the two modules named above, which say what each function does."""

    NAME: str

    def check(self, point: bytes, /) -> None:
        """Raise Forged unless `point` is the encoding of a point other than the neutral one."""

    def base(self, k: int, /) -> bytes:
        """Return [k]G."""

    def multiply(self, point: bytes, k: int, /) -> bytes:
        """Return [k]P."""

    def multiply_two(self, point: bytes, k: int, other: bytes, m: int, /) -> bytes:
        """Return [k]P + [m]Q, for public k and m."""

    def add(self, points: Sequence[bytes], /) -> bytes:
        """Return the sum of the points."""

    def multi(self, points: Sequence[bytes], signed: Sequence[int], /) -> bytes:
        """Return Σ [k_i]P_i, for public k_i, each of which may be negative."""

    def horner(self, points: Sequence[bytes], x: int, /) -> bytes:
        """Return Σ [x^j]P_j, for a small public x."""


def _chosen() -> Arithmetic:
    if os.environ.get("ESCROW_LAB_P256") != "pycryptodome":
        try:
            from escrow.primitives import p256_openssl
        except ImportError:
            pass
        else:
            return p256_openssl
    from escrow.primitives import p256_pycryptodome

    return p256_pycryptodome


arithmetic = _chosen()
GENERATOR = arithmetic.base(1)


# --- encodings ---


def scalar(raw: bytes) -> int:
    """Return the scalar of 32 big-endian bytes. Raise Forged unless there are 32 and they are below Q."""
    value = int.from_bytes(raw, "big")
    if len(raw) != SCALAR or value >= Q:
        raise Forged("not a P-256 scalar")
    return value


def scalar_bytes(value: int) -> bytes:
    """Return `value` modulo Q as 32 big-endian bytes."""
    return (value % Q).to_bytes(SCALAR, "big")


def check(point: bytes) -> bytes:
    """Return `point`. Raise Forged unless it is the encoding (33 bytes) of a point other than the neutral element."""
    arithmetic.check(point)
    return point


# --- scalars ---


def random_scalars(n: int) -> list[int]:
    """Return `n` uniform scalars, 0 included: each is 48 random bytes reduced, so its bias is below 2^-127."""
    drawn = crypto.random_bytes(48 * n)
    scalars = [int.from_bytes(drawn[at : at + 48], "big") % Q for at in range(0, 48 * n, 48)]
    tell("p256-scalars", (drawn,), scalars)
    return scalars


def random_scalar() -> int:
    """Return one uniform scalar."""
    return random_scalars(1)[0]


def hash_to_scalar(tag: str, *parts: bytes) -> int:
    """Return SHA-512 over the length-prefixed tag and parts, modulo Q; each use of the hash has its own tag."""
    digest = hashlib.sha512(prefixed(b"escrow-lab P-256 " + tag.encode(), *parts)).digest()
    hashed = int.from_bytes(digest, "big") % Q
    tell("p256-hash", (tag.encode(), *parts), (hashed,))
    return hashed


def combination(values: Sequence[int], factors: Sequence[int]) -> int:
    """Return Σ f_i v_i modulo Q, of as many secret scalars as factors."""
    combined = sum(factor * value for factor, value in zip(factors, values, strict=True)) % Q
    tell("p256-combine", (*values, *factors), (combined,))
    return combined


def tell(operation: str, inputs: Iterable[bytes | int], outputs: Iterable[bytes | int]) -> None:
    """Tell the observer of an operation, its scalars encoded."""
    if crypto.observed():
        crypto.observe(operation, _encoded(inputs), _encoded(outputs))


def _encoded(values: Iterable[bytes | int]) -> tuple[bytes, ...]:
    return tuple(each if isinstance(each, bytes) else scalar_bytes(each) for each in values)


def _told(operation: str, inputs: Sequence[bytes | int], key: tuple[object, ...], work: Callable[..., bytes]) -> bytes:
    """Return the point that `work` gives for what follows the key's name, and tell the observer of it."""
    try:
        point = crypto.recalled(key, work, *key[1:])
    except Forged:
        tell(operation, inputs, ())
        raise
    tell(operation, inputs, (point,))
    return point


def inverses(values: Sequence[int]) -> list[int]:
    """Return the inverses modulo Q, by one inversion and three multiplications each.

    Raise Forged if a value is 0 modulo Q.
    """
    before = [1]
    for value in values:
        before.append(before[-1] * value % Q)
    if not (product := before.pop()):
        raise Forged("0 has no inverse modulo Q")
    inverse = pow(product, -1, Q)
    out = []
    for value, product in zip(reversed(values), reversed(before), strict=True):
        out.append(inverse * product % Q)
        inverse = inverse * value % Q
    return out[::-1]


@lru_cache(maxsize=1024)
def lagrange(indexes: tuple[int, ...], at: int = 0) -> tuple[int, ...]:
    """Return the λ_i with f(at) = Σ λ_i f(i) for every f of degree below len(indexes).

    The products of small differences are taken in four parts, because long integers multiply slowly.

    Raises:
        Forged: there are no indexes, two are equal modulo Q, or `at` is one of them modulo Q.
    """
    if not indexes or len({at % Q, *(index % Q for index in indexes)}) <= len(indexes):
        raise Forged("interpolation needs indexes that are distinct modulo Q, and another point")
    below = []
    for i, row in zip(indexes, _differences(indexes), strict=True):
        below.append((at - i) * math.prod([math.prod(row[first::4]) for first in range(4)]) % Q)
    above = math.prod(at - i for i in indexes) % Q
    return tuple(above * inverse % Q for inverse in inverses(below))


def _differences(indexes: tuple[int, ...]) -> Iterable[Sequence[int]]:
    """Yield for each index i all i − j, but 1 where j is i: slices of one list of differences if that is short."""
    top = max(indexes, default=0)
    if len(indexes) < 2 or not 0 < min(indexes) <= top <= 16 * len(indexes):
        return ([i - j or 1 for j in indexes] for i in indexes)
    falling = list(range(top, -top, -1))  # falling[top - i + j] is i − j
    falling[top] = 1
    pick = itemgetter(*indexes)
    return (pick(falling[top - i : 2 * top - i + 1]) for i in indexes)


# --- points ---


def base(k: int) -> bytes:
    """Return [k]G. Raise Forged if k is 0 modulo Q."""
    if not (k := k % Q):
        raise Forged("the neutral element of P-256 has no encoding")
    return _told("p256-base", (k,), ("p256-base", k), arithmetic.base)


def multiply(point: bytes, k: int) -> bytes:
    """Return [k]P. Raise Forged if P is not a point or k is 0 modulo Q."""
    k %= Q
    return _told("p256-multiply", (point, k), ("p256-multiply", point, k), arithmetic.multiply)


def add(*points: bytes) -> bytes:
    """Return the sum of one or more points. Raise Forged if there are none, or it is the neutral element."""
    if not points:
        raise Forged("a sum of no points")
    return _told("p256-add", points, ("p256-add", points), arithmetic.add)


def negate(point: bytes) -> bytes:
    """Return −P: the other root, so the other first byte."""
    negative = (check(point)[0] ^ 1).to_bytes(1, "big") + point[1:]
    tell("p256-negate", (point,), (negative,))
    return negative


def multi(points: Iterable[bytes], scalars: Iterable[int]) -> bytes:
    """Return Σ [k_i]P_i for public k_i, one for each point; small k_i of either sign are cheap.

    Raise Forged as `add` does, or if their numbers differ.
    """
    terms, signed = tuple(points), tuple((k + Q // 2) % Q - Q // 2 for k in scalars)
    if not terms or len(terms) != len(signed):
        raise Forged("a sum of no points, or not as many scalars as points")
    return _told("p256-multi", (*terms, *signed), ("p256-multi", terms, signed), arithmetic.multi)


def horner(points: Sequence[bytes], x: int) -> bytes:
    """Return Σ [x^j]P_j for a small x ≥ 1: log x doublings a term, where a full multiplication has 256.

    Raises:
        Forged: there are no points, not 1 ≤ x < Q, or the sum is the neutral element.
    """
    if not points or not 1 <= x < Q:
        raise Forged("a sum of no points, or at no index")
    terms = tuple(points)
    return _told("p256-horner", (*terms, x), ("p256-horner", terms, x), arithmetic.horner)


# --- proofs: c ‖ s, 32 bytes each, non-interactive by hashing the whole statement and its context ---


def schnorr_prove(secret: int, public: bytes, context: bytes) -> bytes:
    """Return a proof (64 bytes) of knowledge of `secret` = log_G `public`, for this context only (Schnorr 1991).

    The nonce is hashed from secret and statement, so one request gives the same bytes each time.
    """
    nonce = hash_to_scalar("schnorr nonce", scalar_bytes(secret), context, public)
    return _response(secret, nonce, hash_to_scalar("schnorr", context, public, base(nonce)))


def schnorr_verify(public: bytes, proof: bytes, context: bytes) -> bool:
    """Return whether `proof` is `schnorr_prove`'s for this point and context."""
    try:
        c, s = _challenge(proof)
        return hash_to_scalar("schnorr", context, public, commitment(GENERATOR, s, public, c)) == c
    except Forged:
        return False


@crypto.recalled_whole
@tool
def dleq_prove(secret: int, public: bytes, point: bytes, value: bytes, context: bytes) -> bytes:
    """Return a proof (64 bytes) that log_G `public` = log_point `value` (Chaum, Pedersen, CRYPTO '92).

    Both statements and the context are hashed: without them a proof would serve for another capsule or request.
    """
    statement = (context, public, point, value)
    nonce = hash_to_scalar("dleq nonce", scalar_bytes(secret), *statement)
    proof = _response(secret, nonce, hash_to_scalar("dleq", *statement, base(nonce), multiply(point, nonce)))
    if crypto.recalls():  # who checks it need not compute that: it shows what the secret gives
        shows = secret % Q != 0 and public == base(secret) and value == multiply(point, secret)
        crypto.recalled((dleq_verify, public, point, value, proof, context), bool, shows)
    return proof


@crypto.recalled_whole
@tool
def dleq_verify(public: bytes, point: bytes, value: bytes, proof: bytes, context: bytes) -> bool:
    """Return whether `proof` shows that log_G `public` = log_point `value`, in this context."""
    try:
        c, s = _challenge(proof)
        commitments = commitment(GENERATOR, s, public, c), commitment(point, s, value, c)
        return hash_to_scalar("dleq", context, public, point, value, *commitments) == c
    except Forged:
        return False


def _response(secret: int, nonce: int, c: int) -> bytes:
    return scalar_bytes(c) + scalar_bytes(combination((nonce, secret), (1, c)))


def _challenge(proof: bytes) -> tuple[int, int]:
    return scalar(proof[:SCALAR]), scalar(proof[SCALAR:])


def commitment(point: bytes, s: int, public: bytes, c: int) -> bytes:
    """Return [s]P − [c]Y, which the prover of log_P Y called [nonce]P. Raise Forged as `multiply` does."""
    terms = point, s % Q, public, -c % Q
    return _told("p256-multiply-two", terms, ("p256-multiply-two", *terms), arithmetic.multiply_two)
