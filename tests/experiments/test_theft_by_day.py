"""What one theft opens, by its evening: keys that open everything, and secrets that open nothing."""

import pytest

from attacks.experiments import theft_by_day
from attacks.experiments.theft_by_day import EXPERIMENT
from escrow import registry


def shares(name):
    """Return by (secret, evening) the shares of earlier and later texts, and whether all figures agree."""
    figures = list(EXPERIMENT.figures(registry.schemes()[name]))
    return {figure.quantity.removeprefix(f"{name}: "): figure.measured for figure in figures}, all(
        figure.agrees for figure in figures
    )


def test_one_agents_key_opens_past_and_future_whenever_it_is_stolen():
    found, agree = shares("envelope")
    of_agent = [share for quantity, share in found.items() if quantity.startswith("agent, ")]
    assert agree
    assert set(of_agent) == {100.0}
    assert len(of_agent) == 2 * EXPERIMENT.scenario.days  # nothing is earlier at set-up, or later at the end


def test_t_judges_open_everything_and_one_fewer_nothing():
    found, agree = shares("warrant-key")
    assert agree
    judges = {share for quantity, share in found.items() if quantity.startswith("2 of 3, judge-1")}
    assert judges == {100.0}
    assert not any(quantity.startswith("judge-") for quantity in found)


def test_in_plain_no_officials_secret_opens_anything_and_a_phone_opens_no_earlier_text_of_others():
    found, agree = shares("plain")
    assert agree
    assert {quantity.partition(",")[0] for quantity in found if "texts" in quantity} <= {"alice-phone"}


def test_a_closure_that_misses_a_state_does_not_agree(monkeypatch):
    honest = theft_by_day._alone
    monkeypatch.setattr(theft_by_day, "_alone", lambda scheme, record, names, evening: honest(scheme, record, names, 0))
    _, agree = shares("clipper")
    assert not agree


@pytest.mark.parametrize("name", ["ghost"])
def test_every_secret_stands_in_the_table_or_in_the_line_of_those_that_open_nothing(name):
    figures = list(EXPERIMENT.figures(registry.schemes()[name]))
    there = {figure.quantity.partition(": ")[2].partition(",")[0] for figure in figures}
    idle = figures[-1].note.partition(": ")[2].rstrip(".").split(", ")
    assert {secret for secret, _ in EXPERIMENT.secrets(registry.schemes()[name])} <= there | set(idle)
