"""The tour: three schemes side by side, with the numbers of the matrix, on wide and narrow pages."""

import json
from functools import cache
from pathlib import Path

import pytest

import attacks as lab
from attacks.cli import main
from attacks.lab.results.types import Matrix
from attacks.report.touring import MISSED, NEXT, READ, SCHEMES

pytestmark = pytest.mark.usefixtures("plays_once")

ROOT = Path(__file__).parents[2]


@cache
def measured() -> Matrix:
    return lab.matrix(SCHEMES, [*READ, *MISSED], smoke=True).data


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured()  # before the function that measures is replaced
    monkeypatch.setattr("attacks.lab.runs.matrix.run_matrix", lambda *_, **__: found)


def test_its_cells_are_those_of_the_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    found = measured().cells
    assert main(["tour", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    numbers = {(each["scheme"], each["attack"]): each["exposed"] for each in told["cells"]}
    assert numbers.keys() == {(scheme, attack) for scheme in SCHEMES for attack in (*READ, *MISSED)}
    for cell in found:
        told = numbers[cell.scheme, cell.attack]
        assert sum(told["target"].values()) + sum(told["bystander"].values()) == cell.exposed.total


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_it_says_who_reads_what_who_notices_and_how(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["tour"]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= columns
    words = " ".join(told.split())
    for said in ("8 alarms", "no alarm", "agent-1, agent-2", "a thief takes the court's", "└─ unpack: Text"):
        assert said in words
    assert all(command in told for _, command in NEXT)


@pytest.mark.usefixtures("quick")
def test_a_narrow_page_has_every_number_of_a_wide_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["tour"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for scheme in SCHEMES:
        part = told.partition(f" {scheme} the law reads, of")[2].partition("the law reads, of")[0]
        cells = {cell.attack: cell for cell in measured().cells if cell.scheme == scheme}
        for attack, question in READ.items():
            assert f"{question}: {cells[attack].exposed.total}" in part
        missed = next(iter(MISSED))
        assert f"missed: {'–' if scheme == 'plain' else f'{cells[missed].evaded} of {cells[missed].entitled}'}" in part


def test_what_it_ends_with_stands_on_a_page_whose_commands_are_run() -> None:
    page = (ROOT / "CLI.md").read_text(encoding="utf-8")
    assert all(f"\n{command}\n" in page for _, command in NEXT)
