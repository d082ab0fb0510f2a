"""The measured access structure as text: one section for each pass, the officials' coalitions first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.labels import BYTES, MATHEMATICS, SERVED, WITHOUT
from attacks.lab.adversary.timing.evenings import as_text, from_text
from attacks.lab.results.types import Anatomy, ByDay, Identities, Minimal, Secrets
from attacks.report.access import by_kind
from attacks.report.matrix import by_check, described
from attacks.report.page import DIM, Page, counted, join

HISTORY = "message history kept on a device's screen is not counted"
SHOWN = 25  # coalitions of users' devices that a section lists; officials' are all listed
# a pass that is told as what it adds to another; those without a check add to SERVED
BASIS = {SERVED: MATHEMATICS, BYTES: MATHEMATICS}


class Section(NamedTuple):
    """Return the coalitions of one pass, without those that its basis opens the same with."""

    label_pass: str
    title: str
    found: tuple[Minimal, ...]
    basis: str
    same: int


def sections(anatomy: Anatomy) -> Iterator[Section]:
    """Yield the passes, in the result's order."""
    passes: dict[tuple[str, str], list[Minimal]] = {}
    for each in anatomy.minimal_coalitions:
        passes.setdefault((each.mode, each.label_pass), []).append(each)
    for (mode, name), found in passes.items():
        basis = (SERVED if name.startswith(WITHOUT) else BASIS.get(name, "")) if mode == "passive" else ""
        known = {_yield(each) for each in passes.get((mode, basis), ())}
        new = tuple(each for each in found if _yield(each) not in known)
        title = f"active, by attack, {name}" if mode == "active" else f"passive, {name}"
        yield Section(name if mode == "passive" else "", title, new, basis, len(found) - len(new))


def _yield(found: Minimal) -> tuple[object, ...]:
    return found.members, found.periods, found.threshold, found.opens, tuple(sorted(found.by_day.items()))


def draw_anatomy(page: Page, anatomy: Anatomy) -> None:
    """Draw every minimal coalition and what it opens, by the evening of the seizure."""
    page.line(HISTORY)
    page.line(described(anatomy.manifest.scenario))
    page.line("By evening of the seizure: texts opened that were sent by then + later.")
    if said := by_kind(anatomy.access):
        page.line(f"The lawful access reads {said}.")
    for section in sections(anatomy):
        page.gap()
        page.heading(f"{anatomy.scheme}, {section.title}")
        _draw_section(page, anatomy.sent, section)
        _draw_naming(page, anatomy.identities, section)
    if not anatomy.minimal_coalitions:
        page.gap()
        page.line(f"{anatomy.scheme}: no coalition opens any of the {anatomy.sent} texts")
    for refusal in anatomy.refusals:
        page.line(f"what is served is not known: {refusal}")
    if anatomy.identities is not None:
        page.gap()
        _draw_secrets(page, anatomy, anatomy.identities)
    if (told := anatomy.named) is not None and told.targets:
        page.gap()
        page.heading(f"{anatomy.scheme}, who reads that a target is under a warrant")
        page.line(f"the network: of {told.network} of {counted(told.targets, 'target')}", indent=2)
        others = f", {counted(told.users_told, 'user')} told" if told.users_told else ""
        page.line(f"clients of other users: of {told.clients}{others}", indent=2)
        page.line("traffic analysis is not counted", DIM, indent=2)


def _draw_section(page: Page, sent: int, section: Section) -> None:
    officials = _by_yield(each for each in section.found if each.officials_only)
    others = _by_yield(each for each in section.found if not each.officials_only)
    if section.basis:
        same = counted(section.same, "coalition")
        page.line(f"{same} as under {section.basis}" + ", and:" * bool(section.found), indent=2)
    elif not officials:
        page.line("officials: no coalition of them opens anything", indent=2)
    for each in officials:
        _draw_coalition(page, sent, each)
    if others:
        page.line("with users' devices:", DIM, indent=2)
    for each in others[:SHOWN]:
        _draw_coalition(page, sent, each)
    if hidden := others[SHOWN:]:
        most = counted(hidden[0].opens, "text")
        page.line(f"and {len(hidden)} more, each opening at most {most} (--format json lists them)", indent=2)


def _draw_naming(page: Page, identities: Identities | None, section: Section) -> None:
    """Draw who learns, in a pass, who sent the messages."""
    if identities is None or not section.label_pass:
        return
    found, known = (_named(identities, name) for name in (section.label_pass, section.basis))
    if found == known:
        page.line(f"senders: named as under {section.basis}", indent=2)
        return
    for names in sorted({names for _, names, _ in found}, reverse=True):
        who = [" + ".join(members) for members, each, _ in found if each == names]
        page.line(f"names the sender of {names} of {identities.fields} fields: any of {{{join(who)}}}", indent=2)
    blind = [" + ".join(_on(each, nothing) for each in members) for members, _, nothing in found if nothing]
    if blind:
        page.line(f"and opens no text: {join(blind)}", DIM, indent=4)


def _named(identities: Identities, label_pass: str) -> list[tuple[tuple[str, ...], int, tuple[int, ...]]]:
    of_pass = (each for each in identities.coalitions if each.label_pass == label_pass)
    return [(each.members, each.names, each.opens_nothing) for each in of_pass]


def _on(member: str, evenings: Sequence[int]) -> str:
    """Return a seizure restricted to some of its evenings, as text."""
    return str(Seizure(member.partition("@")[0], tuple(evenings)))


def _draw_secrets(page: Page, anatomy: Anatomy, identities: Identities) -> None:
    """Draw what each kind of secret gives by itself."""
    if identities.unmeasured:
        page.line(f"{anatomy.scheme}, who names senders: not measured, since {identities.unmeasured}")
        return
    page.heading(f"{anatomy.scheme}, what secrets give by themselves, whoever holds them and whenever")
    for each in identities.secrets:
        counts = Counter(each.kinds)
        kinds = " + ".join(f"{count} {kind}" if count > 1 else kind for kind, count in counts.items())
        page.line(f"{kinds}: {_given(anatomy.sent, identities.fields, each)}", indent=2)


def _given(sent: int, fields: int, found: Secrets) -> str:
    ways = f"{found.sets} ways: " * (found.sets > 1)
    if not found.most:
        return f"{ways}names the sender of {found.names} of {fields} fields, opens no text"
    span = str(found.most) if found.least == found.most else f"{found.least} to {found.most}"
    together = f"; together {found.opens}" * (found.sets > 1)
    return (
        f"{ways}opens {span} of {sent}, the first by day {found.first_day},"
        f" the last on day {found.last_day} or later{together}"
    )


def _by_yield(coalitions: Iterable[Minimal]) -> list[Minimal]:
    return sorted(coalitions, key=lambda each: (-each.opens, len(each.members), each.members))


def _draw_coalition(page: Page, sent: int, found: Minimal) -> None:
    by = f" by {found.meddle}" if found.meddle else ""
    by += f", {found.strategy}" if found.strategy else ""
    page.line(f"{_who(found)}{by}: opens {found.opens} of {sent}", indent=2)
    if found.periods:
        page.line(f"all within one of these: evening {'; '.join(found.periods)}", indent=4)
    if days := by_day(found.by_day):
        page.line(f"evening {days}", DIM, indent=4)
    if found.services:
        page.line(f"answered by {shortened(found.services)}", DIM, indent=4)
    for complaint in by_check(found.alarms):
        page.line(f"alarm: {complaint}", indent=4)


def _who(found: Minimal) -> str:
    members = list(found.members)
    if found.threshold is not None:
        members.append(f"any {found.threshold.t} of {len(found.threshold.of)} ({shortened(found.threshold.of)})")
    return " + ".join(members) or "nobody but the network"


def shortened(names: Sequence[str]) -> str:
    """Return the first and the last of many names; numbers count, so agent-2 is before agent-10."""
    ordered = sorted(names, key=lambda name: [(len(part), part) for part in re.split(r"(\d+)", name)])
    return join(ordered) if len(ordered) <= 4 else f"{ordered[0]}, {ordered[1]} … {ordered[-1]}"


def by_day(days: Mapping[str, ByDay]) -> str:
    """Return the texts opened by evening, equal evenings joined: `0-2: 3+4, 3: 5+1`."""
    evenings = sorted((*from_text(day), found.earlier, found.later) for day, found in days.items())
    runs = [list(run) for _, run in groupby(enumerate(evenings), lambda each: (each[1][0] - each[0], each[1][1:]))]
    return ", ".join(f"{_span(run[0][1][0], run[-1][1][0])}: {run[0][1][1]}+{run[0][1][2]}" for run in runs)


def _span(first: int, last: int) -> str:
    return as_text(tuple(range(first, last + 1)))
