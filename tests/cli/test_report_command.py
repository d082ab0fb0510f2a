"""`report`: a saved result drawn again is what the command that wrote it would print."""

from pathlib import Path

import pytest
from command_line import (
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
)

from attacks.cli import main

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
