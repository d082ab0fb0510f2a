"""`escrow-lab debate`: sentences word for word, computed figures beside them, and what these do not show."""

import json
import re

import msgspec
import pytest

from attacks import registry
from attacks.cli import main
from attacks.lab.comparison import files
from attacks.lab.results.coverage import Access
from attacks.lab.results.types import Against, Cell, Unnoticed
from attacks.lab.runs.experiment import experiments
from attacks.report.debate import bearing, draw, sentences
from tools import results

EXCHANGE = sentences.exchange()
KEPT = results.kept()[-1]
PLAYED = Cell(scheme="s", attack="a", verdict="HELD", access=Access(promise="none"))
SAVED = [str(KEPT / "matrix.json"), str(KEPT / "reproduction.json")]


def test_every_figure_is_of_attacks_and_experiments_that_there_are():
    assert set(bearing.needed_attacks(EXCHANGE)) <= set(registry.attacks())
    assert set(bearing.needed_experiments(EXCHANGE)) <= set(experiments())
    for asked in EXCHANGE.figures.values():
        if asked.count:
            assert bearing.count(PLAYED, asked.count) == 0


def test_nothing_is_typed_that_a_run_computes():
    for _, each in EXCHANGE.sentences():
        said = each.silent if each.paraphrase else f"{each.silent} {each.not_measured}"
        assert not re.search(r"\d", said), said


def test_a_sentence_says_what_bears_on_it_and_what_that_does_not_show():
    with pytest.raises(ValueError, match="has no figure and no reason"):
        sentences.Sentence(words="Trust us.")
    with pytest.raises(ValueError, match="go together"):
        sentences.Sentence(words="Trust us.", figures=("lawful",))
    with pytest.raises(ValueError, match="go together"):
        sentences.Sentence(words="Trust us.", not_measured="trust", silent="trust")
    said = sentences.Sentence(words="Trust us.", figures=("nothing",), silent="trust")
    text = sentences.PublishedText(key="us", author="a", title="t", date="d", read="copy", sentences=(said,))
    with pytest.raises(ValueError, match="named and not there, or there and not named: nothing"):
        sentences.Exchange((text,), {})
    with pytest.raises(ValueError, match="needs attacks and count, or experiment and quantity"):
        sentences.FigureAsked(what="texts", attacks=("decoys",))


@pytest.mark.parametrize(
    ("fields", "number"),
    [("exposed.total", 7), ("exposed.target.past+exposed.bystander.future", 7), ("unnoticed.reads", 5), ("lawful", 3)],
)
def test_a_count_is_a_field_of_the_cell_or_a_sum_of_fields(fields, number):
    exposed = {"target": {"past": 3, "future": 0}, "bystander": {"past": 0, "future": 4}}
    made = {"scheme": "s", "attack": "a", "verdict": "HELD", "sent": 9, "exposed": exposed, "lawful": 3}
    cell = msgspec.structs.replace(msgspec.convert(made, Cell), unnoticed=Unnoticed(reads=5))
    assert bearing.count(cell, fields) == number
    assert bearing.count(msgspec.structs.replace(cell, unnoticed=None), "unnoticed.reads") == 0


def test_what_an_earlier_version_did_not_write_is_no_zero():
    old = msgspec.structs.replace(PLAYED, access=msgspec.UNSET)
    asked = sentences.FigureAsked(what="texts", attacks=("a",), count="access.retrospective.lawful")
    assert bearing.count(old, asked.count) is None
    found = bearing._of_cells(asked, ["s"], {("s", "a"): old})
    assert found.values == () and found.missing == "escrow-lab matrix --only a"
    assert bearing._of_cells(asked, ["s"], {("s", "a"): PLAYED}).values[0].number == 0


def test_a_count_that_no_cell_has_is_an_error():
    with pytest.raises(AttributeError):
        bearing.count(Cell(scheme="s", attack="a", verdict="HELD"), "expossed.total")


def test_the_figures_are_those_of_the_saved_result(capsys):
    assert main(["debate", *SAVED, "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)["sentences"]
    run = files.read(KEPT / "matrix.json")
    cells = {(cell.scheme, cell.attack): cell for cell in run.cells}
    lawful = next(f for each in said for f in each["figures"] if f["what"] == EXCHANGE.figures["lawful"].what)
    assert {value["scheme"]: value["number"] for value in lawful["values"]} == {
        name: cells[name, "null-eavesdropper"].lawful for name in run.manifest.schemes
    }
    assert len(said) == sum(len(text.sentences) for text in EXCHANGE.texts)
    assert not [f["missing"] for each in said for f in each["figures"] if f["missing"]]
    assert all(each["figures"] or each["not_measured"] for each in said)


def test_what_a_result_does_not_hold_is_named_with_its_command(capsys):
    assert main(["debate", SAVED[0], "--text", "ghost-letter"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "not in these results; run `escrow-lab reproduce meetings`" in shown
    assert main(["debate", SAVED[1], "--text", "letter"]) == 0
    assert "run `escrow-lab matrix --only null-eavesdropper`" in " ".join(capsys.readouterr().out.split())


def test_only_what_was_read_stands_in_quotation_marks(capsys):
    assert main(["debate", *SAVED, "--format", "md"]) == 0
    shown = capsys.readouterr().out
    for _, each in EXCHANGE.sentences():
        words = each.words[:40].replace("*", "\\*")
        assert (f'"{words}' in shown) != each.paraphrase, words
    assert shown.count("(paraphrase") + shown.count("; paraphrase") == sum(
        each.paraphrase for _, each in EXCHANGE.sentences()
    )


def test_without_a_file_a_text_of_which_nothing_is_measured_is_told(capsys):
    assert main(["debate", "--text", "home-office"]) == 0
    assert "Not measured: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--text", "leter"], 2, "did you mean letter"),
        (["nothing.json"], 4, "No such file"),
        ([str(results.ROOT / "docs" / "schemas" / "matrix-2.json")], 4, "is no result"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments, code, said, capsys):
    assert main(["debate", *arguments]) == code
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_without_a_file_the_attacks_of_the_text_are_played_and_an_entry_may_bring_its_own_scheme(tmp_path, capsys):
    file = tmp_path / "debated.py"
    assert main(["init", "scheme", "debated", "-o", str(file)]) == 0
    asked = ["--smoke", "--strategies", "narrowest", "--quiet", "--plugin", str(file), "--format", "json"]
    assert main(["debate", "--text", "eff", *asked]) == 0
    (said,) = json.loads(capsys.readouterr().out.split("\n", 0)[-1])["sentences"]
    assert {value["scheme"] for value in said["figures"][0]["values"]} >= {"plain", "envelope"}
    assert "debated" in {value["scheme"] for value in said["figures"][1]["values"]}


@pytest.mark.parametrize(
    ("verdict", "against", "said"),
    [
        ("AS CLAIMED", Against(), "as the claim grants"),
        ("CONCEDED", Against(texts=7, conceded=7), "conceded by the source"),
        (
            "BREACH",
            Against(texts=9, outside=2, conceded=3),
            "of what is opened, 2 outside the source's model, 3 conceded by the source",
        ),
        ("BREACH", Against(texts=9), ""),
        ("HELD", Against(), ""),
        ("INCONCLUSIVE", Against(), "inconclusive"),
    ],
)
def test_a_figure_says_what_the_source_says_to_it(verdict, against, said):
    cell = Cell(scheme="s", attack="a", verdict=verdict, sent=9, lawful=5, against=against)
    asked = sentences.FigureAsked(what="texts", attacks=("a",), count="lawful", excused=True)
    (value,) = bearing._of_cells(asked, ["s"], {("s", "a"): cell}).values
    assert value.excuse == said and (
        f"; {said}: s" in draw.told(bearing._of_cells(asked, ["s"], {("s", "a"): cell}))
    ) == bool(said)


@pytest.mark.parametrize("verdict", ["TIMEOUT", "ERROR"])
def test_a_cell_that_was_not_judged_is_no_figure(verdict):
    cell = Cell(scheme="s", attack="a", verdict=verdict)
    asked = sentences.FigureAsked(what="texts", attacks=("a",), count="lawful")
    assert bearing._of_cells(asked, ["s"], {("s", "a"): cell}).missing
    foreign = msgspec.structs.replace(cell, verdict="NOT_APPLICABLE")
    assert bearing._of_cells(asked, ["s", "t"], {("s", "a"): foreign, ("t", "a"): PLAYED}).values[0].scheme == "t"
