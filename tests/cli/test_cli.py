"""The command line: what it starts, asks the laboratory for, and exits with."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete
from command_line import (
    EVIL,
    SMALL,
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
    run,
    written,
)

from attacks.cli import main
from attacks.cli.app import COMMANDS, COMPLETION, app
from attacks.cli.invocation import Invocation
from attacks.lab.results.types import Matrix, to_json
from attacks.lab.simulation.scenario import default
from attacks.lab.simulation.shapes import SMOKE

# --- starting ---


def test_help_imports_nothing_but_click() -> None:
    """Of this project the entry point alone is loaded, with the packages above it and how they export names."""
    code = "from attacks.cli import main; import sys; main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"msgspec", "rich", "cryptography", "Crypto", "dataclasses", "hypothesis"}
    ours = {name for name in loaded if name.partition(".")[0] in ("escrow", "attacks")}
    assert ours == {"attacks", "attacks.cli", "attacks.cli.app", "escrow", "escrow.surface"}


@pytest.mark.parametrize("arguments", [["check", "--help"], ["schemes"], ["run", "plain", "null-eavesdropper", *SMALL]])
def test_hypothesis_is_imported_where_properties_are_tried_only(arguments: list[str]) -> None:
    code = f"from attacks.cli import main; import sys; main({arguments!r}); print('hypothesis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_help_lists_every_command_with_what_it_says_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    for name in COMMANDS:
        assert f"\n  {name} " in listed
        assert main([name, "--help"]) == 0
        assert f"Usage: escrow-lab {name} " in capsys.readouterr().out


def test_version_is_the_library_s(capsys: pytest.CaptureFixture[str]) -> None:
    from escrow import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"escrow-lab {__version__}\n"


def test_it_runs_as_a_module_too() -> None:
    done = subprocess.run([sys.executable, "-m", "attacks.cli", "schemes"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == run("schemes").stdout


def test_the_shell_completes_commands() -> None:
    asked = {"_ESCROW_LAB_COMPLETE": "bash_complete", "COMP_WORDS": "escrow-lab ma", "COMP_CWORD": "1"}
    assert "matrix" in run(env=os.environ | asked).stdout


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("run gho", "ghost-insertion"),
        ("anatomy thr", "threshold"),
        ("explain cli", "clipper"),
        ("evidence ", "plain"),
        ("evidence plain lei", None),
        ("evidence plain leaf", "leaf-feedback"),
        ("matrix --only mobile", "mobile-adversary"),
        ("matrix --skip fair", "fair-keys"),
        ("run harvest --scheme plain-", "plain-pq"),
        ("reproduce dkg", "dkg-bias"),
        ("show identif", "identifiable abort"),
        ("show plain-", "plain-pq"),
        ("debate --text lev", "levy-robinson"),
    ],
)
def test_the_shell_completes_names(typed: str, completed: str | None) -> None:
    words = typed.split(" ")
    parameters = ShellComplete(app, {}, "escrow-lab", COMPLETION)
    found = [item.value for item in parameters.get_completions(words[:-1], words[-1])]
    assert completed in found if completed else found == []
    assert all(name.startswith(words[-1]) for name in found)


# --- verdicts and exit codes ---


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "md", "csv"])
@pytest.mark.parametrize(
    ("verdicts", "asked", "code"),
    [
        (("HELD", "AS CLAIMED", "NOT_APPLICABLE"), True, 0),
        (("HELD", "BREACH"), False, 0),
        (("HELD", "BREACH"), True, 1),
        (("BREACH", "INCONCLUSIVE"), True, 3),
        (("TIMEOUT",), False, 3),
        (("ERROR",), False, 3),
    ],
)
def test_the_exit_code_is_the_verdicts_in_every_format(
    monkeypatch: pytest.MonkeyPatch, format_: str, verdicts: tuple[str, ...], asked: bool, code: int
) -> None:
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result(*verdicts))
    policy = ["--fail-on", "breach"] if asked else []
    assert main(["matrix", "--format", format_, *policy]) == code
    assert main(["run", "null-eavesdropper", "--format", format_, *policy]) == code


EVERY = {
    "tour": (["tour"], 0),
    "schemes": (["schemes"], 0),
    "attacks": (["attacks"], 0),
    "show": (["show", "split-key"], 0),
    "run": (["run", "null-eavesdropper", "--fail-on", "breach"], 1),
    "matrix": (["matrix", "--fail-on", "breach"], 1),
    "anatomy": (["anatomy", "plain", *SMALL], 0),
    "silence": (["silence", "plain", *SMALL], 0),
    "explain": (["explain", "envelope", "--coalition", "agent", *SMALL], 0),
    "evidence": (["evidence", "plain", "null-eavesdropper", "-o", "proofs", *SMALL], 0),
    "verify": (["verify", "proof"], 4),
    "merge": (["merge", "nothing.jsonl"], 4),
    "report": (["report", "old.json"], 0),
    "debate": (["debate", "old.json", "--text", "home-office"], 0),
    "compare": (["compare", "old.json", "new.json"], 1),
    "check": (["check", "null-eavesdropper"], 0),
    "init": (["init", "scheme", "mine"], 0),
    "bench": (["bench", "--only", "plain", "--messages", "2", "--repeats", "1"], 0),
    "reproduce": (["reproduce", "no-such-figure"], 2),
    "doctor": (["doctor"], 0),
}
UNDRAWN = {("report", "svg"), ("report", "dot")}  # a matrix is a page, and no picture
WORDLESS = {"verify", "merge", "init", "reproduce"}  # of those above, what leaves stdout empty


def formats(name: str) -> list[str]:
    """The formats that a command offers."""
    command = app.get_command(click.Context(app), name)
    assert command is not None
    choices = [each.type for each in command.params if each.name == "format_"]
    return [str(each) for choice in choices if isinstance(choice, click.Choice) for each in choice.choices]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_one_exit_code_in_every_format(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code = EVERY[name]
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result("BREACH"))
    for format_ in formats(name) or [""]:
        folder = tmp_path / f"as {format_}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        (folder / "old.json").write_bytes(to_json(result("HELD")))
        (folder / "new.json").write_bytes(to_json(result("BREACH")))
        if (name, format_) in UNDRAWN:
            assert main([*arguments, "--format", format_]) == 2 and "has no" in capsys.readouterr().err
            continue
        assert main([*arguments, *(["--format", format_] if format_ else [])]) == code
        shown = capsys.readouterr()
        assert bool(shown.out) == (name not in WORDLESS)
        assert name == "verify" or "Traceback" not in shown.err
        if shown.out and format_ in READ:
            READ[format_](shown.out)


READ: dict[str, Callable[[str], object]] = {
    "json": lambda text: next(iter(json.loads(text))) == "schema" or pytest.fail(text),
    "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
    "csv": lambda text: {len(row) for row in csv.reader(io.StringIO(text), strict=True)}.pop() or pytest.fail(text),
    "md": lambda text: re.search(r"^(\|( ---:? \|)+|- .+|[\w ,-]+: .+)$", text, re.M) or pytest.fail(text),
}


def test_no_command_is_left_out_above() -> None:
    assert COMMANDS.keys() <= EVERY.keys()


def test_what_has_no_rows_is_offered_in_no_format_of_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert formats("explain") == ["table", "json"] and formats("init") == []
    for name in COMMANDS.keys() - {"explain", "init"}:
        assert formats(name)[:5] == ["table", "json", "jsonl", "md", "csv"], name
    assert main(["explain", "plain", "--coalition", "alice-phone", "--format", "csv"]) == 2
    assert "'csv' is not one of 'table', 'json'" in capsys.readouterr().err


def test_what_is_written_as_json_is_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = result("HELD", "BREACH")
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: expected)
    assert main(["matrix", "--format", "json"]) == 0
    assert capsys.readouterr().out.encode() == to_json(expected)


def test_the_laboratory_is_asked_for_what_the_options_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def run_matrix(schemes: Any, attacks: Any, scenario: Any, **others: Any) -> Matrix:
        asked.update(others, schemes=[each.name for each in schemes], attacks=len(attacks), scenario=scenario)
        asked["t"] = [each.t for each in schemes if each.name == "split-key"]
        return result("HELD")

    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=run_matrix)
    options = ["--only", "split-k*", "--only", "evil", "--skip", "null-*", "--set", "split-key.t=3", "--jobs", "2"]
    assert main(["matrix", "--plugin", written(tmp_path, "evil.py", EVIL), *options, "--seed", "7", *SMALL]) == 0
    assert asked["schemes"] == ["evil", "split-key"] and asked["t"] == [3] and asked["unverified"] == ["evil"]
    assert (asked["jobs"], asked["plain"].name, len(asked["every"])) == (2, "plain", asked["attacks"] + 1)
    assert asked["scenario"] == default(users=3, groups=0, days=2, messages=6, seed=7)


def test_a_scenario_file_is_what_a_manifest_holds(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    path.write_bytes(to_json(default(users=4, days=3)))  # type: ignore[arg-type]  # encodes any struct
    assert Invocation(scenario_file=path).scenario == default(users=4, days=3)
    assert Invocation(scenario_file=path, seed=5).scenario == default(users=4, days=3, seed=5)


def test_smoke_is_smaller_and_yields_to_sizes() -> None:
    assert Invocation(smoke=True).scenario == default(**SMOKE)
    assert Invocation(smoke=True, days=3).scenario == default(**SMOKE | {"days": 3})
    assert Invocation(smoke=True).scenario.messages < Invocation().scenario.messages


def test_a_real_attack_is_played_told_and_judged(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--users", "3", "--days", "4", "--messages", "20"]
    assert main(["run", "null-eavesdropper", "--scheme", "plain", "--jobs", "1", *sizes]) == 0
    told = capsys.readouterr().out
    assert "plain under null-eavesdropper: HELD" in told and "none of 20 texts" in told


def test_a_real_anatomy_begins_with_the_structure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["anatomy", "envelope", *SMALL]) == 0
    told = capsys.readouterr().out
    assert told.startswith("envelope: who opens how many of 6 texts\n")
    assert "By mathematics alone\n    6  agent; authority\n" in told and "agent@set-up,0-1" not in told
    assert told.endswith("message history kept on a device's screen is not counted.\n")
    assert main(["anatomy", "envelope", "--evenings", *SMALL]) == 0
    assert "agent@set-up,0-1: opens 6 of 6" in capsys.readouterr().out
    assert main(["anatomy", "envelope", "--format", "json", *SMALL]) == 0
    assert json.loads(capsys.readouterr().out)["sent"] == 6


def test_a_real_explanation_goes_from_shares_to_a_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100000")  # no label is cut, as in JSON
    coalition = ["--coalition", "agent-1,agent-3", *SMALL]
    assert main(["explain", "split-key", *coalition]) == 0
    told = capsys.readouterr().out
    assert told.index("text 0") < told.index("[agent-1, evening 0]") < told.index("[agent-3, evening 0]")
    assert main(["explain", "split-key", "--format", "json", *coalition]) == 0
    assert "\n".join(json.loads(capsys.readouterr().out)["lines"]) == told.rstrip("\n")
    assert main(["explain", "split-key", "--coalition", "nobody-here", *SMALL]) == 2


def test_the_self_check_holds_and_a_failure_is_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor"]) == 0
    assert "x25519" in capsys.readouterr().out
    monkeypatch.setattr("escrow.vectors.known_answers", lambda: iter([("aes: one", True), ("aes: two", False)]))
    assert main(["doctor", "--format", "json"]) == 3
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert checks[0] == {"name": "aes", "holds": False, "detail": "not the published answer: aes: two"}
    monkeypatch.setattr("escrow.vectors.untried", lambda: {"tlock": "no extra"})
    assert main(["doctor", "--format", "json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["checks"] == checks and told["versions"]["tlock"] == "not tried: no extra"


def test_bench_tells_bytes_operations_and_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "envelope", "--messages", "2", "--repeats", "1"]) == 0
    told = capsys.readouterr().out
    assert "Bytes mailed for a text of 100 bytes" in told and "Medians of 1 turn of 2 texts" in told
    assert re.search(r"\nplain +\d+ +\d+ +\d+ +\d+\nenvelope +\d+ +\d+ +\d+ +\d+\n", told)
    assert re.search(r"\n    one-way +hkdf-expand \+3, hmac \+3, seal \+1, x25519 \+1, x25519-key \+1\n", told)
    assert main(["bench", "--only", "envelope", "--smoke", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "escrow-lab/bench/1"
