"""Errors of the command line: one line, the right code, never a traceback."""

import sys
from pathlib import Path

import pytest
from command_line import (
    EVIL,
    SMALL,
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    written,
)

from attacks.cli import main

USAGE = {
    "no command": ([], "Usage: escrow-lab"),
    "command": (["matrixx"], "No such command 'matrixx'"),
    "option": (["schemes", "--fromat", "json"], "No such option '--fromat'"),
    "format": (["schemes", "--format", "xml"], "'xml' is not one of 'table', 'json'"),
    "name": (["show", "plian"], "did you mean plain?"),
    "scheme": (["anatomy", "nobody"], "no scheme is called 'nobody'; there are: plain"),
    "attack": (["run", "nobody"], "no attack is called 'nobody'"),
    "seed": (["matrix", "--seed", "x"], "'x' is not a valid integer"),
    "large seed": (["matrix", "--seed", str(2**63)], "is not in the range"),
    "size": (["matrix", "--users", "1"], "1 is not in the range x>=2"),
    "sizes": (["matrix", "--users", "200"], "a scenario needs 2 to"),
    "glob": (["matrix", "--only", "zzz*"], "'zzz*' matches no scheme and no attack"),
    "nothing left": (["schemes", "--skip", "*"], "--skip leaves no scheme"),
    "setting": (["matrix", "--set", "split-key.q=1"], "split-key has no parameter 'q'"),
    "value": (["matrix", "--set", "split-key.t=x"], "split-key.t cannot be 'x'"),
    "folder": (["schemes", "-o", "/no/such/folder/x"], "there is no folder /no/such/folder"),
    "no file": (["schemes", "-o", "/dev/null"], "is not a regular file"),
    "evening": (
        ["explain", "plain", "--coalition", "alice-phone@0-99999999999"],
        "evenings of the scenario are 0 to 9",
    ),
    "message": (["explain", "plain", "--coalition", "a", "--message", "250"], "texts of the scenario are 0 to 249"),
    "template": (["init", "scheme", "Über scheme"], "is not a name"),
    "template taken": (["init", "scheme", "plain"], "there is a scheme plain already"),
    "evidence": (["evidence", "plain", "null-eavesdropper"], "Missing option '-o'"),
    "scenario and size": (["matrix", "--scenario", "x.json", "--days", "3"], "--days has no effect on a scenario file"),
}


@pytest.mark.parametrize("fault", USAGE)
def test_a_usage_error_is_2_and_says_what_to_do(fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, said = USAGE[fault]
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and said in shown.err and "Traceback" not in shown.err
    assert fault == "no command" or shown.err.count("\n") == 1


INPUT = {
    "plug-in": ("mine.py", "x = 1\ny = (", ["schemes", "--plugin"], "line 2: SyntaxError"),
    "checked": ("mine.py", "1 / 0", ["check"], "line 1: ZeroDivisionError"),
    "scenario": ("it.json", "{", ["matrix", "--scenario"], "is not a scenario: Input data was truncated"),
    "unknown field": ("it.json", '{"users": [], "colour": 1}', ["matrix", "--scenario"], "unknown field `colour`"),
    "one user": ("it.json", '{"users": [{"name": "a", "devices": ["b"]}]}', ["matrix", "--scenario"], "two users"),
    "not text": ("it.json", "\udcff", ["anatomy", "plain", "--scenario"], "is not a scenario"),
    "deep": ("it.json", "[" * 100_000, ["matrix", "--scenario"], "is not a scenario"),
    "no folder": ("it.txt", "", ["verify"], "is not a folder"),
}


@pytest.mark.parametrize("fault", INPUT)
def test_a_bad_input_file_is_4_and_one_line(fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name, text, arguments, said = INPUT[fault]
    path = tmp_path / name
    path.write_text(text, errors="surrogateescape")
    assert main([*arguments, str(path)]) == 4
    shown = capsys.readouterr()
    assert shown.out == "" and said in shown.err and str(path) in shown.err and shown.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["schemes", "--plugin"], ["matrix", "--scenario"], ["verify"], ["check"]])
def test_an_input_that_is_not_there_is_4(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "/no/such/thing.py"]) == 4
    assert capsys.readouterr().err.startswith("escrow-lab: /no/such/thing.py")


def test_a_defect_is_70_in_one_line_and_a_traceback_if_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("lost\x1b[1m")

    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=broken)
    assert main(["matrix"]) == 70
    assert capsys.readouterr().err == (
        "escrow-lab: internal error: KeyError: 'lost\\x1b[1m' (--debug shows the traceback)\n"
    )
    assert main(["matrix", "--debug"]) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_plug_in_that_fails_while_it_runs_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = EVIL + "\n\ndef cast(self, users, court):\n    raise KeyError('mine')\nEvil.cast = cast\n"
    path = written(tmp_path, "evil.py", broken)
    assert main(["anatomy", "evil", "--plugin", path, *SMALL]) == 4
    assert f"{path}, line {broken[: broken.index('raise KeyError')].count(chr(10)) + 1}: KeyError" in (
        capsys.readouterr().err
    )


def test_without_hypothesis_the_laws_say_which_extra_they_need(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "escrow.testing.properties", raising=False)
    monkeypatch.delattr(sys.modules["escrow.testing"], "properties", raising=False)
    assert main(["check", "plain"]) == 2
    assert "pip install 'escrow-lab[test]'" in capsys.readouterr().err
