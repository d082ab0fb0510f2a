"""A proof against a new play of its scenario: was every given fact taken where the proof says?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from attacks.lab.adversary.view import Reader
from attacks.lab.evidence.case import Case
from attacks.lab.evidence.folder import CELL, FACTS, SCENARIO, STATEMENT, STEPS, Dossier, one_line
from attacks.lab.evidence.provenance import checks_made, packets
from attacks.lab.results.types import Cell
from escrow import __version__
from escrow.codec import Fact
from escrow.errors import Malformed


def replayed(dossier: Dossier, case: Case, values: Sequence[Fact]) -> str:
    """Return in a few words what the new play confirms.

    Raise Malformed, naming the file that does not agree with it.
    """
    if dossier.statement.version != __version__:
        raise Malformed(f"{STATEMENT}: only version {dossier.statement.version!a} can play it again, not {__version__}")
    _check_cell(dossier, _cell(case))
    _check_sets(dossier, case)
    if not case.applies:
        return "the cell is the same"
    _find_given(dossier, case, values)
    _find_seized(dossier, case, values)
    asked = _find_answers(dossier, case, values)
    again = ", every answer given again" if asked else ""
    found = f"every fact found where it was taken{again}, and " if dossier.facts else ""
    return f"{found}the sets and the cell are the same"


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


def _find_given(dossier: Dossier, case: Case, values: Sequence[Fact]) -> None:
    """Check the facts that the network told, and those that nobody held."""
    first = packets(case.analysis, case.attacks)
    for line, (given, value) in enumerate(zip(dossier.facts, values, strict=False), 1):
        if given.packet is not None and first.get(value) != given.packet:
            raise Malformed(f"{FACTS}, line {line}: packet {given.packet} is not the first that contains it")
        if value not in case.analysis.closure.ids:
            raise Malformed(f"{FACTS}, line {line}: the play does not have it")


def _find_seized(dossier: Dossier, case: Case, values: Sequence[Fact]) -> None:
    """Check the facts from seized states; each state of the coalition is read once, on the evenings named."""
    record, reader = case.analysis.record, Reader(case.scheme, *case.attacks)
    sought: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, given in enumerate(dossier.facts):
        if given.holder is not None and given.evening is not None:
            sought[given.holder, given.evening].append(number)
    for (holder, evening), numbers in sought.items():
        # the coalition was compared with what the attack takes, so that there is such a state
        state, kind = record.states[holder][evening], record.kinds[holder][evening]
        held = {each.fact for each in reader.states({holder: (state,)}, {holder: (kind,)})}
        for number in numbers:
            if values[number] not in held:
                raise Malformed(f"{FACTS}, line {number + 1}: the state of {holder} on evening {evening} lacks it")


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
