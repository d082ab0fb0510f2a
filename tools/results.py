"""Keeps results of the default matrix in results/, and writes the pages that are drawn from them.

python -m tools.results                    write docs/debate.md, docs/history.md and its picture from results/
python -m tools.results --check            compare, write nothing; exit 1 if a page differs
python -m tools.results --add MATRIX.json  keep a result of `escrow-lab matrix --format json` first
--date YYYY-MM-DD                          the day that names it (today)
--matrix FILE                              with --check: the pages have the figures of this result, too

A kept matrix has no lists of texts and no derivations, and no field that has its default: 130 KB, and a file of the
same schema. Beside it stand the experiments that docs/debate.md quotes.
"""

from __future__ import annotations

import argparse
import datetime
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from attacks.lab.comparison import files
from attacks.lab.results.rows import is_detail
from attacks.lab.results.types import Matrix
from attacks.lab.runs import experiment
from attacks.lab.runs.experiment import Reproduction
from attacks.lab.simulation.attack import Column
from attacks.report.debate import bearing
from attacks.report.debate.draw import draw_debate
from attacks.report.debate.sentences import exchange
from attacks.report.matrices import summary
from attacks.report.matrices.summary import SummaryFigure
from attacks.report.page import MarkdownPage
from attacks.report.svg.history import Measured, history
from tools import entries

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "results"
LEFT_OUT = ("key", "digest")

DEBATE = """# The debate, and what a run says to it

Written by `python -m tools.results` from the result of {date}: the sentences are those of
`attacks/report/debate/sentences.toml`, the figures are computed. `escrow-lab debate --smoke` plays a small scenario
and prints the same with its figures.

A sentence in quotation marks is the source's own; behind it stands whether the text was read. What was not read is
paraphrased. Beside each stand the figures that bear on it, with the attacks that they come from; a proponent and a
critic should both be able to sign them. Nothing is graded, and each entry says what its figures do not show. Numbers
are of one scenario, not of the world.

"""
HISTORY = """# Results over time

Written by `python -m tools.results` from `results/`, one folder for each result that was kept. A row is a scheme, a
column a day; the figures are those of README's table. `escrow-lab report results/{date}/matrix.json` draws a result,
and `escrow-lab compare` two of them. A scheme from outside is proposed with an issue (the form *A scheme*).

![Every figure of every scheme, a bar for each day](history.svg)

A bar is a day, the newest on the right with its figure: full height is all texts, or all that warrants cover.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or compare them. Return the exit code."""
    asked = _arguments(arguments)
    if asked.add is not None:
        keep(_matrix(asked.add), KEPT / asked.date)
    measured = _matrix(asked.matrix) if asked.matrix else None
    source = f"what {asked.matrix} has" if asked.matrix else "results/"
    wrong = []
    for name, text in pages(measured).items():
        page = ROOT / "docs" / name
        if not asked.check:
            page.write_text(text, encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != text:
            wrong.append(f"docs/{name} differs from {source}; run python -m tools.results --add MATRIX.json")
    print("".join(f"{each}\n" for each in wrong), end="")
    return 1 if wrong else 0


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--add", type=Path)
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--matrix", type=Path)
    return parser.parse_args(arguments)


# --- what is kept ---


def kept() -> list[Path]:
    """Return the folders of kept results, the newest last."""
    return sorted(path.parent for path in KEPT.glob("*/matrix.json"))


def keep(matrix: Matrix, folder: Path) -> None:
    """Write a result and the experiments that the debate quotes into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "matrix.json").write_bytes(_written(slim(matrix)))
    found = experiment.experiments()
    chosen = [found[name] for name in bearing.needed_experiments(exchange())]
    played = experiment.reproduce(chosen, matrix.manifest.scenario.seed, False, lambda done, of, what: None)
    (folder / "reproduction.json").write_bytes(_written(msgspec.to_builtins(played)))


def slim(value: Any) -> Any:
    """Return a result as plain data, without what has its default and without the details of cells."""
    if isinstance(value, msgspec.Struct):
        held = ((field, getattr(value, field.name)) for field in msgspec.structs.fields(type(value)))
        return {
            field.encode_name: slim(each)
            for field, each in held
            if field.name == "schema" or not (_is_left_out(field) or each is UNSET or each == field.default)
        }
    if isinstance(value, tuple | list):
        return [slim(each) for each in value]
    return {key: slim(each) for key, each in value.items()} if isinstance(value, dict) else value


def _is_left_out(field: msgspec.structs.FieldInfo) -> bool:
    return field.name in LEFT_OUT or is_detail(field.type)


def _written(data: dict[str, Any]) -> bytes:
    """Return JSON with one line for each cell, or each other entry."""
    lines = []
    for key, value in data.items():
        rows = ",\n".join(msgspec.json.encode(each).decode() for each in value) if isinstance(value, list) else ""
        lines.append(f'"{key}": ' + (f"[\n{rows}\n]" if rows else msgspec.json.encode(value).decode()))
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _matrix(file: Path) -> Matrix:
    found = files.read(file)
    if not isinstance(found, Matrix):
        raise SystemExit(f"{file} is no matrix")
    return found


# --- the pages ---


def pages(measured: Matrix | None = None) -> dict[str, str]:
    """Return every page, by its name, with the newest kept result or what was `measured` in its place."""
    runs = {folder.name: _matrix(folder / "matrix.json") for folder in kept()}
    newest = kept()[-1]
    runs[newest.name] = measured or runs[newest.name]
    played = files.read(newest / "reproduction.json")
    assert isinstance(played, Reproduction)
    stream = io.StringIO()
    page = MarkdownPage(stream)
    draw_debate(page, bearing.debate(exchange(), runs[newest.name], played))
    page.close()
    return {
        "debate.md": DEBATE.format(date=newest.name) + stream.getvalue().replace("\n### ", "\n## "),
        "history.svg": _picture(runs),
        "history.md": HISTORY.format(date=newest.name) + "".join(_tables(runs)),
    }


def _tables(runs: dict[str, Matrix]) -> Iterator[str]:
    """Yield one table for each question: a row for each scheme, a column for each kept result."""
    for column, attacks in entries.columns():
        yield f"\n## {column.title}\n\n| | {' | '.join(runs)} |\n| --- |{' --- |' * len(runs)}\n"
        for scheme in _schemes(runs):
            yield f"| {scheme} | {' | '.join(str(_figure(run, scheme, column, attacks)) for run in runs.values())} |\n"


def _picture(runs: dict[str, Matrix]) -> str:
    """Return every figure as a bar of its share."""
    columns = entries.columns()
    rows = {
        scheme: [[_measured(run, scheme, *each) for run in runs.values()] for each in columns]
        for scheme in _schemes(runs)
    }
    return history(list(runs), [column.title for column, _ in columns], rows)


def _schemes(runs: dict[str, Matrix]) -> list[str]:
    return list(dict.fromkeys(name for run in runs.values() for name in run.manifest.schemes))


def _measured(run: Matrix, scheme: str, column: Column, attacks: list[str]) -> Measured:
    found = _figure(run, scheme, column, attacks)
    whole = max((getattr(cell, column.of) for cell in run.cells if cell.scheme == scheme), default=0)
    return Measured(str(found), None if found.most is None or not whole else found.most / whole)


def _figure(run: Matrix, scheme: str, column: Column, attacks: list[str]) -> SummaryFigure:
    return summary.figure(column, [cell for cell in run.cells if cell.scheme == scheme and cell.attack in attacks])


if __name__ == "__main__":
    raise SystemExit(main())
