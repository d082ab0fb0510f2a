"""Silence sets as text: for each way in, which checks must be left out on whose devices, and what keeping one does."""

from __future__ import annotations

from itertools import groupby

from attacks.lab.results.silences import KeptCheck, LeftOut, Silences, SilentWay
from attacks.report.matrices.matrix import described
from attacks.report.page import DIM, Page, counted

NOBODY = "nothing need be left out"
NEVER = "noticed, or kept from these texts, whatever checks are left out"


def draw_silences(page: Page, silences: Silences) -> None:
    """Draw the silence sets of a scheme, a section for each way in."""
    page.heading(f"{silences.scheme}: what must lie for a ghost of {silences.target} to go unnoticed")
    page.line(described(silences.manifest.scenario))
    for (adds, by), ways in groupby(silences.ways, lambda way: (way.adds, way.by)):
        page.gap()
        page.heading(f"{adds}, by {' and '.join(by)}")
        for way in ways:
            page.line(f"{counted(way.count, 'text')} ({'; '.join(way.texts)})", indent=2, hang=2)
            _draw_sets(page, way)
    page.gap()
    page.line("Checks are left out by an update of the clients: their vendor must be corrupted, too.", DIM)


def _draw_sets(page: Page, way: SilentWay) -> None:
    if not way.sets:
        page.line(NEVER, indent=4, hang=2)
    for each in way.sets:
        page.line(f"silent without: {', '.join(map(said, each.off)) or NOBODY}", indent=4, hang=2)
        for kept in each.kept:
            page.line(f"with {said(kept.lie)}: {outcome(kept, way.count)}", indent=6, hang=2)


def said(lie: LeftOut) -> str:
    """Return a check that is left out, and on whose devices, in words."""
    return f"{lie.check} ({lie.on})"


def outcome(kept: KeptCheck, of: int) -> str:
    """Return what happens in the play in which a check is kept, of so many texts, in words."""
    alarms = counted(len(kept.alarms), "alarm") if kept.alarms else "no alarm"
    return f"{alarms}; the ghost reads {kept.reads} of {of}"
