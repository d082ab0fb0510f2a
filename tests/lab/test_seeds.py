"""`matrix --seeds`: the range of every count over seeds is that of the seeds' own matrices."""

from pathlib import Path

import msgspec
import pytest
from runs import manifest

from attacks.cli import main
from attacks.lab.results.types import Cell, Exposed, Exposure, Matrix, Verdict
from attacks.lab.runs.seeds import Sensitivity, Spread, sensitivity, spread
from attacks.lab.simulation.scenario import default

RUN = ["matrix", "--only", "plain", "--only", "device-compromise", "--only", "ghost-insertion"]
SIZE = ["--smoke", "--format", "json"]


def cell(verdict: Verdict, opened: int = 0, evaded: int = 0) -> Cell:
    exposed = Exposed(target=Exposure(past=opened))
    return Cell(scheme="plain", attack="theft", verdict=verdict, sent=9, exposed=exposed, evaded=evaded)


def run(seed: int, *cells: Cell) -> Matrix:
    return Matrix(manifest=manifest(scenario=default(seed=seed)), cells=cells)


def test_counts_of_cells_that_were_not_judged_stand_nowhere() -> None:
    found = sensitivity([run(1, cell("HELD")), run(2, cell("BREACH", 5, 2)), run(3, cell("TIMEOUT"))])
    (only,) = found.cells
    assert found.seeds == (1, 2, 3)
    assert only.verdicts == {"HELD": 1, "BREACH": 1, "TIMEOUT": 1}
    assert only.opened == Spread(least=0, median=0, most=5)
    assert only.evaded == Spread(least=0, median=0, most=2)
    assert only.sent == Spread(least=9, median=9, most=9)


def test_the_median_is_a_count_that_occurs() -> None:
    assert spread([4, 1, 9]) == Spread(least=1, median=4, most=9)
    assert spread([4, 1]) == Spread(least=1, median=1, most=4)
    assert spread([]) == Spread(least=0, median=0, most=0)


def test_seeds_are_those_of_as_many_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*RUN, *SIZE, "--seed", "2019", "--seeds", "3", "-o", "all"]) == 0
    alone = []
    for seed in (2019, 2020, 2021):
        assert main([*RUN, *SIZE, "--seed", str(seed), "-o", f"{seed}"]) == 0
        alone.append(msgspec.json.decode(Path(f"{seed}").read_bytes(), type=Matrix))
    found = msgspec.json.decode(Path("all").read_bytes(), type=Sensitivity)
    assert found == sensitivity(alone)
    assert len({each.exposed.total for matrix in alone for each in matrix.cells}) > 1


@pytest.mark.parametrize(
    "other", [["--resume", "file"], ["--shard", "1/2"], ["--seed", str(2**63 - 1)], ["--seeds", "0"]]
)
def test_what_does_not_fit_several_seeds_is_wrong_use(
    other: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*RUN, "--seeds", "2", *other]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") >= 1 and not list(tmp_path.iterdir())
