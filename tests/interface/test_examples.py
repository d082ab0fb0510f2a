"""The examples and the tour run as they are, and print what the page says or what the laboratory gives."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import attacks as lab
from tools import notebook

ROOT = Path(__file__).parents[2]


def printed(name: str, folder: Path) -> str:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert not ran.stderr
    return ran.stdout


def test_who_reads_text_5(tmp_path: Path) -> None:
    told = printed("who_reads.py", tmp_path)
    readers = lab.play("split-key", days=5, messages=24).text(5).readers()
    assert [line.strip() for line in told.splitlines()[1 : 1 + len(readers)]] == [str(each) for each in readers]
    assert "agent-1@3, agent-2@3 open 24 of 24 texts, agent-1@3 opens 0\n" in told
    assert "└─ unpack: Text conversation" in told


def test_a_scheme_of_one_s_own_halves_what_one_vault_opens(tmp_path: Path) -> None:
    told = printed("own_scheme.py", tmp_path)
    assert "text 2, day 0, carol+dave, from dave-phone>: agent-1@" in told
    assert "text 7, day 1, group-1, from bob-phone>: agent-2@" in told
    file = ROOT / "examples" / "own_scheme.py"
    anatomy = lab.anatomy("two-vaults", plugins=file, smoke=True).data
    opened = {row.members[0].partition("@")[0]: row.opens for row in anatomy.minimal_coalitions if row.officials_only}
    assert 0 < opened["agent-2"] < opened["agent-1"] < anatomy.sent
    assert opened["agent-1"] + opened["agent-2"] == anatomy.sent


def test_a_matrix_goes_into_a_file(tmp_path: Path) -> None:
    assert "6 rows are in thefts.csv" in printed("matrix_to_csv.py", tmp_path)
    with (tmp_path / "thefts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["scheme"], row["verdict"]) for row in rows if row["attack"] == "court-key-theft"} == {
        ("plain", "HELD"),
        ("envelope", "BREACH"),
        ("split-key", "BREACH"),
    }


def test_the_tour_has_the_outputs_of_now() -> None:
    before = json.loads(notebook.TOUR.read_text(encoding="utf-8"))
    assert notebook.run(before) == before
    assert notebook.TOUR.read_text(encoding="utf-8") == notebook.text_of(before)
    assert (before["nbformat"], before["nbformat_minor"]) == (4, 4)
    assert sum(len(each.get("outputs", ())) for each in before["cells"]) > 6


def cells(*sources: str) -> dict[str, object]:
    return {"cells": [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in sources]}


def test_a_notebook_s_outputs_are_what_a_cell_prints_and_its_last_value() -> None:
    ran = notebook.run(cells("x = 1\nprint('a', x)\nx + 1", "None", "class A:\n _repr_html_ = lambda self: '<b>'\nA()"))
    first, second, third = (each["outputs"] for each in ran["cells"])
    assert first[0]["text"] == ["a 1\n"] and first[1]["data"] == {"text/plain": ["2"]}
    assert second == [] and third[0]["data"]["text/html"] == ["<b>"]
    with pytest.raises(ZeroDivisionError):
        notebook.run(cells("1 / 0"))
