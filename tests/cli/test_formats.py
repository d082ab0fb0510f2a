"""Results as rows: in every format the same records, and nothing of a plug-in's that its reader could obey."""

import csv
import io
import json
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from command_line import (
    EVIL,
    SCRIPT,
    SMALL,
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
    written,
)
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from attacks.cli import main
from attacks.lab.comparison.files import compare
from attacks.lab.costs import measure
from attacks.lab.results.bounds import Result
from attacks.lab.results.types import Alarms, Anatomy, ByDay, Cell, MemberThreshold, Minimal
from attacks.report import cards, rows
from attacks.report.page import plain
from attacks.report.proofs import Check, Checks, Evidence, Verified, Verifieds
from escrow.schemes.plain import SCHEME as PLAIN

OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
ALARMS = (
    Alarms(who="alice-phone", check="safety number", times=2, first_day=6, packets=900),
    Alarms(who="bob-phone", check="new device", times=1, first_day=3, packets=300),
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
HOSTILE = st.builds(str.__add__, st.sampled_from(["", *"=+-@\t\r\n|`<&*_[~\\;,\"'＝ "]), WORDS)


def checks(*details: str) -> Checks:
    tried = tuple(Check(name=f"property {n}", holds=True, detail=detail) for n, detail in enumerate(details))
    return Checks(subject="x", checks=tried)


def anatomy(*coalitions: Minimal) -> Anatomy:
    return Anatomy(scheme="plain", sent=9, minimal_coalitions=coalitions, manifest=result().manifest)


def minimal(*members: str, **others: object) -> Minimal:
    fields = {"mode": "passive", "label_pass": "served", "officials_only": True, "opens": 9, "by_day": {}} | others
    return Minimal(members=members, **fields)  # type: ignore[arg-type]  # as they are given


def text(of: Result, format_: str, terminal: bool = False) -> str:
    return "".join(rows.written(of, format_, terminal))


def read_csv(of: Result) -> list[dict[str, str]]:
    """The records, each with exactly the columns of the header."""
    header, *records = csv.reader(io.StringIO(text(of, "csv"), newline=""), strict=True)
    return [dict(zip(header, record, strict=True)) for record in records]


def read_md(of: Result) -> list[list[str]]:
    """The cells of all tables, as a reader of Markdown shows them. Fails where anything but text comes through."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text(of, "md"))
    found: list[list[str]] = []
    for token, inline in pairwise(tokens):
        if token.type == "tr_open":
            found.append([])
        elif token.type in ("th_open", "td_open"):
            children = inline.children or []
            assert {each.type for each in children} <= {"text"}, inline.content
            found[-1].append("".join(each.content for each in children))
    return found


# --- which rows ---

VERIFIED = Verified(
    folder="f",
    scheme="plain",
    parameters="",
    attack="null-eavesdropper",
    coalition="nobody",
    verdict="HELD: nothing opened",
    scenario="3 users",
    replayed=False,
    unchecked=0,
    summary="s",
)


HELD: dict[str, tuple[Result, list[str]]] = {
    "matrix": (result("HELD"), ["cells"]),
    "anatomy": (anatomy(minimal("a@0-9")), ["structure", "guesses", "minimal_coalitions"]),
    "cards": (cards.cards([PLAIN]), ["cards"]),
    "comparison": (compare(result("HELD"), result("BREACH")), ["differences"]),
    "bench": (measure.bench([], messages=1, repeats=1), ["exact", "timing.rows", "timing.peers"]),
    "checks": (checks("fine"), ["checks", "cells"]),
    "verified": (Verifieds(proofs=(VERIFIED,)), ["proofs"]),
    "evidence": (Evidence(scheme="s", attack="a", digest="d", folder="f"), [""]),
}


@pytest.mark.parametrize("name", HELD)
def test_the_rows_of_a_result_are_its_tuples_of_results(name: str) -> None:
    of, held = HELD[name]
    assert [each.name for each in rows.tables(of)] == held
    count = sum(len(each.rows) for each in rows.tables(of))
    assert text(of, "jsonl").count("\n") == len(read_csv(of)) == count
    records = [json.loads(line) for line in text(of, "jsonl").splitlines()]
    assert [each.get("record") for each in records] == [record.get("record") for record in read_csv(of)]
    assert ("record" in (*records, {})[0]) == (len(held) > 1)


@given(st.lists(HOSTILE, max_size=3))
def test_a_line_of_json_is_one_canonical_row(details: list[str]) -> None:
    cells = tuple(cell(attack=f"theft-{number}", reason=each) for number, each in enumerate(details))
    matrix = msgspec.structs.replace(result("HELD"), cells=cells)
    lines = text(matrix, "jsonl").split("\n")[:-1]
    assert [msgspec.json.decode(line, type=Cell) for line in lines] == list(matrix.cells)
    assert [msgspec.json.encode(each, order="deterministic").decode() for each in matrix.cells] == lines


def cell(**others: object) -> Cell:
    return Cell(**{"scheme": "plain", "attack": "theft", "verdict": "HELD"} | others)  # type: ignore[arg-type]


# --- columns ---


def test_structs_and_mappings_become_dotted_columns_and_lists_are_joined() -> None:
    matrix = msgspec.structs.replace(result(), cells=(cell(coalition=("a@3", "b@3"), alarms=ALARMS),))
    record = read_csv(matrix)[0]
    assert record["coalition"] == "a@3;b@3" and record["exposed.bystander.past"] == "0"
    assert (record["alarms.check"], record["alarms.times"]) == ("safety number;new device", "2;1")
    wide = minimal(threshold=MemberThreshold(t=2, of=("a", "b")), by_day={"3": ByDay(earlier=4, later=5)})
    first, second = read_csv(anatomy(minimal("a@0-9"), wide))
    assert (first["pass"], first["members"], first["threshold.t"]) == ("served", "a@0-9", "")
    assert (second["threshold.of"], second["by_day.3.later"], first["by_day.3.later"]) == ("a;b", "5", "")
    assert list(second).index("by_day.3.earlier") == list(second).index("opens") + 1


def test_the_header_is_there_without_rows_and_the_same_with_them() -> None:
    empty, full = text(result(), "csv"), text(result("HELD", "BREACH"), "csv")
    assert empty.count("\n") == 1 and full.startswith(empty)
    assert read_md(result())[0] == empty.rstrip("\n").split(",")


def test_numbers_are_numbers_and_truth_is_written_as_in_json() -> None:
    bench = measure.bench([], messages=1, repeats=1)
    slower = msgspec.structs.replace(bench.timing.rows[0], microseconds=-1.5, over_plain=None)
    timing = msgspec.structs.replace(bench.timing, rows=(slower,))
    record = read_csv(msgspec.structs.replace(bench, timing=timing))[-1]
    assert (record["microseconds"], record["over_plain"], record["mail"]) == ("-1.5", "", "")
    assert read_csv(checks("fine"))[0]["holds"] == "true"


def test_markdown_has_no_blank_column_aligns_numbers_and_keeps_a_mapping_in_one() -> None:
    of = anatomy(minimal("a@0-9", by_day={"3": ByDay(earlier=4, later=5)}))
    assert read_md(of) == [
        ["mode", "pass", "members", "officials_only", "opens", "by_day"],
        ["passive", "served", "a@0-9", "true", "9", "3.earlier 4;3.later 5"],
    ]
    assert "| --- | --- | --- | --- | ---: | --- |\n" in text(of, "md")


# --- what a plug-in may have written ---


@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_no_cell_is_a_formula_and_every_record_is_one_line(details: list[str]) -> None:
    of = checks(*details)
    assert text(of, "csv").count("\n") == len(details) + 1
    for detail, record in zip(details, read_csv(of), strict=True):
        assert record["detail"].removeprefix("'") == plain(detail.removeprefix("'"))
        assert not re.match(r"[\s]*[=+\-@＝＋－＠]", record["detail"])
        assert record["detail"] == plain(detail) or re.match(r"\s*[=+\-@＝＋－＠\t\r]", detail)


def test_what_stands_in_a_list_is_no_formula_either() -> None:
    matrix = msgspec.structs.replace(result(), cells=(cell(coalition=("a", "=1+1", "-2")),))
    assert read_csv(matrix)[0]["coalition"] == "a;'=1+1;'-2"
    named = msgspec.structs.replace(result(), cells=(cell(scheme="@SUM(A1)", reason="\t=1"),))
    record = read_csv(named)[0]
    assert record["scheme"] == "'@SUM(A1)" and record["reason"] == r"'\t=1"


@given(st.lists(HOSTILE, min_size=1, max_size=3))
def test_markdown_shows_every_text_as_it_is_and_obeys_none(details: list[str]) -> None:
    header, *cells = read_md(checks(*details))
    if "detail" not in header:
        assert not any(details)
        return
    at = header.index("detail")
    assert [each[at] for each in cells] == [plain(detail).strip() for detail in details]


@given(HOSTILE)
def test_a_terminal_gets_nothing_that_it_could_obey_in_any_format(detail: str) -> None:
    for format_ in rows.FORMATS:
        shown = text(checks(detail), format_, terminal=True)
        assert not OBEYED.search(shown), format_
    for format_ in ("md", "csv"):  # which a pager or `head` passes on
        assert not OBEYED.search(text(checks(detail), format_)), format_


@given(HOSTILE)
def test_json_for_a_terminal_is_the_same_json(detail: str) -> None:
    of = checks(detail)
    for format_ in ("json", "jsonl"):
        there, elsewhere = (text(of, format_, terminal) for terminal in (True, False))
        assert json.loads(there) == json.loads(elsewhere)
    assert json.loads(text(of, "jsonl"))["detail"] == detail and "ü" in text(checks("ü"), "json", terminal=True)


@pytest.mark.parametrize("format_", ["jsonl", "md", "csv"])
def test_a_plug_in_s_titles_stay_in_their_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    title = "=cmd|' /C calc'!A1 `<img src=x>` [go](https://example.org)\\n| new | row |"
    path = written(tmp_path, "evil.py", EVIL.replace("E\\x1b[2Jvil \\u202etext\\x9b31m", title))
    assert main(["schemes", "--only", "evil", "--plugin", path, "--format", format_]) == 0
    told = capsys.readouterr().out
    if format_ == "csv":
        assert next(csv.DictReader(io.StringIO(told), strict=True))["title"].startswith("'=cmd|")
    elif format_ == "md":
        tokens = MarkdownIt("commonmark").enable("table").parse(told)
        assert sum(token.type == "tr_open" for token in tokens) == 2
        assert not {child.type for token in tokens for child in token.children or ()} & {"link_open", "html_inline"}
    else:
        assert json.loads(told)["title"].endswith("\n| new | row |")


# --- where they are read ---


@pytest.mark.parametrize("format_", rows.FORMATS)
def test_who_reads_one_line_gets_a_whole_one_and_no_complaint(format_: str) -> None:
    with subprocess.Popen(
        [*SCRIPT, "attacks", "--format", format_], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().endswith("\n")
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, "")


NARROW = [["schemes"], ["show", "split-key"], ["bench", "--smoke"], ["doctor"], ["matrix"], ["check", "plain"]]


@pytest.mark.parametrize("arguments", NARROW, ids=" ".join)
def test_a_narrow_terminal_gets_narrow_lines(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result("BREACH", "HELD", "ERROR"))
    fake(
        monkeypatch,
        "attacks.lab.runs.conformance",
        check=lambda *_: iter([("a property of some length, in words", True, "")]),
    )
    main(arguments)
    lines = capsys.readouterr().out.splitlines()
    assert lines and max(map(len, lines)) <= 40


def test_colours_are_left_out_where_nobody_wants_them_and_out_of_every_format_of_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    for wanted in (True, False):
        for format_ in ("table", *rows.FORMATS):
            assert main(["schemes", "--format", format_]) == 0
            assert ("\x1b" in capsys.readouterr().out) == (wanted and format_ == "table"), format_
        monkeypatch.setenv("NO_COLOR", "1")


def test_an_answer_of_lines_is_refused_as_rows(capsys: pytest.CaptureFixture[str]) -> None:
    for format_ in ("jsonl", "md", "csv"):
        assert main(["explain", "plain", "--coalition", "alice-phone", "--format", format_, *SMALL]) == 2
        shown = capsys.readouterr()
        assert shown.out == "" and shown.err.count("\n") == 1
