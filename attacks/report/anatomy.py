"""The measured access structure as text: one section for each pass, the officials' coalitions first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from attacks.lab.results import Anatomy, ByDay, Minimal
from attacks.report.matrix import alarm, described
from attacks.report.page import DIM, Page, join

HISTORY = "Message history kept on a device's screen is not counted."
SHOWN = 25  # coalitions of users' devices that a section lists; officials' are all listed


def draw_anatomy(page: Page, anatomy: Anatomy) -> None:
    """Every minimal coalition and what it opens, by the evening of the seizure."""
    page.line(HISTORY)
    page.line(described(anatomy.manifest.scenario))
    page.line("By evening of the seizure: texts opened that were sent by then + later.")
    sections: dict[tuple[str, str], list[Minimal]] = {}
    for each in anatomy.minimal_coalitions:
        sections.setdefault((each.mode, each.label_pass), []).append(each)
    for (mode, name), found in sections.items():
        page.gap()
        page.heading(f"{anatomy.scheme}, {mode}, {name}")
        _draw_section(page, anatomy.sent, found)
    if not sections:
        page.gap()
        page.line(f"{anatomy.scheme}: no coalition opens any of the {anatomy.sent} texts")


def _draw_section(page: Page, sent: int, found: Sequence[Minimal]) -> None:
    officials = [each for each in found if each.officials_only]
    others = [each for each in found if not each.officials_only]
    if not officials:
        page.line("officials: no coalition of them opens anything", indent=2)
    for each in _by_yield(officials):
        _draw_coalition(page, sent, each)
    if others:
        page.line("with users' devices:", DIM, indent=2)
    for each in _by_yield(others)[:SHOWN]:
        _draw_coalition(page, sent, each)
    if hidden := _by_yield(others)[SHOWN:]:
        most = hidden[0].opens
        page.line(f"and {len(hidden)} more, which open at most {most} texts each (--format json lists them)", indent=2)


def _by_yield(coalitions: Iterable[Minimal]) -> list[Minimal]:
    return sorted(coalitions, key=lambda each: (-each.opens, len(each.members), each.members))


def _draw_coalition(page: Page, sent: int, found: Minimal) -> None:
    page.line(f"{_who(found)}: opens {found.opens} of {sent}", indent=2)
    if days := by_day(found.by_day):
        page.line(f"evening {days}", DIM, indent=4)
    if found.meddle:
        page.line(f"by {found.meddle}", indent=4)
    if found.services:
        page.line(f"through {join(found.services)}", indent=4)
    for raised in found.alarms:
        page.line(f"alarm, {alarm(raised)}", indent=4)


def _who(found: Minimal) -> str:
    members = list(found.members)
    if found.threshold is not None:
        members.append(f"any {found.threshold.t} of {len(found.threshold.of)} ({shortened(found.threshold.of)})")
    return " + ".join(members) or "nobody but the network"


def shortened(names: Sequence[str]) -> str:
    """The first and the last of many."""
    return ", ".join(names) if len(names) <= 4 else f"{names[0]}, {names[1]} … {names[-1]}"


def by_day(days: Mapping[str, ByDay]) -> str:
    """The yield of each evening, runs of equal ones drawn together: `0-2: 3+4, 3: 5+1`."""
    evenings = sorted((int(day), found.earlier, found.later) for day, found in days.items())
    runs = [list(run) for _, run in groupby(enumerate(evenings), lambda each: (each[1][0] - each[0], each[1][1:]))]
    return ", ".join(f"{_span(run[0][1][0], run[-1][1][0])}: {run[0][1][1]}+{run[0][1][2]}" for run in runs)


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
