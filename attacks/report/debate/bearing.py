"""The figures of saved or played results that bear on each sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import UNSET

from attacks.lab.results.bounds import Count, Result
from attacks.lab.results.types import Cell, Manifest, Matrix
from attacks.lab.runs.experiment import Reproduction
from attacks.report.debate.sentences import Exchange, FigureAsked, Read

EXCUSES = {
    "OUTSIDE MODEL": "outside the source's model",
    "CONCEDED": "conceded by the source",
    "AS PLAIN": "as in plain",
    "AS CLAIMED": "as the claim grants",
}
INCONCLUSIVE = "inconclusive"
LOST = ("TIMEOUT", "ERROR")


class Value(Result, frozen=True, kw_only=True):
    """A number, and of which scheme it is; "" for an experiment's.

    Where it was asked for, `whose` names the principals, and `excuse` says what the scheme's source says of the play.
    """

    scheme: str
    number: Count | float
    whose: str = ""
    excuse: str = ""


class Bearing(Result, frozen=True, kw_only=True):
    """One figure: what it counts, the attacks or the experiment behind it, and a value for each scheme.

    `missing` is the command that computes it, where the results do not hold it.
    """

    what: str
    source: tuple[str, ...]
    values: tuple[Value, ...] = ()
    missing: str = ""


class DebatedSentence(Result, frozen=True, kw_only=True):
    """One sentence, word for word unless it is `verbatim: false`, and the figures that bear on it."""

    text: str
    author: str
    title: str
    date: str
    where: str
    words: str
    verbatim: bool
    read: Read
    figures: tuple[Bearing, ...]
    silent: str
    not_measured: str


class Debate(Result, frozen=True, kw_only=True):
    """The exchange beside one run; `entitled` of the `sent` texts are covered by warrants."""

    schema: Literal["escrow-lab/debate/1"] = "escrow-lab/debate/1"
    manifest: Manifest | None
    sent: Count
    entitled: Count
    sentences: tuple[DebatedSentence, ...]


def needed_attacks(exchange: Exchange) -> list[str]:
    """Return the names of the attacks whose cells some figure counts."""
    return sorted({attack for asked in exchange.figures.values() for attack in asked.attacks})


def needed_experiments(exchange: Exchange) -> list[str]:
    """Return the names of the experiments of which some figure is."""
    return sorted({asked.experiment for asked in exchange.figures.values() if asked.experiment})


def debate(exchange: Exchange, matrix: Matrix | None, reproduction: Reproduction | None) -> Debate:
    """Return every sentence with the figures of these results."""
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells} if matrix else {}
    schemes = matrix.manifest.schemes if matrix else ()
    found = {
        name: _of_experiment(asked, reproduction) if asked.experiment else _of_cells(asked, schemes, cells)
        for name, asked in exchange.figures.items()
    }
    return Debate(
        manifest=matrix.manifest if matrix else None,
        sent=max((cell.sent for cell in cells.values()), default=0),
        entitled=max((cell.entitled for cell in cells.values()), default=0),
        sentences=tuple(_said(exchange, found)),
    )


def _said(exchange: Exchange, found: Mapping[str, Bearing]) -> Iterator[DebatedSentence]:
    for text, each in exchange.sentences():
        yield DebatedSentence(
            text=text.key,
            author=text.author,
            title=text.title,
            date=text.date,
            where=each.where,
            words=each.words,
            verbatim=not each.paraphrase,
            read=each.read or text.read,
            figures=tuple(found[name] for name in each.figures),
            silent=each.silent,
            not_measured=each.not_measured,
        )


def _of_cells(asked: FigureAsked, schemes: Iterable[str], cells: Mapping[tuple[str, str], Cell]) -> Bearing:
    """Return a figure of cells: for each scheme the most of the attacks that apply to it."""
    values: list[Value] = []
    absent = False
    for scheme in schemes:
        if asked.schemes and scheme not in asked.schemes:
            continue
        found = [cells.get((scheme, attack)) for attack in asked.attacks]
        played = [cell for cell in found if cell is not None and cell.verdict not in LOST]
        absent |= len(played) < len(found)
        applying = [cell for cell in played if cell.verdict != "NOT_APPLICABLE"]
        counts = [(number, cell) for cell in applying if (number := count(cell, asked.count)) is not None]
        absent |= len(counts) < len(applying)
        if counts:
            number, most = max(counts, key=lambda each: each[0])
            whose = most.whose if asked.names and number else ""
            excuse = _excuse(most) if asked.excused and number else ""
            excuse = INCONCLUSIVE if most.verdict == "INCONCLUSIVE" else excuse
            values.append(Value(scheme=scheme, number=number, whose=whose, excuse=excuse))
    if absent or not values:
        only = " ".join(f"--only {attack}" for attack in asked.attacks)
        return Bearing(what=asked.what, source=asked.attacks, missing=f"escrow-lab matrix {only}")
    return Bearing(what=asked.what, source=asked.attacks, values=tuple(values))


def _excuse(cell: Cell) -> str:
    """Return what excuses what a cell opens: the source, or plain encryption; in counts if it is only a part."""
    if whole := EXCUSES.get(cell.verdict):
        return whole
    against = cell.against
    parts = {"OUTSIDE MODEL": against.outside, "CONCEDED": against.conceded, "AS PLAIN": against.as_plain}
    said = [f"{number} {EXCUSES[verdict]}" for verdict, number in parts.items() if number]
    return f"of what is opened, {', '.join(said)}" if said else ""


def count(cell: Cell, fields: str) -> int | None:
    """Return the sum of these fields of a cell ("a.b+c"), or None if an earlier version did not write one of them.

    What did not happen, such as a play that nobody notices, counts as 0.
    """
    total = 0
    for path in fields.split("+"):
        value: object = cell
        for name in path.split("."):
            value = None if value is None else getattr(value, name)
            if value is UNSET:
                return None
        total += value if isinstance(value, int) else 0
    return total


def _of_experiment(asked: FigureAsked, reproduction: Reproduction | None) -> Bearing:
    """Return a figure of an experiment."""
    for each in reproduction.experiments if reproduction else ():
        for figure in each.figures:
            if (each.name, figure.quantity) == (asked.experiment, asked.quantity):
                value = Value(scheme="", number=figure.measured)
                return Bearing(what=asked.what, source=(asked.experiment,), values=(value,))
    return Bearing(what=asked.what, source=(asked.experiment,), missing=f"escrow-lab reproduce {asked.experiment}")
