"""Silence sets in a page, in a notebook, and two files of them compared in sentences."""

import msgspec
import pytest

import attacks as lab
from attacks.cli import main
from attacks.lab.comparison.files import compare
from attacks.lab.results.errors import NotComparable
from attacks.report.html.document import Input, document

SIZES = {"users": 3, "days": 4, "messages": 16, "groups": 1}


@pytest.fixture(scope="module")
def usual():
    return lab.silence("ghost", **SIZES)


@pytest.fixture(scope="module")
def signed():
    return lab.silence("ghost", settings="ghost.devices=signed", **SIZES)


def test_a_page_says_who_must_lie_and_that_plays_confirm_it(signed):
    page = document([Input("s.json", "0" * 64, signed.data)], "escrow-lab report")
    assert 'id="silence"' in page and 'href="#silence"' in page
    for said in ("account signature", "the clients' vendor".replace("'", "&#39;"), "the ghost reads", "devices=signed"):
        assert said in page
    assert page.count('scope="row"') == sum(max(1, len(way.sets)) for way in signed.data.ways)
    assert "ghost.devices=signed" in page and "--scenario" not in page


def test_a_notebook_has_a_table_without_styles(usual):
    shown = usual._repr_html_()
    assert shown.lstrip().startswith("<table") and "style" not in shown and "safety number" in shown


def test_two_files_are_compared_in_sentences(usual, signed, tmp_path, capsys):
    files = [each.save(tmp_path / f"{at}.json") for at, each in enumerate((usual, signed))]
    assert main(["compare", *map(str, files)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Better" in said and "a device of the target, by the provider (" in said
    assert "account signature (others)" in said and "before: devices shown (others)" in said
    assert compare(signed.data, usual.data).regressions and not compare(usual.data, usual.data).differences
    assert main(["compare", *map(str, reversed(files))]) != 0


def test_other_scenarios_are_not_compared(usual):
    played = msgspec.structs.replace(usual.data.manifest.scenario, seed=1)
    other = msgspec.structs.replace(usual.data, manifest=msgspec.structs.replace(usual.data.manifest, scenario=played))
    with pytest.raises(NotComparable, match="different scenarios"):
        compare(usual.data, other)
