"""`init` writes files that pass `check`, our own tools and the command they are for; a fault put into one is found."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import (
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
)

from attacks.cli import main
from escrow.testing import templates

ROOT = Path(__file__).parents[2]
SIZES = ["--users", "3", "--groups", "0", "--days", "3", "--messages", "9"]


def made(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Path:
    """The file that `init` writes in a folder."""
    monkeypatch.chdir(folder)
    with monkeypatch.context() as narrow:
        narrow.setenv("COLUMNS", "40")  # which must not fold it
        assert main(["init", kind, name]) == 0
    (file,) = folder.iterdir()
    assert file.read_text() == getattr(templates, kind)(name)
    return file


def changed(file: Path, line: str, other: str) -> str:
    """The file with one line replaced, under another name, since a module is loaded once."""
    assert file.read_text().count(line) == 1
    copy = file.with_name(f"changed_{file.name}")
    copy.write_text(file.read_text().replace(line, other))
    return copy.name


@pytest.mark.parametrize("kind", ["attack", "experiment"])
def test_a_template_passes_our_own_tools(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = made(kind, tmp_path, monkeypatch, "two-words")
    config = ["--config", str(ROOT / "pyproject.toml")]
    for tool in (["ruff", "check", *config], ["ruff", "format", "--check", *config], ["mypy", "--strict"]):
        ran = subprocess.run([sys.executable, "-m", *tool, file.name], capture_output=True)
        assert ran.returncode == 0, ran.stdout


def test_the_attack_breaks_its_specimen_and_not_the_twin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made("attack", tmp_path, monkeypatch, "key-lies-about")
    assert "next: escrow-lab check key_lies_about.py" in capsys.readouterr().err
    assert main(["check", file.name, *SIZES, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    holds = {each["name"]: each["holds"] for each in told["checks"]}
    assert holds["key-lies-about, it breaks its specimen and not the sound twin"]
    assert {each["attack"] for each in told["cells"]} == {"key-lies-about"} and len(told["cells"]) > 5
    assert main(["run", "key-lies-about", "--plugin", file.name, "--scheme", "envelope", *SIZES]) == 0


@pytest.mark.parametrize(
    ("line", "other", "said"),
    [
        ("party.copy = key ", "party.copy = None ", "it did not break two-specimen"),
        ('[Seize("authority", evening)', '[Seize("agent", evening)', "it did not break two-specimen"),
        ("SPECIMEN, TWIN = TwoSpecimen(), TwoTwin()", "SPECIMEN = TWIN = TwoSpecimen()", "it broke the sound twin"),
        ('[Seize("authority", evening)', '[Seize("nobody", evening)', "nobody is called 'nobody'"),
        ("    specimen = __name__", "    specimen = 'gone'", "there is no specimen gone"),
        ("SPECIMEN, TWIN = TwoSpecimen(), TwoTwin()", "SPECIMEN = TwoSpecimen()", "has no TWIN that is a Scheme"),
        ("SPECIMEN, TWIN = TwoSpecimen(), TwoTwin()", "SPECIMEN = TWIN = TwoTwin", "has no SPECIMEN that is a Scheme"),
    ],
)
def test_an_attack_whose_controls_do_not_hold_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    other: str,
    said: str,
) -> None:
    monkeypatch.setattr("attacks.lab.runs.matrix.run_matrix", lambda *_, **__: result("HELD"))
    file = changed(made("attack", tmp_path, monkeypatch, "two"), line, other)
    assert main(["check", file, *SIZES]) == 4
    shown = capsys.readouterr()
    assert said in " ".join((shown.out + shown.err).split())


def test_the_experiment_is_listed_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made("experiment", tmp_path, monkeypatch, "so-many")
    assert main(["reproduce", "--list", "--plugin", file.name]) == 0
    assert "so-many" in capsys.readouterr().out
    assert main(["reproduce", "so-many", "--plugin", file.name]) == 0
    assert "2 of 3: texts opened by 2" in capsys.readouterr().out
    assert main(["check", file.name]) == 0
    assert "so_many.py: 4 of 4 hold." in capsys.readouterr().out
    wrong = changed(file, "((t - 1, 0),", "((t - 1, 1),")
    assert main(["check", wrong]) == 4
    assert "FAILS so-many, 2 of 3: texts opened by 1: measured 0" in " ".join(capsys.readouterr().out.split())
    assert main(["reproduce", "so-many", "--plugin", wrong]) == 1


def test_the_scenario_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made("scenario", tmp_path, monkeypatch, "our-town")
    assert main(["check", file.name]) == 0
    assert "our_town.toml: 3 of 3 hold." in capsys.readouterr().out
    asked = ["matrix", "--scenario", file.name, "--only", "plain", "--only", "null-*", "--format", "json"]
    assert main(asked) == 0
    shown = json.loads(capsys.readouterr().out)["manifest"]["scenario"]
    assert [user["name"] for user in shown["users"]] == ["alice", "bob", "carol"] and shown["messages"] == 24
    as_json = tmp_path / "our_town.json"
    as_json.write_text(json.dumps(shown))
    assert main(["check", as_json.name]) == 0
    assert "our_town.json: 3 of 3 hold." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "other", "said"),
    [
        ("last = 3\n", "last = 9\n", "the scenario's warrants[0] has first 1 and last 9"),
        ('target = "bob"', 'target = "bert"', "the scenario names 'bert', who is no user"),
        ("days = 5", "dais = 5", "unknown field `dais`"),
        ("days = 5", "days = ", "is not a scenario"),
        ("messages = 24", "messages = 1", "FAILS warrants cover texts: not the one about bob"),
    ],
)
def test_a_fault_in_a_scenario_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    other: str,
    said: str,
) -> None:
    file = changed(made("scenario", tmp_path, monkeypatch, "our-town"), line, other)
    assert main(["check", file]) == 4
    shown = capsys.readouterr()
    assert said in " ".join((shown.out + shown.err).split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["attack", "authority-theft"], "there is an attack authority-theft already"),
        (["scenario", "groups"], "there is a scenario groups already"),
        (["experiment", "meetings"], "there is an experiment meetings already"),
        (["attack", "Two Words"], "'Two Words' is not a name"),
        (["scenario", "town", "-o", "town.json"], "must be called FILE.toml"),
        (["attack", "mine", "-o", "mine.txt"], "must be called FILE.py"),
        (["attak", "mine"], "did you mean attack?"),
    ],
)
def test_a_name_that_cannot_be_used_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
