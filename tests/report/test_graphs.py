"""Access structures and overhead as drawings: they say what the result says, and hostile names stay text."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import msgspec
import pytest

from attacks.lab.costs.measure import Overhead
from attacks.lab.results.details import texts_of
from attacks.lab.results.types import Anatomy
from attacks.lab.simulation.scenario import Scenario, WarrantSpec
from attacks.report.svg import bars, graphs
from attacks.report.svg.structures import in_words, ways
from escrow.scheme import User

HOSTILE = '"];\\"><img src=x onerror=alert(1)>\\'
SCENARIO = Scenario(
    days=2,
    messages=12,
    users=(User("alice", ("alice-phone",)), User("bob", ("bob-phone",))),
    warrants=(WarrantSpec("bob", 1, 1, 1, 2),),
)
TEXTS = texts_of(SCENARIO)


def row(formula: str, texts: str, found_by: str = "mathematics", officials: bool = True) -> dict[str, object]:
    first, _, last = texts.partition("-")
    return {
        "pass": found_by,
        "officials_only": officials,
        "opens": int(last or first) - int(first) + 1,
        "formula": formula,
        "coalitions": [{"names": ["someone"], "texts": texts}],
    }


def cheats(members: list[str], meddle: str, opens: int, times: int) -> dict[str, object]:
    alarm = {"who": "bob-phone", "check": "new device", "times": times, "first_day": 1, "packets": 9}
    return {
        "mode": "active",
        "pass": "mathematics",
        "members": members,
        "officials_only": True,
        "opens": opens,
        "by_day": {},
        "meddle": meddle,
        "alarms": [alarm] if times else [],
    }


def measured(*structure: dict[str, object], active: tuple[dict[str, object], ...] = (), scheme: str = "two") -> Anatomy:
    manifest = {
        "version": "0",
        "scenario": msgspec.to_builtins(SCENARIO),
        "parameters": {},
        "schemes": [scheme],
        "attacks": [],
        "inventory": "",
    }
    found = {"scheme": scheme, "sent": 12, "structure": structure, "minimal_coalitions": active, "manifest": manifest}
    return msgspec.convert(found | {"texts": msgspec.to_builtins(TEXTS)}, Anatomy)


def parsed(markup: str) -> ET.Element:
    return ET.fromstring(str(markup))  # noqa: S314 (what it reads, this project has written)


TWO_OF_THREE = row("court, any 2 of {agent-1; agent-2; agent-3}; authority", "0-11")
COVERED = TEXTS.covered[0]


def test_a_way_is_a_tree_of_gates() -> None:
    found = [in_words(way.who) for way in ways(measured(TWO_OF_THREE, row("alice-phone; bob-phone", "0-3")))]
    two_of_three = "court and 2 of 3 of agent-1, agent-2, agent-3"
    assert sorted(found) == sorted(["authority", two_of_three, "alice-phone or bob-phone"])


def test_texts_that_a_warrant_covers_are_the_law_s() -> None:
    lawful, more = ways(measured(row("authority", COVERED), row("thief", "0-11")))
    assert (lawful.lawful, more.lawful) == (True, False)
    (device,) = ways(measured(row("bob-phone", COVERED, officials=False)))
    assert not device.lawful


def test_of_each_party_s_attacks_the_best_is_drawn_with_its_alarms() -> None:
    active = (cheats(["provider@1-2"], "ghost", 4, 7), cheats(["provider@0"], "substitute", 9, 0))
    assert [way.said for way in ways(measured(active=active))] == ["provider (substitute; no alarm) opens 9"]


def test_a_drawing_has_a_box_for_each_name_and_a_gate_for_each_choice() -> None:
    picture = parsed(graphs.structure(measured(TWO_OF_THREE)))
    boxes = [each.get("class") for each in picture.iter("rect")]
    assert boxes.count("leaf") == 5 and boxes.count("gate") == 2
    assert {"2 of 3", "and", "12"} <= {each.text for each in picture.iter("text")}
    assert "court and 2 of 3 of agent-1, agent-2, agent-3 opens 12" in picture.get("aria-label", "")


def test_what_officials_answer_is_dashed_in_both_forms() -> None:
    served = measured(row("court", "0-11", "served"))
    assert [in_words(way.who) for way in ways(served)] == ["court and officials answer"]
    assert "leaf soft" in graphs.structure(served) and "style=dashed" in graphs.dot(served)


def test_the_officials_who_answer_are_those_of_the_coalition() -> None:
    served = [
        cheats(["court@0"], "", 12, 0) | {"mode": "passive", "pass": "served", "services": ["agent-2", "agent-1"]},
        cheats(["bob-phone@0"], "", 3, 0) | {"mode": "passive", "pass": "served", "services": ["court"]},
    ]
    (way,) = ways(measured(row("court", "0-11", "served"), active=tuple(served)))
    assert in_words(way.who) == "court and agent-1, agent-2 answer"


def test_a_formula_that_cannot_be_read_stands_as_it_is() -> None:
    assert [way.who for way in ways(measured(row("any {of; these", "0-3")))] == ["any {of; these"]


def test_where_nobody_opens_anything_the_drawing_says_so() -> None:
    assert [each.text for each in parsed(graphs.structure(measured())).iter("text")] == ["nobody opens any text"]


def test_many_names_are_one() -> None:
    many = measured(row("any 3 of {agent-1..40}", "0-11"))
    picture = parsed(graphs.structure(many))
    texts = [each.text for each in picture.iter("text")]
    assert "39 others" in texts and "3 of 40" in texts


def test_a_file_of_its_own_has_title_description_and_colours_and_fetches_nothing() -> None:
    svg = graphs.svg(measured(TWO_OF_THREE))
    assert "\\n" not in svg and "}@media(prefers-color-scheme:dark){" in svg  # its style is read to the end
    root, space = parsed(svg), "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert [root[0].tag, root[1].tag, root[2].tag] == [f"{space}title", f"{space}desc", f"{space}style"]
    assert "prefers-color-scheme:dark" in (root[2].text or "")
    assert not re.search(r"url\(|@import|href", svg)


QUOTED = r'"(?:\\["\\]|[^"\\])*"'
DOT = re.compile(rf"  \w+(?: -> \w+)?(?: \[label={QUOTED}(?:, \w+=\w+)?\])?;")


@pytest.mark.parametrize("scheme", ["two", HOSTILE])
def test_dot_is_a_statement_a_line_and_each_name_a_node(scheme: str) -> None:
    first, *lines, last = graphs.dot(measured(TWO_OF_THREE, row("court", "0-3", "served"), scheme=scheme)).splitlines()
    assert re.fullmatch(r'digraph "(?:\\["\\]|[^"\\])*" \{', first) and last == "}"
    assert lines[0] == "  rankdir=LR; node [shape=box];"
    assert all(DOT.fullmatch(line) for line in lines[1:])
    assert sum('"court"' in line for line in lines) == 1


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_accepts_it() -> None:
    text = graphs.dot(measured(TWO_OF_THREE, active=(cheats([HOSTILE], HOSTILE, 3, 2),), scheme=HOSTILE))
    shown = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert shown.count('class="node"') == 9 and "<img" not in shown


def test_hostile_names_stay_text() -> None:
    hostile = measured(active=(cheats([HOSTILE, f"{HOSTILE}@1"], HOSTILE, 3, 2),), scheme=HOSTILE)
    for drawn in (str(graphs.structure(hostile)), graphs.svg(hostile)):
        tags = {each.tag.rpartition("}")[2] for each in parsed(drawn).iter()}
        assert tags <= {"svg", "title", "desc", "style", "rect", "text", "path"}


def exact(scheme: str, mail: int, field: int, job: str = "ping-pong") -> dict[str, object]:
    numbers = {"texts": 1, "ciphertexts": 1, "mail": mail, "sealed": 150, "field": field, "asked": 700, "sessions": 0}
    return {"scheme": scheme, "job": job, "operations": {}} | numbers


def bench(*schemes: str) -> Overhead:
    timing = {"python": "3", "cryptography": "4", "messages": 1, "repeats": 1, "floor": {}, "rows": []}
    rows = [exact(scheme, 200 + 1000 * number, 1000 * number) for number, scheme in enumerate(schemes)]
    found = {"version": "0", "text": 100, "schemes": schemes, "parameters": {}, "unverified": [], "timing": timing}
    return msgspec.convert(found | {"exact": [*rows, exact(schemes[-1], 0, 0, "access")]}, Overhead)


def test_a_bar_has_the_bytes_of_each_part_and_the_longest_is_as_wide_as_the_column() -> None:
    table = parsed(bars.overhead(bench("plain", "wide")))
    first, second = (row.findall(".//rect") for row in table.findall("tbody/tr"))
    assert [each.get("class") for each in first] == ["s1", "s2"] and len(second) == 3
    widths = [float(each.get("width", "0%").removesuffix("%")) for each in second]
    assert sum(widths) == pytest.approx(100, abs=0.1) and widths[2] == pytest.approx(100 * 1000 / 1200, abs=0.1)
    said = [each.text for each in table.findall("tbody/tr")[1].findall("td")]
    assert said[1:] == ["1\u202f200", "× 6.00", "–", "700", "–"]


def test_without_plain_there_is_no_ratio() -> None:
    assert [each.over_plain for each in bars.costs(bench("wide"))] == [None]
