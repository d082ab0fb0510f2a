"""Publicly verifiable secret sharing: whoever looks can tell that every holder's share fits, and which does not.

  keys     holder i: s_i,  Y_i = [s_i]G
  deal     p of degree t − 1, drawn;  C_j = [p_j]g;  S*_i = [p(i)]Y_i, with a proof that log_g X_i = log_{Y_i} S*_i,
           where everybody computes X_i = Σ [i^j]C_j.  The secret is [p(0)]G
  open     S_i = [1/s_i]S*_i = [p(i)]G, with a proof that log_G Y_i = log_{S_i} S*_i
  combine  [p(0)]G = Σ λ_i S_i  over any t proven shares

There is no standing key of all holders: a thief of t holders' keys opens all that was ever dealt to them, no other.
Source: Schoenmakers, "A simple publicly verifiable secret sharing scheme", CRYPTO '99, section 3. g is hashed to the
curve, so that no one knows log_G g.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from escrow.codec import Fact, Public
from escrow.derivation import honest_only
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.hash_to_curve import hash_to_curve
from escrow.sharing import shamir
from escrow.sharing.blame import Blame, Blamed

_SUITE = b"escrow-lab-V01-CS01-with-P256_XMD:SHA-256_SSWU_RO_"
g = hash_to_curve(b"second generator of publicly verifiable shares", _SUITE)


class PublicDealing(Fact, frozen=True):
    """t commitments (33 bytes each); for each holder its sealed share (33 bytes) and a proof (64 bytes)."""

    commitments: tuple[Public, ...]
    sealed: tuple[Public, ...]
    proofs: tuple[Public, ...]


class OpenedShare(Fact, frozen=True):
    """A holder's share S_i (33 bytes): t of them give the secret; and its proof (64 bytes)."""

    index: int
    value: bytes
    proof: Public


def _prove(secret: int, one: bytes, public: bytes, other: bytes, value: bytes, context: bytes) -> bytes:
    """Return a proof (64 bytes) that `secret` is log_one `public` and log_other `value` (Chaum and Pedersen, 1992)."""
    statement = (context, one, public, other, value)
    nonce = group.hash_to_scalar("pvss nonce", group.scalar_bytes(secret), *statement)
    c = group.hash_to_scalar("pvss", *statement, group.multiply(one, nonce), group.multiply(other, nonce))
    return group.scalar_bytes(c) + group.scalar_bytes(group.combination((nonce, secret), (1, c)))


def _proven(proof: bytes, one: bytes, public: bytes, other: bytes, value: bytes, context: bytes) -> bool:
    try:
        c, s = group.scalar(proof[:32]), group.scalar(proof[32:])
        made = group.commitment(one, s, public, c), group.commitment(other, s, value, c)
        return group.hash_to_scalar("pvss", context, one, public, other, value, *made) == c
    except Forged:
        return False


def deal(t: int, keys: Sequence[bytes], context: bytes = b"") -> tuple[bytes, PublicDealing]:
    """Deal a fresh secret to the holders of these keys (33 bytes each), t of whom are needed.

    The proofs hold for this `context` only, which all who verify must give again.

    Returns:
        The secret [p(0)]G (33 bytes), and what everybody sees.

    Raises:
        ValueError: not 1 ≤ t ≤ the number of keys.
        Forged: a key is no point.
    """
    if not 1 <= t <= len(keys):
        raise ValueError(f"t={t} of n={len(keys)} holders: it must be 1 <= t <= n")
    coefficients = group.random_scalars(t)
    commitments = tuple(group.multiply(g, each) for each in coefficients)
    values = shamir.evaluate(coefficients, range(1, len(keys) + 1))
    sealed = tuple(group.multiply(key, value) for key, value in zip(keys, values, strict=True))
    proofs = tuple(
        _prove(value, g, group.multiply(g, value), key, share, context)
        for key, value, share in zip(keys, values, sealed, strict=True)
    )
    return group.base(coefficients[0]), PublicDealing(commitments, sealed, proofs)


def faults(dealing: PublicDealing, keys: Sequence[bytes], context: bytes = b"") -> tuple[int, ...]:
    """Return the holders (from 1) whose sealed shares do not fit. Raise Forged if their number is not that of keys."""
    if not (len(dealing.sealed) == len(dealing.proofs) == len(keys)) or not dealing.commitments:
        raise Forged(f"{len(dealing.sealed)} shares with {len(dealing.proofs)} proofs for {len(keys)} keys")
    return tuple(
        index
        for index, (key, share, proof) in enumerate(zip(keys, dealing.sealed, dealing.proofs, strict=True), 1)
        if not _fits(dealing, index, key, share, proof, context)
    )


def _fits(dealing: PublicDealing, index: int, key: bytes, share: bytes, proof: bytes, context: bytes) -> bool:
    try:
        return _proven(proof, g, group.horner(dealing.commitments, index), key, share, context)
    except Forged:
        return False


@honest_only("a holder's half: each scheme has a typed rule of its own, with its kind of key")
def open_share(dealing: PublicDealing, index: int, secret: int, context: bytes = b"") -> OpenedShare:
    """Return holder `index`'s share, by its secret scalar. Raise Forged if it has none, or that is no point."""
    if not 1 <= index <= len(dealing.sealed):
        raise Forged(f"there is no share for holder {index} of {len(dealing.sealed)}")
    sealed, inverse = dealing.sealed[index - 1], group.inverses([secret])[0]
    group.tell("p256-inverse", (secret,), (inverse,))
    value = group.multiply(sealed, inverse)
    return OpenedShare(index, value, _prove(secret, group.GENERATOR, group.base(secret), value, sealed, context))


def is_opened(sealed: bytes, key: bytes, share: OpenedShare, context: bytes = b"") -> bool:
    """Return whether an opened share is proven to be what is sealed to this key."""
    return _proven(share.proof, group.GENERATOR, key, share.value, sealed, context)


def share_fits(dealing: PublicDealing, keys: Sequence[bytes], share: OpenedShare, context: bytes = b"") -> bool:
    """Return whether an opened share is proven to be that of its holder."""
    if not 1 <= share.index <= min(len(keys), len(dealing.sealed)):
        return False
    return is_opened(dealing.sealed[share.index - 1], keys[share.index - 1], share, context)


def combine(dealing: PublicDealing, keys: Sequence[bytes], shares: Sequence[OpenedShare]) -> bytes:
    """Return the secret (33 bytes), from any t shares that fit. Raise Blamed, naming the others, if fewer fit."""
    chosen: dict[int, bytes] = {}
    wrong = []
    for share in shares:
        if not share_fits(dealing, keys, share):
            wrong.append(Blame(share.index, "its proof does not hold"))
        elif len(chosen) < len(dealing.commitments):
            chosen.setdefault(share.index, share.value)
    if len(chosen) < (t := len(dealing.commitments)):
        raise Blamed(f"{len(chosen)} of the {t} that are needed", wrong)
    return whole(chosen)


def whole(chosen: Mapping[int, bytes]) -> bytes:
    """Return the secret (33 bytes) from t shares that fit, by their holders' numbers."""
    return group.multi(chosen.values(), group.lagrange(tuple(chosen)))
