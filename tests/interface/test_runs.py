"""What the laboratory gives from Python is what its commands write: the same data, rows, text and errors."""

import base64
import csv
import io
import re
import subprocess
import sys
from functools import cache
from inspect import getdoc, isfunction, signature
from pathlib import Path
from typing import Any

import pytest
from command_line import (
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
    written,
)

import attacks as lab
from attacks.cli import main
from attacks.interface.displayed import Displayed
from attacks.interface.given import ScenarioOptions
from attacks.interface.runs import DisplayedMatrix
from attacks.lab.results.types import to_json
from attacks.lab.runs.marked import Noted
from attacks.report.anatomy import pictures
from attacks.report.proofs import Checks
from attacks.report.rows import text
from escrow import Malformed
from escrow.registry import UnknownName, schemes
from escrow.testing import templates

pytestmark = pytest.mark.usefixtures("plays_once")

SIZES: ScenarioOptions = {"users": 3, "groups": 1, "days": 3, "messages": 9}
OPTIONS = [each for name, size in SIZES.items() for each in (f"--{name}", str(size))]


@cache
def small() -> DisplayedMatrix:
    return lab.matrix(["plain", "envelope"], "*-theft", **SIZES)


@cache
def checked() -> Displayed[Checks]:
    return lab.check("null-eavesdropper", **SIZES)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments, *OPTIONS]) == 0
    return capsys.readouterr().out


ASKED = ["matrix", "--only", "plain", "--only", "envelope", "--only", "*-theft"]


def test_a_matrix_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert to_json(small().data).decode() == printed(capsys, *ASKED, "--format", "json")
    assert f"{small()}\n" == printed(capsys, *ASKED)
    rows = list(csv.DictReader(io.StringIO(printed(capsys, *ASKED, "--format", "csv"))))
    assert [{name: text(value) for name, value in each.items()} for each in small().rows()] == rows
    assert len(rows) == 4 and repr(small()) == "<matrix: 2 schemes × 2 attacks>"


def test_an_anatomy_is_that_of_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = lab.anatomy("envelope", **SIZES)
    assert to_json(found.data).decode() == printed(capsys, "anatomy", "envelope", "--format", "json")
    assert f"{found}\n" == printed(capsys, "anatomy", "envelope")
    for ending in ("svg", "dot"):
        drawn = found.save(tmp_path / f"envelope.{ending}").read_text()
        assert drawn == printed(capsys, "anatomy", "envelope", "--format", ending)
    records = [each["record"] for each in found.rows()]
    assert {"structure", "minimal_coalitions"} <= set(records)


def test_a_run_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    found = lab.run("envelope", "court-key-theft", **SIZES)
    assert f"{found}\n" == printed(capsys, "run", "court-key-theft", "--scheme", "envelope")
    assert found.cell == small().cell("envelope", "court-key-theft")
    assert repr(found) == f"<envelope under court-key-theft: {found.cell.verdict}>"


def test_all_strategies_are_played_if_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["run", "court-key-theft", "--scheme", "plain", "--strategies", "all", "--format", "json"]
    found = lab.run("plain", "court-key-theft", strategies="all", **SIZES)
    assert to_json(found.data).decode() == printed(capsys, *asked)
    assert found.data.manifest.strategies == "all"


def test_a_scheme_of_a_file_is_checked_as_by_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tried = [("mail arrives", True, Noted("of 9 texts")), ("a field is bound", False, "it opened")]
    fake(monkeypatch, "attacks.lab.runs.conformance", check=lambda *_: iter(tried))
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result("BREACH"))
    file = written(tmp_path, "checked_here.py", templates.scheme("checked-here"))
    assert main(["check", file, *OPTIONS, "--format", "json"]) == 4
    found = lab.check(file, **SIZES)
    assert to_json(found.data).decode() == capsys.readouterr().out
    assert found.data.failed == 1 and repr(found) == f"<{file}: 1 of 2 properties hold>"
    there = schemes([Path(file)])["checked-here"]
    assert lab.check(there, **SIZES).data.checks == found.data.checks


def test_an_attack_is_checked_on_all_schemes() -> None:
    found = checked()
    assert not found.data.failed and {each.scheme for each in found.data.cells} == schemes().keys()


def test_plug_ins_are_unverified(tmp_path: Path) -> None:
    file = written(tmp_path, "unverified_here.py", templates.scheme("unverified-here"))
    found = lab.matrix("unverified-*", "null-*", plugins=file, **SIZES)
    assert found.data.manifest.unverified == ("unverified-here",)


@pytest.mark.parametrize("ending", ["json", "csv", "jsonl", "md", "txt"])
def test_what_is_saved_is_what_the_command_writes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, ending: str
) -> None:
    path = small().save(tmp_path / f"matrix.{ending}")
    small().save(path)  # over the first
    assert path.read_text() == printed(capsys, *ASKED, "--format", "table" if ending == "txt" else ending)


def test_a_page_is_the_one_that_report_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small().save("matrix.json")
    page = small().save("matrix.html").read_text()
    assert main(["report", "matrix.json", "-o", "matrix.html", "--force"]) == 0
    assert page == Path("matrix.html").read_text() and "court-key-theft" in page


def test_a_saved_result_is_loaded_again(tmp_path: Path) -> None:
    again = lab.load(small().save(tmp_path / "matrix.json"))
    assert again.data == small().data and str(again) == str(small())
    assert again.cell("plain", "court-key-theft") == small().cell("plain", "court-key-theft")  # type: ignore[attr-defined]  # of a matrix


def test_errors_are_the_library_s_own(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean envelope"):
        lab.matrix("enveloppe")
    with pytest.raises(UnknownName, match="two are called split-key"):
        lab.matrix([lab.scheme("split-key"), lab.scheme("split-key", t=3)], "null-*", smoke=True)
    with pytest.raises(UnknownName, match="did you mean plain under court-key-theft"):
        small().cell("plain", "court-theft")
    with pytest.raises(UnknownName, match="scheme, attack or file"):
        lab.check("nothing-there", smoke=True)
    with pytest.raises(Malformed, match=r"give it a name that ends in one of"):
        small().save(tmp_path / "matrix.xls")
    with pytest.raises(Malformed, match="a page is drawn of a matrix, an anatomy or silence sets"):
        checked().save(tmp_path / "checks.html")
    with pytest.raises(Malformed, match="No such file"):
        lab.load(tmp_path / "gone.json")
    (tmp_path / "bench.json").write_text('{"machine_info": {}, "benchmarks": []}')
    with pytest.raises(Malformed, match="draws its own results"):
        lab.load(tmp_path / "bench.json")
    with pytest.raises(OSError, match="No such file"):
        small().save(tmp_path / "gone" / "matrix.json")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"day": 3}, "no option of a scenario is called 'day'; did you mean days?"),
        ({"days": "3"}, "days='3': expected `int`, got `str`"),
        ({"days": True}, "days=True: expected `int`, got `bool`"),
        ({"days": 2.5}, "days=2.5: expected `int`, got `float`"),
        ({"seed": "a"}, "seed='a': expected `int`"),
        ({"smoke": 1}, "smoke=1: expected `bool`"),
        ({"warrants": "soon"}, "warrants='soon': invalid enum value 'soon'"),
        ({"scenario": 3}, "3 is no scenario; give one, its name, or its file"),
        ({"scheme": None}, "None is no scheme and no attack; give one, or its name"),
    ],
)
def test_a_wrong_argument_is_one_error_that_says_what_is_wrong(given: dict[str, Any], said: str) -> None:
    with pytest.raises((Malformed, UnknownName), match=re.escape(said)) as raised:
        lab.play(**({"scheme": "plain"} | given))
    assert "\n" not in str(raised.value)
    others = {name: value for name, value in given.items() if name != "scheme"}
    with pytest.raises((Malformed, UnknownName), match=re.escape(said)):
        lab.matrix([given.get("scheme", "plain")], "null-*", **others)


def test_a_notebook_shows_text_that_stays_text() -> None:
    hostile = lab.matrix([], [], **SIZES)
    hostile._draw = lambda page: page.line("<script>alert(1)</script> & \x1b[31m")
    shown = hostile._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown and "\x1b" not in shown
    assert "authority-theft" in small()._repr_html_() and len(small()._repr_html_()) < 4_000


def test_a_notebook_draws_an_anatomy_as_an_image() -> None:
    """Style within a page would change the notebook; an image runs no script, whatever a plug-in is called."""
    found = lab.anatomy("envelope", **SIZES)
    shown = found._repr_html_()
    image = re.match(r'<img alt="([^"<>]*)" style="[^"]*" src="data:image/svg\+xml;base64,([\w+/=]+)"><pre', shown)
    assert image is not None and "envelope" in image[1]
    assert base64.b64decode(image[2]).decode() == pictures(found.data)["svg"]()


def test_in_a_notebook_nothing_is_shown_beside_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich would draw each table into the notebook by itself, where it sees Jupyter."""
    before = str(small())
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda *_: pytest.fail("it was shown"))
    assert str(small()) == before


def test_without_pandas_a_frame_is_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert small().to_frame() == small().rows()


def test_with_pandas_a_frame_is_made_of_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pandas:
        DataFrame = staticmethod(lambda rows: ("frame", rows))

    monkeypatch.setitem(sys.modules, "pandas", Pandas)
    assert small().to_frame() == ("frame", small().rows())


def test_no_command_line_is_imported() -> None:
    code = "import attacks as lab, sys; lab.matrix('plain', 'null-*', smoke=True).rows(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "attacks.interface.runs" in loaded and not {"click", "rich", "hypothesis", "jinja2"} & set(loaded)


def test_every_function_says_what_it_takes_gives_and_raises() -> None:
    ours = [getattr(lab, name) for name in lab.__all__]
    functions = [
        each for each in ours if getattr(each, "__module__", "").startswith("attacks.interface") and isfunction(each)
    ]
    assert {each.__name__ for each in functions} == {
        "anatomy",
        "check",
        "load",
        "matrix",
        "play",
        "run",
        "scheme",
        "silence",
    }
    for each in functions:
        said = getdoc(each) or ""
        assert "eturn" in said and "Raise" in said
        taken = signature(each).parameters
        assert "return" in each.__annotations__ and taken.keys() <= each.__annotations__.keys()
        if len(taken) > 1:
            assert [name for name in taken if not re.search(rf"^    \*{{0,2}}{name}: ", said, re.M)] == []
