"""Warrants misused with one check left out: the pass of the analysis, and a play with an agent that leaves it out."""

import msgspec
import pytest

from attacks.experiments import warrant_checks
from attacks.experiments.warrant_checks import EXPERIMENT
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.verdict.evaluation import Evaluation
from attacks.specimens.unchecked_window import SPECIMEN, TWIN
from attacks.warrant_misuse import ATTACK
from escrow import registry

SCENARIO = EXPERIMENT.scenario


def counts(scheme):
    """Return the texts by what is left out, or by who colludes; every figure agrees."""
    figures = list(EXPERIMENT.figures(scheme))
    assert all(figure.agrees for figure in figures)
    return {figure.quantity.removeprefix(f"{scheme.name}, ").partition(":")[0]: figure.measured for figure in figures}


@pytest.mark.parametrize("check", ["target", "window"])
def test_an_agent_that_leaves_a_check_out_gives_a_misused_warrant_as_much_as_the_figure_says(check):
    said = counts(TWIN)
    played = msgspec.structs.replace(SPECIMEN, waives=(check,))
    cell = Evaluation(played, [ATTACK], SCENARIO).cell(ATTACK)[0]
    assert cell.exposed.total > said["all checks"]
    assert cell.exposed.total == said[f"without {check}"]


def test_fewer_than_t_holders_open_nothing_and_t_open_all():
    found = counts(registry.schemes()["split-key"])
    assert (found["1 of 3 holders collude"], found["2 of 3 holders collude"]) == (0, SCENARIO.messages)


def test_a_key_of_one_user_for_good_is_opened_by_any_warrant_about_the_user():
    found = counts(registry.schemes()["fair-keys"])
    targets = {warrant.target for warrant in SCENARIO.warrants}
    of_targets = sum(bool(targets & set(SCENARIO.people(text))) for text in SCENARIO.texts())
    assert found["all checks"] == of_targets


def test_a_law_of_fewer_holders_does_not_agree(monkeypatch):
    monkeypatch.setattr(warrant_checks, "Seizure", lambda name: Seizure(name.replace("agent-1", "agent-3")))
    honest = [figure for figure in EXPERIMENT.figures(registry.schemes()["split-key"]) if "collude" in figure.quantity]
    assert all(figure.agrees for figure in honest)
    monkeypatch.setattr(warrant_checks, "Seizure", lambda name: Seizure("agent-1"))
    wrong = [figure for figure in EXPERIMENT.figures(registry.schemes()["split-key"]) if "2 of 3" in figure.quantity]
    assert not any(figure.agrees for figure in wrong)
