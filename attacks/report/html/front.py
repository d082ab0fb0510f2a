"""The front of a page: strips for each scheme, what the runs show, and the questions of the summary as a table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import Formatter

from msgspec import UNSET

from attacks import registry as attack_registry
from attacks.lab.results.details import joined, unpacked
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.simulation.attack import Attack, Column
from attacks.report.html.entries import PageEntries
from attacks.report.html.pictures import Strip
from attacks.report.html.reproducing import scenario_options
from attacks.report.html.words import number, spaced
from attacks.report.matrices import findings, summary
from escrow import registry
from escrow.scheme import Finding, Scheme

STRIPS = 5  # of a scheme on the front
LAW, OTHERS, FALSE = "law", "others", "false"  # who reads the texts that a question counts, or what is wrong with them
LAWFUL, OPENED, UNNOTICED = DRAWN = ("lawful", "exposed.total", "unnoticed.reads")  # figures whose texts are listed
READ = (OPENED, UNNOTICED)  # figures of what somebody else reads
PARTS = re.compile(r"\*\*(?P<strong>.+?)\*\*|`(?P<code>.+?)`|(?P<text>[^*`]+|[*`])")
Cells = dict[tuple[str, str], Cell]
Ids = dict[tuple[str, str], str]


@dataclass(frozen=True)
class QuestionAnswer:
    """A figure of a scheme, the run that it is of, whose keys or how many alarms, and a strip of its texts."""

    shown: str
    run: str
    note: str
    strip: Strip | None
    nothing: bool


@dataclass(frozen=True)
class Question:
    """A question of the summary, what happens to the texts that it counts, and its answers scheme by scheme."""

    title: str
    about: str
    kind: str
    drawn: bool
    answers: tuple[QuestionAnswer, ...]


@dataclass(frozen=True)
class Words:
    """Some words of a sentence, and how they are written."""

    kind: str
    text: str


@dataclass(frozen=True)
class FindingShown:
    """A finding: its sentence, the runs that it quotes, and the command that plays them."""

    parts: tuple[Words, ...]
    runs: tuple[tuple[str, str], ...]
    command: str


def questions_of(matrix: Matrix, entries: PageEntries, ids: Ids) -> tuple[Question, ...]:
    """Return the questions of the summary whose attacks were all played, each with its answers."""
    played, cells = set(matrix.manifest.attacks), {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    found = []
    for column, names in summary.columns(attack_registry.attacks().values()):
        if not played.issuperset(names):
            continue
        answers = tuple(
            _answer(column, [cells[scheme, name] for name in names if (scheme, name) in cells], ids)
            for scheme in entries.scheme_names
        )
        found.append(Question(column.title, column.meaning, _kind(column), column.figure in DRAWN, answers))
    return tuple(found)


def _kind(column: Column) -> str:
    """Return of what kind the texts are that a column counts."""
    return LAW if column.of == "entitled" else OTHERS if column.figure in READ else FALSE


def _answer(column: Column, cells: Sequence[Cell], ids: Ids) -> QuestionAnswer:
    most = summary.largest(column, cells)
    shown = str(summary.figure(column, cells)) if cells else summary.NOT_ASKED
    if most is None:
        return QuestionAnswer(shown, "", "", None, True)
    return QuestionAnswer(
        shown=spaced(shown),
        run=ids.get((most.scheme, most.attack), ""),
        note=_note(column, most),
        strip=_strip(column, most),
        nothing=shown == "0",
    )


def _note(column: Column, cell: Cell) -> str:
    """Return who is robbed, or how often honest parties complain."""
    if column.by_whom and cell.exposed.total:
        return cell.whose
    times = cell.complaints if column.figure == OPENED else 0
    return f"{number(times)} alarm{'s' * (times != 1)}" if times else ""


def _strip(column: Column, cell: Cell) -> Strip | None:
    """Return the texts that a figure counts; None if it counts others, or the file does not list them."""
    if cell.texts is UNSET:
        return None
    if column.figure == LAWFUL:
        return Strip("law", unpacked(joined(cell.texts.lawful)))
    if column.figure == UNNOTICED:
        quiet = cell.unnoticed
        return None if quiet is None or quiet.texts is UNSET else Strip("other", unpacked(quiet.texts.opened))
    return Strip("other", unpacked(cell.texts.opened)) if column.figure == OPENED else None


def strips_of(questions: Sequence[Question]) -> tuple[Question, ...]:
    """Return the questions whose texts the front shows, the law first."""
    return tuple(each for each in questions if each.drawn)[:STRIPS]


# --- what the runs show ---


def findings_of(matrix: Matrix, ids: Ids) -> tuple[FindingShown, ...]:
    """Return the findings that hold in a matrix, each with links to the runs of its cells."""
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    more = scenario_options(matrix.manifest.scenario)
    declaring: list[Scheme | Attack] = [*registry.schemes().values(), *attack_registry.attacks().values()]
    return tuple(
        FindingShown(
            parts=tuple(_parts(finding, cells)),
            runs=tuple(
                (name, ids[name, finding.attack])
                for name in findings.schemes_of(finding)
                if (name, finding.attack) in ids
            ),
            command=shlex.join([*findings.command(finding).split(), *more]),
        )
        for finding in findings.declared(declaring)
        if findings.holds(finding, cells)
    )


def _parts(finding: Finding, cells: Cells) -> Iterator[Words]:
    """Yield the words of a finding: markup is that of the sentence, never of what is put into it."""
    quoted = {name: cells[name, finding.attack] for name in findings.schemes_of(finding)}
    for found in PARTS.finditer(finding.sentence):
        kind = found.lastgroup or "text"
        yield Words(kind, Formatter().vformat(found[kind], (), quoted))
