"""A proof against a new play of its scenario: was every given fact taken where the proof says?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from attacks.lab.adversary.view import Reader
from attacks.lab.evidence.case import Case
from attacks.lab.evidence.folder import CELL, FACTS, SCENARIO, STATEMENT, STEPS, TEXTS, Dossier, one_line
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
    if not case.applies:
        if dossier.facts or dossier.statement.coalition:
            raise Malformed(f"{STATEMENT}: the attack does not apply, but a principal is seized")
        return "the cell is the same"
    _check_coalition(dossier, case)
    if case.scheme.seedable:
        return (
            f"the cell is the same; facts were not looked for, since bytes differ between plays: {case.scheme.seedable}"
        )
    _find_heard(dossier, case, values)
    _find_seized(dossier, case, values)
    asked = _find_answers(dossier, case, values)
    _find_texts(dossier, case)
    again = ", every answer given again" if asked else ""
    found = f"every fact found where it was taken{again}, and " if dossier.facts else ""
    return f"{found}the cell is the same"


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


def _check_coalition(dossier: Dossier, case: Case) -> None:
    statement = dossier.statement
    for each in statement.coalition:
        if not set(each.evenings) <= case.taken.get(each.principal, frozenset()):
            raise Malformed(f"{STATEMENT}: {case.attack.name} does not take {each}")
    opened = case.opened_by(statement.coalition)
    if len(opened) != statement.opened or not {text.id for text in dossier.texts} <= set(opened):
        raise Malformed(f"{STATEMENT}: the coalition opens {len(opened)} texts, or others than those in {TEXTS}")


def _find_heard(dossier: Dossier, case: Case, values: Sequence[Fact]) -> None:
    first = packets(case.analysis, case.attacks)
    for number, given in enumerate(dossier.facts):
        if given.packet is not None and first.get(values[number]) != given.packet:
            raise Malformed(f"{FACTS}, line {number + 1}: packet {given.packet} is not the first that contains it")


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


def _find_texts(dossier: Dossier, case: Case) -> None:
    bodies = {sent.id: sent.body.hex() for sent in case.analysis.record.sent}
    for line, text in enumerate(dossier.texts, 1):
        if bodies.get(text.id) != text.body:
            raise Malformed(f"{TEXTS}, line {line}: text {text.id} is not the one that was sent")
