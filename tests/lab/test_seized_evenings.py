"""A cell names the evenings on which the attack takes states, and no others; what is typed so opens what it says."""

from collections.abc import Iterable

import pytest

from attacks.lab.adversary.coalitions import Coalition, CoalitionThreshold, Seizure, parse
from attacks.lab.evidence.explain import explain
from attacks.lab.simulation import scenario
from attacks.lab.simulation.attack import Attack, Cast, Corruption, Keep, Seize, Turn
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.evaluation import Evaluation
from attacks.lab.verdict.judging.reach import as_seized
from escrow.registry import schemes
from escrow.scheme import Source

SCENE = scenario.default(users=3, groups=1, days=5, messages=12)


class TwoEvenings(Attack):
    """Take the states of all officials on the first evening and on the fourth."""

    name = "two-evenings"
    title = "Thefts on two evenings"
    source = Source("this test", "two evenings", 2026, "all")
    specimen = "trusting"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Corruption]:
        return [Seize(name, evening) for name in cast.officials for evening in (0, 3)]


@pytest.mark.parametrize("name", ["envelope", "split-key", "fair-keys"])
def test_a_cell_says_exactly_the_evenings_that_are_seized(name: str) -> None:
    attack = TwoEvenings()
    cell, _ = Evaluation(schemes()[name], [attack], SCENE).cell(attack)
    assert cell.exposed.total == cell.sent > 0
    assert {member.partition("@")[2] for member in cell.coalition} == {"0,3"}
    told = list(explain(schemes()[name], SCENE, ", ".join(cell.coalition)))
    assert f" {cell.exposed.total} of {cell.sent} texts" in str(told)


def test_a_member_keeps_its_evenings_where_the_attack_takes_them_all() -> None:
    taken = [Seize("a", evening) for evening in range(-1, 5)]
    for said in ("a@set-up,0-4", "a@2", "a", "b@1"):
        (member,) = [Seizure("b", (1,))] if said == "b@1" else parse(said, ["a"]).members
        assert str(as_seized(Coalition((member,)), taken, 5)) == said


def test_each_kind_of_corruption_says_its_own_evenings() -> None:
    found = Coalition((Seizure("a", (0, 1, 2, 3, 4)), Seizure("b", (0, 1, 2, 3, 4)), Seizure("c", (0, 3, 4))))
    taken = [Seize("a", 0), Seize("a", 3), Turn("b", 3), Keep("c")]
    assert str(as_seized(found, taken, 5)) == "a@0,3, b@3-4, c@4"


def test_members_of_a_threshold_say_theirs() -> None:
    wide = CoalitionThreshold(2, ("a@0-4", "b@0-4 or a@1-4, c@2-4", "any 1 of {d@0-4}"))
    taken = [Seize(name, evening) for name in "abc" for evening in (1, 3)]
    (narrow,) = as_seized(Coalition((), (wide,)), taken, 5).thresholds
    assert narrow.of == ("a@1,3", "b@1,3 or a@1,3, c@3", "any 1 of {d@0-4}")
