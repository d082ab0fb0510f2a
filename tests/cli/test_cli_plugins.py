"""The command line for authors: proofs, templates, plug-ins."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import (
    EVIL,
    SMALL,
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
    written,
)

from attacks.cli import main
from escrow.testing import templates

# --- proofs: thin calls ---


def test_a_proof_is_written_once_and_verified_by_its_folder_or_the_one_around_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ["evidence", "envelope", "authority-theft", "--coalition", "agent@1", "-o", str(tmp_path / "new"), *SMALL]
    assert main(made) == 0
    proof = next((tmp_path / "new").iterdir())
    assert f"escrow-lab verify {proof} --replay" in capsys.readouterr().out
    assert main(made) == 2
    assert f"this proof exists already: {proof}" in capsys.readouterr().err
    for folder in (proof, proof.parent):
        assert main(["verify", str(folder), "--replay"]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"{proof}:\n  scheme     envelope\n  attack     authority-theft\n  coalition  agent@1\n")
        assert "checked    6 texts follow from " in told and "replayed" in told


def test_a_proof_with_one_bit_flipped_is_4_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence", "envelope", "authority-theft", "-o", str(tmp_path), *SMALL]) == 0
    proof = next(tmp_path.iterdir())
    for path in sorted(proof.iterdir()):
        whole = path.read_bytes()
        path.write_bytes(whole[:9] + bytes([whole[9] ^ 1]) + whole[10:])
        capsys.readouterr()
        assert main(["verify", str(proof)]) == 4
        said = capsys.readouterr().err
        assert said.startswith(f"escrow-lab: {proof}: ") and path.name in said and said.count("\n") == 1
        path.write_bytes(whole)
    (proof / "MANIFEST").unlink()
    assert main(["verify", str(proof)]) == 4


def test_a_proof_cannot_go_where_a_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["evidence", "plain", "null-eavesdropper", "-o", str(tmp_path / "file"), *SMALL]) == 2
    assert main(["evidence", "plain", "null-eavesdropper", "-o", str(tmp_path / "file" / "in"), *SMALL]) == 2
    assert capsys.readouterr().err.count("\n") == 2


# --- templates and plug-ins ---


def test_a_template_is_written_as_it_is_however_narrow_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["init", "scheme", "two-keys"]) == 0
    assert Path("two_keys.py").read_text() == templates.scheme("two-keys")


def test_the_template_passes_check_and_our_own_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "scheme", "two-keys"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "" and "escrow-lab check two_keys.py" in shown.err
    assert main(["init", "scheme", "two-keys"]) == 2
    assert main(["check", "two_keys.py", "--smoke"]) == 0
    told = capsys.readouterr().out
    assert not re.search(r"^ *FAILS  ", told, re.MULTILINE)  # of a property; a verdict has a colon
    assert re.search(r"two-keys, authority-theft +AS CLAIMED: custodian@", told)
    for tool in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "--strict"]):
        checked = subprocess.run([sys.executable, "-m", *tool, "two_keys.py", *_like_ours(tool)], capture_output=True)
        assert checked.returncode == 0, checked.stdout


def _like_ours(tool: list[str]) -> list[str]:
    return ["--config", str(Path(__file__).parents[2] / "pyproject.toml")] if tool[0] == "ruff" else []


def test_check_runs_the_properties_and_the_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    properties = [("mail arrives", True, ""), ("the seed decides", True, "")]
    fake(monkeypatch, "attacks.lab.runs.conformance", check=lambda *_: iter(properties))
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result("BREACH"))
    path = written(tmp_path, "evil.py", EVIL)
    assert main(["check", path]) == 0
    assert main(["check", path, "--fail-on", "breach"]) == 1
    properties.append(("a field is bound", False, "it opened"))
    assert main(["check", path]) == 4


@pytest.mark.parametrize("arguments", [["schemes"], ["show", "evil"]])
def test_no_control_character_of_a_plug_in_reaches_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main([*arguments, "--plugin", written(tmp_path, "evil.py", EVIL)]) == 0
    shown = capsys.readouterr().out
    assert "evil" in shown and not set(shown) & set("\x1b\x07\x9b\u202e")
