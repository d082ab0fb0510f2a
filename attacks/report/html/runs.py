"""The section of every cell that was played: its sentence, facts, timeline, derivation and commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import UNSET

from attacks.lab.results.details import Derivation, ScenarioTexts, unpacked
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.verdict.judging.procedure import briefly
from attacks.report.html.entries import PLAIN, PageEntries, PageEntry
from attacks.report.html.heat import CellTally, beyond, tally
from attacks.report.html.pictures import Timeline, timeline
from attacks.report.html.reproducing import commands
from attacks.report.html.sentences import reader, sentence
from attacks.report.matrices import grid
from attacks.report.matrices.matrix import told
from escrow.scheme import Scheme

MORE, MISSES, LESS, OWN, UNKNOWN, ALIKE = (
    "Opens more than plain",
    "The law misses texts, or somebody has them wrong",
    "Opens less than plain",
    "Plain’s own",
    "Not known",
    "As plain, or nothing",
)


@dataclass(frozen=True)
class OpenedText:
    """How one text is opened: its derivation, and what the scenario says of the text; "" where the file does not."""

    derivation: Derivation
    day: str
    conversation: str
    device: str


@dataclass(frozen=True)
class RunSection:
    """One cell with a section of its own. `lacks` are parts that are not in the file."""

    id: str
    scheme: str
    attack: PageEntry
    tally: CellTally
    sentence: str
    facts: tuple[tuple[str, str], ...]
    timeline: Timeline | None
    reader: str
    opened: OpenedText | None
    lacks: tuple[str, ...]
    commands: tuple[str, ...]
    key: str
    verdict: str


@dataclass(frozen=True)
class RunGroup:
    """Runs of one kind, worst first; `folded`: a reader opens them first."""

    title: str
    hint: str
    runs: tuple[RunSection, ...]
    folded: bool


HINTS = {
    MORE: "Worst first. ! marks more than the scheme’s own claim allows.",
    MISSES: "Delivered to their readers, promised to the law, and not read by it; or false in somebody’s hands.",
    OWN: "The yardstick is not zero.",
    ALIKE: "The same as under plain encryption, or nothing at all.",
}


def runs_of(
    matrix: Matrix, entries: PageEntries, ids: dict[tuple[str, str], str], known: dict[str, Scheme]
) -> dict[str, RunSection]:
    """Return the runs of all cells that have an id, by it."""
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    texts = None if matrix.texts is UNSET else matrix.texts
    meetings, devices = len(matrix.manifest.scenario.ceremonies), frozenset(matrix.manifest.scenario.devices)
    found = {}
    for key, id_ in ids.items():
        cell, plain = cells[key], cells.get((PLAIN, key[1]))
        found[id_] = RunSection(
            id=id_,
            scheme=cell.scheme,
            attack=entries.by_name[cell.attack],
            tally=tally(cell, plain),
            sentence=sentence(cell, plain, devices),
            facts=tuple(told(cell, meetings)),
            timeline=None if texts is None else timeline(cell),
            reader=reader(cell, devices),
            opened=_opened(cell, texts),
            lacks=tuple(_lacks(cell, texts)),
            commands=commands(cell, matrix.manifest, known),
            key=cell.digest or cell.key,
            verdict=briefly(cell),
        )
    return found


def _opened(cell: Cell, texts: ScenarioTexts | None) -> OpenedText | None:
    if cell.derivation is UNSET:
        return None
    number = cell.derivation.text
    if texts is None:
        return OpenedText(cell.derivation, "", "", "")
    day = next((str(at) for at, ids in enumerate(texts.days) if number in unpacked(ids)), "")
    return OpenedText(cell.derivation, day, _of(texts.conversations, number), _of(texts.devices, number))


def _of(listed: dict[str, str], number: int) -> str:
    """Return the name under which a text is listed."""
    return next((name for name, ids in listed.items() if number in unpacked(ids)), "")


def _lacks(cell: Cell, texts: ScenarioTexts | None) -> Iterator[str]:
    """Yield the parts of a section that an earlier version did not write."""
    if not (cell.exposed.total or cell.lawful):
        return
    if texts is None or cell.texts is UNSET:
        yield "Which texts are read when"
    if cell.exposed.total and cell.derivation is UNSET:
        yield "How a text is opened"


def sections_of(matrix: Matrix, runs: dict[str, RunSection], ids: dict[tuple[str, str], str]) -> tuple[RunGroup, ...]:
    """Return the runs in sections: what opens more than plain first, and last what is as plain."""
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    found: dict[str, list[tuple[tuple[int, int], RunSection]]] = {}
    for place, (key, id_) in enumerate(ids.items()):
        cell = cells[key]
        kind = _kind(cell, cells.get((PLAIN, key[1])))
        found.setdefault(kind, []).append(((-_weight(cell, cells.get((PLAIN, key[1]))), place), runs[id_]))
    return tuple(
        RunGroup(
            title,
            HINTS.get(title, ""),
            tuple(run for _, run in sorted(found[title], key=lambda each: each[0])),
            title == ALIKE,
        )
        for title in (MORE, MISSES, LESS, OWN, UNKNOWN, ALIKE)
        if title in found
    )


def _kind(cell: Cell, plain: Cell | None) -> str:
    more = beyond(cell, plain)
    if cell.verdict in grid.UNTESTED and not cell.exposed.total:
        return UNKNOWN
    if more > 0:
        return MORE
    if grid.failed(cell) or cell.verdict == "FAILS":
        return MISSES
    if more < 0:
        return LESS
    return OWN if cell.scheme == PLAIN and cell.exposed.total else ALIKE


def _weight(cell: Cell, plain: Cell | None) -> int:
    """Return how bad a cell is among those of its section: breaches, then the number of texts."""
    breach = (cell.verdict == "BREACH") * (cell.sent + 1)
    return breach + abs(beyond(cell, plain)) + grid.failed(cell)
