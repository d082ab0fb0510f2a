"""Writes what is generated in the pages: README's table, and the outputs in README.md and CLI.md.

python docs/generate.py            write them all (runs the default matrix: about a minute)
python docs/generate.py --check    compare, write nothing, and say what differs; exit 1 if anything does
--matrix FILE                      take the table from this result of `escrow-lab matrix --format json`
--only commands|table              one part

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
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from attacks.lab.results import Cell, Matrix

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "CLI.md")
TABLE = re.compile(r"(<!-- table -->\n).*?(<!-- end of table -->)", re.S)
BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.S)
CHANGING = re.compile(r"\b\d+(\.\d+)? ?(s|ms|µs)\b|(?<=\w )\d+\.\d+\.\d+\b|^ +\d+\.\d+\.\d+\b")  # times, versions


def main() -> int:
    arguments = _arguments()
    wrong = []
    for page in PAGES:
        old = new = page.read_text(encoding="utf-8")
        if arguments.only != "table":
            with tempfile.TemporaryDirectory() as folder:
                new = BLOCK.sub(_rerun(Path(folder)), new)
        if arguments.only != "commands" and TABLE.search(new):
            new = TABLE.sub(lambda found: found[1] + _table(_matrix(arguments.matrix)) + found[2], new)
        if new != old:
            wrong.append(page.name)
            if arguments.check:
                sys.stdout.writelines(
                    difflib.unified_diff(old.splitlines(True), new.splitlines(True), page.name, "run")
                )
            else:
                page.write_text(new, encoding="utf-8")
    print(f"{'differs' if arguments.check else 'written'}: {', '.join(wrong)}" if wrong else "nothing to change")
    return 1 if wrong and arguments.check else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--matrix", type=Path)
    parser.add_argument("--only", choices=["commands", "table"])
    return parser.parse_args()


# --- the outputs of commands ---


def commands(page: Path) -> Iterator[str]:
    """Every `escrow-lab` command that a page prints."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield from (line.removeprefix("$ ") for line in found[2].splitlines() if line.startswith("$ "))


def _rerun(folder: Path) -> Callable[[re.Match[str]], str]:
    def rerun(found: re.Match[str]) -> str:
        lines = (line for line in found[2].splitlines() if line.startswith("$ "))
        return found[1] + "".join(f"{line}\n{run(line.removeprefix('$ '), folder)}" for line in lines) + found[3]

    return rerun


def run(command: str, folder: Path) -> str:
    """What a command prints on both streams, times masked, its exit code behind it where that is not 0."""
    words = shlex.split(command)
    head = int(words[-1]) if "|" in words else 0  # "| head -n N"
    words = words[: words.index("|")] if head else words
    program = [sys.executable, "-m", "attacks.cli", *words[1:]]
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    lines = (done.stdout + done.stderr).splitlines()
    lines = [*lines[:head], "…"] if head else lines
    code = [f"(exit {done.returncode})"] if done.returncode else []
    return "".join(f"{CHANGING.sub('…', line).rstrip()}\n" for line in (*lines, *code))


# --- README's table ---


def _matrix(file: Path | None) -> Matrix:
    if file is not None:
        return msgspec.json.decode(file.read_bytes(), type=Matrix)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "matrix.json"
        program = [sys.executable, "-m", "attacks.cli", "matrix", "--format", "json", "--no-progress", "-o", str(out)]
        subprocess.run(program, cwd=ROOT, check=True)  # noqa: S603
        return msgspec.json.decode(out.read_bytes(), type=Matrix)


def _table(matrix: Matrix) -> str:
    """One row a question, one column a scheme; every number is of texts and comes out of a cell."""
    schemes = matrix.manifest.schemes
    cells = {(cell.attack, cell.scheme): cell for cell in matrix.cells}
    sent = matrix.cells[0].sent
    rows: list[tuple[str, Callable[[Cell], str]]] = [
        ("null-eavesdropper", lambda cell: f"{cell.lawful} of {cell.entitled}"),
        ("null-eavesdropper", lambda cell: _opened(cell)),
        ("authority-theft", lambda cell: _opened(cell)),
        ("court-key-theft", lambda cell: _opened(cell)),
        ("ghost-insertion", lambda cell: _opened(cell)),
        ("prekey-substitution", lambda cell: _opened(cell)),
        (
            "field-stripping",
            lambda cell: "–" if cell.verdict == "NOT_APPLICABLE" else f"{cell.evaded} of {cell.entitled}",
        ),
    ]
    questions = (
        "texts that the warrants cover, read by the law",
        "read by whoever listens, the lawful access included",
        "read with officials' stolen keys, and whose are enough",
        "read with the court's stolen key",
        "read by an insider at the provider who adds a device",
        "read by a provider that lies about keys",
        "covered by a warrant, and missed, if one target's client cheats",
    )
    lines = ["| | " + " | ".join(schemes) + " |", "| --- |" + " --- |" * len(schemes)]
    for question, (attack, show) in zip(questions, rows, strict=True):
        shown = (show(cells[attack, scheme]) for scheme in schemes)
        lines.append(f"| {question} | " + " | ".join(shown) + " |")
    note = f"{sent} texts among {len(matrix.manifest.scenario.users)} users, {matrix.manifest.scenario.days} days"
    return "\n".join([*lines, "", f"Of {note}; seed {matrix.manifest.scenario.seed}. Written by a run.", ""])


def _opened(cell: Cell) -> str:
    if not cell.exposed.total:
        return "0"
    who = ", ".join(member.split("@")[0] for member in cell.coalition)
    return f"{cell.exposed.total} ({who})"


if __name__ == "__main__":
    raise SystemExit(main())
