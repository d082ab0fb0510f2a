"""Officials that the lawful access never asks: puppets of them read what they can, and sound schemes are not blamed."""

import pytest

from attacks import registry
from attacks.lab.crosscheck.compare import UNUSED, agree
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.runs.conformance import Trial
from attacks.lab.runs.marked import Noted
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict import analysis as analysing
from attacks.lab.verdict.analysis import Analysis
from escrow.e2ee import sender_keys
from tests.support.beside import Beside, Enrolling, FirstTwo, Rooms

ATTACKS = tuple(registry.attacks().values())
SMALL = default(users=4, days=5, messages=16)


def compare(scheme):
    plays = TwoPlays(scheme, SMALL)
    return agree(Analysis(scheme, plays.record, ATTACKS, door=plays))


ANSWERING = {
    "another desk with the same key": (Beside(makes=("night",)), "desk-0@set-up"),
    "three of them": (Beside(makes=("night", "night", "night")), "desk-2@set-up"),
    "behind one with another key": (Beside(makes=("other", "night")), "desk-1@set-up"),
    "a desk for groups": (Rooms(), "desk-1@set-up"),
    "a desk of whose fields nobody is asked": (Rooms(asks=False), "desk-1@set-up"),
    "members of a group, one of which answers differently": (FirstTwo(), "agent-2@0, agent-3@0"),
}


@pytest.mark.parametrize("what", ANSWERING)
def test_an_official_that_no_recipe_asks_is_no_failure_and_its_puppet_reads_what_it_can(what):
    scheme, who = ANSWERING[what]
    found = compare(scheme)
    assert found.failures == () == found.notes
    assert who in found.checked and not found.closure_only[UNUSED]


@pytest.mark.parametrize("what", ANSWERING)
def test_a_rule_that_is_missing_for_such_an_official_is_noticed_by_the_puppets(monkeypatch, what):
    scheme, who = ANSWERING[what]
    lost, every = sender_keys.open_sender_message.__rule__, analysing.rules_of
    monkeypatch.setattr(analysing, "rules_of", lambda *of: tuple(each for each in every(*of) if each is not lost))
    failures = [each for each in compare(scheme).failures if "puppets opened what the closure did not" in each]
    assert any(set(said.partition(":")[0].split(", ")) == set(who.split(", ")) for said in failures)


def test_an_agent_that_loses_its_keys_when_its_packets_are_played_again_answers_as_it_was():
    found = compare(Enrolling())
    assert found.failures == () == found.notes
    assert "agent@0" in found.checked and not found.closure_only[UNUSED]


def test_a_key_that_no_code_of_its_holder_uses_is_noted_and_no_failure():
    found = compare(Beside(makes=("safe",)))
    assert found.failures == () and found.closure_only[UNUSED] == 16
    assert [each.partition(":")[0] for each in found.notes] == ["desk-0@set-up"]
    said = Trial(Beside(makes=("safe",)), ATTACKS).is_agreed_on()
    assert isinstance(said, Noted) and said.startswith("desk-0@set-up: rules open")
