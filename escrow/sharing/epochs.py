"""A key held in shares: at every epoch there are new shares, and the key stays the same.

  sharing   A_0 … A_{t−1}:  h = A_0 = [x]G,  h_i = Σ [i^k]A_k
  share     x_i = F(i), deg F = t − 1, of one epoch
  pool      x = Σ λ_i x_i  over any t shares of one epoch;  shares of different epochs give a meaningless value

Source of the epochs: Herzberg, Jarecki, Krawczyk, Yung, "Proactive secret sharing", CRYPTO '95. There, and in other
papers, t members may be corrupted and t + 1 shares are needed; here t shares are needed.
"""

from __future__ import annotations

from functools import cached_property
from typing import Protocol

from escrow.codec import Fact, Public
from escrow.derivation import Guard, threshold
from escrow.errors import Forged
from escrow.primitives import group
from escrow.sharing.parts import UNFIT, choose, share_key, whole_key


class Sharing(Fact, frozen=True):
    """The holders of a key at one epoch: t of n members, under t commitments (33 bytes each), the first the public key.

    Raises ValueError unless 1 ≤ t ≤ n, 0 ≤ epoch, and there are t commitments. Points are checked when they are used.
    """

    epoch: int
    n: int
    commitments: tuple[Public, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.commitments) <= self.n or self.epoch < 0:
            raise ValueError(f"{len(self.commitments)} commitments for {self.n} members at epoch {self.epoch}")

    @property
    def t(self) -> int:
        """The number of shares needed."""
        return len(self.commitments)

    @property
    def key(self) -> bytes:
        """The public key h = [x]G (33 bytes), the same at every epoch."""
        return self.commitments[0]

    def share_key(self, index: int) -> bytes:
        """Return h_i = [x_i]G (33 bytes) of this epoch. Raise Forged if there is no such member."""
        return share_key(self, index)


class EpochShare(Fact, frozen=True, dict=True):
    """Member `index`'s share x_i (scalar, 32 bytes) of a key at one epoch."""

    key: Public
    epoch: int
    index: int
    raw: bytes

    @cached_property
    def public(self) -> bytes:
        """The share key h_i = [x_i]G (33 bytes). Raises Forged if `raw` is no scalar, or 0."""
        return group.base(group.scalar(self.raw))


class WholeKey(Fact, frozen=True):
    """The whole key x (scalar, 32 bytes), the same at every epoch.

    It exists only after t members pooled their shares.
    """

    key: Public
    raw: bytes


class Held(Protocol):
    """A value that belongs to one member at one epoch of one key."""

    @property
    def key(self) -> bytes:
        """The public key, 33 bytes."""

    @property
    def epoch(self) -> int:
        """The epoch, from 0."""

    @property
    def index(self) -> int:
        """The member's index, from 1."""


def misplaced(of: Sharing, member: Held) -> str:
    """Return why a member's part does not belong to this sharing (wrong key, epoch or index), or "" if it does."""
    if member.key != of.key:
        return "it belongs to another key"
    if member.epoch != of.epoch:
        return f"it is of epoch {member.epoch}, not of epoch {of.epoch}"
    return "" if 1 <= member.index <= of.n else f"there is no member {member.index} among {of.n}"


def share_fits(of: Sharing, share: EpochShare) -> bool:
    """Return whether a share fits the commitments of its epoch."""
    try:
        return not misplaced(of, share) and share.public == of.share_key(share.index)
    except Forged:
        return False


@threshold(
    "sharing.key = shares.key, sharing.epoch = shares.epoch",
    t="sharing.t",
    member="shares.index",
    by="key, epoch",
    verify=share_fits,
)
def pool(sharing: Guard[Sharing], shares: tuple[EpochShare, ...]) -> WholeKey:
    """Return the whole key, from any t shares of the sharing's epoch; shares that do not fit are skipped.

    Raises:
        Blamed: fewer than t fit; it names the members whose shares do not.
    """

    def fault(share: EpochShare) -> str:
        return misplaced(sharing, share) or ("" if share_fits(sharing, share) else UNFIT)

    return WholeKey(sharing.key, whole_key(choose(sharing.t, shares, fault)))
