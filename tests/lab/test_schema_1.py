"""Files of schema 1, as they were written before cells listed texts, are read with what they have.

tests/support/schema_1 was written at commit 7730988: plain and envelope, 3 users, 1 group, 3 days, 6 texts, seed 2019.
"""

import json
from pathlib import Path

import msgspec
import pytest
from command_line import forgotten  # noqa: F401 (a fixture that every test uses)
from msgspec import UNSET

from attacks.cli import main
from attacks.lab.comparison import files
from attacks.lab.results.details import CellTexts, packed, texts_of
from attacks.lab.results.types import Cell, Matrix, to_json

SAVED = Path(__file__).parents[1] / "support" / "schema_1"


def test_a_saved_matrix_is_read_and_says_that_it_lists_no_texts() -> None:
    matrix = files.read(SAVED / "matrix-1.json")
    assert isinstance(matrix, Matrix) and matrix.schema == "escrow-lab/matrix/1" and matrix.texts is UNSET
    assert {(cell.texts, cell.taken, cell.derivation) for cell in matrix.cells} == {(UNSET, UNSET, UNSET)}
    assert sum(cell.exposed.total for cell in matrix.cells) == 28


ABSENT = {
    "matrix-1.json": "which texts are sent when, which texts are opened or missed, when states are taken, how a text "
    "is opened; run `escrow-lab matrix --format json`",
    "anatomy-1.json": "which texts are sent when, the access structure as formulas, which texts a coalition opens, the "
    "lawful access by kinds of warrants; run `escrow-lab anatomy envelope --format json`",
}
ABSENT["cells-1.jsonl"] = ABSENT["matrix-1.json"]


@pytest.mark.parametrize("name", ABSENT)
@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "md", "csv"])
def test_report_draws_it_in_every_format(name: str, format_: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(SAVED / name), "--format", format_]) == 0
    shown = capsys.readouterr()
    assert ("agent" if format_ in {"jsonl", "csv"} else "scenario") in shown.out.casefold()
    assert shown.err == f"not in this file: {ABSENT[name]}\n"
    if format_ == "json" and name != "cells-1.jsonl":
        old, now = json.loads((SAVED / name).read_bytes()), json.loads(shown.out)
        assert now["schema"] == old["schema"] and (now | old).keys() == now.keys()
        assert now["manifest"]["scenario"].items() >= old["manifest"]["scenario"].items()  # newer fields may be there
        rows = "cells" if "cells" in old else "minimal_coalitions"
        assert all(again.items() >= row.items() for row, again in zip(old[rows], now[rows], strict=True))


def test_report_draws_counts_over_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(SAVED / "sensitivity-1.json")]) == 0
    shown = capsys.readouterr()
    assert "Played under 2 seeds, 2019 to 2020." in shown.out and "authority-theft" in shown.out and shown.err == ""
    assert main(["compare", *[str(SAVED / "sensitivity-1.json")] * 2]) == 5


def test_merge_joins_a_journal_of_schema_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file that it writes is of schema 1 again: nothing is added that was not played."""
    merged = tmp_path / "merged"
    assert main(["merge", str(SAVED / "cells-1.jsonl"), "--format", "json", "-o", str(merged)]) == 0
    assert json.loads(merged.read_bytes())["schema"] == "escrow-lab/matrix/1"
    capsys.readouterr()
    assert main(["compare", str(SAVED / "matrix-1.json"), str(merged)]) == 1  # it lacks two attacks
    assert "device-compromise: gone (attack: 2 cells)" in capsys.readouterr().out


def test_a_line_of_a_journal_of_schema_1_that_was_altered_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "altered"
    path.write_bytes((SAVED / "cells-1.jsonl").read_bytes().replace(b'"lawful":4', b'"lawful":5'))
    assert main(["merge", str(path)]) == 4


def test_compare_of_an_old_file_with_a_later_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = files.read(SAVED / "matrix-1.json")
    assert isinstance(old, Matrix)
    cells = [msgspec.structs.replace(each, texts=listed(each)) for each in old.cells]
    later = msgspec.structs.replace(
        old, schema="escrow-lab/matrix/2", cells=tuple(cells), texts=texts_of(old.manifest.scenario)
    )
    (tmp_path / "later").write_bytes(to_json(later))
    for pair in (("matrix-1.json", tmp_path / "later"), (tmp_path / "later", "matrix-1.json")):
        assert main(["compare", *(str(SAVED / each) for each in pair)]) == 0
        assert "no difference" in capsys.readouterr().out
    assert main(["report", str(tmp_path / "later"), "--format", "json"]) == 0
    assert capsys.readouterr().out.encode() == to_json(later)


def listed(cell: Cell) -> CellTexts:
    """Texts that a cell with these counts could list: always the first ones."""

    def first(count: int) -> str:
        return packed(range(count))

    reached = max(cell.exposed.total, cell.excluded, cell.added_over_plain)
    return CellTexts(
        opened=first(cell.exposed.total),
        reached=first(reached),
        excluded=first(cell.excluded),
        over_plain=first(cell.added_over_plain),
        lawful={"0": first(cell.lawful)} if cell.lawful else {},
        overreached=first(cell.overreached),
        missed={"unknown": first(cell.evaded)} if cell.evaded else {},
        unkept=first(cell.unkept),
    )
