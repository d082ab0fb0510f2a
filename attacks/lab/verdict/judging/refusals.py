"""What it means for a cell that an official refuses every order that was tried."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from attacks.lab.adversary.demands.refusal import Refusal
from attacks.lab.adversary.labelling.labels import WITHOUT
from attacks.lab.verdict.analysis import Analysis

Opened = Callable[[str], int]  # how many texts the corruptions open in a pass


def unexplained(analysis: Analysis, corrupted: Container[str]) -> str:
    """Return why what honest officials serve is not known: "" if no check refuses every order, or each says why.

    Args:
        analysis: the analysis.
        corrupted: principals that keep no promise, so that their checks do not matter.
    """
    found = [each for each in analysis.adversary.refusals if not each.final and each.holder not in corrupted]
    by_check = {(each.service, each.check): each for each in found}  # one for all officials of a kind
    return "; ".join(map(str, by_check.values()))


def final(analysis: Analysis, opened: Opened) -> Iterator[str]:
    """Yield what stands by a check that its author declares final, and how much is opened if it is left out."""
    declared = {each.check: each for each in analysis.adversary.refusals if each.final}
    for check, refusal in declared.items():
        without = opened(WITHOUT + check) if WITHOUT + check in analysis.passes else 0
        yield f"stands by {check!r} ({refusal.final}): without it {without} of {len(analysis.record.sent)} texts"


def sentences(refusals: tuple[Refusal, ...]) -> tuple[str, ...]:
    """Return what each refusal says, for all officials of a kind once."""
    return tuple({(each.service, each.check): str(each) for each in refusals}.values())
