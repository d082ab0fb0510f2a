"""A BLS signing key in shares: t of n members sign a name without ever meeting.

  deal      x = f(0);  member i gets x_i = f(i), everybody A_j = [a_j]g in G2 (Feldman's commitments); A_0 is public
  sign      S_i = [x_i]H(name), which fits if e(S_i, g) = e(H(name), Y_i),  Y_i = Σ [i^j]A_j
  combine   S = [x]H(name) = Σ λ_i S_i  over any t of them

A signature does not tell which members made it: any t of them give the same.
Source: Boneh, Lynn and Shacham, ASIACRYPT 2001; Boldyreva, PKC 2003.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from escrow.codec import Fact, Public
from escrow.derivation import Guard, threshold
from escrow.errors import Forged
from escrow.primitives import bls12_381 as bls
from escrow.primitives import ibe
from escrow.sharing.named_group import NamedGroup
from escrow.sharing.parts import UNFIT, choose


class BlsGroup(NamedGroup, frozen=True):
    """The members that hold a key in shares; commitments and key have 96 bytes."""

    LABEL = (b"BLS group",)

    def share_key(self, index: int) -> bytes:
        """Return Y_i = [x_i]g (96 bytes). Raise Forged if there is no such member."""
        if not 1 <= index <= self.n:
            raise Forged(f"there is no member {index} among {self.n}")
        return bls.horner_two(self.commitments, index)


class BlsShare(Fact, frozen=True, dict=True):
    """One member's share x_i of a group's key (scalar, 32 bytes)."""

    group: Public
    index: int
    raw: bytes

    @cached_property
    def public(self) -> bytes:
        """The member's public share key Y_i = [x_i]g, 96 bytes."""
        return bls.base_two(bls.scalar(self.raw))


class BlsKey(Fact, frozen=True):
    """A group's whole key x (scalar, 32 bytes): it exists only after t members pooled their shares."""

    group: Public
    raw: bytes


def deal(t: int, n: int) -> tuple[BlsGroup, tuple[BlsShare, ...]]:
    """Deal a fresh key to `n` members, t of whom are needed; the dealer is trusted to forget it.

    Returns:
        The group, and the shares of members 1 … n.

    Raises:
        ValueError: not 1 ≤ t ≤ n.
    """
    coefficients = bls.random_scalars(t)
    commitments = tuple(map(bls.base_two, coefficients))
    made = BlsGroup.under(n, commitments)
    shares = [sum(each * i**k for k, each in enumerate(coefficients)) for i in range(1, n + 1)]
    return made, tuple(BlsShare(made.name, i, bls.scalar_bytes(share)) for i, share in enumerate(shares, 1))


def share_fits(of: BlsGroup, share: BlsShare) -> bool:
    """Return whether a share is the one to which the dealer committed (Feldman's check)."""
    try:
        return share.group == of.name and share.public == of.share_key(share.index)
    except Forged:
        return False


@threshold("group.name = shares.group", t="group.t", member="shares.index", by="group", verify=share_fits)
def combine_shares(group: Guard[BlsGroup], shares: tuple[BlsShare, ...]) -> BlsKey:
    """Return the whole key, from any t shares with distinct indexes that fit the commitments.

    Raise Blamed if fewer than t fit; it names the others' members.
    """
    chosen = choose(group.t, shares, lambda share: "" if share_fits(group, share) else UNFIT)
    factors = bls.lagrange(tuple(chosen))
    raw = sum(factor * bls.scalar(share.raw) for factor, share in zip(factors, chosen.values(), strict=True))
    return BlsKey(group.name, bls.scalar_bytes(raw))


def signed(raw: bytes, name: bytes) -> bytes:
    """Return the signature (48 bytes) of a name (32 bytes) by a key or share (scalar, 32 bytes)."""
    return bls.multiply_one(ibe.name_point(name), bls.scalar(raw))


def part_fits(of: BlsGroup, index: int, name: bytes, value: bytes) -> bool:
    """Return whether a value (48 bytes) is the signature of a name (32 bytes) by a member's share."""
    try:
        return bls.verifies(of.share_key(index), ibe.name_point(name), value)
    except Forged:
        return False


def whole_signature(parts: Mapping[int, bytes]) -> bytes:
    """Return the group's signature (48 bytes), from t members' signatures of one name."""
    return bls.multi_one(tuple(parts.values()), bls.lagrange(tuple(parts)))
