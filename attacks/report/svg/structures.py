"""A measured access structure as a tree of gates: who can open texts, which of them are needed together, how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from attacks.lab.adversary.coalitions import natural
from attacks.lab.adversary.formula import Together, read
from attacks.lab.adversary.labelling.labels import BYTES, MATHEMATICS, WITHOUT
from attacks.lab.results.details import unpacked
from attacks.lab.results.formulas import AccessFormula
from attacks.lab.results.types import Anatomy, Minimal
from attacks.report.page import counted, join
from attacks.report.passes import ALONE, periods_of

FEW = 6  # names under a gate that are drawn one by one; more stand as one


class Honest(NamedTuple):
    """Officials who are not robbed, and answer because their checks are met."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        """Return them in words."""
        return f"{join(self.names, 'officials')} {'answers' if len(self.names) == 1 else 'answer'}"


class Junction(NamedTuple):
    """What gives a text: all of these, or as many as the label says. A string is a name, or some as one."""

    label: str
    of: tuple[Needed, ...]


Needed = str | Honest | Junction


class Way(NamedTuple):
    """One way to open `opens` texts: who is needed, under which heading it stands, and what must be said of it.

    `lawful`: all of these texts are covered by a warrant, and no user's device
    is needed.
    """

    heading: str
    who: Needed
    opens: int
    note: str = ""
    lawful: bool = False

    @property
    def said(self) -> str:
        """Return this way in words."""
        return f"{in_words(self.who)}{f' ({self.note})' if self.note else ''} opens {self.opens}"


def in_words(who: Needed) -> str:
    """Return who is needed: "court and 2 of 3 of agent-1, agent-2, agent-3"."""
    if not isinstance(who, Junction):
        return str(who)
    parts = [in_words(each) for each in who.of]
    return f" {who.label} ".join(parts) if who.label in ("and", "or") else f"{who.label} of {', '.join(parts)}"


def ways(anatomy: Anatomy) -> tuple[Way, ...]:
    """Return every way to open texts, by pass; those that take an attack last, and of them the best of each party."""
    covered = frozenset[int]()
    if anatomy.texts:
        covered = covered.union(*map(unpacked, anatomy.texts.covered))
    passive = [way for row in anatomy.structure for way in _of_formula(anatomy, row, covered)]
    best: dict[tuple[str, ...], Minimal] = {}
    for each in sorted(anatomy.minimal_coalitions, key=lambda each: (-each.opens, each.meddle)):
        if each.mode == "active" and each.opens:
            best.setdefault(tuple(sorted({member.partition("@")[0] for member in each.members}, key=natural)), each)
    return (*passive, *(_of_attack(who, each) for who, each in best.items()))


def _of_formula(anatomy: Anatomy, row: AccessFormula, covered: frozenset[int]) -> Iterator[Way]:
    check = row.label_pass.removeprefix(WITHOUT) if row.label_pass.startswith(WITHOUT) else ""
    heading = "If a check of officials is left out" if check else ALONE.get(row.label_pass, row.label_pass)
    notes = [f"left out: {check}"] if check else []
    if stretches := periods_of(anatomy, row):
        notes.append(f"all within one of {len(stretches)} stretches of evenings")
    lawful = row.officials_only and bool(row.coalitions)
    lawful = lawful and all(unpacked(each.texts) <= covered for each in row.coalitions)
    try:
        needed: list[Needed] = list(_gates(read(row.formula)))
    except ValueError:  # of a file that this project did not write
        needed = [row.formula]
    for who in needed:
        if row.label_pass not in (MATHEMATICS, BYTES):
            who = _answered(who, _services(anatomy, row.label_pass, who))
        yield Way(heading, who, row.opens, "; ".join(notes), lawful)


def _answered(who: Needed, services: tuple[str, ...]) -> Junction:
    """Return who is needed together with the officials who answer."""
    if isinstance(who, Junction) and who.label == "and":
        return Junction("and", (*who.of, Honest(services)))
    return Junction("and", (who, Honest(services)))


def _services(anatomy: Anatomy, label_pass: str, who: Needed) -> tuple[str, ...]:
    """Return the officials who answer the coalitions of a pass that have none but these names."""
    alike = (
        each
        for each in anatomy.minimal_coalitions
        if each.mode == "passive" and each.label_pass == label_pass
        if {member.partition("@")[0] for member in each.members} <= set(_names(who))
    )
    return tuple(sorted({name for each in alike for name in each.services}, key=natural))


def _names(who: Needed) -> Iterator[str]:
    if isinstance(who, str):
        yield who
    elif isinstance(who, Junction):
        for each in who.of:
            yield from _names(each)


def _of_attack(names: tuple[str, ...], found: Minimal) -> Way:
    times = sum(alarm.times for alarm in found.alarms)
    noticed = counted(times, "alarm") if times else "no alarm"
    who = names[0] if len(names) == 1 else Junction("and", names if len(names) <= 3 else _first(names))
    return Way("By an attack in which they cheat", who, found.opens, f"{found.meddle}; {noticed}")


def _gates(parts: Iterable[Together]) -> Iterator[Needed]:
    """Yield who is needed in each part of a formula; names each of which suffices are one gate."""
    found = [_gate(part) for part in sorted(parts, key=lambda part: (len(part.names), sorted(part.names, key=natural)))]
    alone = [each for each in found if isinstance(each, str)]
    if len(alone) > 1:
        yield Junction("or", _few(alone))
    yield from (each for each in found if len(alone) < 2 or not isinstance(each, str))


def _gate(part: Together) -> Needed:
    wide = [
        Junction(f"{each.t} of {len(each.of)}", _few(sorted(each.of, key=natural)))
        for each in sorted(part.thresholds, key=lambda each: sorted(each.of))
    ]
    needed: tuple[Needed, ...] = (*sorted(part.names, key=natural), *wide)
    if not needed:
        return "nobody but the network"
    return needed[0] if len(needed) == 1 else Junction("and", needed)


def _few(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names) if len(names) <= FEW else _first(names)


def _first(names: Sequence[str]) -> tuple[str, str]:
    return names[0], f"{len(names) - 1} others"
