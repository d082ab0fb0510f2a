"""Silence sets: which checks must be left out, on whose devices, for a ghost to go unnoticed."""

from __future__ import annotations

from typing import Literal

from attacks.lab.results.bounds import Count, Either, Result, once
from attacks.lab.results.types import Manifest


class LeftOut(Result, frozen=True, kw_only=True):
    """A check that is left out: on all devices of the target, or on those of all other users."""

    check: str
    on: Literal["target", "others"]


class KeptCheck(Result, frozen=True, kw_only=True):
    """The play in which one check of a silence set is kept: the texts that the ghost reads, and the alarms."""

    lie: LeftOut
    reads: Either
    alarms: tuple[str, ...]


class SilenceSet(Result, frozen=True, kw_only=True):
    """Checks without which no alarm is raised while the ghost reads all texts of the row, and no part of which is such.

    `principals` must be corrupted for that: those of the row, and the clients' vendor if any check is left out. `kept`
    has a play for each check: all others left out, this one kept.
    """

    off: tuple[LeftOut, ...]
    principals: tuple[str, ...]
    kept: tuple[KeptCheck, ...]


class SilentWay(Result, frozen=True, kw_only=True):
    """One way in: what is added, by whom, and the silence sets for some of the texts.

    `texts` says which ones, in words, and `count` how many. `sets` is empty if the ghost is noticed whatever checks are
    left out, and has one empty set if nobody need lie. `plays` is how many plays the search took.
    """

    adds: str
    by: tuple[str, ...]
    texts: tuple[str, ...]
    count: Count
    sets: tuple[SilenceSet, ...]
    plays: Count

    def __post_init__(self) -> None:
        """Raise ValueError if a set is not confirmed: each of its checks, made alone, is noticed or costs texts."""
        for each in self.sets:
            if tuple(kept.lie for kept in each.kept) != each.off:
                raise ValueError(f"{self.adds}: not every check of a silence set has a play in which it is made")
            for kept in each.kept:
                if not kept.alarms and isinstance(kept.reads, int) and kept.reads >= self.count:
                    raise ValueError(f"{self.adds}: the ghost is silent though {kept.lie.check} is made")

    @property
    def row(self) -> tuple[object, ...]:
        """What tells this row from all others."""
        return self.adds, self.by, self.texts


class Silences(Result, frozen=True, kw_only=True):
    """The silence sets of one scheme. The vendor of the clients must be corrupted wherever a set is not empty."""

    schema: Literal["escrow-lab/silence/1"] = "escrow-lab/silence/1"
    scheme: str
    target: str
    ways: tuple[SilentWay, ...]
    manifest: Manifest

    def __post_init__(self) -> None:
        """Raise ValueError if a row appears twice."""
        once("the list of ways", [each.row for each in self.ways])
