"""A state that was stolen once may be used: what a thief does with it stands in what it took."""

from __future__ import annotations

import pytest

from attacks.ghost_insertion import bystander
from attacks.impersonation import ATTACK as IMPERSONATION
from attacks.lab.simulation.attack import Attack, Use, evenings_of
from attacks.lab.simulation.play import play
from attacks.lab.verdict.evaluation import Evaluation
from attacks.specimens.lasting_keys import SCENARIO, SPECIMEN, TWIN
from escrow.codec import Fact, walk
from escrow.e2ee.ratchet import Root
from escrow.scheme import Scheme
from tests.support.stolen_identity import ATTACK as ALONE

THEFT = 1


def opened(scheme: Scheme, attack: Attack) -> frozenset[int]:
    return frozenset(Evaluation(scheme, (attack,), SCENARIO).cell(attack)[1].opened)


def test_a_provider_with_two_stolen_phones_reads_on_after_both_have_made_new_keys_and_nobody_notices() -> None:
    cell = Evaluation(SPECIMEN, (IMPERSONATION,), SCENARIO).cell(IMPERSONATION)[0]
    assert (cell.verdict, cell.alarms, cell.lost, cell.forged) == ("CONCEDED", (), 0, 0)
    assert cell.coalition == ("provider@2-4", "alice-phone@1", "bob-phone@1", "carol-phone@1")
    assert (cell.strategy, cell.unnoticed.strategy) == ("everybody's phones",) * 2
    assert cell.excluded > 0


def test_keys_that_are_made_anew_in_person_are_of_no_use_on_the_next_day() -> None:
    assert Evaluation(TWIN, (IMPERSONATION,), SCENARIO).cell(IMPERSONATION)[0].excluded == 0


@pytest.mark.parametrize("name", ["alice-phone", "carol-phone"])
def test_a_copy_is_of_the_phone_and_its_owner_stays_honest(name: str) -> None:
    record = play(SPECIMEN, SCENARIO, IMPERSONATION)
    stolen, honest = record.as_stolen(name, THEFT), play(SPECIMEN, SCENARIO).party(name, THEFT)
    assert stolen == honest
    assert set(walk(stolen, Fact)) <= set(walk(record.party(name, THEFT), Fact))


def test_a_thief_alone_has_sessions_that_the_phone_never_had() -> None:
    record, phone = play(SPECIMEN, SCENARIO, ALONE), bystander(SCENARIO).devices[0]
    took = {fact for fact in walk(record.as_stolen(phone, THEFT), Fact) if isinstance(fact, Root)}
    had = {fact for fact in walk(record.party(phone, THEFT), Fact) if isinstance(fact, Root)}
    assert had > took
    assert opened(SPECIMEN, ALONE) - opened(TWIN, ALONE)


def test_a_state_is_used_from_the_morning_after_its_theft() -> None:
    assert evenings_of(Use("alice-phone", THEFT), SCENARIO.days) == (THEFT,)
