"""Fields of the right form that give the law nothing: who looks at them decides whether anything is missed."""

import pytest

from attacks.false_fields import ATTACK, OWN
from attacks.lab.simulation.attack import first_target
from attacks.lab.simulation.play import cast_of
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.evaluation import Evaluation
from escrow import registry

SCENARIO = default(users=3, groups=1, days=4, messages=16)
WARRANTS = SCENARIO.warrants


def cells(words: str):
    """Return the cell of each strategy, by its name."""
    name, *values = words.split()
    scheme = registry.with_parameters(registry.schemes()[name], [f"{name}.{value}" for value in values])
    ways = ATTACK.strategies(cast_of(scheme, SCENARIO), SCENARIO)
    return {each.strategy: Evaluation(scheme, [each], SCENARIO).cell(each)[0] for each in ways}


def covered(since: int) -> int:
    """Count the texts of the rogue that a warrant covers, from a day on."""
    theirs = [said for said in SCENARIO.texts() if said.device in first_target(SCENARIO) and said.day >= since]
    return sum(any(each.covers(SCENARIO.people(said), said.day) for each in WARRANTS) for said in theirs)


BELIEVING = ["envelope", "envelope policing=relay", "envelope n=3 t=2", "jurisdictions", "layered"]


@pytest.mark.parametrize("words", BELIEVING)
def test_where_nobody_looks_into_a_field_the_law_misses_what_the_rogue_says_and_nobody_is_told(words):
    found = cells(words)
    missed = {strategy: (cell.unkept, cell.complaints) for strategy, cell in found.items()}
    assert missed.pop(OWN) == (covered(SCENARIO.attack_day), 0)
    assert [*missed.values()] == [(covered(0), 0)]
    assert covered(0) > covered(SCENARIO.attack_day) > 0


@pytest.mark.parametrize(
    "words", ["envelope policing=recipient", "envelope policing=publicly n=3 t=2", "jurisdictions policing=recipient"]
)
def test_recipients_that_make_fields_again_show_no_text_beside_a_false_one(words):
    for cell in cells(words).values():
        assert (cell.unkept, cell.verdict) == (0, "HELD")
        assert cell.lost > 0


def test_the_relay_sees_a_key_that_is_not_the_holders_and_recipients_see_junk():
    junk, own = cells("envelope policing=publicly n=3 t=2").values()
    assert junk.complaints > 0 == own.complaints  # what the relay refused never came


def test_it_says_why_where_fields_have_no_labels():
    scheme = registry.schemes()["plain"]
    assert ATTACK.applies(scheme, cast_of(scheme, SCENARIO)) == "no access field has labels"


def test_where_clients_have_no_key_of_an_official_there_is_no_other_key():
    scheme = registry.schemes()["clipper"]
    assert [each.strategy for each in ATTACK.strategies(cast_of(scheme, SCENARIO), SCENARIO)] == [
        "one device of a target writes junk"
    ]
