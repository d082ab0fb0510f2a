"""A play from Python gives the numbers of the command line, and errors of the library's own types."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import pytest

import attacks as lab
from attacks.cli import main
from attacks.interface.plays import PlayedScheme
from escrow import Malformed
from escrow.registry import UnknownName
from escrow.schemes.split_key import SplitKey

SIZES = ["--days", "5", "--messages", "24"]
TWO = "agent-1@3, agent-2@3"


@cache
def split_key() -> PlayedScheme:
    return lab.play("split-key", days=5, messages=24)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 0
    return capsys.readouterr().out


def test_importing_the_package_imports_nothing_of_the_laboratory() -> None:
    code = "import attacks as lab, sys; assert 'play' in dir(lab); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "attacks" in loaded and not {"attacks.lab", "attacks.cli", "msgspec", "rich", "click"} & set(loaded)


def test_using_it_imports_no_command_line() -> None:
    code = "import attacks as lab, sys; lab.play('plain', smoke=True).text(5).readers(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "attacks.interface.plays" in loaded and not {"click", "rich", "attacks.cli"} & set(loaded)


def test_python_m_attacks_is_the_command_line() -> None:
    ran = subprocess.run([sys.executable, "-m", "attacks", "schemes"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and "split-key" in ran.stdout
    wrong = subprocess.run([sys.executable, "-m", "attacks", "nothing"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and wrong.stderr.startswith("escrow-lab: ")


@pytest.mark.parametrize("label_pass", ["mathematics", "served"])
def test_every_reader_opens_its_text_and_no_part_of_one_does(label_pass: str) -> None:
    play = split_key()
    for text in play.texts:
        readers = text.readers(label_pass)
        assert readers
        for each in readers:
            assert text.number in play.opened_by(str(each), label_pass)
            for left_out in each.members:
                rest = ", ".join(str(member) for member in each.members if member != left_out)
                assert text.number not in play.opened_by(rest, label_pass)


def test_readers_are_those_that_anatomy_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Each passive row of `anatomy` has as many texts as have a reader of its principals."""
    rows = json.loads(printed(capsys, "anatomy", "split-key", *SIZES, "--format", "json"))["minimal_coalitions"]
    play = split_key()
    for row in rows:
        if row["mode"] == "passive" and row["pass"] in play.passes:
            names = [each.partition("@")[0] for each in row["members"]]
            read = {
                text.number
                for text in play.texts
                if names in [[each.principal for each in one.members] for one in text.readers(row["pass"])]
            }
            listed = {int(n) for part in row["texts"]["opened"].split(",") for n in _range(part)}
            assert read == listed


def _range(part: str) -> range:
    first, _, last = part.partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.parametrize("coalition", [TWO, "agent-1@3", "authority@2", "alice-phone@0-2"])
def test_a_derivation_is_what_explain_prints(capsys: pytest.CaptureFixture[str], coalition: str) -> None:
    told = printed(capsys, "explain", "split-key", *SIZES, "--coalition", coalition)
    assert str(split_key().derivation(coalition)) + "\n" == told
    told = printed(capsys, "explain", "split-key", *SIZES, "--coalition", coalition, "--message", "5")
    assert str(split_key().text(5).derivation(coalition)) + "\n" == told


def test_a_derivation_counts_what_opened_by_returns() -> None:
    assert f"{len(split_key().opened_by(TWO))} of 24 texts by mathematics" in repr(split_key().derivation(TWO))


def test_objects_do_as_well_as_names() -> None:
    scheme, scenario = lab.scheme("split-key", t=3, n=4), split_key().scenario
    assert scheme == SplitKey(t=3, n=4)
    play = lab.play(scheme, scenario)
    assert not play.opened_by(TWO) and len(play.opened_by("agent-1, agent-2, agent-4")) == 24
    again = lab.play("split-key", scenario, settings="split-key.t=3")
    assert again.opened_by("agent-*") == play.opened_by("agent-*") and again.scheme == SplitKey(t=3)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda: lab.play("split-kee"), "did you mean split-key?"),
        (lambda: lab.play("split-key", settings="split-key.k=3"), "no parameter 'k'"),
        (lambda: lab.scheme("split-key", t=9), "split-key does not take these parameters"),
        (lambda: lab.scheme("split-key", t="many"), "split-key.t cannot be 'many'"),
        (lambda: split_key().text(24), "there are 0 to 23"),
        (lambda: split_key().text(-1), "there are 0 to 23"),
        (lambda: split_key().opened_by("agent-9"), "did you mean agent-"),
        (lambda: split_key().opened_by("agent-1@5"), "the evenings of the scenario are 0 to 4"),
        (lambda: split_key().opened_by("agent-1", "mathematic"), "did you mean mathematics?"),
        (lambda: split_key().derivation("agent-1", 99), "there are 0 to 23"),
    ],
)
def test_an_unknown_name_says_what_there_is(wrong: Callable[[], object], what: str) -> None:
    with pytest.raises(UnknownName) as caught:
        wrong()
    assert what in str(caught.value)


def test_sizes_that_make_no_scenario_are_malformed() -> None:
    with pytest.raises(Malformed, match="needs 2 to"):
        lab.play("plain", users=1)
    with pytest.raises(Malformed, match="days has no effect on a scenario that is given"):
        lab.play("plain", "groups", days=3)
    with pytest.raises(Malformed, match="the lab has"):
        lab.play("plain", "nowhere")
    with pytest.raises(Malformed, match="meetings are"):
        lab.play("plain", smoke=True, meetings="some")


def test_what_a_notebook_shows_is_escaped() -> None:
    shown = split_key().derivation("network")._repr_html_()
    assert shown.startswith("<pre") and "cannot open any text" in shown
    readers = split_key().text(5).readers()
    assert readers._repr_html_().count("<li>") == len(readers)
