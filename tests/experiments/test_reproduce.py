"""Experiments: a figure agrees because numbers do, and the command's exit code says when one does not."""

import json

import pytest

from attacks.cli import main
from attacks.lab.runs import experiment
from attacks.lab.runs.experiment import ERRORS, Experiment, Figure, experiments, reproduce
from escrow.crypto import random_bytes
from escrow.scheme import Source


class Planted(Experiment):
    """Its first figure is as published, its second is not."""

    name, title, source = "planted", "Planted", Source("nobody", "nothing", 2000, "1")

    def run(self, long, progress):
        progress(0, 1, "planted")
        yield Figure(quantity="right", measured=3, published=3, where="page 1")
        yield Figure(quantity="wrong", measured=4, expected=3, formula="1 + 2", note="note")
        yield Figure(quantity="drawn", measured=int.from_bytes(random_bytes(6), "big"))


@pytest.fixture
def planted(monkeypatch):
    monkeypatch.setattr(experiment, "experiments", lambda plugins=(): {"planted": Planted()})


@pytest.mark.parametrize(
    ("figure", "agrees"),
    [
        (Figure(quantity="exact", measured=2, published=2, where="page 1"), True),
        (Figure(quantity="exact and off", measured=2.001, expected=2, formula="1 + 1"), False),
        (Figure(quantity="within", measured=2 + ERRORS * 0.1 - 1e-9, expected=2, formula="1 + 1", error=0.1), True),
        (Figure(quantity="beyond", measured=2 + ERRORS * 0.1 + 1e-9, published=2, where="page 1", error=0.1), False),
        (Figure(quantity="a p-value", measured=0.2, at_least=0.001), True),
        (Figure(quantity="a bad fit", measured=0.0002, at_least=0.001), False),
        (Figure(quantity="nothing beside it", measured=7), True),
    ],
)
def test_a_figure_agrees_if_its_numbers_do(figure, agrees):
    assert figure.agrees is agrees


@pytest.mark.parametrize(
    "beside",
    [
        {"published": 3},
        {"where": "page 1"},
        {"expected": 3},
        {"formula": "1 + 2"},
        {"published": 3, "where": "page 1", "expected": 3, "formula": "1 + 2"},
    ],
)
def test_a_value_beside_the_measured_one_says_where_it_comes_from(beside):
    with pytest.raises(ValueError, match="figure `it`"):
        Figure(quantity="it", measured=3, **beside)


def test_a_figure_that_does_not_agree_is_named_and_fails_the_command(planted, capsys):
    assert main(["reproduce"]) == 1
    assert "does not agree: wrong" in capsys.readouterr().out
    assert main(["reproduce", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["experiments"][0]["disagree"] == ["wrong"]


def test_same_seed_same_figures():
    first, again = (reproduce([Planted()], 1, False, lambda *_: None) for _ in range(2))
    other = reproduce([Planted()], 2, False, lambda *_: None)
    assert first == again != other


def test_an_unknown_experiment_is_a_usage_error(capsys):
    assert main(["reproduce", "access-structure"]) == 2
    assert "did you mean access-structures?" in capsys.readouterr().err


def test_every_experiment_names_its_source_and_a_section():
    for each in experiments().values():
        assert each.source.author and each.source.section


def test_t_agents_open_every_text_and_one_fewer_none():
    """Enumerated where the coalitions are few; by one gate for (67, 100) and (334, 1000)."""
    found = reproduce([experiments()["access-structures"]], 2019, False, lambda *_: None)
    assert found.agrees
    measured = {figure.quantity: figure.measured for figure in found.experiments[0].figures}
    assert measured["5 of 9: minimal coalitions of agents"] == 126
    assert measured["334 of 1000: texts opened by 333"] == 0
