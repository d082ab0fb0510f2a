"""`compare` and `--fail-on`: exit codes, files, and what is said."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from command_line import (
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
)
from runs import anatomy, found, manifest, matrix, recorded

from attacks.cli import main
from attacks.cli.invocation import Invocation
from attacks.cli.policy import Policy, unexpected
from attacks.lab.comparison import files as comparison
from attacks.lab.comparison.files import Comparison, compare
from attacks.lab.results.types import Cell, Matrix, to_json
from attacks.lab.runs import journal
from attacks.lab.simulation.scenario import default
from attacks.report import rows

# --- the command ---


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    runs = {"held": matrix(verdict="HELD"), "breach": matrix(verdict="BREACH"), "anatomy": anatomy()}
    runs["seed"] = msgspec.structs.replace(matrix(), manifest=manifest(scenario=default(seed=7)))
    for name, run in runs.items():
        (tmp_path / name).write_bytes(to_json(run))
    (tmp_path / "text").write_text("no result\x1b[1m")
    (tmp_path / "deep").write_text("[" * 100_000)
    (tmp_path / "cards").write_text('{"schema": "escrow-lab/cards/1", "cards": []}')
    (tmp_path / "list").write_text("[]")
    (tmp_path / "later").write_bytes(to_json(matrix()).replace(b"matrix/2", b"matrix/3"))
    (tmp_path / "torn").write_bytes(to_json(matrix())[:-20])
    (tmp_path / "rows").write_text("".join(rows.written(matrix(), "jsonl", terminal=False)))
    (tmp_path / "line").write_text('{"schema": "escrow-lab/matrix/2"}\n')
    recorded(tmp_path / "pytest")
    begun = journal.encoded(header())
    (tmp_path / "begun").write_bytes(begun)
    (tmp_path / "journal").write_bytes(begun + begun)
    return tmp_path


def header() -> journal.JournalHeader:
    return journal.JournalHeader(
        manifest=manifest(), every=("theft",), rules={"plain": (), "split-key": ()}, sources={}
    )


def test_a_journal_is_read_as_the_matrix_that_it_makes(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[journal.JournalLine] = [
        journal.CellLine(key="k", cell=msgspec.structs.replace(each, key="k"), idle=()) for each in matrix().cells
    ]
    lines.append(journal.ControlLine(key="c", attack="theft", failure="", fired=()))
    whole = b"".join(map(journal.encoded, (header(), *lines)))
    (files / "whole.jsonl").write_bytes(whole)
    assert found(compare(matrix(), comparison.read(files / "whole.jsonl"))) == []
    assert main(["compare", "whole.jsonl", "begun"]) == 1
    assert "plain under theft: ERROR, not AS CLAIMED" in capsys.readouterr().out


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "md", "csv"])
@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("held", "held", 0, ""),
        ("breach", "held", 0, ""),
        ("held", "breach", 1, ""),
        ("pytest", "pytest", 0, ""),
        ("held", "nowhere", 4, "nowhere: No such file"),
        ("held", ".", 4, "Is a directory"),
        ("text", "held", 4, "text is no result"),
        ("deep", "held", 4, "deep is no result"),
        ("list", "held", 4, "list is no result"),
        ("held", "torn", 4, "torn is no result"),
        ("cards", "held", 4, "it is escrow-lab/cards/1, not"),
        ("later", "held", 4, "it is escrow-lab/matrix/3, not"),
        ("rows", "held", 4, "rows holds rows without the scenario; write it with --format json"),
        ("journal", "held", 4, "journal, line 2: "),
        ("line", "held", 4, "line is no result: Object missing required field"),
        ("held", "seed", 5, "held and seed cannot be compared: the scenarios differ: seed 2019 and 7"),
        ("held", "anatomy", 5, "they are of two kinds: escrow-lab/matrix/2 and escrow-lab/anatomy/2"),
        ("pytest", "held", 5, "they are of two kinds"),
    ],
)
def test_compare_exits_alike_in_every_format(
    files: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, code: int, said: str, format_: str
) -> None:
    assert main(["compare", old, new, "--format", format_]) == code
    shown = capsys.readouterr()
    assert said in shown.err and shown.err.count("\n") == (1 if code > 1 else 0)
    assert code < 2 or shown.out == ""


def test_a_difference_is_one_line_that_says_from_what_to_what(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "held", "breach"]) == 1
    assert capsys.readouterr().out == (
        "Worse\n  plain under theft: BREACH, not HELD\n\n2 rows of escrow-lab/matrix/2: 1 worse.\n"
    )
    assert main(["compare", "held", "breach", "--format", "json"]) == 1
    read = msgspec.json.decode(capsys.readouterr().out, type=Comparison)
    assert read == compare(matrix(verdict="HELD"), matrix(verdict="BREACH"))


@pytest.mark.parametrize("given", ["-1", "x", "nan"])
def test_a_tolerance_is_a_whole_number_from_0(files: Path, given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "held", "held", "--tolerance", given]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# --- --fail-on ---


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"verdict": "BREACH", "excluded": 3, "added_over_plain": 1}, True),
        ({"verdict": "BREACH", "excluded": 3}, False),
        ({"verdict": "BREACH", "evaded": 3, "added_over_plain": 1}, False),
        ({"verdict": "AS CLAIMED", "added_over_plain": 3}, False),
        *(({"verdict": "BREACH", name: 1}, True) for name in ("overreached", "forged", "duplicated", "framed")),
        ({"verdict": "HELD", "duplicated": 1}, False),
    ],
)
def test_unexpected_is_a_breach_that_plain_has_not(counts: dict[str, Any], expected: bool) -> None:
    cell = matrix(**counts).cells[0]
    assert unexpected(cell) is expected
    assert Invocation(fail_on="unexpected").judge([cell]) == int(expected)


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "md", "csv"])
@pytest.mark.parametrize(
    ("verdicts", "options", "code"),
    [
        (("HELD", "BREACH"), ["--fail-on", "unexpected"], 0),
        (("HELD", "BREACH"), ["--fail-on", "regression", "--baseline", "old"], 0),
        (("BREACH", "BREACH"), ["--fail-on", "regression", "--baseline", "old"], 1),
        (("BREACH", "TIMEOUT"), ["--fail-on", "regression", "--baseline", "old"], 3),
        (("HELD", "BREACH"), ["--fail-on", "regression", "--baseline", "old", "--seed", "7"], 5),
    ],
)
def test_policies_give_one_exit_code_in_every_format(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verdicts: tuple[str, ...],
    options: list[str],
    code: int,
    format_: str,
) -> None:
    (files / "old").write_bytes(to_json(result("HELD", "BREACH")))
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result(*verdicts))
    for command in (["matrix"], ["run", "null-eavesdropper"]):
        assert main([*command, *options, "--format", format_]) == code
        shown = capsys.readouterr()
        top = "### Worse than the baseline\n\n- plain under a-0: BREACH, not HELD\n"
        assert shown.out.startswith(top) == (format_ == "md" and "regression" in options and verdicts[0] == "BREACH")
        assert bool(shown.out) == (code != 5) and ("plain under a-0: BREACH, not HELD" in shown.err) == (
            verdicts[0] == "BREACH"
        )


def cells(*verdicts: str) -> list[Cell]:
    return list(result(*verdicts).cells)


def asked(path: Path, *verdicts: str, attacks: tuple[str, ...] = ("a-0", "a-1")) -> Invocation:
    made = Invocation()
    policy = Policy("regression", path, result(*verdicts))
    vars(made).update(schemes={}, attacks=dict.fromkeys(attacks), policy=policy)
    return made


def test_a_regression_against_the_baseline_is_1_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    invocation = asked(tmp_path, "HELD", "BREACH")
    assert invocation.judge(cells("HELD", "BREACH")) == invocation.judge(cells("HELD", "HELD")) == 0
    assert capsys.readouterr().err == ""
    assert invocation.judge(cells("BREACH", "BREACH")) == 1
    assert capsys.readouterr().err == "regression: plain under a-0: BREACH, not HELD\n"
    invocation.quiet = True
    assert invocation.judge(cells("ERROR", "BREACH")) == 3 and capsys.readouterr().err == ""


def test_what_was_not_played_is_left_out_unless_it_is_there_no_more(tmp_path: Path) -> None:
    known = asked(tmp_path, "HELD", "BREACH")
    vars(known)["schemes"] = {"plain": matrix_scheme()}
    assert known.judge(cells("HELD")) == 0
    gone = asked(tmp_path, "HELD", "BREACH", attacks=("a-0",))
    vars(gone)["schemes"] = {"plain": matrix_scheme()}
    assert gone.judge(cells("HELD")) == 1


def matrix_scheme() -> Any:
    from escrow.schemes.plain import SCHEME

    return SCHEME


def test_a_baseline_that_does_not_serve_is_said_before_anything_is_played(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: pytest.fail("it was played"))
    tried = {
        ("--fail-on", "regression"): 2,
        ("--baseline", "held"): 2,
        ("--fail-on", "regression", "--baseline", "text"): 4,
        ("--fail-on", "regression", "--baseline", "nowhere"): 4,
        ("--fail-on", "regression", "--baseline", "anatomy"): 5,
        ("--fail-on", "regression", "--baseline", "seed"): 5,
    }
    for options, code in tried.items():
        for command in (["matrix"], ["run", "null-eavesdropper"], ["check", "plain"]):
            assert main([*command, *options]) == code, options
            shown = capsys.readouterr()
            assert shown.out == "" and shown.err.count("\n") == 1


def test_a_baseline_of_other_parameters_is_5_and_what_was_played_is_not_lost(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = Cell(scheme="split-key", attack="null-eavesdropper", verdict="HELD")
    old = Matrix(manifest=manifest(parameters={"split-key": {"t": 2, "n": 3}}), cells=(cell,))
    (files / "old").write_bytes(to_json(old))
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: old)
    options = ["--fail-on", "regression", "--baseline", "old", "--format", "json"]
    assert main(["run", "null-eavesdropper", *options]) == 0
    capsys.readouterr()
    assert main(["run", "null-eavesdropper", *options, "--set", "split-key.t=3", "--set", "split-key.n=5"]) == 5
    shown = capsys.readouterr()
    assert msgspec.json.decode(shown.out, type=Matrix) == old
    assert shown.err == "escrow-lab: old: the parameters of split-key differ: n=3, t=2 and n=5, t=3\n"


def test_check_says_what_became_worse_although_a_property_fails(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = matrix(verdict="INCONCLUSIVE", excluded=2)
    now = msgspec.structs.replace(made, cells=made.cells[:1])
    monkeypatch.setattr(
        "attacks.lab.runs.conformance.check", lambda *_: iter([("a field is bound", False, "it opened")])
    )
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: now)
    assert main(["check", "plain", "--fail-on", "regression", "--baseline", "held"]) == 4
    said = capsys.readouterr().err
    assert "regression: plain under theft: INCONCLUSIVE, not HELD; 2 texts against the claim, not 0\n" in said
