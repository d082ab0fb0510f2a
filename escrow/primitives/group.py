"""The prime-order group P-256: points, scalars, sums of multiples, interpolation, and two zero-knowledge proofs.

Between modules a point is its compressed encoding (33 bytes, SEC 1 section 2.3.3) and a scalar an integer modulo Q;
facts are bytes, and the decoder remembers. The neutral element has no encoding here: what would give it is Forged.

`base` and `multiply` take a secret scalar and are as constant in time as pycryptodome underneath. Everything else is
not: Python's integers are not, and the ladders of `multi` and `horner` branch on their scalars, so they serve public
data only.
"""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from operator import itemgetter

from Crypto.Math.Numbers import Integer
from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]  # documented there, defined elsewhere
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from escrow import crypto
from escrow.codec import prefixed
from escrow.errors import Forged

Q = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
POINT, SCALAR, PROOF = 33, 32, 64
_CURVE = ec.SECP256R1()

_G = EccPoint(
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    "p256",
)


# --- encodings ---


def scalar(raw: bytes) -> int:
    """The scalar of 32 big-endian bytes. Forged unless there are 32 and they are below Q."""
    value = int.from_bytes(raw, "big")
    if len(raw) != SCALAR or value >= Q:
        raise Forged("not a P-256 scalar")
    return value


def scalar_bytes(value: int) -> bytes:
    """`value` modulo Q, 32 bytes."""
    return (value % Q).to_bytes(SCALAR, "big")


@lru_cache(maxsize=1 << 16)
def _decode(point: bytes) -> EccPoint:
    """A shared object: callers copy it before they change it. OpenSSL takes the root, five times as fast."""
    if len(point) != POINT:
        raise Forged("a P-256 point is 33 bytes")
    try:
        numbers = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point).public_numbers()
    except ValueError:
        raise Forged("not the encoding of a P-256 point") from None
    return EccPoint(numbers.x, numbers.y, "p256")


def _encode(point: EccPoint) -> bytes:
    x, y = map(int, point.xy)
    if not x and not y:
        raise Forged("the neutral element of P-256 has no encoding")
    return (2 + (y & 1)).to_bytes(1, "big") + x.to_bytes(SCALAR, "big")


GENERATOR = _encode(_G)
_LEAKS = "public" in inspect.signature(Integer).parameters  # since pycryptodome 4.4


def check(point: bytes) -> bytes:
    """`point` itself. Forged unless it is the canonical encoding (33 bytes) of a point other than the neutral one."""
    _decode(point)
    return point


# --- scalars ---


def random_scalars(n: int) -> list[int]:
    """`n` uniform scalars, 0 included: each is 48 random bytes reduced, so its bias is below 2^-127."""
    drawn = crypto.random_bytes(48 * n)
    return [int.from_bytes(drawn[at : at + 48], "big") % Q for at in range(0, 48 * n, 48)]


def random_scalar() -> int:
    """One uniform scalar."""
    return random_scalars(1)[0]


def hash_to_scalar(tag: str, *parts: bytes) -> int:
    """SHA-512 over the length-prefixed tag and parts, modulo Q: tags keep the uses apart, prefixes the parts."""
    digest = hashlib.sha512(prefixed(b"escrow-lab P-256 " + tag.encode(), *parts)).digest()
    return int.from_bytes(digest, "big") % Q


def inverses(values: Sequence[int]) -> list[int]:
    """The inverses modulo Q, by one inversion and three multiplications each. ValueError where a value is 0."""
    before = [1]
    for value in values:
        before.append(before[-1] * value % Q)
    inverse = pow(before.pop(), -1, Q)
    out = []
    for value, product in zip(reversed(values), reversed(before), strict=True):
        out.append(inverse * product % Q)
        inverse = inverse * value % Q
    return out[::-1]


@lru_cache(maxsize=1024)
def lagrange(indexes: tuple[int, ...], at: int = 0) -> tuple[int, ...]:
    """The λ_i with f(at) = Σ λ_i f(i) for every f of degree below len(indexes). Forged where two indexes agree.

    The products of small differences are taken in four parts, because long integers multiply slowly.
    """
    if len(set(indexes)) < len(indexes) or at in indexes:
        raise Forged("interpolation needs distinct indexes, and another point")
    below = []
    for i, row in zip(indexes, _differences(indexes), strict=True):
        below.append((at - i) * math.prod([math.prod(row[first::4]) for first in range(4)]) % Q)
    above = math.prod(at - i for i in indexes) % Q
    return tuple(above * inverse % Q for inverse in inverses(below))


def _differences(indexes: tuple[int, ...]) -> Iterable[Sequence[int]]:
    """For each index i all i − j, but 1 where j is i itself: picked from one list of differences where it is short."""
    top = max(indexes, default=0)
    if len(indexes) < 2 or not 0 < min(indexes) <= top <= 16 * len(indexes):
        return ([i - j or 1 for j in indexes] for i in indexes)
    falling = list(range(top, -top, -1))  # falling[top - i + j] is i − j
    falling[top] = 1
    pick = itemgetter(*indexes)
    return (pick(falling[top - i : 2 * top - i + 1]) for i in indexes)


# --- points ---


def base(k: int) -> bytes:
    """[k]G. Forged where k is 0 modulo Q. OpenSSL has the multiples of G at hand: half of pycryptodome's time."""
    if not (k := k % Q):
        raise Forged("the neutral element of P-256 has no encoding")
    point = ec.derive_private_key(k, _CURVE).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    crypto.observe("p256-mult", scalar_bytes(k), point)
    return point


def multiply(point: bytes, k: int) -> bytes:
    """[k]P. Forged where P is no point or k is 0 modulo Q."""
    crypto.observe("p256-mult")
    return _encode(_decode(point) * (k % Q))


def add(*points: bytes) -> bytes:
    """The sum of one or more points. Forged where it is the neutral element."""
    total = _decode(points[0]).copy()
    for point in points[1:]:
        total += _decode(point)
    return _encode(total)


def negate(point: bytes) -> bytes:
    """−P: the other root, so the other first byte."""
    return (check(point)[0] ^ 1).to_bytes(1, "big") + point[1:]


def multi(points: Iterable[bytes], scalars: Iterable[int]) -> bytes:
    """Σ [k_i]P_i for public k_i. All terms share their doublings (Straus 1964); small k_i of either sign are cheap."""
    signed = [(k + Q // 2) % Q - Q // 2 for k in scalars]
    due: dict[int, list[EccPoint]] = {}  # what is added at which bit
    for point, k in zip(points, signed, strict=True):
        crypto.observe("p256-term")
        digits = list(_wnaf(abs(k)))
        odd = _odd_multiples(_decode(point) if k >= 0 else -_decode(point), {digit for _, digit in digits})
        for bit, digit in digits:
            due.setdefault(bit, []).append(odd[digit])
    total = _G.point_at_infinity()
    for bit in range(max(due, default=-1), -1, -1):
        total.double()
        for multiple in due.get(bit, ()):
            total += multiple
    return _encode(total)


def _odd_multiples(point: EccPoint, wanted: Set[int]) -> dict[int, EccPoint]:
    """At least the wanted ones of the multiples by −7, −5 … 7."""
    odd = {1: point}
    if (most := max(map(abs, wanted), default=1)) > 1:
        twice = point.copy().double()
        for k in range(3, most + 1, 2):
            odd[k] = odd[k - 2] + twice
    return odd | {k: -odd[-k] for k in wanted if k < 0}


def _wnaf(k: int) -> Iterable[tuple[int, int]]:
    """(bit, odd digit from −7 to 7) with k = Σ digit·2^bit, the bits at least four apart."""
    bit = 0
    while k:
        zeros = (k & -k).bit_length() - 1
        k >>= zeros
        bit += zeros
        digit = (k & 15) - 16 if k & 8 else k & 15
        yield bit, digit
        k -= digit


def horner(points: Sequence[bytes], x: int) -> bytes:
    """Σ [x^j]P_j for a small x ≥ 1: log x doublings and additions a term, where a full multiplication has 256.

    Forged where there are no points, or the sum is the neutral element.
    """
    if not points:
        raise Forged("a sum of no points")
    bits = [bit == "1" for bit in f"{x:b}"[1:]]
    total = _decode(points[-1]).copy()
    for point in points[-2::-1]:
        start = total.copy()
        for bit in bits:
            total.double()
            if bit:
                total += start
        total += _decode(point)
    return _encode(total)


def _leaking(k: int) -> int:
    """A public scalar in the form by which pycryptodome multiplies without blinding, in some 60 % of the time."""
    return Integer(k, public=True) if _LEAKS else k  # type: ignore[return-value]  # EccPoint takes either


# --- proofs: c ‖ s, 32 bytes each, non-interactive by hashing the whole statement and its context ---


def schnorr_prove(secret: int, public: bytes, context: bytes) -> bytes:
    """A proof, 64 bytes, of knowledge of `secret` = log_G `public`, of use in this context only (Schnorr 1991).

    The nonce is hashed from secret and statement, so one request gives the same bytes each time.
    """
    nonce = hash_to_scalar("schnorr nonce", scalar_bytes(secret), context, public)
    return _response(secret, nonce, hash_to_scalar("schnorr", context, public, base(nonce)))


def schnorr_verify(public: bytes, proof: bytes, context: bytes) -> bool:
    """Whether `proof` is `schnorr_prove`'s for this point and context."""
    try:
        c, s = _challenge(proof)
        return hash_to_scalar("schnorr", context, public, commitment(GENERATOR, s, public, c)) == c
    except Forged:
        return False


def dleq_prove(secret: int, public: bytes, point: bytes, value: bytes, context: bytes) -> bytes:
    """A proof, 64 bytes, that log_G `public` = log_point `value` (Chaum, Pedersen, CRYPTO '92).

    Both statements and the context are hashed: without them a proof would serve for another capsule or request.
    """
    statement = (context, public, point, value)
    nonce = hash_to_scalar("dleq nonce", scalar_bytes(secret), *statement)
    return _response(secret, nonce, hash_to_scalar("dleq", *statement, base(nonce), multiply(point, nonce)))


def dleq_verify(public: bytes, point: bytes, value: bytes, proof: bytes, context: bytes) -> bool:
    """Whether `proof` shows that `value` is to `point` what `public` is to G, in this context."""
    try:
        c, s = _challenge(proof)
        commitments = commitment(GENERATOR, s, public, c), commitment(point, s, value, c)
        return hash_to_scalar("dleq", context, public, point, value, *commitments) == c
    except Forged:
        return False


def _response(secret: int, nonce: int, c: int) -> bytes:
    return scalar_bytes(c) + scalar_bytes(nonce + c * secret)


def _challenge(proof: bytes) -> tuple[int, int]:
    return scalar(proof[:SCALAR]), scalar(proof[SCALAR:])


def commitment(point: bytes, s: int, public: bytes, c: int) -> bytes:
    """[s]P − [c]Y, which the prover of log_P Y called [nonce]P. Forged where it is neutral or P or Y is no point."""
    crypto.observe("p256-mult")
    crypto.observe("p256-mult")
    total = _decode(point) * _leaking(s % Q)
    total += _decode(public) * _leaking(-c % Q)
    return _encode(total)
