"""The measured access structure as text: one section for each pass, the officials' coalitions first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

from attacks.lab.adversary.coalitions import Seizure, natural
from attacks.lab.adversary.formula import basis
from attacks.lab.adversary.labelling.labels import MATHEMATICS, WITHOUT
from attacks.lab.adversary.timing.evenings import as_text, from_text
from attacks.lab.adversary.work import in_words
from attacks.lab.results.naming import Identities, Secrets
from attacks.lab.results.types import Anatomy, ByDay, Minimal
from attacks.report.access import by_kind
from attacks.report.matrices.matrix import by_check, described
from attacks.report.page import DIM, Page, counted, join
from attacks.report.passes import ALONE, periods_of

HISTORY = "message history kept on a device's screen is not counted"
SHOWN = 25  # coalitions of users' devices that a section lists; officials' are all listed
PICTURES = ("svg", "dot")  # formats of an access structure that is drawn


class Section(NamedTuple):
    """The coalitions that one pass adds to the pass on which it rests, its `basis`; `same` counts those of both."""

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
        rests_on = basis(name) if mode == "passive" else ""
        known = {_yield(each) for each in passes.get((mode, rests_on), ())}
        new = tuple(each for each in found if _yield(each) not in known)
        title = f"active, by attack, {name}" if mode == "active" else f"passive, {name}"
        yield Section(name if mode == "passive" else "", title, new, rests_on, len(found) - len(new))


def _yield(found: Minimal) -> tuple[object, ...]:
    return found.members, found.periods, found.threshold, found.opens, tuple(sorted(found.by_day.items()))


def draw_anatomy(page: Page, anatomy: Anatomy, evenings: bool = False) -> None:
    """Draw the access structure as formulas; with `evenings`, also what each opens by evening."""
    page.heading(f"{anatomy.scheme}: who opens how many of {counted(anatomy.sent, 'text')}")
    page.line(described(anatomy.manifest.scenario))
    if said := by_kind(anatomy.access):
        page.line(f"The lawful access reads {said}.")
    _draw_structure(page, anatomy)
    _draw_guesses(page, anatomy)
    _draw_active(page, anatomy)
    if evenings or not anatomy.structure:
        page.gap()
        page.line("By evening of the seizure: texts opened that were sent by then + later.")
        for section in sections(anatomy):
            page.gap()
            page.heading(f"{anatomy.scheme}, {section.title}")
            _draw_section(page, anatomy, section)
    if not anatomy.minimal_coalitions:
        page.gap()
        page.line(f"{anatomy.scheme}: no coalition opens any of the {anatomy.sent} texts")
    for refusal in anatomy.refusals:
        page.line(f"what is served is not known: {refusal}")
    if anatomy.identities is not None:
        page.gap()
        _draw_naming(page, anatomy, anatomy.identities)
        _draw_secrets(page, anatomy, anatomy.identities)
    if (told := anatomy.named) is not None and told.targets:
        page.gap()
        page.heading(f"{anatomy.scheme}, how many of {counted(told.targets, 'target')} of warrants others know")
        page.line(f"the network, without traffic analysis: {told.network}", indent=2)
        others = f" ({counted(told.users_told, 'user')} told)" if told.users_told else ""
        page.line(f"clients of other users: {told.clients}{others}", indent=2)
    page.gap()
    page.line(f"{HISTORY}.", DIM)


def pictures(anatomy: Anatomy) -> dict[str, Callable[[], str]]:
    """Return a function for each format of `PICTURES` that draws the access structure."""

    def drawn(form: str) -> str:
        from attacks.report.svg import graphs  # its markup would cost every other command time to load

        return graphs.svg(anatomy) if form == "svg" else graphs.dot(anatomy)

    return {form: partial(drawn, form) for form in PICTURES}


def _draw_structure(page: Page, anatomy: Anatomy) -> None:
    """Draw a line for each number of texts, with the coalitions that open so many; passes without a check together."""
    left_out = False
    for name, rows in groupby(anatomy.structure, lambda each: each.label_pass):
        check = name.removeprefix(WITHOUT) if name.startswith(WITHOUT) else ""
        if not (check and left_out):
            page.gap()
            page.heading("While officials answer, all but one of their checks made" if check else ALONE.get(name, name))
        left_out = bool(check)
        for each in rows:
            periods = periods_of(anatomy, each)
            within = f" (all taken within one of: evening {'; '.join(periods)})" if periods else ""
            without = f" (left out: {check})" if check else ""
            page.line(f"{each.opens:>5}  {each.formula}{without}{within}", hang=7)


def _draw_guesses(page: Page, anatomy: Anatomy) -> None:
    """Draw a line for the coalitions that open texts by guesses: how many, and how many guesses a text takes."""
    if not anatomy.guesses:
        return
    page.gap()
    page.heading("By guesses of short secrets")
    for each in anatomy.guesses:
        while_asked = "" if each.label_pass == MATHEMATICS else f" ({each.label_pass})"
        more = "" if each.within else f", beyond the 2^{anatomy.manifest.scenario.work} that count"
        page.line(f"{each.opens:>5}  {each.formula}{while_asked}: up to {in_words(each.work)} a text{more}", hang=7)


def _draw_active(page: Page, anatomy: Anatomy) -> None:
    """Draw a line for each attack that corrupts a party: who, what they open, and how many alarms there are."""
    active = [each for each in anatomy.minimal_coalitions if each.mode == "active" and each.opens]
    if not active:
        return
    page.gap()
    page.heading("By an attack in which they cheat, in the way that opens most")
    for each in sorted(active, key=lambda each: (-each.opens, each.meddle)):
        who = shortened(list(dict.fromkeys(member.partition("@")[0] for member in each.members)))
        way = f", {each.strategy}" if each.strategy else ""
        times = sum(alarm.times for alarm in each.alarms)
        alarms = counted(times, "alarm") if times else "no alarm"
        page.line(f"{each.opens:>5}  {who}: {each.meddle}{way}; {alarms}", hang=7)


def _draw_section(page: Page, anatomy: Anatomy, section: Section) -> None:
    officials = _by_yield(each for each in section.found if each.officials_only)
    others = _by_yield(each for each in section.found if not each.officials_only)
    if section.basis:
        same = counted(section.same, "coalition")
        page.line(f"{same} as under {section.basis}" + ", and:" * bool(section.found), indent=2)
    elif not officials:
        page.line("officials: no coalition of them opens anything", indent=2)
    for each in officials:
        _draw_coalition(page, anatomy, each)
    if others:
        page.line("with users' devices:", DIM, indent=2)
    for each in others[:SHOWN]:
        _draw_coalition(page, anatomy, each)
    if hidden := others[SHOWN:]:
        most = counted(hidden[0].opens, "text")
        page.line(f"and {len(hidden)} more, each opening at most {most} (--format json lists them)", indent=2)


def _draw_naming(page: Page, anatomy: Anatomy, identities: Identities) -> None:
    """Draw, pass by pass, who learns who sent the messages."""
    if identities.coalitions:
        page.heading(f"{anatomy.scheme}, who learns the sender of how many of {identities.fields} fields")
    for name in dict.fromkeys(each.label_pass for each in identities.coalitions):
        found, known = (_named(identities, each) for each in (name, basis(name)))
        if found == known:
            continue
        page.line(ALONE.get(name, f"Left out: {name.removeprefix(WITHOUT)}"), indent=2)
        for names in sorted({names for _, names, _ in found}, reverse=True):
            who = [", ".join(members) for members, each, _ in found if each == names]
            page.line(f"{names:>5}  {'; '.join(who)}", hang=7)
        if blind := [", ".join(_on(each, nothing) for each in members) for members, _, nothing in found if nothing]:
            page.line(f"and no text: {'; '.join(blind)}", DIM, indent=7)
    if identities.coalitions:
        page.gap()


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


def _has_part(found: Minimal, rows: Iterable[Minimal]) -> bool:
    """Return whether a part of a coalition is a row of its own: then the coalition's count is of the other texts."""
    mine, passes = Counter(found.row[1:]), (MATHEMATICS, found.row[0])
    return any(Counter(each.row[1:]) < mine for each in rows if each.mode == "passive" and each.row[0] in passes)


def _draw_coalition(page: Page, anatomy: Anatomy, found: Minimal) -> None:
    parts = found.mode == "passive" and _has_part(found, anatomy.minimal_coalitions)
    beside = "; what a part of it opens does not count" * parts
    by = f" by {found.meddle}" if found.meddle else ""
    by += f", {found.strategy}" if found.strategy else ""
    page.line(f"{_who(found)}{by}: opens {found.opens} of {anatomy.sent}{beside}", indent=2)
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
    return ", ".join(members) or "nobody but the network"


def shortened(names: Sequence[str]) -> str:
    """Return the first and the last of many names; numbers count, so agent-2 is before agent-10."""
    ordered = sorted(names, key=natural)
    return join(ordered) if len(ordered) <= 4 else f"{ordered[0]}, {ordered[1]} … {ordered[-1]}"


def by_day(days: Mapping[str, ByDay]) -> str:
    """Return the texts opened by evening, equal evenings joined: `0-2: 3+4, 3: 5+1`."""
    evenings = sorted((*from_text(day), found.earlier, found.later) for day, found in days.items())
    runs = [list(run) for _, run in groupby(enumerate(evenings), lambda each: (each[1][0] - each[0], each[1][1:]))]
    return ", ".join(f"{_span(run[0][1][0], run[-1][1][0])}: {run[0][1][1]}+{run[0][1][2]}" for run in runs)


def _span(first: int, last: int) -> str:
    return as_text(tuple(range(first, last + 1)))
