"""Writes docs/sensitivity.csv and docs/sensitivity.md: how README's figures depend on seed and shape of a scenario.

python -m tools.sensitivity            play what the journal lacks, then write both files
python -m tools.sensitivity --check    play three lines of the table again, drawn from the commit's hash, and compare
                                         them exactly; compare the page with the table; exit 1 if anything differs
--jobs N                           number of processes (default: one for each core)
--journal FILE                     where lines are kept as soon as they are played (default: sensitivity.journal)
--earlier                          keep the journal's lines that other sources made, if three drawn ones play alike

A line of the table is a scenario of the lab (attacks/scenarios) under one seed, with the figures of README's columns
for every scheme that has a place in the pages; only the attacks behind these columns are played. A run that was killed
goes on where it was when the command is given again; without --earlier, lines that other sources made are played again.
"""

from __future__ import annotations

import argparse
import csv
import gc
import hashlib
import io
import json
import os
import random
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec

from attacks import registry
from attacks.lab.runs.seeds import spread
from attacks.lab.runs.workers import spread as dealt
from attacks.lab.simulation.attack import Column
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.simulation.shapes import read, shapes
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.fingerprints import sources
from attacks.report.matrices.seeds import in_brackets
from attacks.report.matrices.summary import figure
from escrow.crypto import Results, Run, running
from escrow.registry import schemes
from escrow.scheme import Scheme
from tools import entries
from tools.entries import columns

ROOT = Path(__file__).resolve().parent.parent
TABLE, PAGE = ROOT / "docs" / "sensitivity.csv", ROOT / "docs" / "sensitivity.md"
SEEDS = range(default().seed, default().seed + 100)
DRAWN = 3  # lines that --check plays again
REGION = re.compile(r"(<!-- sensitivity -->\n).*?(<!-- end of sensitivity -->)", re.S)
FEWEST = ", fewest"  # behind the title of a column: its smallest figure that is not 0, if it has one

Id = tuple[str, int]  # a scenario of the lab and a seed
Line = dict[str, int | None]  # by column of the table; None where no attack of a column applies


class Kept(msgspec.Struct, frozen=True):
    """A line of the journal. `key` is a digest of all that decides it."""

    key: str
    shape: str
    seed: int
    line: Line


# --- playing ---


def placed() -> list[Scheme]:
    """Return the schemes of README's table."""
    return entries.with_place(schemes().values())


def committed() -> list[str]:
    """Return the scenarios of the lab that git knows: one that was dropped in changes no table."""
    return [name for name, path in shapes().items() if entries.is_known(path)]


def lines() -> list[Id]:
    """Return which lines the table has, in order."""
    return [(shape, seed) for shape in committed() for seed in SEEDS]


def scenario_of(place: Id) -> Scenario:
    """Return the scenario of a line."""
    return msgspec.structs.replace(read(Path(place[0])), seed=place[1]).check()


def play(place: Id) -> Line:
    """Return a line of the table: the largest figure of each column, by scheme, as in README's table.

    Raise RuntimeError if a cell could not be judged.
    """
    scenario, attacks = scenario_of(place), registry.attacks()
    every = entries.with_place(attacks.values())
    gc.collect()
    gc.disable()  # a line makes many objects that live until it is done: 20 % of its time
    try:
        found: Line = {}
        with running(Run(None, results=Results())):
            for scheme in placed():
                evaluation = Evaluation(scheme, every, scenario)
                found |= {"texts": len(evaluation.record.sent), "covered": len(evaluation.honest.entitled)}
                for column, names in columns():
                    cells = [evaluation.cell(attacks[name])[0] for name in names]
                    for cell in cells:
                        if cell.verdict in ("ERROR", "TIMEOUT"):
                            raise RuntimeError(f"{place}: {cell.scheme} under {cell.attack}: {cell.reason}")
                    said = figure(column, cells)
                    found[f"{scheme.name} {column.title}"] = said.most
                    if column.least:
                        found[f"{scheme.name} {column.title}{FEWEST}"] = said.least
                evaluation.forget()
        return found
    finally:
        gc.enable()


def _kept(place: Id) -> Kept | str:
    """Return a line for the journal, or why there is none, so that the others are played all the same."""
    try:
        return Kept(key(place), *place, play(place))
    except RuntimeError as error:
        return str(error)


@cache
def _sources() -> str:
    """Return a digest of the project's sources and of this module, and the columns: the same for every line."""
    return json.dumps([sources(()), hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), head()])


def key(place: Id) -> str:
    """Return a digest of all that decides a line: the sources, the scenario, and who plays."""
    return hashlib.sha256(_sources().encode() + msgspec.json.encode(scenario_of(place))).hexdigest()[:16]


def played(journal: Path, jobs: int, earlier: bool = False) -> dict[Id, Line]:
    """Return every line of the table; those that the journal lacks are played, and written into it one by one.

    Lines that other sources made are lacking, unless `earlier` is true. Raise SystemExit at the end if one fails.
    """
    wanted = lines()
    kept = {(each.shape, each.seed): each for each in _read(journal) if {*each.line} == {*head()}}
    there = {place: each.line for place, each in kept.items() if each.key == key(place)}
    if earlier:
        there |= _still_true({place: each.line for place, each in kept.items() if place not in there})
    left = [place for place in wanted if place not in there]
    print(f"{journal}: {len(wanted) - len(left)} of {len(wanted)} lines are there; {len(left)} are left", flush=True)
    failed: list[str] = []
    killed = "{}: its process was killed; give the command again".format
    with journal.open("ab") as stream:
        for number, each in enumerate(dealt(_kept, left, jobs, killed), 1):
            if isinstance(each, str):
                print(each, flush=True)
                failed.append(each)
                continue
            stream.write(msgspec.json.encode(each) + b"\n")
            stream.flush()
            there[each.shape, each.seed] = each.line
            if number % 20 == 0 or number == len(left):
                print(f"{number} of {len(left)} are played", flush=True)
    if failed:
        raise SystemExit(f"{len(failed)} of {len(wanted)} lines could not be played; nothing is written")
    return {place: there[place] for place in wanted}


def _still_true(others: dict[Id, Line]) -> dict[Id, Line]:
    """Return lines that other sources made. Raise SystemExit if one of those that are drawn plays otherwise now."""
    for place in drawn(commit() or "sensitivity", [*others]):
        if not isinstance(now := _kept(place), Kept) or now.line != others[place]:
            raise SystemExit(f"{place[0]}, seed {place[1]}: plays otherwise now; give the command without --earlier")
    return others


def _read(journal: Path) -> Iterator[Kept]:
    """Yield the lines of a journal; the last one may be torn, and is then ended here."""
    if not journal.exists():
        return
    data = journal.read_bytes()
    if data and not data.endswith(b"\n"):
        with journal.open("ab") as stream:
            stream.write(b"\n")
    for line in data.splitlines():
        try:
            yield msgspec.json.decode(line, type=Kept)
        except msgspec.DecodeError:
            continue


# --- the table ---


def head() -> list[str]:
    """Return the columns of a line, in order: how many texts there are, then README's columns, by scheme."""
    titles = [title for title, _ in figures()]
    names = [scheme.name for scheme in placed()]
    return ["texts", "covered", *(f"{name} {title}" for name in names for title in titles)]


def figures() -> list[tuple[str, Column]]:
    """Return the figures of a scheme in a line, in order, by the titles of README's columns."""
    found: list[tuple[str, Column]] = []
    for column, _ in columns():
        found += [(column.title + FEWEST, column)] if column.least else []
        found.append((column.title, column))
    return found


def written(found: dict[Id, Line]) -> str:
    """Return the table as CSV."""
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(["shape", "seed", *head()])
    rows.writerows([*place, *(line[name] for name in head())] for place, line in found.items())
    return stream.getvalue()


def table() -> dict[Id, Line]:
    """Return the lines of the committed table. Raise SystemExit if it has columns that README has not, or other lines.

    It may lack columns of README that are newer than the table: these have no range until it is written again.
    """
    if not TABLE.exists():
        raise SystemExit(f"{TABLE.name} is not there; run python -m tools.sensitivity")
    with TABLE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    names = rows[0][2:]
    if rows[0] != ["shape", "seed", *(name for name in head() if name in names)]:
        raise SystemExit(f"{TABLE.name} has other columns than README; run python -m tools.sensitivity")
    found: dict[Id, Line] = {
        (shape, int(seed)): {name: int(cell) if cell else None for name, cell in zip(names, cells, strict=True)}
        for shape, seed, *cells in rows[1:]
    }
    if list(found) != lines():
        raise SystemExit(f"{TABLE.name} has other lines than {len(SEEDS)} seeds of each scenario of the lab")
    return found


# --- the page ---


def region(found: dict[Id, Line]) -> str:
    """Return what the page shows of the table: README's columns over all lines in percent, then by shape in texts."""
    titles = ", ".join(f"*{each.title}*" for each in of_covered())
    return "\n".join(
        [
            f"All {len(found)} plays, in percent of what warrants cover ({titles}) or of all texts:",
            "",
            *_rows([_shares(line) for line in found.values()]),
            *(each for shape in committed() for each in _shape(shape, found)),
            "",
        ]
    )


def _shape(shape: str, found: dict[Id, Line]) -> Iterator[str]:
    chosen = [line for place, line in found.items() if place[0] == shape]
    texts, covered = (_said(chosen, name) for name in ("texts", "covered"))
    yield from ("", f"`{shape}`, {len(chosen)} seeds, {texts} texts, of which warrants cover {covered}:", "")
    yield from _rows(chosen)


def _rows(chosen: Sequence[Line]) -> Iterator[str]:
    names = [scheme.name for scheme in placed()]
    yield f"| | {' | '.join(names)} |"
    yield f"| --- |{' --- |' * len(names)}"
    for title, _ in _there(chosen):
        yield f"| {title} | {' | '.join(_said(chosen, f'{name} {title}') for name in names)} |"


def _there(chosen: Sequence[Line]) -> list[tuple[str, Column]]:
    """Return the figures that these lines have."""
    names = [scheme.name for scheme in placed()]
    there = {name for line in chosen for name in line}
    return [(title, column) for title, column in figures() if any(f"{name} {title}" in there for name in names)]


def _said(chosen: Sequence[Line], name: str) -> str:
    """Return the median and the range of one column; a dash if its attacks never apply."""
    counts = [each for line in chosen if (each := line[name]) is not None]
    return in_brackets(spread(counts)) if counts else "–"


def _shares(line: Line) -> Line:
    """Return the columns of a line in percent, rounded down; None where the whole is no text."""
    found: Line = {}
    names = [scheme.name for scheme in placed()]
    for title, column in _there([line]):
        whole = line["texts" if column.of == "sent" else "covered"]
        for name in (f"{each} {title}" for each in names):
            part = line[name]
            found[name] = part * 100 // whole if whole and part is not None else None
    return found


def ranges() -> list[str]:
    """Return README's second table: how far each figure of the first one moves over all lines, in percent."""
    if not TABLE.exists():
        return []
    names = [scheme.name for scheme in placed()]
    shares = [_shares(line) for line in table().values()]
    there = _there(shares)
    given = {title for title, _ in there}
    newer = [f"*{column.title}*" for column, _ in columns() if column.title not in given]
    told = (
        f"The same figures in [{len(shares)} smaller plays with other seeds](docs/sensitivity.md), least to most, in "
        f"percent of the texts that warrants cover ({', '.join(f'*{each.title}*' for each in of_covered())}) or of all "
        "texts"
    )
    told += f" ({' and '.join(newer)} were not played there):" if newer else ":"
    lines = [f"|%|{'|'.join(names)}|", f"|---|{'---|' * len(names)}"]
    lines += (
        f"|{_titled(column, given)}|{'|'.join(_moved(shares, name, column) for name in names)}|"
        for title, column in there
        if title == column.title
    )
    return [*textwrap.wrap(told, 118, break_on_hyphens=False), "", *lines]


def _titled(column: Column, given: set[str]) -> str:
    """Return the title of a row of ranges; it says so if the table lacks the fewest, and has the most alone."""
    return f"{column.title}, most" if column.least and column.title + FEWEST not in given else column.title


def of_covered() -> list[Column]:
    """Return the columns that count texts which a warrant covers."""
    return [column for column, _ in columns() if column.of == "entitled"]


def _moved(shares: Sequence[Line], scheme: str, column: Column) -> str:
    """Return the least and the most of a figure over all lines; a dash if its attacks never apply."""
    titles = [f"{scheme} {column.title}", *([f"{scheme} {column.title}{FEWEST}"] if column.least else [])]
    counts = [each for line in shares for name in titles if (each := line.get(name)) is not None]
    if not counts:
        return "–"
    return f"{min(counts)}–{max(counts)}" if min(counts) < max(counts) else str(max(counts))


def page(found: dict[Id, Line]) -> str:
    """Return the page, with this table's figures."""
    return REGION.sub(lambda old: old[1] + region(found) + old[2], PAGE.read_text(encoding="utf-8"))


# --- the check ---


def drawn(word: str, places: Sequence[Id]) -> list[Id]:
    """Return which of these lines are played again, drawn by a word."""
    return sorted(random.Random(word).sample(places, min(DRAWN, len(places))))  # noqa: S311 (which lines are tried is no secret)


def commit() -> str:
    """Return the hash of the commit; "" outside a clone."""
    program = ["git", "rev-parse", "HEAD"]
    said = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    return said.stdout.strip() if said.returncode == 0 else ""


def check() -> int:
    """Play the drawn lines again and compare. Return 0 if the table, the page and the plays agree."""
    found, word = table(), commit()
    print(f"drawn by {f'commit {word[:12]}' if word else 'a fixed word, since this is no clone of the repository'}:")
    wrong = 0
    for place in drawn(word or "sensitivity", lines()):
        now = play(place)
        differing = [f"{name}: {was}, now {now[name]}" for name, was in found[place].items() if was != now[name]]
        wrong += bool(differing)
        print(f"  {place[0]}, seed {place[1]}: {'; '.join(differing) or 'as in the table'}")
    if page(found) != PAGE.read_text(encoding="utf-8"):
        wrong += 1
        print(f"{PAGE.name} differs from {TABLE.name}")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--check", "--earlier"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--journal", type=Path, default=Path("sensitivity.journal"))
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    found = played(arguments.journal, arguments.jobs, arguments.earlier)
    TABLE.write_text(written(found), encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")
    print(f"written: {TABLE.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
