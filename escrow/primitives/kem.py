"""ML-KEM-768 (FIPS 203, 2024): anyone encapsulates a secret to a public key, its holder opens.

  key           seed d ‖ z of 64 bytes -> public key of 1184 bytes                                    (section 7.1)
  encapsulate   public key, m of 32 bytes -> ciphertext of 1088 bytes, secret of 32                   (section 7.2)
  decapsulate   ciphertext -> the same secret; a ciphertext that was changed gives another secret, no error   (7.3)

The secret is hashed from the public key too, so one ciphertext does not serve for two keys. Keys and m are drawn from
`escrow.crypto`, so the run's seed repeats them. Keys and decapsulation are the library's; its `encapsulate` takes no
m, so section 6.2 stands here for runs that must be repeated. That code is not constant-time.
"""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache
from operator import add, mul, sub

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from escrow import crypto
from escrow.codec import Fact, Public
from escrow.errors import Forged

PUBLIC, CIPHERTEXT, SECRET, SEED = 1184, 1088, 32, 64
_Q, _N, _K = 3329, 256, 3
_ZETAS = [pow(17, int(f"{i:07b}"[::-1], 2), _Q) for i in range(128)]  # 17^BitRev7(i)
_GAMMAS = [pow(17, 2 * int(f"{i:07b}"[::-1], 2) + 1, _Q) for i in range(128)]

Polynomial = list[int]


class KemPrivate(Fact, frozen=True, dict=True):
    """An ML-KEM-768 key pair: public key (1184 bytes) and seed d ‖ z (64 bytes)."""

    public: Public
    raw: bytes

    @cached_property
    def live(self) -> MLKEM768PrivateKey:
        """The key in the form that the library computes with, made on first use."""
        return MLKEM768PrivateKey.from_seed_bytes(self.raw)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Return the secret (32 bytes). Raise Forged if the ciphertext is not 1088 bytes, or this key's seed not 64."""
        try:
            secret = self.live.decapsulate(ciphertext)
        except ValueError:
            crypto.observe("ml-kem-decapsulate", (self.raw, ciphertext), ())
            raise Forged("an ML-KEM-768 ciphertext is not 1088 bytes, or a seed not 64") from None
        crypto.observe("ml-kem-decapsulate", (self.raw, ciphertext), (secret,))
        return secret


def new_kem_private() -> KemPrivate:
    """Return a fresh ML-KEM-768 key pair."""
    raw = crypto.random_bytes(SEED)
    live = MLKEM768PrivateKey.from_seed_bytes(raw)
    private = KemPrivate(live.public_key().public_bytes_raw(), raw)
    private.__dict__["live"] = live
    crypto.observe("ml-kem-key", (raw,), (private.public,))
    return private


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """Return a fresh (ciphertext of 1088 bytes, secret of 32). Raise Forged unless `public` is 1184 canonical bytes."""
    try:
        live = MLKEM768PublicKey.from_public_bytes(public)
    except ValueError:
        crypto.observe("ml-kem-encapsulate", (public,), ())
        raise Forged("an ML-KEM-768 public key is not 1184 canonical bytes") from None
    if not crypto.repeats():
        secret, ciphertext = live.encapsulate()
        crypto.observe("random", (), (secret,))  # by the library, not at the door: what is drawn is told as the secret
        crypto.observe("ml-kem-encapsulate", (public, secret), (ciphertext,))
        return ciphertext, secret
    message = crypto.random_bytes(32)
    made = crypto.recalled(("ml-kem-encapsulate", public, message), encapsulated, public, message)
    crypto.observe("ml-kem-encapsulate", (public, message), made)
    return made


def encapsulated(public: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Return the ciphertext and secret that m (32 bytes) gives for a canonical public key (algorithm 17)."""
    made = hashlib.sha3_512(message + hashlib.sha3_256(public).digest()).digest()
    return _encrypt(public, message, made[SECRET:]), made[:SECRET]


# --- K-PKE.Encrypt (algorithm 14) ---


def _encrypt(public: bytes, message: bytes, coins: bytes) -> bytes:
    matrix, t = _expanded(public)
    noise = [_sampled(hashlib.shake_256(coins + bytes([n])).digest(128)) for n in range(2 * _K + 1)]
    y = [_transformed(each) for each in noise[:_K]]
    u = [list(map(add, _inverse(_dot(row, y)), error)) for row, error in zip(matrix, noise[_K:-1], strict=True)]
    bits = int.from_bytes(message, "little")
    masked = map(add, noise[-1], [(bits >> i & 1) * 1665 for i in range(_N)])
    v = list(map(add, _inverse(_dot(t, y)), masked))
    return b"".join(_compressed(each, 10) for each in u) + _compressed(v, 4)


@lru_cache(maxsize=64)
def _expanded(public: bytes) -> tuple[list[list[Polynomial]], list[Polynomial]]:
    """Return the transposed matrix and t of a public key, both transformed."""
    seed, whole = public[-32:], int.from_bytes(public[:-32], "little")
    t = [whole >> 12 * i & 0xFFF for i in range(_K * _N)]
    matrix = [[_uniform(seed + bytes([i, j])) for j in range(_K)] for i in range(_K)]
    return matrix, [t[at : at + _N] for at in range(0, _K * _N, _N)]


def _uniform(seed: bytes) -> Polynomial:
    """Return the polynomial of uniform coefficients of a seed (algorithm 7)."""
    drawn = hashlib.shake_128(seed).digest(1344)  # 896 numbers of 12 bits: 256 below q but once in 2^260
    pairs = ((a | (b & 15) << 8, b >> 4 | c << 4) for a, b, c in zip(drawn[::3], drawn[1::3], drawn[2::3], strict=True))
    return [number for pair in pairs for number in pair if number < _Q][:_N]


def _sampled(drawn: bytes) -> Polynomial:
    """Return the polynomial of binomial coefficients, -2 to 2, of 128 bytes (algorithm 8)."""
    halves = (half for byte in drawn for half in (byte & 15, byte >> 4))
    return [(x & 1) + (x >> 1 & 1) - (x >> 2 & 1) - (x >> 3) for x in halves]


def _transformed(f: Polynomial) -> Polynomial:
    """Return the number-theoretic transform (algorithm 9)."""
    at, length = 1, 128
    while length > 1:
        made: Polynomial = []
        for start in range(0, _N, 2 * length):
            zeta, at = _ZETAS[at], at + 1
            even, odd = f[start : start + length], [zeta * x % _Q for x in f[start + length : start + 2 * length]]
            made += map(add, even, odd)
            made += map(sub, even, odd)
        f, length = made, length >> 1
    return f


def _inverse(f: Polynomial) -> Polynomial:
    """Return the inverse of the transform (algorithm 10)."""
    at, length = 127, 2
    while length <= 128:
        made: Polynomial = []
        for start in range(0, _N, 2 * length):
            zeta, at = _ZETAS[at], at - 1
            one, other = f[start : start + length], f[start + length : start + 2 * length]
            made += map(add, one, other)
            made += [zeta * (y - x) % _Q for x, y in zip(one, other, strict=True)]
        f, length = made, length << 1
    return [each * 3303 % _Q for each in f]


def _dot(left: list[Polynomial], right: list[Polynomial]) -> Polynomial:
    """Return the sum of the products of transformed polynomials, modulo X^2 - gamma by pairs (algorithms 11 and 12)."""
    total = [0] * _N
    for f, g in zip(left, right, strict=True):
        even, odd, other_even, other_odd = f[::2], f[1::2], g[::2], g[1::2]
        high = [a * b % _Q * gamma for a, b, gamma in zip(odd, other_odd, _GAMMAS, strict=True)]
        total[::2] = map(add, total[::2], map(add, high, map(mul, even, other_even)))
        total[1::2] = map(add, total[1::2], map(add, map(mul, even, other_odd), map(mul, odd, other_even)))
    return [each % _Q for each in total]


def _compressed(f: Polynomial, bits: int) -> bytes:
    """Return the coefficients in so many bits each (sections 4.2.1)."""
    whole = 0
    for each in reversed(f):
        whole = whole << bits | ((each % _Q << bits) + _Q // 2) // _Q & (1 << bits) - 1
    return whole.to_bytes(_N * bits // 8, "little")
