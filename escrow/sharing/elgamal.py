"""Threshold ElGamal on P-256: n agents hold a key in shares; t of them open a capsule without ever meeting.

  deal         x = f(0);  agent i gets x_i = f(i), everybody Y_i = [x_i]G, from Feldman's commitments
  encapsulate  R = [r]G, and the sender's copy of the shared point [r][x]G
  partial      D_i = [x_i]R, with a proof that log_R D_i = log_G Y_i
  combine      [x]R = Σ λ_i D_i  over any t proven partials

Plain ElGamal: R is bound to nothing, so a party that may ask for partials on R + [ρ]G opens R. A scheme must bind R to
its context.
Source: Desmedt, Frankel, "Threshold cryptosystems", CRYPTO '89; proofs: Chaum, Pedersen, CRYPTO '92.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from escrow.codec import Fact, Public
from escrow.derivation import Guard, derivation, honest_only, threshold
from escrow.errors import Forged
from escrow.primitives import group as p256
from escrow.sharing import feldman
from escrow.sharing.named_group import NamedGroup
from escrow.sharing.parts import UNFIT, UNPROVEN, choose, is_proven, mark_proven, share_key, whole_key, whole_point


class EscrowGroup(NamedGroup, frozen=True):
    """The agents that hold a key in shares; commitments and key have 33 bytes."""

    def share_key(self, index: int) -> bytes:
        """Return Y_i = [x_i]G (33 bytes). Raise Forged if there is no such agent."""
        return share_key(self, index)


class KeyShare(Fact, frozen=True, dict=True):
    """One agent's share x_i of a group's key (scalar, 32 bytes)."""

    group: Public
    index: int
    raw: bytes

    @cached_property
    def public(self) -> bytes:
        """The agent's public share key Y_i = [x_i]G, 33 bytes."""
        return p256.base(p256.scalar(self.raw))


class EscrowKey(Fact, frozen=True):
    """A group's whole key x (scalar, 32 bytes): it exists only after t agents pooled their shares."""

    group: Public
    raw: bytes


class Capsule(Fact, frozen=True):
    """R = [r]G (33 bytes), towards one group."""

    group: Public
    point: Public


class Opened(Fact, frozen=True):
    """The shared point [x]R of a capsule (33 bytes): secret, the input of a key derivation."""

    group: Public
    point: Public
    value: bytes


class Partial(Fact, frozen=True, dict=True):
    """Agent i's part D_i = [x_i]R (33 bytes; t of them give the shared point) and its proof (64 bytes)."""

    group: Public
    point: Public
    index: int
    value: bytes
    proof: Public


def escrow_group(n: int, commitments: tuple[bytes, ...]) -> EscrowGroup:
    """Return the group of `n` agents under t commitments. Raise ValueError unless 1 ≤ t ≤ n."""
    return EscrowGroup.under(n, commitments)


def deal(t: int, n: int) -> tuple[EscrowGroup, tuple[KeyShare, ...]]:
    """Deal a fresh key to `n` agents, t of whom are needed; the dealer is trusted to forget it.

    Returns:
        The group, and the shares of agents 1 … n.

    Raises:
        ValueError: not 1 ≤ t ≤ n.
    """
    shares, commitments = feldman.deal(p256.random_scalar(), t, n)
    made = escrow_group(n, commitments)
    return made, tuple(KeyShare(made.name, i, p256.scalar_bytes(share)) for i, share in enumerate(shares, 1))


@honest_only("its randomness is the sender's; an adversary's own capsules open nobody's")
def encapsulate(to: EscrowGroup) -> tuple[Capsule, bytes, bytes]:
    """Draw a capsule towards a group.

    Returns:
        R = [r]G as a capsule, the scalar r (32 bytes), the shared point [r][x]G (33 bytes).

    Raises:
        Forged: the group's key is no point.
    """
    r = p256.random_scalar()
    return Capsule(to.name, p256.base(r)), p256.scalar_bytes(r), p256.multiply(to.key, r)


@derivation("key.group = capsule.group")
def decapsulate(key: EscrowKey, capsule: Capsule) -> Opened:
    """Return the shared point, by the whole key. Raise Forged if the capsule is another group's or no point."""
    if key.group != capsule.group:
        raise Forged("a capsule of another group")
    return Opened(capsule.group, capsule.point, p256.multiply(capsule.point, p256.scalar(key.raw)))


@derivation("share.group = capsule.group")
def partial(share: KeyShare, capsule: Capsule) -> Partial:
    """Return one agent's part: the same bytes for each request.

    Raise Forged if the capsule is another group's or no point.
    """
    if share.group != capsule.group:
        raise Forged("a capsule of another group")
    secret = p256.scalar(share.raw)
    value = p256.multiply(capsule.point, secret)
    proof = p256.dleq_prove(secret, share.public, capsule.point, value, share.group)
    part = Partial(share.group, capsule.point, share.index, value, proof)
    mark_proven(part, share.public)
    return part


def share_fits(of: EscrowGroup, share: KeyShare) -> bool:
    """Return whether a share is the one to which the dealer committed (Feldman's check)."""
    try:
        return share.group == of.name and share.public == of.share_key(share.index)
    except Forged:
        return False


def _partial_fits(of: EscrowGroup, part: Partial) -> bool:
    if part.group != of.name:
        return False
    try:
        key = of.share_key(part.index)
    except Forged:
        return False
    return is_proven(part, key, lambda: p256.dleq_verify(key, part.point, part.value, part.proof, of.name))


@threshold("group.name = shares.group", t="group.t", member="shares.index", by="group", verify=share_fits)
def combine_shares(group: Guard[EscrowGroup], shares: tuple[KeyShare, ...]) -> EscrowKey:
    """Return the whole key, from any t shares with distinct indexes that fit the commitments.

    Shares that do not fit are skipped, so the result is the key to which the dealer committed.

    Raises:
        Blamed: fewer than t shares fit; it names the agents whose shares do not.
    """
    chosen = choose(group.t, shares, lambda share: "" if share_fits(group, share) else UNFIT)
    return EscrowKey(group.name, whole_key(chosen))


@threshold("group.name = partials.group", t="group.t", member="partials.index", by="group, point", verify=_partial_fits)
def combine_partials(group: Guard[EscrowGroup], partials: tuple[Partial, ...]) -> Opened:
    """Return the shared point, from any t proven partials of one capsule with distinct indexes.

    Partials that do not fit are skipped; `culprits` returns their indexes.

    Raises:
        Forged: the partials are not of exactly one capsule.
        Blamed: fewer than t fit; it names the agents whose partials do not.
    """
    points = {part.point for part in partials}
    if len(points) != 1:
        raise Forged("partials of no capsule, or of several")
    chosen = choose(group.t, partials, lambda part: "" if _partial_fits(group, part) else UNPROVEN)
    return Opened(group.name, points.pop(), whole_point(chosen))


def culprits(group: EscrowGroup, partials: Iterable[Partial]) -> list[int]:
    """Return the indexes of partials that do not fit. Each is its sender's fault if the senders were authenticated."""
    return sorted({part.index for part in partials if not _partial_fits(group, part)})
