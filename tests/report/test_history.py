"""The picture of results over time: a bar for each day, whatever the days and names are."""

import xml.etree.ElementTree as ET

import pytest

from attacks.report.svg.history import BARS, COLUMN, HIGH, Measured, history

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"><script>alert(1)</script>\u202e\x1b'


def bars(picture: str) -> list[dict[str, float]]:
    root = ET.fromstring(picture)  # noqa: S314 (what it reads, this project has written)
    return [
        {name: float(each.get(name, 0)) for name in ("x", "y", "width", "height")}
        for each in root.iter(f"{SVG}rect")
        if each.get("class") == "s3"
    ]


@pytest.mark.parametrize("count", [1, 2, 5, 6, 40, 365])
def test_every_day_has_its_bar_beside_the_others(count: int) -> None:
    days = [f"day {at}" for at in range(count)]
    shares = [(at + 1) / count for at in range(count)]
    found = bars(history(days, ["lawful"], {"plain": [[Measured("1", share) for share in shares]]}))
    assert len(found) == count and found[-1]["height"] == HIGH
    assert [each["x"] for each in found] == sorted(each["x"] for each in found)
    assert found[-1]["x"] + found[-1]["width"] - found[0]["x"] <= BARS


def test_what_was_not_asked_has_no_bar_and_little_is_not_nothing() -> None:
    rows = {"a": [[Measured("–", None)], [Measured("0", 0.0)]], "b": [[Measured("1", 0.0001)], [Measured("9", 3.0)]]}
    found = bars(history(["today"], ["lawful", "fabricated"], rows))
    assert [each["height"] for each in found] == [1, HIGH]  # more than all texts is drawn as all
    assert found[1]["x"] - found[0]["x"] == COLUMN


def test_a_name_stays_a_name() -> None:
    picture = history([HOSTILE], [HOSTILE], {HOSTILE: [[Measured(HOSTILE, 1.0)]]})
    root = ET.fromstring(picture)  # noqa: S314 (what it reads, this project has written)
    assert not list(root.iter(f"{SVG}script")) and "\u202e" not in picture and "\x1b" not in picture
    assert not bars(history([], [], {}))
