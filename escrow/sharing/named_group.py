"""The holders of a key under a polynomial's commitments, named by their hash: on any curve."""

from __future__ import annotations

from typing import ClassVar, Self

from escrow import crypto
from escrow.codec import Fact, Public


class NamedGroup(Fact, frozen=True):
    """The holders of a key: t of n are needed, under t commitments (encoded points); the first is the public key.

    `name` (32 bytes) is the hash of all other fields, and of LABEL before them; a value with another name cannot be
    made or decoded (ValueError).
    """

    LABEL: ClassVar[tuple[bytes, ...]] = ()

    name: Public
    t: int
    n: int
    commitments: tuple[Public, ...]

    def __post_init__(self) -> None:
        if self.t != len(self.commitments) or not 1 <= self.t <= self.n:
            raise ValueError(f"{self.t} of {self.n} holders with {len(self.commitments)} commitments")
        if self.name != self._hashed(self.t, self.n, self.commitments):
            raise ValueError("a group's name is not the hash of its commitments")

    @property
    def key(self) -> bytes:
        """The public key: a point, encoded."""
        return self.commitments[0]

    @classmethod
    def under(cls, n: int, commitments: tuple[bytes, ...]) -> Self:
        """Return the group of `n` holders under t commitments. Raise ValueError unless 1 ≤ t ≤ n."""
        t = len(commitments)
        return cls(cls._hashed(t, n, commitments), t, n, commitments)

    @classmethod
    def _hashed(cls, t: int, n: int, commitments: tuple[bytes, ...]) -> bytes:
        return crypto.sha256(*cls.LABEL, t.to_bytes(8, "big"), n.to_bytes(8, "big"), *commitments)
