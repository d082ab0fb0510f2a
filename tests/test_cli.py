"""The command line: exit codes, one line for every error, files that are whole or not there."""

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from attacks.cli import COMMANDS, main, output
from attacks.cli.job import SMOKE, Job
from attacks.lab.results import Cell, Manifest, Matrix, to_json
from attacks.lab.scenario import default

SCRIPT = [sys.executable, "-c", "import sys; from attacks.cli import main; sys.exit(main())"]
SMALL = ["--users", "3", "--groups", "0", "--days", "2", "--messages", "6"]
EVIL = '''
"""Evil \\x1b[31m: a title that would paint the terminal.

  weak     \\x1b]0;owned\\x07 everything
"""
from escrow.schemes.plain import Plain
from escrow.scheme import Source

class Evil(Plain, frozen=True, kw_only=True):
    name = "evil"
    title = "E\\x1b[2Jvil \\u202etext\\x9b31m"
    source = Source("A\\nB", "T", 2026, "all")

SCHEME = Evil()
'''


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Plug-ins of one test are unknown to the next, and no variable of ours decides on colours or width."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], str]:
    def write(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def run(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SCRIPT, *arguments], capture_output=True, text=True, timeout=120, **settings)


def fake(monkeypatch: pytest.MonkeyPatch, name: str, **functions: Any) -> None:
    """A module of the laboratory that answers at once."""
    module = ModuleType(name)
    vars(module).update(functions)
    monkeypatch.setitem(sys.modules, name, module)
    package, _, last = name.rpartition(".")
    monkeypatch.setattr(sys.modules[package], last, module, raising=False)


def result(*verdicts: str) -> Matrix:
    cells = tuple(Cell(scheme="plain", attack=f"a-{n}", verdict=v, sent=3) for n, v in enumerate(verdicts))  # type: ignore[arg-type]
    return Matrix(
        manifest=Manifest(
            version="0",
            scenario=default(),
            parameters={},
            schemes=("plain",),
            attacks=tuple(cell.attack for cell in cells),
            inventory="",
        ),
        cells=cells,
    )


# --- starting ---


def test_help_imports_nothing_but_click() -> None:
    heavy = "{'msgspec', 'rich', 'cryptography', 'Crypto', 'dataclasses', 'escrow', 'attacks.lab', 'attacks.report'}"
    code = f"from attacks.cli import main; import sys; main(['--help']); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")


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


# --- errors: one line, the right code, never a traceback ---

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
    "glob": (["matrix", "--only", "zzz*"], "'zzz*' fits no scheme and no attack"),
    "nothing left": (["schemes", "--skip", "*"], "--skip leaves no scheme"),
    "setting": (["matrix", "--set", "split-key.q=1"], "split-key has no parameter 'q'"),
    "value": (["matrix", "--set", "split-key.t=x"], "split-key.t cannot be 'x'"),
    "folder": (["schemes", "-o", "/no/such/folder/x"], "there is no folder /no/such/folder"),
    "no file": (["schemes", "-o", "/dev/null"], "is no regular file"),
    "evening": (
        ["explain", "plain", "--coalition", "alice-phone@0-99999999999"],
        "evenings of the scenario are 0 to 9",
    ),
    "message": (["explain", "plain", "--coalition", "a", "--message", "250"], "texts of the scenario are 0 to 249"),
    "template": (["init", "scheme", "Über scheme"], "is no name"),
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
    "scenario": ("it.json", "{", ["matrix", "--scenario"], "is no scenario: Input data was truncated"),
    "unknown field": ("it.json", '{"users": [], "colour": 1}', ["matrix", "--scenario"], "unknown field `colour`"),
    "one user": ("it.json", '{"users": [{"name": "a", "devices": ["b"]}]}', ["matrix", "--scenario"], "two users"),
    "not text": ("it.json", "\udcff", ["anatomy", "plain", "--scenario"], "is no scenario"),
    "deep": ("it.json", "[" * 100_000, ["matrix", "--scenario"], "is no scenario"),
    "no folder": ("it.txt", "", ["verify"], "is no folder"),
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

    fake(monkeypatch, "attacks.lab.matrix", run_matrix=broken)
    assert main(["matrix"]) == 70
    assert capsys.readouterr().err == (
        "escrow-lab: internal error: KeyError: 'lost\\x1b[1m' (--debug shows the traceback)\n"
    )
    assert main(["matrix", "--debug"]) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_plug_in_that_fails_while_it_runs_is_named_with_its_line(
    written: Callable[[str, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    broken = EVIL + "\n\ndef cast(self, users, court):\n    raise KeyError('mine')\nEvil.cast = cast\n"
    path = written("evil.py", broken)
    assert main(["anatomy", "evil", "--plugin", path, *SMALL]) == 4
    assert f"{path}, line {broken[: broken.index('raise KeyError')].count(chr(10)) + 1}: KeyError" in (
        capsys.readouterr().err
    )


def test_without_hypothesis_the_laws_say_which_extra_they_need(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "escrow.laws", raising=False)
    monkeypatch.delattr(sys.modules["escrow"], "laws", raising=False)
    assert main(["check", "plain"]) == 2
    assert "pip install 'escrow-lab[test]'" in capsys.readouterr().err


# --- verdicts and exit codes ---


@pytest.mark.parametrize("format_", ["table", "json"])
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
    fake(monkeypatch, "attacks.lab.matrix", run_matrix=lambda *_, **__: result(*verdicts))
    policy = ["--fail-on", "breach"] if asked else []
    assert main(["matrix", "--format", format_, *policy]) == code
    assert main(["run", "null-eavesdropper", "--format", format_, *policy]) == code


EVERY = {
    "schemes": (["schemes"], 0),
    "attacks": (["attacks"], 0),
    "show": (["show", "split-key"], 0),
    "run": (["run", "null-eavesdropper", "--fail-on", "breach"], 1),
    "matrix": (["matrix", "--fail-on", "breach"], 1),
    "anatomy": (["anatomy", "plain", *SMALL], 0),
    "explain": (["explain", "envelope", "--coalition", "agent", *SMALL], 0),
    "evidence": (["evidence", "plain", "null-eavesdropper", *SMALL], 0),
    "verify": (["verify", "proof"], 4),
    "check": (["check", "null-eavesdropper"], 0),
    "init": (["init", "scheme", "mine"], 0),
    "bench": (["bench", "--only", "plain", "--messages", "2", "--repeats", "1"], 0),
    "doctor": (["doctor"], 0),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_one_exit_code_in_every_format(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code = EVERY[name]
    fake(monkeypatch, "attacks.lab.matrix", run_matrix=lambda *_, **__: result("BREACH"))
    for format_ in ("table", "json"):
        (tmp_path / format_).mkdir()
        monkeypatch.chdir(tmp_path / format_)
        asked = [] if name == "init" else ["--format", format_]
        written_to = ["-o", "proofs"] if name == "evidence" else []
        assert main([*arguments, *asked, *written_to]) == code
        shown = capsys.readouterr().out
        assert name in ("verify", "init") or shown
        if format_ == "json" and name not in ("verify", "init"):
            assert next(iter(json.loads(shown))) == "schema"


def test_what_is_written_as_json_is_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = result("HELD", "BREACH")
    fake(monkeypatch, "attacks.lab.matrix", run_matrix=lambda *_, **__: expected)
    assert main(["matrix", "--format", "json"]) == 0
    assert capsys.readouterr().out.encode() == to_json(expected)


def test_the_laboratory_is_asked_for_what_the_options_say(
    monkeypatch: pytest.MonkeyPatch, written: Callable[[str, str], str]
) -> None:
    asked: dict[str, Any] = {}

    def run_matrix(schemes: Any, attacks: Any, scenario: Any, **others: Any) -> Matrix:
        asked.update(others, schemes=[each.name for each in schemes], attacks=len(attacks), scenario=scenario)
        asked["t"] = [each.t for each in schemes if each.name == "split-key"]
        return result("HELD")

    fake(monkeypatch, "attacks.lab.matrix", run_matrix=run_matrix)
    options = ["--only", "split*", "--only", "evil", "--skip", "null-*", "--set", "split-key.t=3", "--jobs", "2"]
    assert main(["matrix", "--plugin", written("evil.py", EVIL), *options, "--seed", "7", *SMALL]) == 0
    assert asked["schemes"] == ["evil", "split-key"] and asked["t"] == [3] and asked["unverified"] == ["evil"]
    assert (asked["jobs"], asked["plain"].name, len(asked["every"])) == (2, "plain", asked["attacks"] + 1)
    assert asked["scenario"] == default(users=3, groups=0, days=2, messages=6, seed=7)


def test_a_scenario_file_is_what_a_manifest_holds(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    path.write_bytes(to_json(default(users=4, days=3)))  # type: ignore[arg-type]  # encodes any struct
    assert Job(scenario_file=path).scenario == default(users=4, days=3)
    assert Job(scenario_file=path, seed=5).scenario == default(users=4, days=3, seed=5)


def test_smoke_is_smaller_and_yields_to_sizes() -> None:
    assert Job(smoke=True).scenario == default(**SMOKE)
    assert Job(smoke=True, days=3).scenario == default(**SMOKE | {"days": 3})
    assert Job(smoke=True).scenario.messages < Job().scenario.messages


def test_a_real_attack_is_played_told_and_judged(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--users", "3", "--days", "4", "--messages", "20"]
    assert main(["run", "null-eavesdropper", "--scheme", "plain", "--jobs", "1", *sizes]) == 0
    told = capsys.readouterr().out
    assert "plain under null-eavesdropper: HELD" in told and "none of 20 texts" in told


def test_a_real_anatomy_opens_with_what_it_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["anatomy", "envelope", *SMALL]) == 0
    told = capsys.readouterr().out
    assert told.startswith("message history kept on a device's screen is not counted\n")
    assert "agent@0-1: opens 6 of 6" in told
    assert main(["anatomy", "envelope", "--format", "json", *SMALL]) == 0
    assert json.loads(capsys.readouterr().out)["sent"] == 6


def test_a_real_explanation_goes_from_shares_to_a_text(capsys: pytest.CaptureFixture[str]) -> None:
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


# --- proofs: thin calls ---


def test_a_proof_is_written_once_and_verified_by_its_folder_or_the_one_around_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ["evidence", "envelope", "authority-theft", "--coalition", "agent@1", "-o", str(tmp_path / "new"), *SMALL]
    assert main(made) == 0
    proof = next((tmp_path / "new").iterdir())
    assert f"escrow-lab verify {proof} --replay" in capsys.readouterr().out
    assert main(made) == 2
    assert f"this proof is there already: {proof}" in capsys.readouterr().err
    for folder in (proof, proof.parent):
        assert main(["verify", str(folder), "--replay"]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"{proof}:\n  6 texts follow from ") and "replayed" in told


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
    assert "FAILS" not in told and "two-keys, authority-theft      AS CLAIMED: custodian@" in told
    for tool in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "--strict"]):
        checked = subprocess.run([sys.executable, "-m", *tool, "two_keys.py", *_like_ours(tool)], capture_output=True)
        assert checked.returncode == 0, checked.stdout


def _like_ours(tool: list[str]) -> list[str]:
    return ["--config", str(Path(__file__).parent.parent / "pyproject.toml")] if tool[0] == "ruff" else []


def test_check_runs_the_laws_and_the_row(monkeypatch: pytest.MonkeyPatch, written: Callable[[str, str], str]) -> None:
    laws = [("mail arrives", True, ""), ("the seed decides", True, "")]
    fake(monkeypatch, "attacks.lab.conformance", check=lambda *_: iter(laws))
    fake(monkeypatch, "attacks.lab.matrix", run_matrix=lambda *_, **__: result("BREACH"))
    path = written("evil.py", EVIL)
    assert main(["check", path]) == 0
    assert main(["check", path, "--fail-on", "breach"]) == 1
    laws.append(("a field is bound", False, "it opened"))
    assert main(["check", path]) == 4


@pytest.mark.parametrize("arguments", [["schemes"], ["show", "evil"]])
def test_no_control_character_of_a_plug_in_reaches_the_terminal(
    written: Callable[[str, str], str], capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main([*arguments, "--plugin", written("evil.py", EVIL)]) == 0
    shown = capsys.readouterr().out
    assert "evil" in shown and not set(shown) & set("\x1b\x07\x9b\u202e")


# --- where results go ---


def test_a_file_is_written_whole_and_overwritten_only_if_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "schemes.json"
    assert main(["schemes", "--format", "json", "-o", str(path)]) == 0
    first = path.read_bytes()
    assert json.loads(first)["schema"] == "escrow-lab/cards/1" and capsys.readouterr().out == ""
    assert main(["attacks", "--format", "json", "-o", str(path)]) == 2 and path.read_bytes() == first
    assert main(["attacks", "--format", "json", "-o", str(path), "--force"]) == 0 and path.read_bytes() != first
    assert [each.name for each in tmp_path.iterdir()] == ["schemes.json"]


def test_a_run_that_fails_loses_nothing_written_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(page: Any, **_: Any) -> None:
        page.line("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "kept"
    path.write_text("before")
    monkeypatch.setattr("attacks.report.cards.draw_list", failing)
    assert main(["schemes", "-o", str(path), "--force"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert path.read_text() == "before" and [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("before")
    link.symlink_to(real)
    assert main(["schemes", "-o", str(link), "--force"]) == 0
    assert link.is_symlink() and real.read_text().startswith("name")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_2() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*SCRIPT, "schemes"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "escrow-lab: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("arguments", [["--help"], ["matrix", "--help"], ["schemes"], ["schemes", "--format", "json"]])
def test_a_reader_who_has_left_is_no_failure(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*SCRIPT, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_it_with_its_own_code(written: Callable[[str, str], str], name: str, code: int) -> None:
    path = written("slow.py", "import time\nprint('here', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen([*SCRIPT, "schemes", "--plugin", path], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and process.stderr.readline() == "here\n"
        process.send_signal(getattr(signal, name))
        _, shown = process.communicate(timeout=30)
    said = {130: "escrow-lab: interrupted\n", 143: "escrow-lab: terminated\n"}[code]
    assert (process.returncode, shown) == (code, said)


def test_an_interrupted_run_leaves_no_worker_and_no_file(written: Callable[[str, str], str], tmp_path: Path) -> None:
    stuck = EVIL + "\n\nimport time\n\ndef cast(self, users, court):\n    print(flush=True)\n    time.sleep(60)\n"
    path = written("evil.py", stuck + "Evil.cast = cast\n")
    options = ["--plugin", path, "--only", "evil", "--jobs", "2", "-o", str(tmp_path / "out"), *SMALL]
    with subprocess.Popen(
        [*SCRIPT, "matrix", *options], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None and process.stderr.readline() == "\n"
        os.killpg(process.pid, signal.SIGINT)
        _, shown = process.communicate(timeout=30)  # ends when no worker holds the other end any more
    assert process.returncode == 130 and shown.strip() == "escrow-lab: interrupted"
    assert [each.name for each in tmp_path.iterdir()] == ["evil.py"]


def test_what_a_plug_in_prints_goes_to_stderr(written: Callable[[str, str], str]) -> None:
    done = run("schemes", "--format", "json", "--plugin", written("evil.py", EVIL + "print('chatter')\n"))
    assert json.loads(done.stdout)["cards"] and done.stderr == "chatter\n"


def test_a_locale_without_our_characters_is_no_reason_to_stop() -> None:
    done = run("show", "split-key", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and "\\u03c0" in done.stdout


# --- the terminal ---


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_are_as_chosen_or_as_the_environment_has_it(
    choice: str, environment: dict[str, str], terminal: bool, expected: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    assert output.colours(choice, stream, environment) is expected
    assert output.draws(stream, environment) is (terminal and environment.get("TERM") != "dumb")


def test_a_bar_is_drawn_on_a_terminal_only_and_never_if_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    with Job().progress() as progress:
        assert progress is None
    monkeypatch.setattr("attacks.cli.job.draws", lambda stream: True)
    for silent in (Job(quiet=True), Job(no_progress=True)):
        with silent.progress() as progress:
            assert progress is None
    with Job().progress() as progress:
        assert progress is not None
        progress(1, 2, "plain [bold]\x1b[2J")


def test_json_for_a_terminal_escapes_what_it_would_obey() -> None:
    from attacks.cli.job import _json
    from attacks.report.proofs import Check

    check = Check(name="a\x9b\u202e\x1bü", holds=True)
    for terminal in (True, False):
        text = _json(check, terminal)
        assert json.loads(text) == {"name": "a\x9b\u202e\x1bü", "holds": True, "detail": ""}
        assert ("\x9b" in text, "ü" in text) == (not terminal, True)


def test_bench_tells_bytes_operations_and_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--only", "envelope", "--messages", "2", "--repeats", "1"]) == 0
    told = capsys.readouterr().out
    assert "Bytes mailed for a text of 100 bytes" in told and "Medians of 1 turn of 2 texts" in told
    assert re.search(r"\nplain +\d+ +\d+ +\d+ +\d+\nenvelope +\d+ +\d+ +\d+ +\d+\n", told)
    assert re.search(r"\n    one-way +hkdf-expand \+3, hmac \+3, seal \+1, x25519 \+1, x25519-key \+1\n", told)
    assert main(["bench", "--only", "envelope", "--smoke", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "escrow-lab/bench/1"
