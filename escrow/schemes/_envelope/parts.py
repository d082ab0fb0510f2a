"""A secret for n agencies of whom t are needed: its shares, each sealed to one agency, with one ephemeral key for all.

  secret    K drawn, K_1 … K_n its shares (t=1: K itself), commitments H(j, K_j)
  parts     e, HPKE.Seal(pk_j, K_j; info = everything else here, b), b what K is for
  open      agency j gets K_j, if it is the one that the sender committed to;  any t of them give K

No public value tells K by a relation that a quantum computer inverts: the commitments are hashes.
Source: RFC 9180, base mode; one ephemeral key for several recipients, Kurosawa, "Multi-recipient public-key encryption
with shortened ciphertext", PKC 2002; Shamir, CACM 1979. The commitments are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec

from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.crypto import new_private, sha256
from escrow.derivation import Guard, honest_only, threshold
from escrow.errors import Forged
from escrow.primitives import group, hpke
from escrow.sharing import shamir
from escrow.sharing.parts import UNFIT, choose

SECRET, SHORT = 32, 32
_SHARE = b"escrow-lab share of an envelope's secret"


def short(key: bytes) -> bytes:
    """Return the short form of a public key: 32 bytes as they stand, or the SHA-256 of a longer one."""
    return key if len(key) == SHORT else sha256(key)


class AgencyParts(Fact, frozen=True, dict=True):
    """A secret for agencies, `t` of whom are needed: `sealed` are the parts, without the ephemeral key.

    `agencies` are their X25519 keys, or the hashes of their X-Wing keys (32 bytes each).
    `bound` (32 bytes) says what the secret is for. There is a commitment (32 bytes) to each share, one if they are all
    the same.
    """

    unchecked = {
        "sealed": "an agency reads its own part; the wrap that all shares open is bound to every part",
    }

    agencies: tuple[Public, ...]
    t: int
    bound: Public
    ephemeral: Public
    sealed: tuple[Public, ...]
    commitments: tuple[Public, ...]

    @cached_property
    def name(self) -> bytes:
        """The name of the secret, 32 bytes: the hash of everything here."""
        return sha256(codec.encode(self))

    def info(self) -> bytes:
        """Return HPKE's info, which all parts share."""
        return codec.encode((self.agencies, self.t, self.bound, self.ephemeral, self.commitments))


class AgencyShare(Fact, frozen=True):
    """An agency's share (32 bytes) of a secret: t of them give it."""

    name: Public
    index: int
    value: bytes


class AgencySecret(Fact, frozen=True):
    """The secret (32 bytes) under which the keys of one message, or of a sender's epoch, are wrapped."""

    name: Public
    value: bytes


def is_committed(parts: AgencyParts, index: int, value: bytes) -> bool:
    """Return whether a share is the one to which the sender committed."""
    at = index - 1 if parts.t > 1 else 0
    in_range = 1 <= index <= len(parts.sealed) and at < len(parts.commitments)
    return in_range and parts.commitments[at] == _commitment(at, value)


def _commitment(at: int, value: bytes) -> bytes:
    return sha256(_SHARE, at.to_bytes(2, "big"), value)


def share_of(parts: AgencyParts, number: int, suite: hpke.Suite, key: hpke.Key) -> bytes:
    """Return the share of agency `number`. Raise Forged, saying why, if there is no part, or it is wrong."""
    if not 1 <= number <= len(parts.sealed) == len(parts.agencies):
        raise Forged(f"no part for agency {number}: {len(parts.sealed)} parts for {len(parts.agencies)} agencies")
    # A part travels without the ephemeral X25519 key, which ends the KEM's output: alone, or after ML-KEM's ciphertext.
    part, at = parts.sealed[number - 1], suite.kem.size - len(parts.ephemeral)
    value = suite.open(key, part[:at] + parts.ephemeral + part[at:], parts.info())
    if not is_committed(parts, number, value):
        raise Forged(f"the share in the part for agency {number} is not the one that its sender committed to")
    return value


def share_fits(parts: AgencyParts, share: AgencyShare) -> bool:
    """Return whether a share is the one to which the sender committed."""
    return is_committed(parts, share.index, share.value)


@threshold("parts.name = shares.name", t="parts.t", member="shares.index", by="name", verify=share_fits)
def combine_agency_shares(parts: Guard[AgencyParts], shares: tuple[AgencyShare, ...]) -> AgencySecret:
    """Return the secret, from any t shares that fit. Raise Blamed, naming the agencies whose shares do not."""
    chosen = choose(parts.t, shares, lambda share: "" if share_fits(parts, share) else UNFIT)
    if parts.t == 1:
        return AgencySecret(parts.name, next(iter(chosen.values())).value)
    scalars = {index: group.scalar(share.value) for index, share in chosen.items()}
    return AgencySecret(parts.name, group.scalar_bytes(shamir.combine(scalars)))


@honest_only("the sender draws the secret, and knows the message keys anyway")
def new_secret(suite: hpke.Suite, t: int, keys: Sequence[bytes], bound: bytes) -> tuple[AgencyParts, AgencySecret]:
    """Draw a secret and seal its shares to agencies. Raise Forged if a key is not valid.

    Args:
        suite: HPKE with the agencies' KEM.
        t: the number of agencies that are needed.
        keys: their public keys, in the order of their numbers.
        bound: what the secret is for (32 bytes).
    """
    ephemeral, n = new_private(), len(keys)
    secret = crypto.random_bytes(SECRET) if t == 1 else group.scalar_bytes(group.random_scalar())
    shares = [secret] * n if t == 1 else [*map(group.scalar_bytes, shamir.split(group.scalar(secret), t, n))]
    commitments = tuple(_commitment(at, share) for at, share in enumerate(shares if t > 1 else shares[:1]))
    begun = AgencyParts(tuple(map(short, keys)), t, bound, ephemeral.public, (), commitments)
    sealed = tuple(suite.seal_each(keys, shares, begun.info(), ephemeral))
    parts = msgspec.structs.replace(begun, sealed=sealed)
    return parts, AgencySecret(parts.name, secret)
