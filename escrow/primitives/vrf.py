"""Verifiable random functions: an output that only the key's holder can compute, and a proof that it is the right one.

  H      the input, hashed to a point under the public key Y = [x]G
  Γ      [x]H,   and a proof that log_H Γ = log_G Y:  c = hash(Y, H, Γ, [k]G, [k]H) of 16 bytes,  s = k + cx
  proof  Γ ‖ c ‖ s:  81 bytes on P-256, 80 on edwards25519
  output hash([h]Γ), h the cofactor:  32 bytes of SHA-256 on P-256, 64 of SHA-512 on edwards25519

Nonces k are hashed from key and input, so a proof has one value. Verification refuses public keys of small order.
Source: RFC 9381, "Verifiable Random Functions (VRFs)", sections 5.1 to 5.6; suites 0x01 to 0x04.
"""

from __future__ import annotations

import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Sequence

from escrow.crypto import observe
from escrow.errors import Forged, Malformed
from escrow.primitives import edwards25519, group, hash_to_curve

CHALLENGE = 16  # bytes
SCALAR = 32


class VrfSuite(ABC):
    """One of the four suites: a curve, a hash, and a way to hash to a point."""

    point: int  # bytes of a point
    output: int  # bytes of an output

    def __init__(self, name: str, number: int) -> None:
        self.name, self.number = name, bytes([number])

    @property
    def proof(self) -> int:
        """Return the length of a proof in bytes."""
        return self.point + CHALLENGE + SCALAR

    @abstractmethod
    def public(self, secret: bytes) -> bytes:
        """Return the public key of a secret key (32 bytes). Raise Forged if there is none."""

    def prove(self, secret: bytes, alpha: bytes) -> tuple[bytes, bytes]:
        """Return the output for the input `alpha`, of any length, and its proof.

        Raises:
            Forged: the secret key (32 bytes) is none of this curve.
        """
        x, public = self._scalar(secret), self.public(secret)
        hashed = self._hash(public, alpha)
        gamma, k = self._multiply(hashed, x), self._nonce(secret, hashed)
        c = self._challenge(public, hashed, gamma, self._multiply(self._base, k), self._multiply(hashed, k))
        proof = gamma + c + self._encode((k + self._decode(c) * x) % self._order)
        output = self._output(gamma)
        observe("vrf", (secret, alpha), (output, proof))
        return output, proof

    def verify(self, public: bytes, alpha: bytes, proof: bytes) -> bytes:
        """Return the output for the input `alpha` that the proof shows.

        Raises:
            Malformed: the proof has another length than `proof` bytes, or its s is not below the group's order.
            Forged: public key or Γ is not a point, the key has small order, or the proof is not of this key and input.
        """
        if len(proof) != self.proof:
            raise Malformed(f"a proof of {self.name} is {self.proof} bytes, not {len(proof)}")
        self._check_key(public)
        gamma, c, s = proof[: self.point], proof[self.point : -SCALAR], self._decode(proof[-SCALAR:])
        if s >= self._order:
            raise Malformed(f"s of a proof of {self.name} is not below the order of the group")
        hashed, minus_c = self._hash(public, alpha), self._decode(c)
        u = self._sum(self._base, s, public, minus_c)
        v = self._sum(hashed, s, gamma, minus_c)
        if self._challenge(public, hashed, gamma, u, v) != c:
            raise Forged(f"a proof of {self.name} is not of this key and this input")
        return self._output(gamma)

    def _challenge(self, *points: bytes) -> bytes:
        return self._digest(b"\x02" + b"".join(points) + b"\x00")[:CHALLENGE]

    def _output(self, gamma: bytes) -> bytes:
        return self._digest(b"\x03" + self._cleared(gamma) + b"\x00")

    def _counted(self, public: bytes, alpha: bytes) -> bytes:
        """Return the first point that the hashes of 0, 1, 2 … give ("try and increment")."""
        for count in range(256):
            try:
                return self._point_of(self._digest(b"\x01" + public + alpha + bytes([count]) + b"\x00"))
            except Forged:
                continue
        raise Forged("none of 256 hashes is a point")  # one in 2^256 inputs

    def _digest(self, rest: bytes) -> bytes:
        return self._hashing(self.number + rest).digest()

    # --- what the curves differ in ---

    _order: int
    _base: bytes
    _hashing = staticmethod(hashlib.sha256)

    @abstractmethod
    def _scalar(self, secret: bytes) -> int: ...

    @abstractmethod
    def _nonce(self, secret: bytes, hashed: bytes) -> int: ...

    @abstractmethod
    def _multiply(self, point: bytes, k: int) -> bytes: ...

    @abstractmethod
    def _sum(self, one: bytes, k: int, other: bytes, minus: int) -> bytes:
        """Return [k]one − [minus]other."""

    @abstractmethod
    def _hash(self, public: bytes, alpha: bytes) -> bytes: ...

    @abstractmethod
    def _point_of(self, digest: bytes) -> bytes: ...

    @abstractmethod
    def _cleared(self, point: bytes) -> bytes: ...

    @abstractmethod
    def _check_key(self, public: bytes) -> None: ...

    @abstractmethod
    def _encode(self, number: int) -> bytes: ...

    @abstractmethod
    def _decode(self, raw: bytes) -> int: ...


class P256(VrfSuite):
    """ECVRF on P-256 with SHA-256; points are compressed (33 bytes), integers big-endian."""

    point, output = 33, 32
    _order, _base = group.Q, group.GENERATOR

    def public(self, secret: bytes) -> bytes:
        """Return the public key (33 bytes). Raise Forged unless the secret key is a scalar (32 bytes) other than 0."""
        return group.base(self._scalar(secret))

    def _scalar(self, secret: bytes) -> int:
        return group.scalar(secret)

    def _nonce(self, secret: bytes, hashed: bytes) -> int:
        """Return the nonce of RFC 6979, section 3.2, for the message `hashed`."""
        reduced = group.scalar_bytes(int.from_bytes(hashlib.sha256(hashed).digest(), "big"))
        key, value = bytes(32), b"\x01" * 32
        for separator in (b"\x00", b"\x01"):
            key = _hmac(key, value + separator + secret + reduced)
            value = _hmac(key, value)
        while True:
            value = _hmac(key, value)
            if 0 < (k := int.from_bytes(value, "big")) < group.Q:
                return k
            key = _hmac(key, value + b"\x00")
            value = _hmac(key, value)

    def _multiply(self, point: bytes, k: int) -> bytes:
        return group.multiply(point, k)

    def _sum(self, one: bytes, k: int, other: bytes, minus: int) -> bytes:
        return group.multi((one, other), (k, -minus))

    def _hash(self, public: bytes, alpha: bytes) -> bytes:
        return self._counted(public, alpha)

    def _point_of(self, digest: bytes) -> bytes:
        return group.check(b"\x02" + digest)

    def _cleared(self, point: bytes) -> bytes:
        return group.check(point)

    def _check_key(self, public: bytes) -> None:
        group.check(public)

    def _encode(self, number: int) -> bytes:
        return number.to_bytes(SCALAR, "big")

    def _decode(self, raw: bytes) -> int:
        return int.from_bytes(raw, "big")


class MappedP256(P256):
    """The same, hashing to a point by the simplified SWU map."""

    _tag = b"ECVRF_P256_XMD:SHA-256_SSWU_NU_\x02"

    def _hash(self, public: bytes, alpha: bytes) -> bytes:
        (u,) = hash_to_curve.field_elements(public + alpha, self._tag, 1)
        return hash_to_curve.map_to_curve(u)


class Ed25519(VrfSuite):
    """ECVRF on edwards25519 with SHA-512; keys are those of Ed25519, integers little-endian."""

    point, output = 32, 64
    _order, _base = edwards25519.Q, edwards25519.BASE
    _hashing = staticmethod(hashlib.sha512)

    def public(self, secret: bytes) -> bytes:
        """Return the public key (32 bytes). Raise Forged unless the secret key has 32 bytes."""
        return edwards25519.multiply(self._base, self._scalar(secret))

    def _scalar(self, secret: bytes) -> int:
        if len(secret) != SCALAR:
            raise Forged("a secret key of Ed25519 is 32 bytes")
        low = bytearray(hashlib.sha512(secret).digest()[:32])
        low[0] &= 248
        low[31] = low[31] & 127 | 64
        return int.from_bytes(low, "little")

    def _nonce(self, secret: bytes, hashed: bytes) -> int:
        """Return the nonce of RFC 8032, section 5.1.6, for the message `hashed`."""
        prefix = hashlib.sha512(secret).digest()[32:]
        return int.from_bytes(hashlib.sha512(prefix + hashed).digest(), "little") % self._order

    def _multiply(self, point: bytes, k: int) -> bytes:
        return edwards25519.multiply(point, k)

    def _sum(self, one: bytes, k: int, other: bytes, minus: int) -> bytes:
        return edwards25519.subtract(edwards25519.multiply(one, k), edwards25519.multiply(other, minus))

    def _hash(self, public: bytes, alpha: bytes) -> bytes:
        return self._counted(public, alpha)

    def _point_of(self, digest: bytes) -> bytes:
        return self._cleared(digest[:32])

    def _cleared(self, point: bytes) -> bytes:
        return edwards25519.multiply(point, edwards25519.COFACTOR)

    def _check_key(self, public: bytes) -> None:
        if edwards25519.of_small_order(public):
            raise Forged("a public key of small order")

    def _encode(self, number: int) -> bytes:
        return number.to_bytes(SCALAR, "little")

    def _decode(self, raw: bytes) -> int:
        return int.from_bytes(raw, "little")


class MappedEd25519(Ed25519):
    """The same, hashing to a point by Elligator 2."""

    _tag = b"ECVRF_edwards25519_XMD:SHA-512_ELL2_NU_\x04"

    def _hash(self, public: bytes, alpha: bytes) -> bytes:
        return edwards25519.encode_to_curve(public + alpha, self._tag)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


SUITES: Sequence[VrfSuite] = (
    P256("ECVRF-P256-SHA256-TAI", 1),
    MappedP256("ECVRF-P256-SHA256-SSWU", 2),
    Ed25519("ECVRF-EDWARDS25519-SHA512-TAI", 3),
    MappedEd25519("ECVRF-EDWARDS25519-SHA512-ELL2", 4),
)
