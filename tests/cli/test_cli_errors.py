"""Errors of the command line: one line, the right code, never a traceback."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from command_line import (
    EVIL,
    SMALL,
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    written,
)

from attacks.cli import main
from attacks.lab.simulation.scenario import Scenario

USAGE = {
    "no command": ([], "Usage: escrow-lab"),
    "command": (["matrixx"], "no command is called 'matrixx'; did you mean matrix? (escrow-lab --help)"),
    "sub-command": (["init", "schme"], "no command is called 'schme'; did you mean scheme?"),
    "no such command": (["zzzzzz"], "no command is called 'zzzzzz' (escrow-lab --help)"),
    "option": (["schemes", "--fromat", "json"], "no option is called '--fromat'; did you mean --format?"),
    "option of others": (["matrix", "--scheme", "plain"], "no option is called '--scheme'; did you mean --only?"),
    "choice": (["schemes", "--format", "jsno"], "; did you mean json? (escrow-lab schemes --help)"),
    "principal": (["explain", "plain", "--smoke", "--coalition", "provder"], "did you mean provider?"),
    "scheme of a pattern": (["matrix", "--only", "thresold"], "no attack; did you mean threshold?"),
    "parameter": (["matrix", "--set", "envelope.polcing=x"], "no parameter 'polcing'; did you mean policing?"),
    "format": (["schemes", "--format", "xml"], "'xml' is not one of 'table', 'json'"),
    "name": (["show", "plian"], "did you mean plain?"),
    "beginning": (["run", "nul"], "no attack is called 'nul'; did you mean null-eavesdropper?"),
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
    "word": (["matrix", "--set", "logged.holder=x"], "logged.holder cannot be 'x': it is one of hsm, promise"),
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
    "scope": (
        "it.json",
        '{"users":[],"warrants":[{"target":"a","first":0,"last":0,"issued":0,"expires":0,"scope":"all"}]}',
        ["matrix", "--scenario"],
        "Invalid enum value 'all'",
    ),
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


def scenario_with(**fields: Any) -> bytes:
    """A small scenario that has these fields instead of its own."""
    fields = {"seed": 1, "days": 3, "messages": 6, "users": USERS, "attack_day": 1, **fields}
    return json.dumps(fields).encode()


def warrant_with(**days: int) -> dict[str, Any]:
    return {"warrants": [{"target": "bob", "first": 0, "last": 2, "issued": 0, "expires": 2, **days}]}


def group_with(**fields: Any) -> dict[str, Any]:
    return {"name": "g", "members": ["alice", "bob"], "sender_keys": True, **fields}


def named(name: str) -> dict[str, Any]:
    return {"users": [{"name": name, "devices": ["x"]}, *USERS]}


USERS = [{"name": name, "devices": [f"{name}-phone"]} for name in ("alice", "bob", "carol")]
BEYOND = (-(2**63), -1, 3, 2**63, 2**64, 2**200)
FORBIDDEN = (
    "",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "a+b",
    "a@0",
    "a,b",
    "a\nb",
    "a\n",
    "\x00",
    "a\x1b[31m",
    "a\u202eb",
    " a",
    "a ",
    "a  b",
    "a" * 65,
    "network",  # whoever listens
    "\u0430lice",  # a Cyrillic letter beside Latin ones
    "\u212aim",  # the sign for Kelvin
    "\uff41lice",
    "\u3164",  # a letter that is not seen
    "\u1160",
)
ONE_WAY = {"writer": "alice", "reader": "bob", "first": 0, "last": 2}
CEREMONY = {"day": 0, "one": "alice-phone", "other": "bob-phone"}
SCENARIOS: list[tuple[dict[str, Any], str]] = [
    *((warrant_with(**{field: day}), "warrants[0]") for field in ("first", "last", "issued") for day in BEYOND),
    *((warrant_with(expires=day), "warrants[0]") for day in (-1, 1001, 2**64)),
    (warrant_with(first=2, last=1), "warrants[0]"),
    (warrant_with(issued=2, expires=1), "warrants[0]"),
    *((named(name), "must change") for name in FORBIDDEN),
    *(({"users": [{"name": "eve", "devices": [name]}, *USERS]}, "must change") for name in FORBIDDEN),
    *(({"groups": [group_with(name=name)]}, "must change") for name in FORBIDDEN),
    ({"groups": [group_with(), group_with(members=["bob", "carol"])]}, "'g' appears twice in the scenario's groups"),
    ({"groups": [group_with(members=["alice", "alice", "bob"])]}, "'alice' appears twice in the scenario's group 'g'"),
    ({"groups": [group_with(removed="carol", removal_day=1)]}, "no member"),
    *(({"groups": [group_with(removed="bob", removal_day=day)]}, "on day") for day in (-1, 3, 2**64)),
    ({"groups": [group_with(removal_day=1)]}, "on day"),
    (named("alice"), "same name"),
    ({"users": [*USERS, {"name": "dave", "devices": ["alice-phone"]}]}, "same name"),
    ({"users": [*USERS, {"name": "dave", "devices": ["d", "d"]}]}, "same name"),
    ({"lossy": ["bob-phone", "bob-phone"]}, "lossy"),
    ({"without_one_time": ["bob-phone", "bob-phone"]}, "without_one_time"),
    *(({"one_way": [{**ONE_WAY, field: day}]}, "one_way[0]") for field in ("first", "last") for day in BEYOND),
    ({"one_way": [{**ONE_WAY, "reader": "alice"}]}, "one_way"),
    *(({"ceremonies": [{**CEREMONY, "day": day}]}, "ceremonies[0]") for day in BEYOND),
    ({"ceremonies": [{**CEREMONY, "other": "alice-phone"}]}, "ceremonies"),
    *(({field: 2**64}, field) for field in ("days", "messages", "loss_percent", "late_percent", "stock", "seed")),
    *(({field: -(2**64)}, field) for field in ("rotate_every", "keep_prekeys", "attack_day", "seed")),
]


def test_the_scenario_that_the_faults_are_planted_in_is_right() -> None:
    whole = {**warrant_with(), "groups": [group_with()], "one_way": [ONE_WAY], "ceremonies": [CEREMONY]}
    assert msgspec.json.decode(scenario_with(**whole), type=Scenario).check().days == 3


@pytest.mark.parametrize(("fields", "said"), SCENARIOS, ids=lambda value: value if isinstance(value, str) else None)
def test_a_value_out_of_range_or_twice_in_a_scenario_is_4(
    fields: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "it.json"
    path.write_bytes(scenario_with(**fields))
    assert main(["matrix", "--scenario", str(path)]) == 4
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
