"""Property: what a command prints as a coalition can be typed into `explain`, which opens the number beside it."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec import UNSET

from attacks.cli import main
from attacks.lab.comparison import files
from attacks.lab.results.types import Cell, Matrix

pytestmark = pytest.mark.usefixtures("plays_once")

NAMES = ("plain", "clipper", "ghost", "threshold")
SMALL = ("--smoke", "--no-progress", "--quiet")
COUNT = re.compile(r"(\d+) of \d+ texts (?:by|where)|(\d+) texts by|, (\d+) where|best open (\d+)")


def said(*words: str) -> str:
    """Return what a command prints, on one line."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        assert main(list(words)) in (0, 1)
    return " ".join(stream.getvalue().split())


@cache
def opened(scheme: str, coalition: str, *attack: str) -> set[int]:
    """Return the counts of texts that `explain` says of a coalition: by mathematics, and where officials answer.

    Where it is taken on one of several evenings: of whichever evening, and of the best.
    """
    told = said("explain", scheme, "--coalition", coalition, *attack, *SMALL)
    return {int(each) for found in COUNT.findall(told.partition(": text")[0]) for each in found if each}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("typed") / "matrix.json"
    only = [
        word
        for name in (*NAMES, "*-theft", "warrant-misuse", "mobile-adversary", "court-and-phone", "ghost-insertion")
        for word in ("--only", name)
    ]
    only += ["--only", "prekey-substitution", "--only", "impersonation", "--only", "harvest-*", "--only", "keeps-*"]
    assert main(["matrix", *only, *SMALL, "--format", "json", "-o", str(out)]) in (0, 1)
    return out


def cells(path: Path) -> Iterator[Cell]:
    found = files.read(path)
    assert isinstance(found, Matrix)
    yield from (cell for cell in found.cells if cell.coalition)


def test_a_cells_coalition_opens_its_texts_in_the_play_of_its_attack(whole: Path) -> None:
    """Of `matrix --verdicts`, `run`, `report` and `compare`: they all print these."""
    tried = list(cells(whole))
    assert {cell.scheme for cell in tried} == set(NAMES) and len(tried) > 20
    for cell in tried:
        coalition = ", ".join(cell.coalition)
        assert cell.exposed.total in opened(cell.scheme, coalition, "--attack", cell.attack), (cell.scheme, cell.attack)
        assert said("explain", cell.scheme, "--attack", cell.attack, *SMALL)[:60].startswith(f"{cell.scheme}: ")


def test_a_cells_coalition_of_thefts_opens_its_texts_in_the_honest_play(whole: Path) -> None:
    tried = [cell for cell in cells(whole) if cell.taken is not UNSET and cell.attack != "harvest-now-decrypt-later"]
    thefts = [cell for cell in tried if cell.taken is not UNSET and {each.how for each in cell.taken} == {"stolen"}]
    assert len(thefts) > 5
    for cell in thefts:
        assert cell.exposed.total in opened(cell.scheme, ", ".join(cell.coalition)), (cell.scheme, cell.attack)


def test_run_prints_the_same_coalition_and_number(whole: Path) -> None:
    cell = next(cell for cell in cells(whole) if (cell.scheme, cell.attack) == ("threshold", "authority-theft"))
    told = said("run", cell.attack, "--scheme", cell.scheme, *SMALL)
    assert f"coalition {', '.join(cell.coalition)} reads {cell.exposed.total} of {cell.sent} texts" in told


@pytest.mark.parametrize("page", ["table", "md"])
def test_the_smallest_coalitions_below_the_summary_open_its_figures(whole: Path, page: str) -> None:
    """The table that `matrix` ends with, and README's; drawn again by `report`."""
    only = ["null-eavesdropper", "field-*", "*-leaf", "leaf-*", "shadow-*", "squeeze", "decoys", "member-*"]
    told = said("report", str(whole), "--format", page)
    found = re.search(r"Smallest coalition, officials' keys: ([^.]+)\.", told)
    if found is None:  # the summary has rows for what was played only
        pytest.fail(f"no coalition is printed without {', '.join(only)}")
    theft = {cell.scheme: cell.exposed.total for cell in cells(whole) if cell.attack == "authority-theft"}
    printed = re.findall(r"([^;()]+) \(([^)]+)\)", found[1])
    assert {name for _, names in printed for name in names.split(", ")} == set(theft)
    for who, names in printed:
        for name in names.split(", "):
            assert theft[name] in opened(name, who.strip())


@pytest.mark.parametrize("scheme", NAMES)
def test_each_coalition_of_an_anatomy_opens_the_number_before_it(scheme: str, tmp_path: Path) -> None:
    out = tmp_path / "anatomy.json"
    assert main(["anatomy", scheme, *SMALL, "--format", "json", "-o", str(out)]) == 0
    anatomy = json.loads(out.read_text())
    told = said("anatomy", scheme, "--evenings", *SMALL)
    passive = [row for row in anatomy["minimal_coalitions"] if row["mode"] == "passive" and not row["threshold"]]
    for row in passive:
        coalition = ", ".join(row["members"])
        if row["pass"] in ("mathematics", "served") and not row["periods"]:
            row_of = rf"(?<!,) {re.escape(coalition)}: opens {row['opens']} of 24(; what a part of it)?"
            printed = re.search(row_of, told)
            assert printed
            if printed[1]:
                assert max(opened(scheme, coalition)) >= row["opens"]
            else:
                assert row["opens"] in opened(scheme, coalition)
    for row in anatomy["structure"]:
        if row["pass"] in ("mathematics", "served"):
            assert row["formula"] in told
            for coalition in row["formula"].split("; ") if "{" not in row["formula"] else [row["formula"]]:
                assert row["opens"] in opened(scheme, coalition)


def test_a_coalition_that_compare_prints_opens_the_later_number(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    assert main(["anatomy", "threshold", *SMALL, "--format", "json", "-o", str(new)]) == 0
    made = json.loads(new.read_text())
    changed = next(row for row in made["minimal_coalitions"] if "mathematics" in row.values() and row["by_day"])
    changed["opens"] -= 1
    del changed["texts"]
    old.write_text(json.dumps(made))
    told = said("compare", str(old), str(new))
    found = re.search(r"Worse ([^.]+?) opens (\d+) texts, not \d+", told)
    assert found and int(found[2]) in opened("threshold", found[1])


def test_an_attack_that_opens_nothing_or_does_not_apply_is_one_sentence() -> None:
    assert said("explain", "plain", "--attack", "decoys", *SMALL).startswith("decoys does not apply to plain: ")
    assert said("explain", "fair-keys", "--attack", "lying-holder", *SMALL).endswith("opens none of 24 texts")


def test_who_is_asked_for_no_coalition_names_an_attack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "plain", *SMALL]) == 2
    assert "Missing option '--coalition', or '--attack'" in capsys.readouterr().err


def test_the_best_evenings_are_found_one_member_after_the_other_where_choices_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = "explain", "clipper", "--coalition", "alice-phone@0-4, bob-phone@0-4", *SMALL
    every = said(*asked)
    monkeypatch.setattr("attacks.lab.evidence.explain.CHOICES", 1)
    assert said(*asked) == every and "of these evenings the best open 17 (alice-phone@0, bob-phone@0)" in every
