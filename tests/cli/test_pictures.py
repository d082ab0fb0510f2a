"""`--format svg` and `dot`: where they are offered, what they write, and what has no picture."""

from pathlib import Path

import pytest

from attacks.cli import main

SMALL = ["anatomy", "plain", "--days", "1", "--messages", "4"]


def test_a_saved_anatomy_is_drawn_as_the_command_draws_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for form in ("json", "svg", "dot"):
        assert main([*SMALL, "--format", form, "-o", f"now.{form}"]) == 0
    for form, begins in (("svg", "<svg "), ("dot", 'digraph "plain" {')):
        assert main(["report", "now.json", "--format", form, "-o", f"again.{form}"]) == 0
        drawn = Path(f"now.{form}").read_text(encoding="utf-8")
        assert drawn == Path(f"again.{form}").read_text(encoding="utf-8")
        assert drawn.startswith(begins) and "provider" in drawn


@pytest.mark.parametrize("form", ["svg", "dot"])
def test_a_result_without_a_picture_says_so(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = ["bench", "--only", "plain", "--messages", "2", "--repeats", "1", "--format", "json", "-o", "bench.json"]
    assert main(bench) == 0
    assert main(["report", "bench.json", "--format", form]) == 2
    shown = capsys.readouterr()
    assert f"this result has no {form} form" in shown.err and shown.out == ""
