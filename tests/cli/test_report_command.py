"""`report`: a saved result drawn again is what the command that wrote it would print."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import (
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
)

from attacks.cli import main
from attacks.lab.results.types import to_json

SCHEMA_1 = Path(__file__).parents[1] / "support" / "schema_1"
RUNS = {
    "matrix": ["matrix"],
    "anatomy": ["anatomy", "plain", "--days", "1", "--messages", "4"],
    "bench": ["bench", "--only", "plain", "--messages", "2", "--repeats", "1"],
}


@pytest.mark.parametrize("kind", RUNS)
def test_a_saved_result_is_drawn_as_it_was(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result("BREACH", "HELD"))
    assert main([*RUNS[kind], "--format", "json", "-o", "saved.json"]) == 0
    for format_ in ("json", "md", "csv"):
        assert main(["report", "saved.json", "--format", format_, "-o", f"again.{format_}"]) == 0
    assert Path("again.json").read_bytes() == Path("saved.json").read_bytes()
    capsys.readouterr()
    assert main(["report", "saved.json"]) == 0
    drawn = capsys.readouterr().out
    assert "plain" in drawn
    if kind != "bench":  # whose times differ from run to run
        assert main(RUNS[kind]) == 0
        assert capsys.readouterr().out == drawn


def test_the_name_of_a_file_says_its_format_where_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result("BREACH", "HELD"))
    assert main(["matrix", "-o", "saved.json"]) == 0
    for format_ in ("json", "jsonl", "csv", "md", "table"):
        assert main(["report", "saved.json", "--format", format_, "-o", f"asked-{format_}.html"]) == 0
        assert main(["report", "saved.json", "-o", f"named.{format_}"]) == 0
        assert Path(f"asked-{format_}.html").read_bytes() == Path(f"named.{format_}").read_bytes()
    assert main(["report", "saved.json", "-o", "named.odd"]) == 0
    assert Path("named.odd").read_bytes() == Path("named.table").read_bytes()
    capsys.readouterr()
    assert main(["report", "saved.json", "-o", "drawn.svg"]) == 2
    assert "this result has no svg form" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"machine_info": {}, "benchmarks": []}', "saved is of pytest-benchmark, which draws its own results"),
        (b'{"schema": "escrow-lab/cards/1", "cards": []}', "saved is no result of a run: it is escrow-lab/cards/1"),
        (b"text", "saved is no result"),
    ],
)
def test_what_is_no_result_is_one_line_and_4(
    data: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("saved").write_bytes(data)
    assert main(["report", "saved"]) == 4
    shown = capsys.readouterr()
    assert said in shown.err and shown.err.count("\n") == 1 and shown.out == ""


def test_files_make_one_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result("BREACH", "HELD"))
    for kind, words in RUNS.items():
        assert main([*words, "--format", "json", "-o", f"{kind}.json"]) == 0
    given = [f"{kind}.json" for kind in RUNS]
    assert main(["report", *given, "-o", "page.html"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    for place in ("picture", "map", "runs", "structure", "overhead", "origin"):
        assert f'href="#{place}"' in page and f'id="{place}"' in page
    assert "escrow-lab report matrix.json anatomy.json bench.json -o page.html" in page
    assert hashlib.sha256(Path("matrix.json").read_bytes()).hexdigest() in page
    capsys.readouterr()
    assert main(["report", *given, "--format", "html"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("<!doctype html>") and shown.endswith("</html>\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["matrix.json", "matrix.json"], 2, "several files make one page: use --format html or -o FILE.html"),
        (["matrix.json", "matrix.json", "--format", "html"], 2, "a page shows one matrix"),
        (["spread.json", "--format", "html"], 4, "spread.json is of escrow-lab/sensitivity/1; a page is of"),
        ([], 2, "Missing argument 'FILE...'"),
    ],
)
def test_what_makes_no_page_is_said(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("matrix.json").write_bytes(to_json(result("BREACH", "HELD")))
    Path("spread.json").write_bytes((SCHEMA_1 / "sensitivity-1.json").read_bytes())
    assert main(["report", *words]) == code
    shown = capsys.readouterr()
    assert said in shown.err and shown.out == ""


def test_jinja_is_imported_with_the_first_page_only() -> None:
    asked = "import sys; from attacks.cli import main; main({words}); sys.exit('jinja2' in sys.modules)"
    for words in (["--help"], ["report", "--help"], ["schemes"]):
        assert subprocess.run([sys.executable, "-c", asked.format(words=words)], capture_output=True).returncode == 0
