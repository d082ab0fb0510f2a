"""A proof against a new play of its scenario: was every given fact taken where the proof says?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial

import msgspec

from attacks.lab.adversary.timing.evenings import on_evening
from attacks.lab.adversary.view import Reader
from attacks.lab.evidence.case import Case
from attacks.lab.evidence.folder import CELL, FACTS, SCENARIO, STATEMENT, STEPS, Dossier, one_line
from attacks.lab.evidence.provenance import checks_made, packets
from attacks.lab.results.types import Cell
from escrow import __version__
from escrow.codec import Fact
from escrow.errors import Malformed


def replayed(dossier: Dossier, case: Case, values: Sequence[Fact]) -> tuple[int, str]:
    """Return how many facts and answers remain unchecked, and in a few words what the new play confirms.

    Raise Malformed, naming the file that does not agree with it.
    """
    if dossier.statement.version != __version__:
        raise Malformed(f"{STATEMENT}: only version {dossier.statement.version!a} can play it again, not {__version__}")
    _check_cell(dossier, _cell(case))
    _check_sets(dossier, case)
    if not case.applies:
        return 0, "the sets and the cell are the same"
    if case.scheme.seedable:  # of another package: none of the project's draws past the door
        unchecked = len(list(_lost(dossier, case, values))) + len([step for step in dossier.steps if step.answer])
        why = f"{unchecked} facts and answers are unchecked, since bytes differ between plays: {case.scheme.seedable}"
        return unchecked, f"the sets and the cell are the same; {why}"
    if lost := next(_lost(dossier, case, values), ""):
        raise Malformed(lost)
    asked = _find_answers(dossier, case, values)
    again = ", every answer given again" if asked else ""
    found = f"every fact found where it was taken{again}, and " if dossier.facts else ""
    return 0, f"{found}the sets and the cell are the same"


def _cell(case: Case) -> Cell:
    try:
        return case.cell
    except Exception as error:  # parameters and scenario come from the folder, and perhaps cannot be played
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise Malformed(f"{SCENARIO}: it cannot be played: {reason}") from error


def _check_cell(dossier: Dossier, again: Cell) -> None:
    if again != dossier.cell:
        one, other = msgspec.structs.asdict(dossier.cell), msgspec.structs.asdict(again)
        different = ", ".join(name for name in one if one[name] != other[name])
        raise Malformed(f"{CELL}: the replay gives another {different}")


def _check_sets(dossier: Dossier, case: Case) -> None:
    statement = dossier.statement
    opened = tuple(case.opened_by(statement.coalition)) if case.applies else ()
    for name, numbers in (("opened", opened), ("reached", case.reached), ("excluded", case.excluded)):
        if getattr(statement, name) != numbers:
            raise Malformed(f"{STATEMENT}: the replay gives other texts as {name}: {len(numbers)}")


def _lost(dossier: Dossier, case: Case, values: Sequence[Fact]) -> Iterator[str]:
    """Yield each given fact that is not where the proof takes it: the line, and why."""
    first = packets(case.analysis, case.attacks)
    held = cache(partial(_held, case))
    for line, (given, value) in enumerate(zip(dossier.facts, values, strict=False), 1):
        where = f"{FACTS}, line {line}"
        if given.packet is not None and first.get(value) != given.packet:
            yield f"{where}: packet {given.packet} is not the first that contains it"
        elif given.holder is not None and value not in held(given.holder, given.evening):
            yield f"{where}: the state of {given.holder} {on_evening(given.evening or 0)} lacks it"
        elif value not in case.analysis.closure.ids:
            yield f"{where}: the play does not have it"


def _held(case: Case, holder: str, evening: int | None) -> frozenset[Fact]:
    """Return the facts in a state; the attack was found to take it, so that there is one."""
    record = case.analysis.record
    taken = record.taken(holder, record.scenario.days - 1 if evening is None else evening)
    states, kinds = tuple(state for state, _ in taken), tuple(kind for _, kind in taken)
    read = Reader(case.scheme, *case.attacks).states({holder: states}, {holder: kinds})
    return frozenset(each.fact for each in read)


def _find_answers(dossier: Dossier, case: Case, values: Sequence[Fact]) -> int:
    """Return the number of answers, after a check that the officials named give each of them in this play."""
    closure, found = case.analysis.closure, 0
    begin = len(closure.edges) - len(closure.edges.services)
    given = {
        (edge.kind.name, edge.premises, conclusion): (edge.kind.holders, checks_made(case.analysis, edge))
        for number, edge in enumerate(closure.edges.services, begin)
        if not edge.kind.failed
        for conclusion in closure.edges.gives(number)
    }
    for at, step in enumerate(dossier.steps):
        if (answer := step.answer) is not None:
            shown = tuple(closure.ids.get(values[each], -1) for each in step.premises)
            concluded = closure.ids.get(values[len(dossier.facts) + at], -1)
            if given.get((step.rule, shown, concluded)) != (answer.by, answer.checks):
                raise Malformed(f"{STEPS}, line {at + 1}: {', '.join(answer.by)!a} would not answer that")
            found += 1
    return found
