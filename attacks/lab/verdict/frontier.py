"""What an attack reaches by its strategies: the most that it reads at all, and the most that nobody notices.

A play is noticed if an honest party complains more often by some check than in the play in which nobody is corrupted.
Of two plays the one that reads more texts counts for more; if they read as many, the one that does more harm otherwise;
then the narrower.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
from msgspec import UNSET

from attacks.lab.results.details import UnnoticedTexts
from attacks.lab.results.types import Alarms, Cell, Unnoticed, WorseWord
from attacks.lab.simulation.attack import Attack, Corruption
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.claims import Judge
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.judging.procedure import UNJUDGED, WORST_FIRST, decided
from attacks.lab.verdict.judging.reach import Reach
from attacks.lab.verdict.judging.standing import complaints


@dataclass(frozen=True)
class StrategyResult:
    """One strategy played: what its corruptions open, and what else the play did."""

    attack: Attack
    analysis: Analysis
    corruptions: tuple[Corruption, ...]
    judge: Judge
    found: Reach
    messaging: Messaging
    noticed: bool
    reads: int

    @cached_property
    def harm(self) -> tuple[int, int]:
        """The texts that it opens; and those that the lawful access or a screen has wrong because of it."""
        said = self.messaging
        collected = len(said.evaded) + len(said.overreached) + said.fabricated + len(said.misattributed)
        return self.reads, collected + said.forged + said.duplicated + len(said.framed(self.analysis.scheme))


def noticed(alarms: Iterable[Alarms], honest: Iterable[Alarms]) -> bool:
    """Return whether some party complains more often by some check than in the honest play."""
    return bool(complaints(alarms) - complaints(honest))


def worth_more(narrowest: StrategyResult, widest: StrategyResult) -> bool:
    """Return whether a strategy between the two is played."""
    return narrowest.noticed and narrowest.reads < widest.reads


def most(tried: Sequence[StrategyResult]) -> StrategyResult:
    """Return the play that reads most; of several the narrowest."""
    return max(tried, key=lambda each: each.harm)


def with_frontier(cells: Sequence[Cell], tried: Sequence[StrategyResult], listed: int) -> Cell:
    """Return the cell of the play that reads most, with the other end of the frontier, and the worst of their verdicts.

    Args:
        cells: the cell of each play.
        tried: all plays.
        listed: how many strategies the attack has.
    """
    chosen, quiet = most(tried), [each for each in tried if not each.noticed]
    cell = cells[tried.index(chosen)]
    unnoticed = None
    if quiet:
        best = most(quiet)
        listing = cells[tried.index(best)].texts
        unnoticed = Unnoticed(
            strategy=best.attack.strategy,
            reads=best.reads,
            evaded=len(best.messaging.evaded),
            fabricated=best.messaging.fabricated,
            alarms=best.messaging.alarms,
            texts=UNSET if listing is UNSET else UnnoticedTexts(opened=listing.opened),
        )
    cell = msgspec.structs.replace(
        cell,
        strategy=chosen.attack.strategy,
        strategies=listed,
        played=len(tried),
        unnoticed=unnoticed,
        unkept_least=min(filter(None, (each.unkept for each in cells)), default=0),
    )
    words = [
        WorseWord(strategy=play.attack.strategy, verdict=each.verdict, reason=each.reason)
        for play, each in zip(tried, cells, strict=True)
        if each.verdict not in UNJUDGED and not each.grounds.untested
    ]
    worst = min(words, key=lambda each: WORST_FIRST.index(each.verdict), default=None)
    if worst is None or WORST_FIRST.index(cell.verdict) <= WORST_FIRST.index(worst.verdict):
        return cell
    return decided(msgspec.structs.replace(cell, worse=worst))
