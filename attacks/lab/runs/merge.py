"""Makes the result of a run from its lines, in one file or several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import UNSET

from attacks.lab.results.details import texts_of
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.runs.journal import (
    FIRST,
    CellId,
    CellLine,
    Contents,
    ControlLine,
    JournalHeader,
    JournalLine,
    difference,
    said,
)
from attacks.lab.verdict.judging.procedure import decided
from escrow.errors import Malformed

NOT_RUN = "it was not run"


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
    """Return what a line says."""
    return (line.key, line.cell if isinstance(line, CellLine) else line.failure)


def missing(header: JournalHeader, lines: Iterable[JournalLine]) -> list[CellId]:
    """Return the cells and controls of a run that no line holds; who applies to no scheme needs no controls."""
    lines = list(lines)
    there = {line.cell_id for line in lines}
    foreign = {line.cell_id for line in lines if isinstance(line, CellLine) and line.cell.verdict == "NOT_APPLICABLE"}
    idle = {
        ("", attack) for attack in header.manifest.attacks if foreign >= {(s, attack) for s in header.manifest.schemes}
    }
    return [cell_id for cell_id in header.cell_ids if cell_id not in there | idle]


def judged(header: JournalHeader, lines: Iterable[JournalLine]) -> Matrix:
    """Return the result. A cell is INCONCLUSIVE if its controls failed or did not run.

    Rules that were idle in its own play, in the scheme's exercise plays and in its controls weaken what was not opened.
    """
    lines = list(lines)
    cells = {line.cell_id: line for line in lines if isinstance(line, CellLine)}
    controls = {line.attack: line for line in lines if isinstance(line, ControlLine)}
    first = header.schema == FIRST
    return Matrix(
        schema="escrow-lab/matrix/1" if first else "escrow-lab/matrix/2",
        manifest=header.manifest,
        texts=UNSET if first else texts_of(header.manifest.scenario),
        cells=tuple(
            _conclusive(cells[scheme, attack], controls.get(attack))
            if (scheme, attack) in cells
            else Cell(scheme=scheme, attack=attack, verdict="ERROR", reason=NOT_RUN)
            for scheme in header.manifest.schemes
            for attack in header.manifest.attacks
        ),
    )


def _conclusive(line: CellLine, control: ControlLine | None) -> Cell:
    unplayed = line.cell.verdict == "INCONCLUSIVE" and not line.cell.grounds.basis
    if line.cell.verdict == "NOT_APPLICABLE" or unplayed:
        return line.cell
    if control is None:
        return decided(line.cell, untested=f"the controls of {line.cell.attack} were not run")
    untested = f"a control of {control.attack} failed: {control.failure}" if control.failure else ""
    idle = [rule for rule in line.idle if rule not in control.fired]
    if not (untested or idle):
        return line.cell
    return decided(line.cell, untested=untested, doubts=(f"never exercised: {', '.join(idle)}",) if idle else ())
