"""Writes what is generated in the pages: README's table and findings, and the outputs of all commands (tools.commands).

The outputs of the notebook are commands, too (tools.notebook).

python -m tools.pages            write them all (runs the default matrix, which takes minutes)
python -m tools.pages --check    compare, write nothing, and say what differs; exit 1 if anything does
--matrix FILE                      take table and findings from this result of `escrow-lab matrix --format json`
--only commands|table              one part; `table` is table and findings
--times                            print the processor seconds of each command

Schemes and attacks stand in README if they say `in_pages` (tools.entries). Columns and findings are declared by the
attacks and schemes that they are about.

The JSON Schemas are written by `python -m attacks.report.schemas docs/schemas`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec

from attacks import registry
from attacks.lab.results.types import Cell, Matrix
from attacks.report.matrices import summary
from attacks.report.matrices.findings import command, declared, holds, said, schemes_of
from escrow.registry import schemes
from escrow.scheme import Finding
from tools import entries, notebook, sensitivity
from tools.commands import PAGES, replay

ROOT = Path(__file__).resolve().parent.parent
REGION = re.compile(r"(<!-- (table|findings) -->\n).*?(<!-- end of \2 -->)", re.S)
LISTENING = "null-eavesdropper"  # the attack that the sentence below the table is about


def main() -> int:
    arguments = _arguments()
    differing, wrong = [], 0
    for page in (*PAGES, notebook.TOUR):
        old = page.read_text(encoding="utf-8")
        new, faults = (_regenerated if page in PAGES else _run_again)(old, arguments)
        wrong += len(faults)
        print("".join(f"{page.name}: {fault}\n" for fault in faults), end="")
        if new == old:
            continue
        differing.append(page.name)
        if arguments.check:
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), page.name, "run"))
        else:
            page.write_text(new, encoding="utf-8")
    print(f"{'differs' if arguments.check else 'written'}: {', '.join(differing) or 'nothing'}")
    return 1 if wrong or (differing and arguments.check) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--matrix", type=Path)
    parser.add_argument("--only", choices=["commands", "table"])
    parser.add_argument("--times", action="store_true")
    return parser.parse_args()


def _regenerated(text: str, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Return a page as it should be, and what is wrong with it that is not written here."""
    faults: list[str] = []
    if arguments.only != "commands":
        text = REGION.sub(lambda found: found[1] + REGIONS[found[2]](_matrix(arguments.matrix)) + found[3], text)
    if arguments.only != "table":
        with tempfile.TemporaryDirectory() as folder:
            found = replay(text, Path(folder))
        text, faults = found.text, found.wrong
        for seconds, command in found.took if arguments.times else ():
            print(f"{seconds:6.2f} s  {command}")
    return text, faults


def _run_again(text: str, arguments: argparse.Namespace) -> tuple[str, list[str]]:
    """Return the notebook with its outputs of now; they are no table."""
    return text if arguments.only == "table" else notebook.text_of(notebook.run(json.loads(text))), []


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


def _table(matrix: Matrix) -> str:
    """Draw one row a question, one column a scheme; every number is of texts and comes out of a cell."""
    shown, cells = entries.columns(), _cells(matrix)
    names = [each.name for each in entries.with_place(schemes().values())]
    lines = [f"||{'|'.join(names)}|", f"|---|{'---|' * len(names)}"]
    for column, found in summary.answers(shown, cells, names):
        lines.append(f"|{summary.title(column, cells.values())}|{'|'.join(map(str, found))}|")
    scenario, listening = matrix.manifest.scenario, [cells[scheme, LISTENING] for scheme in names]
    size = f"{listening[0].sent} texts among {len(scenario.users)} users in {scenario.days} days (seed {scenario.seed})"
    heard = max(each.exposed.total for each in listening)
    said = [
        f"{size}; warrants cover {listening[0].entitled} of them.",
        f"Somebody who only listens, also to the lawful access, reads {heard} under every scheme.",
        *summary.whose(shown, cells, names),
    ]
    return "\n".join(
        [
            *lines,
            "",
            *textwrap.wrap(" ".join(said), 118, break_on_hyphens=False),
            "",
            *sensitivity.ranges(),
            "",
        ]
    )


class _Cells(dict[tuple[str, str], Cell]):
    """Cells by scheme and attack; a page entry that names one that is not there fails by its name."""

    def __missing__(self, key: tuple[str, str]) -> Cell:
        raise SystemExit(f"README names {' under '.join(key)}, of which the matrix has no cell")


def _cells(matrix: Matrix) -> _Cells:
    return _Cells(((cell.scheme, cell.attack), cell) for cell in matrix.cells)


def findings() -> list[Finding]:
    """Return the findings that schemes and attacks with a place declare, in the order of their places."""
    return declared((*entries.with_place(schemes().values()), *entries.with_place(registry.attacks().values())))


def _findings(matrix: Matrix) -> str:
    """Write each finding with the numbers of its cells, and the command that shows it."""
    cells = _cells(matrix)
    lines = []
    for finding in findings():
        lines += textwrap.wrap(f"- {said(finding, cells)}", 118, subsequent_indent="  ", break_on_hyphens=False)
        lines.append(f"  `{command(finding)}`")
    for finding in findings():
        if not holds(finding, cells):
            raise SystemExit(f"a finding about {finding.attack} does not hold: {' and '.join(finding.holds)}")
    return "".join(f"{line}\n" for line in lines)


REGIONS: dict[str, Callable[[Matrix], str]] = {"table": _table, "findings": _findings}


__all__ = ["findings", "main", "schemes_of"]

if __name__ == "__main__":
    raise SystemExit(main())
