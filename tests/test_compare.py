"""Two runs beside each other: what counts against the later one, and what cannot be compared."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from command_line import (
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
)
from hypothesis import given
from hypothesis import strategies as st

from attacks.cli import main
from attacks.cli.job import Job
from attacks.cli.policy import judge, unexpected
from attacks.lab import comparison, journal
from attacks.lab.comparison import Comparison, NotComparable, compare
from attacks.lab.counts import Exact
from attacks.lab.measure import Overhead, Timed, Timing
from attacks.lab.results import (
    Alarms,
    Anatomy,
    ByDay,
    Cell,
    Exposed,
    Exposure,
    Manifest,
    Matrix,
    Minimal,
    Threshold,
    to_json,
)
from attacks.lab.scenario import default
from attacks.report import rows

MATHEMATICS = "mathematics"
ALARM = Alarms(who="alice-phone", check="safety number", times=2, first_day=6, packets=900)


def manifest(**others: Any) -> Manifest:
    given = {"schemes": ("plain", "split-key"), "attacks": ("theft",), "scenario": default(), "parameters": {}}
    return Manifest(version="0", inventory="", **given | others)


def matrix(**counts: Any) -> Matrix:
    """Two cells: one as it is given here, and one that stays as it is."""
    cell = Cell(scheme="plain", attack="theft", **{"verdict": "AS CLAIMED", "sent": 9} | counts)
    return Matrix(manifest=manifest(), cells=(cell, Cell(scheme="split-key", attack="theft", verdict="BREACH")))


def found(comparison: Comparison) -> list[tuple[object, ...]]:
    return [(each.severity, each.row, each.what, each.old, each.new) for each in comparison.differences]


# --- matrices ---

WORSE = {
    "a breach": ({}, {"verdict": "BREACH"}, "verdict"),
    "a breach that was not judged": ({"verdict": "ERROR"}, {"verdict": "BREACH"}, "verdict"),
    "a breach where the attack did not apply": ({"verdict": "NOT_APPLICABLE"}, {"verdict": "BREACH"}, "verdict"),
    "something opened": ({"verdict": "HELD"}, {"verdict": "AS CLAIMED"}, "verdict"),
    "no verdict": ({}, {"verdict": "INCONCLUSIVE"}, "verdict"),
    "a crash": ({"verdict": "BREACH"}, {"verdict": "ERROR"}, "verdict"),
    "a timeout": ({"verdict": "HELD"}, {"verdict": "TIMEOUT"}, "verdict"),
    "no longer measured": ({"verdict": "HELD"}, {"verdict": "NOT_APPLICABLE"}, "verdict"),
    "exposed": ({}, {"exposed": Exposed(bystander=Exposure(past=1))}, "exposed.bystander.past"),
    **{name: ({name: 1}, {name: 2}, name) for name in ("excluded", "overreached", "evaded", "lost", "forged")},
    "shown again": ({}, {"duplicated": 1}, "duplicated"),
    "no longer noticed": ({"alarms": (ALARM,)}, {}, "alarms.safety number"),
    "noticed less often": (
        {"alarms": (ALARM,)},
        {"alarms": (msgspec.structs.replace(ALARM, times=1),)},
        "alarms.safety number",
    ),
}
ONE_WAY = {  # the way back is to a breach, or to where an attack does not apply
    "a breach that was not judged",
    "a breach where the attack did not apply",
    "a crash",
    "no longer measured",
}


@pytest.mark.parametrize("what", WORSE)
def test_what_is_worse_in_a_cell_is_one_regression(what: str) -> None:
    old, new, column = WORSE[what]
    differences = found(compare(matrix(**old), matrix(**new)))
    assert [each[:3] for each in differences] == [("regression", ("plain", "theft"), column)]


@pytest.mark.parametrize("what", sorted(WORSE.keys() - ONE_WAY))
def test_the_way_back_is_no_regression(what: str) -> None:
    new, old, column = WORSE[what]
    severity = "changed" if column.startswith("alarms") else "improvement"  # more alarms may be false ones
    differences = found(compare(matrix(**old), matrix(**new)))
    assert [each[:3] for each in differences] == [(severity, ("plain", "theft"), column)]


def test_an_alarm_from_another_phone_is_the_same_alarm() -> None:
    other = msgspec.structs.replace(ALARM, who="bob-phone", first_day=2)
    assert found(compare(matrix(alarms=(ALARM,)), matrix(alarms=(other,)))) == []


def test_a_scheme_or_attack_that_is_gone_is_told_once_and_a_new_one_does_not_fail() -> None:
    whole = matrix()
    less = Matrix(manifest=manifest(schemes=("plain",)), cells=whole.cells[:1])
    assert found(compare(whole, less)) == [("regression", ("split-key",), "scheme", "1 cell", None)]
    assert found(compare(less, whole)) == [("new", ("split-key", "theft"), "verdict", None, "BREACH")]
    unplayed = Matrix(manifest=manifest(attacks=()), cells=())
    assert found(compare(whole, unplayed)) == [("regression", ("theft",), "attack", "2 cells", None)]
    torn = Matrix(manifest=manifest(), cells=whole.cells[:1])
    assert found(compare(whole, torn)) == [("regression", ("split-key", "theft"), "verdict", "BREACH", None)]


def test_the_worst_comes_first_and_verdicts_before_counts() -> None:
    new = matrix(verdict="BREACH", excluded=2, lost=0, lawful=1)
    assert [each[0:3:2] for each in found(compare(matrix(lost=1), new))] == [
        ("regression", "verdict"),
        ("regression", "excluded"),
        ("improvement", "lost"),
        ("changed", "lawful"),
    ]


COUNTS = st.fixed_dictionaries(
    {name: st.integers(0, 3) for name in ("excluded", "overreached", "evaded", "lost", "forged", "duplicated")}
)


@given(COUNTS, COUNTS)
def test_what_is_worse_one_way_is_better_the_other_way(one: dict[str, int], other: dict[str, int]) -> None:
    there, back = compare(matrix(**one), matrix(**other)), compare(matrix(**other), matrix(**one))
    turned = {"regression": "improvement", "improvement": "regression"}
    assert sorted(found(there)) == sorted((turned[s], row, what, new, old) for s, row, what, old, new in found(back))
    assert {each.what for each in there.differences} == {name for name in one if one[name] != other[name]}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (manifest(scenario=default(seed=7)), "the scenarios differ: seed 2019 and 7"),
        (manifest(scenario=default(users=4)), "the scenarios differ: .*users"),
        (manifest(parameters={"split-key": {"t": 3}}), "parameters of split-key differ: none and t=3"),
    ],
)
def test_what_was_played_differently_is_not_compared(other: Manifest, said: str) -> None:
    changed = msgspec.structs.replace(matrix(), manifest=other)
    with pytest.raises(NotComparable, match=said):
        compare(matrix(), changed)


def test_another_version_or_another_set_of_rules_is_what_is_compared() -> None:
    later = msgspec.structs.replace(manifest(), version="9", inventory="other", unverified=("plain",))
    assert found(compare(matrix(), msgspec.structs.replace(matrix(), manifest=later))) == []


# --- anatomies ---


def coalition(*members: str, opens: int = 9, **others: Any) -> Minimal:
    fields = {"mode": "passive", "label_pass": MATHEMATICS, "by_day": {"3": ByDay(earlier=opens, later=0)}} | others
    return Minimal(members=members, opens=opens, officials_only=True, **fields)


def anatomy(*coalitions: Minimal, scheme: str = "split-key", **others: Any) -> Anatomy:
    return Anatomy(scheme=scheme, sent=9, minimal_coalitions=coalitions, manifest=manifest(**others))


def test_a_new_coalition_is_a_regression_and_a_smaller_one_is_no_improvement() -> None:
    pair, single = anatomy(coalition("a@0-9", "b@0-9")), anatomy(coalition("a@0-9"))
    assert found(compare(pair, single)) == [
        ("regression", (MATHEMATICS, "a"), "opens", None, 9),
        ("changed", (MATHEMATICS, "a", "b"), "opens", 9, None),
    ]
    assert found(compare(pair, anatomy())) == [("improvement", (MATHEMATICS, "a", "b"), "opens", 9, None)]


def test_a_coalition_that_opens_more_on_any_evening_is_a_regression() -> None:
    more = coalition("a@0-9", opens=9, by_day={"2": ByDay(earlier=1, later=0), "3": ByDay(earlier=9, later=0)})
    assert found(compare(anatomy(coalition("a@3")), anatomy(more))) == [
        ("regression", (MATHEMATICS, "a"), "by_day.2.earlier", 0, 1)
    ]
    assert compare(anatomy(coalition("a@3", opens=8)), anatomy(coalition("a@3"))).regressions == 2


def test_evenings_of_a_member_are_told_by_what_they_yield_not_by_its_name() -> None:
    assert found(compare(anatomy(coalition("a@0-9")), anatomy(coalition("a@1-9")))) == []


def test_a_lower_threshold_is_a_coalition_that_was_not_there() -> None:
    of = ("a@0-9", "b@0-9", "c@0-9")
    old, new = (anatomy(coalition(threshold=Threshold(t=t, of=of))) for t in (2, 1))
    assert compare(old, new).regressions == 1


def test_a_pass_that_was_not_made_before_is_new_but_mathematics_always_is() -> None:
    served = msgspec.structs.replace(coalition("court@0-9"), label_pass="served")  # noqa: S106 (no password)
    assert found(compare(anatomy(coalition("a@0-9")), anatomy(coalition("a@0-9"), served)))[0][0] == "new"
    assert found(compare(anatomy(served), anatomy(coalition("a@0-9"), served)))[0][0] == "regression"


def test_an_active_play_that_opens_more_or_is_noticed_less_or_gone_is_a_regression() -> None:
    def played(**others: Any) -> Anatomy:
        return anatomy(coalition("provider@3-9", **{"mode": "active", "meddle": "ghost", "alarms": (ALARM,)} | others))

    row = ("active", "ghost")
    assert found(compare(played(), played(alarms=()))) == [("regression", row, "alarms.safety number", 2, 0)]
    assert found(compare(played(), played(opens=10)))[0][:3] == ("regression", row, "by_day.3.earlier")
    assert found(compare(played(), anatomy())) == [("regression", row, "opens", 9, None)]
    assert found(compare(anatomy(), played())) == [("new", row, "opens", None, 9)]


def test_anatomies_of_two_schemes_are_not_compared() -> None:
    with pytest.raises(NotComparable, match="two schemes: split-key and plain"):
        compare(anatomy(), anatomy(scheme="plain"))


# --- overhead ---


def overhead(text: int = 100, mail: int = 203, texts: int = 1, messages: int = 60, **times: Any) -> Overhead:
    row = {"microseconds": 10.0, "over_plain": 2.0, "over_floor": None} | times
    return Overhead(
        version="0",
        text=text,
        schemes=("envelope",),
        parameters={"envelope": {}},
        unverified=(),
        exact=(
            Exact(
                scheme="envelope",
                job="one-way",
                texts=texts,
                ciphertexts=1,
                mail=mail,
                sealed=168,
                field=30,
                asked=183,
                sessions=994,
                operations={"alice-phone": {"hmac": 2}},
            ),
        ),
        timing=Timing(
            python="3",
            cryptography="50",
            messages=messages,
            repeats=3,
            floor={},
            rows=(Timed(scheme="envelope", job="one-way", level="session", **row),),
        ),
    )


def test_one_byte_or_one_operation_more_is_a_regression_and_one_text_less() -> None:
    base = overhead()
    assert found(compare(base, overhead(mail=204))) == [("regression", ("envelope", "one-way"), "mail", 203, 204)]
    assert found(compare(base, overhead(mail=202)))[0][0] == "improvement"
    assert found(compare(base, overhead(texts=0))) == [("regression", ("envelope", "one-way"), "texts", 1, 0)]
    counts = msgspec.structs.replace(base.exact[0], operations={"alice-phone": {"hmac": 2, "seal": 1}})
    more = found(compare(base, msgspec.structs.replace(base, exact=(counts,))))
    assert more == [("regression", ("envelope", "one-way"), "operations.alice-phone.seal", 0, 1)]


@pytest.mark.parametrize(
    ("ratio", "tolerance", "severities"),
    [(2.5, 25, []), (2.51, 25, ["regression"]), (2.51, 30, []), (1.5, 25, ["improvement"]), (2.01, 0, ["regression"])],
)
def test_a_ratio_of_times_may_grow_by_the_tolerance(ratio: float, tolerance: float, severities: list[str]) -> None:
    differences = found(compare(overhead(), overhead(over_plain=ratio), tolerance))
    assert [each[0] for each in differences] == severities


def test_microseconds_are_the_machine_s_and_so_are_ratios_over_another_number_of_texts() -> None:
    slow = compare(overhead(), overhead(microseconds=100.0))
    assert [each[0:3:2] for each in found(slow)] == [("advisory", "microseconds")] and slow.regressions == 0
    assert [each[0] for each in found(compare(overhead(), overhead(messages=10, over_plain=9.0)))] == ["advisory"]


def test_a_row_that_is_gone_is_a_regression_and_texts_of_another_size_are_not_compared() -> None:
    base = overhead()
    less = msgspec.structs.replace(base, exact=(), timing=msgspec.structs.replace(base.timing, rows=()))
    assert [each[0] for each in found(compare(base, less))] == ["regression", "regression"]
    assert [each[0] for each in found(compare(less, base))] == ["new", "new"]
    with pytest.raises(NotComparable, match="100 and 200 bytes"):
        compare(base, overhead(text=200))
    with pytest.raises(NotComparable, match="parameters of envelope differ"):
        compare(base, msgspec.structs.replace(base, parameters={"envelope": {"n": 3}}))


def recorded(path: Path, **info: Any) -> Path:
    """The file that pytest-benchmark 5 writes, short of what nobody reads."""
    one = {
        "group": "one-way, session",
        "name": "test_job[envelope-one-way-session]",
        "fullname": "benchmarks/test_messages.py::test_job[envelope-one-way-session]",
        "params": {"scheme": "envelope"},
        "extra_info": {"texts": 60, "microseconds_a_text": 90.0, "over_plain": 9.8, "over_floor": 11.0} | info,
        "options": {"timer": "thread_time"},
        "stats": {"median": 0.005, "rounds": 20, "data": [0.005]},
    }
    head = {"machine_info": {"node": "here", "cpu": {"count": 2}}, "commit_info": {}, "datetime": "", "version": "5"}
    path.write_text(json.dumps({**head, "benchmarks": [one]}))
    return path


def test_what_pytest_benchmark_recorded_is_compared_by_the_ratios_in_it(tmp_path: Path) -> None:
    old, new = (
        comparison.read(recorded(tmp_path / name, **info))
        for name, info in (("old", {}), ("new", {"over_plain": 13.0, "microseconds_a_text": 900.0}))
    )
    differences = found(compare(old, new))
    assert [each[0:3:2] for each in differences] == [("regression", "over_plain"), ("advisory", "microseconds_a_text")]
    other = comparison.read(recorded(tmp_path / "other", texts=10))
    with pytest.raises(NotComparable, match="60 and 10 texts"):
        compare(old, other)


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
    (tmp_path / "later").write_bytes(to_json(matrix()).replace(b"matrix/1", b"matrix/2"))
    (tmp_path / "torn").write_bytes(to_json(matrix())[:-20])
    (tmp_path / "rows").write_text("".join(rows.written(matrix(), "jsonl", terminal=False)))
    (tmp_path / "line").write_text('{"schema": "escrow-lab/matrix/1"}\n')
    recorded(tmp_path / "pytest")
    begun = journal.encoded(head())
    (tmp_path / "begun").write_bytes(begun)
    (tmp_path / "journal").write_bytes(begun + begun)
    return tmp_path


def head() -> journal.Head:
    return journal.Head(manifest=manifest(), every=("theft",), rules={"plain": (), "split-key": ()}, sources={})


def test_a_journal_is_read_as_the_matrix_that_it_makes(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[journal.Line] = [
        journal.CellLine(key="k", cell=msgspec.structs.replace(each, key="k"), fired=()) for each in matrix().cells
    ]
    lines.append(journal.ControlLine(key="c", attack="theft", failure="", fired=()))
    whole = b"".join(map(journal.encoded, (head(), *lines)))
    (files / "whole.jsonl").write_bytes(whole)
    assert found(compare(matrix(), comparison.read(files / "whole.jsonl"))) == []
    assert main(["compare", "whole.jsonl", "begun"]) == 1
    assert "plain, theft: verdict AS CLAIMED → ERROR" in capsys.readouterr().out


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
        ("later", "held", 4, "it is escrow-lab/matrix/2, not"),
        ("rows", "held", 4, "rows holds rows, and not what was played; compare takes --format json"),
        ("journal", "held", 4, "journal, line 2: "),
        ("line", "held", 4, "line is no result: Object missing required field"),
        ("held", "seed", 5, "held and seed cannot be compared: the scenarios differ: seed 2019 and 7"),
        ("held", "anatomy", 5, "they are of two kinds: escrow-lab/matrix/1 and escrow-lab/anatomy/1"),
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
        "regression  plain, theft: verdict HELD → BREACH\n2 rows of escrow-lab/matrix/1: regression 1.\n"
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
        *(({"verdict": "BREACH", name: 1}, True) for name in ("overreached", "forged", "duplicated")),
        ({"verdict": "HELD", "duplicated": 1}, False),
    ],
)
def test_unexpected_is_a_breach_that_plain_has_not(counts: dict[str, Any], expected: bool) -> None:
    cell = matrix(**counts).cells[0]
    assert unexpected(cell) is expected
    assert judge([cell], Job(fail_on="unexpected")) == int(expected)


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
    fake(monkeypatch, "attacks.lab.matrix", run_matrix=lambda *_, **__: result(*verdicts))
    for command in (["matrix"], ["run", "null-eavesdropper"]):
        assert main([*command, *options, "--format", format_]) == code
        shown = capsys.readouterr()
        assert bool(shown.out) == (code != 5) and ("plain, a-0: verdict HELD → BREACH" in shown.err) == (
            verdicts[0] == "BREACH"
        )


def cells(*verdicts: str) -> list[Cell]:
    return list(result(*verdicts).cells)


def asked(path: Path, *verdicts: str, attacks: tuple[str, ...] = ("a-0", "a-1")) -> Job:
    job = Job(fail_on="regression", baseline=path, reference=result(*verdicts))
    vars(job).update(schemes={}, attacks=dict.fromkeys(attacks))
    return job


def test_a_regression_against_the_baseline_is_1_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = asked(tmp_path, "HELD", "BREACH")
    assert judge(cells("HELD", "BREACH"), job) == judge(cells("HELD", "HELD"), job) == 0
    assert capsys.readouterr().err == ""
    assert judge(cells("BREACH", "BREACH"), job) == 1
    assert capsys.readouterr().err == "regression: plain, a-0: verdict HELD → BREACH\n"
    job.quiet = True
    assert judge(cells("ERROR", "BREACH"), job) == 3 and capsys.readouterr().err == ""


def test_what_was_not_played_is_left_out_unless_it_is_there_no_more(tmp_path: Path) -> None:
    known = asked(tmp_path, "HELD", "BREACH")
    vars(known)["schemes"] = {"plain": matrix_scheme()}
    assert judge(cells("HELD"), known) == 0
    gone = asked(tmp_path, "HELD", "BREACH", attacks=("a-0",))
    vars(gone)["schemes"] = {"plain": matrix_scheme()}
    assert judge(cells("HELD"), gone) == 1


def matrix_scheme() -> Any:
    from escrow.schemes.plain import SCHEME

    return SCHEME


def test_a_baseline_that_does_not_serve_is_said_before_anything_is_played(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(monkeypatch, "attacks.lab.matrix", run_matrix=lambda *_, **__: pytest.fail("it was played"))
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


def test_a_baseline_of_other_parameters_is_not_comparable(tmp_path: Path) -> None:
    from attacks.cli.failures import CannotCompare
    from escrow import registry
    from escrow.schemes.split_key import SplitKey

    old = Matrix(
        manifest=manifest(parameters={"split-key": {"t": 2, "n": 3}}),
        cells=(Cell(scheme="split-key", attack="theft", verdict="HELD"),),
    )
    job = Job(fail_on="regression", baseline=tmp_path, reference=old)
    changed = registry.with_parameters(SplitKey(), ["split-key.t=3", "split-key.n=5"])
    vars(job).update(schemes={"split-key": changed}, attacks={"theft": None})
    with pytest.raises(CannotCompare, match="parameters of split-key differ: t=2, n=3 and"):
        judge(old.cells, job)
