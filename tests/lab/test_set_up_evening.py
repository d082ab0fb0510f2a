"""Set-up is an evening of its own: what an official holds only while keys are dealt can be stolen then."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks import registry as attack_registry
from attacks.authority_theft import ATTACK as AUTHORITY_THEFT
from attacks.lab.adversary.coalitions import Coalition, Seizure, parse
from attacks.lab.adversary.timing import evenings
from attacks.lab.evidence.explain import explain
from attacks.lab.evidence.verification import verify
from attacks.lab.evidence.writing import write
from attacks.lab.simulation import scenario
from attacks.lab.simulation.play import play
from attacks.lab.verdict.access.anatomy import anatomy
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.evaluation import Evaluation
from escrow import registry
from escrow.registry import UnknownName
from escrow.scheme import SET_UP
from tests.support.early_dealer import DealtEnvelope

SCENE = scenario.default(users=3, groups=1, days=3, messages=12)


@cache
def analysed(erased):
    scheme = DealtEnvelope(erased=erased)
    return Analysis(scheme, play(scheme, SCENE), ())


# --- what is opened ---


@pytest.mark.parametrize("erased", ["set-up", "morning"])
def test_what_a_dealer_has_at_its_birth_or_until_the_first_morning_is_stolen_at_set_up_only(erased):
    analysis = analysed(erased)
    assert len(analysis.opened_by([Seizure("dealer", (SET_UP,))])) == len(analysis.record.sent)
    for evening in range(SCENE.days):
        assert not analysis.opened_by([Seizure("dealer", (evening,))])


def test_a_dealer_that_never_had_the_key_opens_nothing_at_set_up():
    assert not analysed("never had").opened_by([Seizure("dealer")])


@pytest.mark.parametrize(
    ("erased", "verdict"), [("set-up", "BREACH"), ("morning", "BREACH"), ("never had", "AS CLAIMED")]
)
def test_theft_of_officials_states_finds_the_early_dealer_and_does_not_blame_its_twin(erased, verdict):
    cell, _ = Evaluation(DealtEnvelope(erased=erased), [AUTHORITY_THEFT], SCENE).cell(AUTHORITY_THEFT)
    assert cell.verdict == verdict
    assert cell.coalition == (("dealer@set-up",) if verdict == "BREACH" else ("agent@set-up,0-2",))


def test_devices_have_no_state_at_set_up_and_every_official_has_one():
    record = analysed("set-up").record
    assert record.set_up.keys() == set(record.cast.officials)
    assert all(1 <= len(states) <= 2 for states in record.set_up.values())


@pytest.mark.parametrize("name", sorted(registry.schemes()))
def test_a_scheme_is_what_it_was_to_a_thief_of_the_first_evening(name):
    """No official of the library's schemes has at set-up what opens more than its state of the first evening does."""
    scheme = registry.schemes()[name]
    analysis = Analysis(scheme, play(scheme, SCENE), ())
    for official in analysis.record.cast.officials:
        early, first = ([Seizure(official, (evening,))] for evening in (SET_UP, 0))
        assert analysis.opened_by(early) <= analysis.opened_by(first)


# --- printed, and typed again ---


def test_what_the_anatomy_prints_is_what_explain_takes():
    scheme = DealtEnvelope()
    rows = [row for row in anatomy(scheme, (), SCENE).minimal_coalitions if row.members == ("dealer@set-up",)]
    assert [row.label_pass for row in rows][:2] == ["mathematics", "served"]
    assert all(row.by_day.keys() == {"set-up"} and row.opens == SCENE.messages for row in rows)
    shown = list(explain(scheme, SCENE, rows[0].members[0]))
    assert shown[0].startswith("dealt-envelope: dealer@set-up opens 12 of 12 texts by mathematics")
    assert any(line.endswith("[dealer, at set-up]") for line in shown)
    assert "cannot open" in next(iter(explain(scheme, SCENE, "dealer@0-2")))
    with pytest.raises(UnknownName, match="only officials are taken at set-up"):
        list(explain(scheme, SCENE, "alice-phone@set-up"))


@given(st.sets(st.integers(SET_UP, 40), min_size=1), st.sets(st.integers(SET_UP, 40), min_size=1))
def test_evenings_are_printed_as_they_are_typed(one, other):
    coalition = Coalition((Seizure("agent-1", tuple(sorted(one))), Seizure("dealer", tuple(sorted(other)))))
    assert parse(str(coalition), ["agent-1", "dealer", "set-up"]) == coalition
    assert evenings.numbers(evenings.bits(one)) == tuple(sorted(one))


@pytest.mark.parametrize("typed", ["dealer@setup", "dealer@set-up-3", "dealer@-1", "dealer@", "dealer@set-up,x"])
def test_other_words_for_evenings_are_refused(typed):
    with pytest.raises(ValueError, match=r"set-up|no principal"):
        parse(typed, ["dealer"])


def test_evidence_of_a_theft_at_set_up_is_played_again(tmp_path):
    clipper = registry.schemes()["clipper"]
    every = list(attack_registry.attacks().values())
    digest = write(tmp_path, clipper, AUTHORITY_THEFT, SCENE, every, "programmer@set-up")
    verified = verify(tmp_path / digest, replay=True)
    assert verified.replayed and not verified.unchecked and "programmer@set-up" in verified.coalition
    facts = (tmp_path / digest / "facts.jsonl").read_text()
    assert '"evening":-1}' in facts and '"evening":0' not in facts
