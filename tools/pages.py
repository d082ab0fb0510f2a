"""Writes what is generated in the pages: README's table and findings, and the outputs in README.md and CLI.md.

python -m tools.pages            write them all (runs the default matrix, which takes minutes)
python -m tools.pages --check    compare, write nothing, and say what differs; exit 1 if anything does
--matrix FILE                      take table and findings from this result of `escrow-lab matrix --format json`
--only commands|table              one part; `table` is table and findings

Schemes, attacks and experiments stand there if they say `in_pages` (tools.entries). Columns and findings are declared
by the attacks and schemes that they are about.

The JSON Schemas are written by `python -m attacks.report.schemas docs/schemas`.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from operator import attrgetter
from pathlib import Path
from string import Formatter

import msgspec

from attacks import registry
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.simulation.attack import Column
from escrow.registry import schemes
from escrow.scheme import Finding
from tools import entries

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "CLI.md")
REGION = re.compile(r"(<!-- (table|findings) -->\n).*?(<!-- end of \2 -->)", re.S)
BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.S)
CHANGING = re.compile(r"\b\d+(\.\d+)? ?(s|ms|µs)\b|(?<=\w )\d+\.\d+\.\d+\b|^ +\d+\.\d+\.\d+\b")  # times, versions
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")  # of evidence, whose cell's key covers all sources
MASKED = ("bench", "doctor")  # commands that print times or versions
LISTENING = "null-eavesdropper"  # the attack that the sentence below the table is about


def main() -> int:
    arguments = _arguments()
    with ThreadPoolExecutor() as pool:
        new = list(pool.map(lambda page: _regenerated(page, arguments), PAGES))
    wrong = [page.name for page, (old, text) in zip(PAGES, new, strict=True) if text != old]
    for page, (old, text) in zip(PAGES, new, strict=True):
        if arguments.check:
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), text.splitlines(True), page.name, "run"))
        elif text != old:
            page.write_text(text, encoding="utf-8")
    print(f"{'differs' if arguments.check else 'written'}: {', '.join(wrong)}" if wrong else "nothing to change")
    return 1 if wrong and arguments.check else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--matrix", type=Path)
    parser.add_argument("--only", choices=["commands", "table"])
    return parser.parse_args()


def _regenerated(page: Path, arguments: argparse.Namespace) -> tuple[str, str]:
    """A page as it is, and as it should be."""
    old = new = page.read_text(encoding="utf-8")
    if arguments.only != "table":
        with tempfile.TemporaryDirectory() as folder:
            new = BLOCK.sub(rerun(Path(folder)), new)
    if arguments.only != "commands":
        new = REGION.sub(lambda found: found[1] + REGIONS[found[2]](_matrix(arguments.matrix)) + found[3], new)
    return old, new


# --- the outputs of commands ---


def commands(page: Path) -> Iterator[str]:
    """Every command whose output a page prints."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield from (line.removeprefix("$ ") for line in found[2].splitlines() if line.startswith("$ "))


def rerun(folder: Path) -> Callable[[re.Match[str]], str]:
    """Replaces what a block says its commands print by what they print there, one after another."""

    def again(found: re.Match[str]) -> str:
        lines = (line for line in found[2].splitlines() if line.startswith("$ "))
        return found[1] + "".join(f"{line}\n{run(line.removeprefix('$ '), folder)}" for line in lines) + found[3]

    return again


def run(command: str, folder: Path) -> str:
    """What a command prints on both streams, times and digests masked, its exit code below where that is not 0."""
    words = shlex.split(command)
    head = int(words[-1]) if "|" in words else 0  # "| head -n N"
    words = words[: words.index("|")] if head else words
    program = [sys.executable, "-m", "tools.entries", *words[1:]] if words[0] == "escrow-lab" else words
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    lines = [DIGEST.sub("…", line) for line in (done.stdout + done.stderr).splitlines()]
    if words[1] in MASKED:
        lines = [CHANGING.sub("…", line) for line in lines]
    lines = [*lines[:head], "…"] if head else lines
    code = [f"(exit {done.returncode})"] if done.returncode else []
    return "".join(f"{line.rstrip()}\n" for line in (*lines, *code))


# --- README's table and findings ---


@cache
def _matrix(file: Path | None) -> Matrix:
    if file is not None:
        return msgspec.json.decode(file.read_bytes(), type=Matrix)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "matrix.json"
        program = [sys.executable, "-m", "tools.entries", "matrix", "--format", "json", "--no-progress", "-o", str(out)]
        subprocess.run(program, cwd=ROOT, check=True)
        return msgspec.json.decode(out.read_bytes(), type=Matrix)


def columns() -> list[tuple[Column, list[str]]]:
    """Return the columns of README's table, each with the names of the attacks whose cells it shows."""
    found: dict[Column, list[str]] = {}
    for attack in entries.with_place(registry.attacks().values()):
        if (column := entries.declared(attack, "column")) is not None:
            found.setdefault(column, []).append(attack.name)
    return sorted(found.items(), key=lambda each: each[0].place)


def _table(matrix: Matrix) -> str:
    """Draw one row a scheme, one column a question; every number is of texts and comes out of a cell."""
    shown = columns()
    lines = [f"| | {' | '.join(column.title for column, _ in shown)} |", f"| --- |{' --- |' * len(shown)}"]
    cells = _cells(matrix)
    names = [each.name for each in entries.with_place(schemes().values())]
    for scheme in names:
        figures = (_figure(column, [cells[scheme, name] for name in under]) for column, under in shown)
        lines.append(f"| {scheme} | {' | '.join(figures)} |")
    scenario, listening = matrix.manifest.scenario, [cells[scheme, LISTENING] for scheme in names]
    size = f"{listening[0].sent} texts among {len(scenario.users)} users, {scenario.days} days; seed {scenario.seed}"
    return "\n".join(
        [
            *lines,
            "",
            f"Of {size}. Warrants cover {listening[0].entitled}. Whoever only listens, the lawful access included,",
            f"reads {max(each.exposed.total for each in listening)} under every scheme. Written by a run.",
            "",
        ]
    )


class _Cells(dict[tuple[str, str], Cell]):
    """Cells by scheme and attack; a page entry that names one that is not there fails by its name."""

    def __missing__(self, key: tuple[str, str]) -> Cell:
        raise SystemExit(f"README names {' under '.join(key)}, of which the matrix has no cell")


def _cells(matrix: Matrix) -> _Cells:
    return _Cells(((cell.scheme, cell.attack), cell) for cell in matrix.cells)


def _figure(column: Column, cells: Sequence[Cell]) -> str:
    """The largest figure of the attacks that apply, and whose keys gave it where the column says so."""
    most = largest(column, cells)
    if most is None:
        return "–"
    figure = count(column, most)
    return f"{figure} ({most.whose})" if column.by_whom and figure else str(figure)


def largest(column: Column, cells: Sequence[Cell]) -> Cell | None:
    """Return the cell with the largest figure, of those whose attack applies; None if none does."""
    played = (cell for cell in cells if cell.verdict != "NOT_APPLICABLE")
    return max(played, key=lambda cell: count(column, cell), default=None)


def count(column: Column, cell: Cell) -> int:
    """Return the figure of a cell that a column shows."""
    figure = attrgetter(column.figure)(cell)
    assert isinstance(figure, int)
    return figure


def findings() -> list[Finding]:
    """Return the findings that schemes and attacks with a place declare, in the order of their places."""
    declaring = (*entries.with_place(schemes().values()), *entries.with_place(registry.attacks().values()))
    found = [finding for entry in declaring for finding in entries.declared(entry, "findings") or ()]
    return sorted(found, key=lambda finding: (finding.place, finding.attack))


def schemes_of(finding: Finding) -> list[str]:
    """Return the names of the schemes whose cells a finding quotes."""
    fields = (name for _, name, _, _ in Formatter().parse(finding.sentence) if name)
    return list(dict.fromkeys(name.partition(".")[0] for name in fields))


def _findings(matrix: Matrix) -> str:
    """Write each finding with the numbers of its cells, and the command that shows it."""
    cells = _cells(matrix)
    lines = []
    for finding in findings():
        names = schemes_of(finding)
        said = finding.sentence.format(**{name: cells[name, finding.attack] for name in names})
        lines += textwrap.wrap(f"- {said}", 118, subsequent_indent="  ", break_on_hyphens=False)
        lines.append(f"  `escrow-lab run {finding.attack} {' '.join(f'--scheme {name}' for name in names)}`")
    return "".join(f"{line}\n" for line in lines)


REGIONS: dict[str, Callable[[Matrix], str]] = {"table": _table, "findings": _findings}


if __name__ == "__main__":
    raise SystemExit(main())
