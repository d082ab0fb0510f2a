"""docs/debate.md and docs/history.md are what results/ says, and what is kept there is what was measured."""

import msgspec
import pytest

from attacks.lab.comparison import files
from attacks.lab.results.types import Matrix
from attacks.report.matrices import summary
from tools import entries, results

PAGES = {name: (results.ROOT / "docs" / name).read_text() for name in ("debate.md", "history.md")}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A repository of one kept result."""
    (tmp_path / "docs").mkdir()
    folder = tmp_path / "results" / results.kept()[-1].name
    folder.mkdir(parents=True)
    for file in results.kept()[-1].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(results, "ROOT", tmp_path)
    monkeypatch.setattr(results, "KEPT", tmp_path / "results")
    return folder


def test_the_pages_are_what_the_kept_results_say():
    assert results.main(["--check"]) == 0, "run python -m tools.results"


def test_a_page_that_says_something_else_is_noticed(here, capsys):
    assert results.main([]) == 0 and results.main(["--check"]) == 0
    page = results.ROOT / "docs" / "debate.md"
    page.write_text(page.read_text().replace("clipper", "chipper", 1))
    assert results.main(["--check"]) == 1
    assert capsys.readouterr().out.startswith("docs/debate.md differs from results/; run python -m tools.results")


def test_a_measurement_with_other_figures_than_the_pages_is_noticed(here, tmp_path, capsys):
    assert results.main([]) == 0
    kept = files.read(here / "matrix.json")
    measured = tmp_path / "matrix.json"
    (at,) = (n for n, cell in enumerate(kept.cells) if (cell.scheme, cell.attack) == ("ghost", "null-eavesdropper"))
    for lawful, code in ((kept.cells[at].lawful, 0), (kept.cells[at].lawful + 1, 1)):
        cells = list(kept.cells)
        cells[at] = msgspec.structs.replace(cells[at], lawful=lawful)
        measured.write_bytes(msgspec.json.encode(msgspec.structs.replace(kept, cells=tuple(cells))))
        assert results.main(["--check", "--matrix", str(measured)]) == code
    said = capsys.readouterr().out
    assert f"docs/debate.md differs from what {measured} has" in said and "docs/history.md" in said


def test_a_kept_matrix_keeps_every_count_and_leaves_out_lists(here):
    kept = files.read(here / "matrix.json")
    assert isinstance(kept, Matrix) and all(cell.texts is msgspec.UNSET for cell in kept.cells)
    assert msgspec.convert(results.slim(kept), Matrix) == kept


def test_the_history_has_the_figures_of_every_kept_result():
    for folder in results.kept():
        run = files.read(folder / "matrix.json")
        for column, attacks in entries.columns():
            table = PAGES["history.md"].split(f"\n## {column.title}\n")[1].split("\n## ")[0]
            assert f"| {folder.name} |" in table
            for scheme in run.manifest.schemes:
                cells = [cell for cell in run.cells if cell.scheme == scheme and cell.attack in attacks]
                row = next(line for line in table.splitlines() if line.startswith(f"| {scheme} |"))
                assert f" {summary.figure(column, cells)} |" in row
