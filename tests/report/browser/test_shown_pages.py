"""The HTML report in a real browser. A page that lacks what must be so shows that the check sees it."""

from pathlib import Path

import page_checks
import pytest
from chromium import Tab

WIDTHS = (320, 360, 700, 701, 1199, 1280)
LONG = "unbroken" * 30
MOST_PAGES = 8


def page(tmp_path: Path, body: str, style: str = "") -> Path:
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title>t</title><style>{style}</style>{body}")
    return path


# --- links ---

ASTRAY = [
    '<a href="#nowhere">no such place</a>',
    '<a href="#a">hidden</a><div style="display:none"><p id="a">here</p></div>',
    '<a href="#a">not drawn</a><p id="a" style="visibility:hidden;position:fixed;top:-50px">here</p>',
]
NESTED = '<a href="#a">in</a>' + "<p>much</p>" * 99 + "<details><details><p id=a>in</p></details></details>"


def test_every_link_lands_also_without_scripts(tab: Tab, still: Tab, report: Path, hostile: Path) -> None:
    assert page_checks.unclicked(tab, report) == []
    assert page_checks.unlanded(still, report) == []
    assert page_checks.unclicked(tab, hostile) == []


@pytest.mark.parametrize("body", ASTRAY)
def test_a_link_that_does_not_land_is_seen(tab: Tab, still: Tab, tmp_path: Path, body: str) -> None:
    assert len(page_checks.unclicked(tab, page(tmp_path, body))) == 1
    assert len(page_checks.unlanded(still, page(tmp_path, body))) == 1


def test_a_link_out_of_the_page_is_seen_and_one_into_details_lands(still: Tab, tmp_path: Path) -> None:
    assert len(page_checks.unlanded(still, page(tmp_path, '<a href="https://example.org">out</a>'))) == 1
    assert page_checks.unlanded(still, page(tmp_path, NESTED)) == []


def test_without_scripts_details_open_at_a_click(still: Tab, report: Path) -> None:
    still.open(report)
    still.value("document.querySelector('details.cell > summary').scrollIntoView({block: 'center'})")
    x, y = still.value(
        "(b => [b.left + 40, b.top + 10])(document.querySelector('details.cell > summary').getBoundingClientRect())"
    )
    assert not still.value("document.querySelector('details.cell').open")
    still.click(x, y)
    assert still.value("document.querySelector('details.cell').open")


# --- room ---


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_stands_beyond_the_viewport(tab: Tab, report: Path, hostile: Path, width: int) -> None:
    assert page_checks.overflowing(tab, report, width) == []
    assert page_checks.overflowing(tab, hostile, width) == []


@pytest.mark.parametrize("body", [f"<p>{LONG}</p>", f"<details><p>{LONG}</p></details>", "<svg width=1400></svg>"])
@pytest.mark.parametrize("width", WIDTHS)
def test_what_stands_beyond_is_seen(tab: Tab, tmp_path: Path, body: str, width: int) -> None:
    assert page_checks.overflowing(tab, page(tmp_path, body), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_long_text_stands_in_a_narrow_column(tab: Tab, report: Path, tmp_path: Path, width: int) -> None:
    assert page_checks.cramped(tab, report, width) == []
    shrunk = page(tmp_path, f"<table><caption>{'some words ' * 9}</caption></table>", "table { display: block }")
    assert len(page_checks.cramped(tab, shrunk, width)) == 1


# --- console and network ---


def test_the_console_is_silent_and_nothing_is_asked_for(tab: Tab, report: Path, hostile: Path) -> None:
    for each in (report, hostile):
        assert page_checks.complaints(tab, each) == []
        assert page_checks.requests(tab, each) == []


@pytest.mark.parametrize("body", ["<script>console.log('x')</script>", "<script>x.y</script>", "<img src=absent.png>"])
def test_what_the_console_shows_is_seen(tab: Tab, tmp_path: Path, body: str) -> None:
    assert page_checks.complaints(tab, page(tmp_path, body))


@pytest.mark.parametrize(
    ("body", "style"),
    [
        ('<img src="http://127.0.0.1:9/x.png">', ""),
        ("<p>x</p>", "p { background: url(x.png) }"),
        ("<p>x</p>", "@media (max-width: 400px) { p { background: url(x.png) } }"),
        ("<script>fetch('http://127.0.0.1:9/')</script>", ""),
    ],
)
def test_a_request_is_seen(tab: Tab, tmp_path: Path, body: str, style: str) -> None:
    assert page_checks.requests(tab, page(tmp_path, body, style))


# --- strings of a plug-in ---


def test_hostile_strings_make_no_element(tab: Tab, report: Path, hostile: Path) -> None:
    benign, found = page_checks.elements(tab, report), page_checks.elements(tab, hostile)
    assert found.keys() == benign.keys()
    assert "img" not in found and found["script"] == 1 and found["style"] == 1
    text = tab.value("document.body.textContent")
    assert "<img src=x onerror=alert(1)>" in text and "{{ 7 * 7 }}" in text


def test_an_element_that_a_string_makes_is_seen(tab: Tab, tmp_path: Path, report: Path) -> None:
    planted = tmp_path / "planted.html"
    text = report.read_text(encoding="utf-8")
    planted.write_text(text.replace("<h1>", "<h1><img src=x onerror=alert(1)>"), encoding="utf-8")
    assert page_checks.elements(tab, planted).keys() - page_checks.elements(tab, report).keys() == {"img", "onerror"}


# --- keyboard ---


def test_the_keyboard_reaches_everything_and_shows_where_it_is(tab: Tab, report: Path) -> None:
    assert page_checks.unreached(tab, report) == []


@pytest.mark.parametrize(
    ("body", "style"),
    [
        ('<a href="#a" tabindex=-1>unreached</a><a href="#a" id=a>x</a>', ""),
        ('<a href="#a" id=a>unseen</a>', "a:focus { outline: none }"),
    ],
)
def test_what_the_keyboard_does_not_reach_or_show_is_seen(tab: Tab, tmp_path: Path, body: str, style: str) -> None:
    assert len(page_checks.unreached(tab, page(tmp_path, body, style))) == 1


# --- contrast ---


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_contrast(tab: Tab, report: Path, dark: bool) -> None:
    assert page_checks.faint(tab, report, dark=dark) == []


@pytest.mark.parametrize(
    ("body", "style", "light", "dark"),
    [
        ("<p>x</p>", "p { color: #999 }", 1, 1),
        ("<p>x</p>", "@media (prefers-color-scheme: dark) { p { color: #999 } }", 0, 1),
        ("<div>x</div>", "div { background: #222 } * { color: #444 }", 1, 1),
        ("<svg width=99 height=99><rect width=99 height=99 /><text y=40>x</text></svg>", "", 1, 1),
        ("<svg width=99 height=99><rect width=99 height=99 /><text y=40 fill=white>x</text></svg>", "", 0, 0),
    ],
)
def test_text_without_contrast_is_seen(tab: Tab, tmp_path: Path, body: str, style: str, light: int, dark: int) -> None:
    specimen = page(tmp_path, body, style)
    assert [len(page_checks.faint(tab, specimen, dark=each)) for each in (False, True)] == [light, dark]


# --- paper and pictures ---


def test_the_report_prints_on_few_pages(tab: Tab, report: Path) -> None:
    assert 1 <= page_checks.pages(tab, report) <= MOST_PAGES


def test_pages_are_counted(tab: Tab, tmp_path: Path) -> None:
    long = "<p style='break-after: page'>x</p>" * (MOST_PAGES + 1)
    assert page_checks.pages(tab, page(tmp_path, long)) > MOST_PAGES


@pytest.mark.parametrize("dark", [False, True])
def test_there_is_something_to_see(tab: Tab, report: Path, dark: bool) -> None:
    tab.dark(dark)
    for width in WIDTHS:
        tab.resize(width)
        tab.open(report)
        assert not page_checks.blank(tab.screenshot())


def test_a_blank_page_is_seen(tab: Tab, tmp_path: Path) -> None:
    tab.open(page(tmp_path, ""))
    assert page_checks.blank(tab.screenshot())
