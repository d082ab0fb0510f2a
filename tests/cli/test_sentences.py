"""Comparisons in sentences, and pages as Markdown."""

import io
import re
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from attacks.lab.comparison.difference import Comparison, Difference, Severity
from attacks.report.comparison import draw_comparison, told
from attacks.report.page import MarkdownPage, Page, plain
from attacks.report.proofs import Check, Checks, draw_checks


def different(
    row: str, what: str, old: int | str | None, new: int | str | None, severity: Severity = "regression"
) -> Difference:
    return Difference(severity=severity, row=tuple(row.split("/")), what=what, old=old, new=new)


@pytest.mark.parametrize(
    ("row", "changes", "said"),
    [
        ("envelope/theft", {"verdict": ("HELD", "BREACH")}, "envelope under theft: BREACH, not HELD"),
        (
            "envelope/theft",
            {
                "excluded": (0, 13),
                "verdict": ("HELD", "BREACH"),
                "exposed.target.past": (0, 4),
                "exposed.target.future": (1, 0),
            },
            "envelope under theft: BREACH, not HELD; 3 texts more opened; 13 texts against the claim, not 0",
        ),
        ("envelope/theft", {"exposed.target.past": (4, 1)}, "envelope under theft: 3 texts fewer opened"),
        ("plain-pq", {"scheme": ("3 cells", None)}, "plain-pq: gone (scheme: 3 cells)"),
        (
            "plain/theft",
            {"alarms.safety number": (8, 4)},
            "plain under theft: alarms of the check 'safety number': 4, not 8",
        ),
        ("plain/theft", {"lost": (2, 1)}, "plain under theft: 1 text lost, not 2"),
        (
            "plain/theft",
            {"against.left": (0, 3), "against.as_plain": (3, 0), "unnoticed.reads": (1, 2)},
            "plain under theft: 3 texts opened that nothing excuses, not 0; 2 texts opened with no alarm, not 1",
        ),
        (
            "plain/theft",
            {f"cost.{n}": (n, n + 1) for n in range(6)},
            "plain under theft: cost.0 1, not 0; cost.1 2, not 1; cost.2 3, not 2; cost.3 4, not 3; and 2 more changes",
        ),
    ],
)
def test_a_cell_that_differs_is_one_sentence(
    row: str, changes: dict[str, tuple[int | str | None, int | str | None]], said: str
) -> None:
    assert list(told([different(row, what, *values) for what, values in changes.items()])) == [said]


@pytest.mark.parametrize(
    ("row", "changes", "said"),
    [
        (
            "active/warrant-misuse",
            {"opens": (11, 24), "by_day.1.later": (7, 9)},
            "under warrant-misuse: 24 texts opened, not 11",
        ),
        ("mathematics/a/b", {"opens": (11, 24)}, "a, b opens 24 texts, not 11"),
        ("served/a", {"opens": (None, 9)}, "while officials answer, a opens 9 texts, and is a new minimal coalition"),
        ("bytes/a", {"opens": (9, None)}, "by bytes alone, a is no minimal coalition any more (it opened 9 texts)"),
        (
            "without day/a",
            {"by_day.3.earlier": (0, 2)},
            "while officials answer and leave out the check 'day', a, taken on evening 3, opens 2 sent by then, not 0",
        ),
    ],
)
def test_a_coalition_that_differs_is_one_sentence(
    row: str, changes: dict[str, tuple[int | None, int | None]], said: str
) -> None:
    assert list(told([different(row, what, *values) for what, values in changes.items()], anatomy=True)) == [said]


def test_whom_an_attack_corrupts_is_named_where_it_is_known() -> None:
    found = different("active/warrant-misuse", "opens", 11, 24)
    sentence = "under warrant-misuse, authority opens 24 texts, not 11 (now texts 0-12)"
    known = msgspec.structs.replace(found, who="authority", more="0-12")
    assert list(told([known], anatomy=True)) == [sentence]


def test_new_verdicts_come_first_then_the_largest_change() -> None:
    found = [
        different("a/x", "excluded", 0, 3),
        different("b/x", "excluded", 0, 30),
        different("c/x", "verdict", "HELD", "BREACH"),
        different("d/x", "lost", 2, 1, "improvement"),
    ]
    lines = written(
        lambda page: draw_comparison(
            page, Comparison(of="escrow-lab/matrix/2", rows=9, tolerance=1.0, differences=tuple(found))
        )
    )
    assert lines == [
        "Worse",
        "  c under x: BREACH, not HELD",
        "  b under x: 30 texts against the claim, not 0",
        "  a under x: 3 texts against the claim, not 0",
        "",
        "Better",
        "  d under x: 1 text lost, not 2",
        "",
        "9 rows of escrow-lab/matrix/2: 3 worse, 1 better.",
    ]


def written(draw: Callable[[Page], None]) -> list[str]:
    stream = io.StringIO()
    draw(Page(stream))
    return stream.getvalue().splitlines()


# --- Markdown ---


def tokens(draw: Callable[[Page], None]) -> list[Token]:
    stream = io.StringIO()
    page = MarkdownPage(stream)
    draw(page)
    page.close()
    return MarkdownIt("commonmark").enable("table").parse(stream.getvalue())


def test_blocks_are_what_they_are_drawn_as() -> None:
    def draw(page: Page) -> None:
        page.heading("A title")
        page.line("A sentence.")
        page.line("an item", indent=2)
        page.line("   9  another item")
        page.line("Another sentence.")
        page.fields([("name", "value")])
        page.table(("x", "of-a-long-name"), [("1", ("a\nb", "bold"))], numbers=(0,))
        page.raw("a  line")

    found = tokens(draw)
    kinds = [each.type for each in found if each.type.endswith("_open") or each.type == "code_block"]
    assert [kind for kind in kinds if kind in ("heading_open", "bullet_list_open", "table_open", "code_block")] == [
        "heading_open",
        "bullet_list_open",
        "bullet_list_open",
        "table_open",
        "code_block",
    ]
    texts = [each.content for each in found if each.type == "inline"]
    assert texts == [
        "A title",
        "A sentence.",
        "an item",
        "9  another item",
        "Another sentence.",
        "**name** value",
        "x",
        "of-a-long-name",
        "1",
        "a<br>b",
    ]
    assert found[-1].content == "a  line\n"


def test_checks_that_fail_stand_first_and_those_that_hold_are_folded() -> None:
    checks = (Check(name="good", holds=True), Check(name="bad", holds=False, detail="see f.py, line 3"))
    found = tokens(lambda page: draw_checks(page, Checks(subject="mine", checks=checks)))
    said = [each.content.strip() for each in found if each.type in ("inline", "html_block")]
    assert said == [
        "What fails",
        "FAILS  bad: see f.py, line 3",
        "<details><summary>mine: 1 of 2 hold.</summary>",
        "holds  good",
        "</details>",
        "mine: 1 of 2 hold.",
    ]


@given(st.text(), st.sampled_from(["heading", "line", "item", "raw", "cell"]))
def test_no_text_is_obeyed(text: str, place: str) -> None:
    def draw(page: Page) -> None:
        match place:
            case "heading":
                page.heading("x" + text)
            case "line":
                page.line(text)
            case "item":
                page.line(text, indent=2)
            case "raw":
                page.raw("x" + text)
            case "cell":
                page.table(("a",), [("x" + text,)])

    kinds = {"heading", "paragraph", "bullet_list", "list_item", "code_block", "inline", "table", "thead", "tbody"}
    for each in tokens(draw):
        assert re.sub("_(open|close)$", "", each.type) in kinds | {"tr", "td", "th"}, each
        assert place == "heading" or each.type != "heading_open"
        for child in each.children or ():
            assert child.type in ("text", "text_special", "softbreak") or child.content == "<br>", child
    shown = "".join(
        child.content for each in tokens(draw) for child in each.children or () if child.type.startswith("text")
    )
    if place in ("line", "item"):
        assert shown.replace(" ", "") == plain(text).replace(" ", "")
