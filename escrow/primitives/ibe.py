"""Encryption to a name: whoever has the authority's BLS signature of the name opens it, in the exact form of tlock.

  key     P = [x]g in G2 is public;  Q = H1(SHA-256 of the name) in G1;  the key of a name is its signature S = [x]Q
  seal    σ drawn, as long as M;  r = H3(σ, M);  U = [r]g,  V = σ ⊕ H2(e(Q, P)^r),  W = M ⊕ H4(σ)
  open    σ = V ⊕ H2(e(S, U)),  M = W ⊕ H4(σ);  accepted only if U = [H3(σ, M)]g

The last comparison makes a changed ciphertext refused (Fujisaki and Okamoto, CRYPTO '99); without it, whoever can ask
for openings of changed ciphertexts learns from them. A signature is a key: who has it opens everything that was or
will be sealed to the name.
Source: Boneh and Franklin, CRYPTO 2001, FullIdent; Gailly, Melissaris and Romailler, "tlock", ePrint 2023/189; the
bytes are those of drand/kyber, `encrypt/ibe`. M has at most 32 bytes; tlock seals 16, a key of the file encryption
`age`. Of a message of n bytes another name's key gives the right mask by chance in one of 2^(8n) cases, and then opens
it: seal keys, not short words.
"""

from __future__ import annotations

import hashlib

from escrow import crypto
from escrow.crypto import digest, random_bytes, xor_bytes
from escrow.errors import Forged
from escrow.primitives import bls12_381 as bls

SIGNED = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
MOST = 32  # bytes of a message, since it is masked by one digest


def name_point(name: bytes) -> bytes:
    """Return the point (48 bytes) of a name (32 bytes, SHA-256 of what is named): what the authority signs."""
    return bls.hash_to_one(name, SIGNED)


def name_of_round(number: int) -> bytes:
    """Return the name (32 bytes) of a round of drand's unchained beacons."""
    return digest(number.to_bytes(8, "big"))


def seal(public: bytes, name: bytes, message: bytes) -> bytes:
    """Return U ‖ V ‖ W, 96 bytes and twice those of the message.

    Args:
        public: P, 96 bytes.
        name: 32 bytes.
        message: 1 to 32 bytes.

    Raises:
        ValueError: a message of another length.
        Forged: `public` is not a point of G2, or is the neutral element.
    """
    if not 1 <= len(message) <= MOST:
        raise ValueError(f"a message of {len(message)} bytes: it has 1 to {MOST}")
    masking = random_bytes(len(message))
    r = _exponent(masking, message)
    shared = bls.pair_power(name_point(name), public, r)
    hidden = xor_bytes(masking, _hash(b"IBE-H2", shared, len(message)))
    return bls.base_two(r) + hidden + xor_bytes(message, _hash(b"IBE-H4", masking, len(message)))


def open_(signature: bytes, sealed: bytes) -> bytes:
    """Return the message, by the signature (48 bytes) of its name.

    Raises:
        Forged: the lengths are impossible, U or the signature is not a point, or U is not what the message gives: the
            ciphertext was changed, or was made for another name or under another key. The error says which.
    """
    size, odd = divmod(len(sealed) - bls.G2, 2)
    if odd or not 1 <= size <= MOST:
        raise Forged(f"a ciphertext of {len(sealed)} bytes: it has {bls.G2}, and twice a message's 1 to {MOST}")
    u, hidden, masked = sealed[: bls.G2], sealed[bls.G2 : bls.G2 + size], sealed[bls.G2 + size :]
    masking = xor_bytes(hidden, _hash(b"IBE-H2", bls.pair(signature, u), size))
    message = xor_bytes(masked, _hash(b"IBE-H4", masking, size))
    if bls.base_two(_exponent(masking, message)) != u:
        raise Forged("U is not [H3(σ, M)]g: the ciphertext was changed, or is another name's")
    return message


def _hash(use: bytes, secret: bytes, size: int) -> bytes:
    hashed = hashlib.sha256(use + secret).digest()
    crypto.observe("sha256", (use, secret), (hashed,))
    return hashed[:size]


def _exponent(masking: bytes, message: bytes) -> int:
    """Return H3: of i = 1, 2, … the first digest that is a scalar other than 0, its first byte halved."""
    seed = hashlib.sha256(b"IBE-H3" + masking + message).digest()
    for i in range(1, 1 << 16):
        hashed = hashlib.sha256(i.to_bytes(2, "little") + seed).digest()
        r = int.from_bytes(bytes([hashed[0] >> 1]) + hashed[1:], "big")
        if 0 < r < bls.R:
            crypto.observe("ibe-h3", (masking, message), (bls.scalar_bytes(r),))
            return r
    raise ArithmeticError("of the digests, nine in ten are scalars")
