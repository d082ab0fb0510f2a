"""Makes the result of a run from its lines, in one file or several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from attacks.lab.results.errors import NotComparable
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.runs.journal import (
    CellId,
    CellLine,
    Contents,
    ControlLine,
    JournalHeader,
    JournalLine,
    difference,
    said,
)
from escrow.errors import Malformed

NOT_RUN = "it was not run"
UNJUDGED = frozenset({"NOT_APPLICABLE", "ERROR", "TIMEOUT"})  # verdicts that do not depend on the controls


def merged(files: Sequence[tuple[str, Contents]]) -> tuple[JournalHeader, list[JournalLine]]:
    """Return the one run of which these files, each with its name, hold parts.

    Raises:
        NotComparable: the files hold parts of several runs.
        Malformed: two files contradict each other on a cell.
    """
    first, begun = files[0]
    found: dict[CellId, tuple[str, JournalLine]] = {}
    for name, contents in files:
        if why := difference(contents.header, begun.header):
            raise NotComparable(f"{name} and {first} hold different runs: {why}")
        for line in contents.lines:
            other, same = found.setdefault(line.cell_id, (name, line))
            if _found(same) != _found(line):
                raise Malformed(f"{name} and {other} contradict each other on {said(line.cell_id)}; run it again")
    return begun.header, [line for _, contents in files for line in contents.lines]


def _found(line: JournalLine) -> tuple[object, ...]:
    """Return a line without the rules that fired, because a task that was cut in two exercised fewer."""
    return (line.key, line.cell if isinstance(line, CellLine) else line.failure)


def missing(header: JournalHeader, lines: Iterable[JournalLine]) -> list[CellId]:
    """Return the cells and controls of a run that no line holds."""
    there = {line.cell_id for line in lines}
    return [cell_id for cell_id in header.cell_ids if cell_id not in there]


def judged(header: JournalHeader, lines: Iterable[JournalLine]) -> Matrix:
    """Return the result. A cell is INCONCLUSIVE if its controls failed or did not run.

    If a rule fired nowhere, so is HELD or AS CLAIMED: more might have been opened. What was opened stands.
    """
    lines = list(lines)
    cells = {line.cell_id: line.cell for line in lines if isinstance(line, CellLine)}
    broken = dict.fromkeys(header.manifest.attacks, NOT_RUN)
    broken |= {line.attack: line.failure for line in lines if isinstance(line, ControlLine)}
    fired = frozenset[str]().union(*(line.fired for line in lines))
    idle = {scheme: tuple(rule for rule in rules if rule not in fired) for scheme, rules in header.rules.items()}
    return Matrix(
        manifest=header.manifest,
        cells=tuple(
            _conclusive(cells[scheme, attack], broken[attack], idle[scheme])
            if (scheme, attack) in cells
            else Cell(scheme=scheme, attack=attack, verdict="ERROR", reason=NOT_RUN)
            for scheme in header.manifest.schemes
            for attack in header.manifest.attacks
        ),
    )


def _conclusive(cell: Cell, failure: str, idle: Sequence[str]) -> Cell:
    if cell.verdict in UNJUDGED or not (failure or idle):
        return cell
    unsure = f"never exercised: {', '.join(idle)}"
    if not failure and cell.verdict == "BREACH":
        return msgspec.structs.replace(cell, reason=f"{cell.reason}; {unsure}")
    if failure == NOT_RUN:
        why = f"the controls of {cell.attack} were not run"
    else:
        why = f"a control of {cell.attack} failed: {failure}" if failure else unsure
    return msgspec.structs.replace(cell, verdict="INCONCLUSIVE", reason=why)
