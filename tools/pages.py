"""Writes what is generated in the pages: README's table and findings, and the outputs in README.md and CLI.md.

python -m tools.pages            write them all (runs the default matrix, which takes minutes)
python -m tools.pages --check    compare, write nothing, and say what differs; exit 1 if anything does
--matrix FILE                      take table and findings from this result of `escrow-lab matrix --format json`
--only commands|table              one part; `table` is table and findings

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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import msgspec

from attacks.lab.results.types import Cell, Matrix

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "CLI.md")
REGION = re.compile(r"(<!-- (table|findings) -->\n).*?(<!-- end of \2 -->)", re.S)
BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.S)
CHANGING = re.compile(r"\b\d+(\.\d+)? ?(s|ms|µs)\b|(?<=\w )\d+\.\d+\.\d+\b|^ +\d+\.\d+\.\d+\b")  # times, versions
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")  # of evidence, whose cell's key covers all sources
MASKED = ("bench", "doctor")  # commands that print times or versions


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
    program = [sys.executable, "-m", "attacks.cli", *words[1:]] if words[0] == "escrow-lab" else words
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
        program = [sys.executable, "-m", "attacks.cli", "matrix", "--format", "json", "--no-progress", "-o", str(out)]
        subprocess.run(program, cwd=ROOT, check=True)
        return msgspec.json.decode(out.read_bytes(), type=Matrix)


CLIENTS = ("field-stripping", "leaf-feedback", "rogue-leaf", "shadow-public-keys", "squeeze")  # users' clients cheat
COLUMNS: tuple[tuple[str, Callable[[dict[str, Cell]], str]], ...] = (
    ("lawful", lambda by: f"{by['null-eavesdropper'].lawful}"),
    ("missed", lambda by: _missed([by[name] for name in CLIENTS])),
    ("officials' keys", lambda by: _opened(by["authority-theft"])),
    ("court", lambda by: f"{by['court-key-theft'].exposed.total}"),
    ("insider", lambda by: f"{by['ghost-insertion'].exposed.total}"),
    ("middle", lambda by: f"{by['prekey-substitution'].exposed.total}"),
    ("later", lambda by: f"{by['harvest-now-decrypt-later'].exposed.total}"),
)


def _table(matrix: Matrix) -> str:
    """One row a scheme, one column a question; every number is of texts and comes out of a cell."""
    names = [name for name, _ in COLUMNS]
    lines = [f"| | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for scheme in matrix.manifest.schemes:
        cells = {cell.attack: cell for cell in matrix.cells if cell.scheme == scheme}
        lines.append(f"| {scheme} | {' | '.join(show(cells) for _, show in COLUMNS)} |")
    scenario, listening = (
        matrix.manifest.scenario,
        [each for each in matrix.cells if each.attack == "null-eavesdropper"],
    )
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


def _opened(cell: Cell) -> str:
    if not cell.exposed.total:
        return "0"
    return f"{cell.exposed.total} ({_who(cell)})"


def _missed(cells: list[Cell]) -> str:
    """The worst that a cheating client does to the lawful access; nothing where there is none."""
    played = [cell.evaded for cell in cells if cell.verdict != "NOT_APPLICABLE"]
    return str(max(played)) if played else "–"


# attack, schemes, what their cells say in a sentence
FINDINGS: tuple[tuple[str, tuple[str, ...], Callable[..., str]], ...] = (
    (
        "ghost-insertion",
        ("plain",),
        lambda plain: (
            f"**Plain end-to-end encryption** is not out of reach: an insider at the provider who adds a device "
            f"reads {plain.exposed.total} of {plain.sent} texts. Clients raise {_alarms(plain)} alarms about it."
        ),
    ),
    (
        "authority-theft",
        ("envelope",),
        lambda cell: (
            f"**One key** (`envelope`): whoever once takes the state of `{_who(cell)}` opens {cell.exposed.total} "
            f"of {cell.sent} texts, earlier and later ones. That is as claimed."
        ),
    ),
    (
        "null-eavesdropper",
        ("ghost",),
        lambda cell: (
            f"**A silent participant** (`ghost`): with everybody honest the law reads {cell.lawful} of the "
            f"{cell.entitled} texts that its warrants cover; what was said before the ghost came is closed to it."
        ),
    ),
    (
        "mobile-adversary",
        ("split-key", "threshold"),
        lambda kept, refreshed: (
            "**Shares of a key**: a thief who robs one holder an evening, never two, opens "
            f"{kept.exposed.total} of {kept.sent} texts where shares stay (`split-key`), and "
            f"{refreshed.exposed.total} where they are replaced every morning (`threshold`)."
        ),
    ),
    (
        "rogue-dealer",
        ("split-key", "threshold"),
        lambda one, all_: (
            "**Who deals the shares**: one who deals wrong ones leaves the law "
            f"{one.lawful} of {one.entitled} texts where one dealer makes the key (`split-key`), and "
            f"{all_.lawful} where the agents make it together and put the liar out (`threshold`)."
        ),
    ),
    (
        "rogue-leaf",
        ("clipper",),
        lambda cell: (
            f"**Clipper**: a rogue sender finds LEAFs that name nobody, in {cell.cost.trials:,} trials; honest "
            f"chips accept them, and the law misses {cell.evaded} of the {cell.entitled} texts that it may read."
        ),
    ),
    (
        "warrant-misuse",
        ("fair-keys",),
        lambda cell: (
            f"**Fair keys**: warrants cover {cell.entitled} texts; the authority that was given their targets' "
            f"keys reads {cell.exposed.total}, because a key does not end when a warrant does."
        ),
    ),
    (
        "harvest-now-decrypt-later",
        ("plain", "plain-pq"),
        lambda plain, pq: (
            "**Later**: whoever records everything today and breaks elliptic curves one day reads "
            f"{plain.exposed.total} of {plain.sent} texts of `plain`, and {pq.exposed.total} of `plain-pq`."
        ),
    ),
)


def _findings(matrix: Matrix) -> str:
    """One sentence a family, with the numbers of its cells, and the command that shows it."""
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    lines = []
    for attack, schemes, sentence in FINDINGS:
        said = sentence(*(cells[scheme, attack] for scheme in schemes))
        lines += textwrap.wrap(f"- {said}", 118, subsequent_indent="  ", break_on_hyphens=False)
        lines.append(f"  `escrow-lab run {attack} {' '.join(f'--scheme {scheme}' for scheme in schemes)}`")
    return "".join(f"{line}\n" for line in lines)


def _alarms(cell: Cell) -> int:
    return sum(each.times for each in cell.alarms)


def _who(cell: Cell) -> str:
    return ", ".join(member.split("@")[0] for member in cell.coalition)


REGIONS: dict[str, Callable[[Matrix], str]] = {"table": _table, "findings": _findings}


if __name__ == "__main__":
    raise SystemExit(main())
