"""Silence sets as text: for each way in, which checks must be left out on whose devices, and what keeping one does."""

from __future__ import annotations

from attacks.lab.results.silences import KeptCheck, LeftOut, Silences, SilentWay
from attacks.report.matrices.matrix import described
from attacks.report.page import DIM, Page, counted, join

NOBODY = "nothing need be left out"
NEVER = "noticed, or kept from these texts, whatever checks are left out"


def draw_silences(page: Page, silences: Silences) -> None:
    """Draw the silence sets of a scheme, a section for each way in."""
    page.heading(f"{silences.scheme}: what must lie for a ghost of {silences.target} to go unnoticed")
    page.line(described(silences.manifest.scenario))
    for way in silences.ways:
        page.gap()
        page.heading(f"{way.adds}, with {join(list(way.corrupted))} corrupted")
        page.line(f"{counted(way.count, 'text')} ({'; '.join(way.texts)})", indent=2, hang=4)
        _draw_sets(page, way)
    page.gap()
    page.line("Whoever leaves checks out of clients controls their vendor, or the device.", DIM)


def _draw_sets(page: Page, way: SilentWay) -> None:
    if not way.sets:
        page.line(NEVER, indent=2, hang=4)
    for each in way.sets:
        page.line(f"silent without: {', '.join(map(said, each.off)) or NOBODY}", indent=2, hang=4)
        for kept in each.kept:
            page.line(f"with {said(kept.lie)}: {_outcome(kept, way.count)}", indent=4, hang=6)


def said(lie: LeftOut) -> str:
    """Return a check that is left out, and on whose devices, in words."""
    return f"{lie.check} ({lie.on})"


def _outcome(kept: KeptCheck, of: int) -> str:
    alarms = counted(len(kept.alarms), "alarm") if kept.alarms else "no alarm"
    return f"{alarms}; the ghost reads {kept.reads} of {of}"
