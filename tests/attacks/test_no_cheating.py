"""No verdict rests on something that an adversary could not know.

Verdicts do not depend on the published seed, from which anybody could draw all texts again: under a secret one they
are the same. And where a rule looks for texts elsewhere than in its arguments, these are the defences:

  objects of the play, by garbage collector or stack      a process that was never given them
  the run secret, out of the evaluation                   the same
  texts drawn again from the published seed               a secret of its own, in no process but the play's
  other people's states, beside the adversary's own       the coalition tried again in a process that has no others
"""

import gc
from functools import cache

import pytest
from cheating import attack_whose_rule
from hypothesis import settings

from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.scenario import default, small
from attacks.lab.verdict.evaluation import Evaluation
from attacks.registry import attacks
from escrow import registry
from escrow.crypto import random_bytes

SCHEMES = registry.schemes()
ATTACKS = tuple(attacks().values())
LONG = settings.default is settings.get_profile("long")
SCENARIO = default() if LONG else small()
TINY = default(users=3, groups=0, days=2, messages=12)


@cache
def published(scheme):
    evaluation = Evaluation(SCHEMES[scheme], ATTACKS, SCENARIO)
    return [evaluation.cell(attack) for attack in ATTACKS], evaluation.fired


def repeated(scheme, **how):
    evaluation = Evaluation(SCHEMES[scheme], ATTACKS, SCENARIO, **how)
    return [evaluation.cell(attack) for attack in ATTACKS], evaluation.fired


@pytest.mark.parametrize("scheme", SCHEMES if LONG else ["plain", "envelope", "ghost"])
def test_every_cell_is_the_same_under_a_secret_that_nobody_knows(scheme):
    """Verdicts, coalitions, counts, opened texts and the rules that fired."""
    assert repeated(scheme, secret=random_bytes(32)) == published(scheme)


@pytest.mark.parametrize("scheme", SCHEMES if LONG else ["envelope"])
def test_every_cell_is_the_same_with_the_adversary_in_a_process_of_its_own(scheme):
    assert repeated(scheme, isolated=True) == published(scheme)


def test_the_secret_is_what_the_plays_draw_from():
    one, other = (Evaluation(SCHEMES["plain"], ATTACKS, TINY, isolated=True).record for _ in range(2))
    assert {sent.body for sent in one.sent}.isdisjoint(sent.body for sent in other.sent)
    assert [sent.device for sent in one.sent] == [sent.device for sent in other.sent]


# --- rules that look around ---

COLLECTOR = """
    return [sent.body for each in gc.get_objects() if type(each).__name__ == "Record" for sent in each.sent]
"""
STACK = """
    frame, found = sys._getframe(), []
    while frame is not None:
        for each in list(frame.f_locals.values()):
            found += [sent.body for sent in getattr(each, "sent", ())]
        frame = frame.f_back
    return found
"""
REDRAWN = """
    runs = [Run(secret) for secret in secrets() for _ in range(50)]
    for number, run in enumerate(runs):
        run.party = f"text {number % 50}"
    return [run.draw(32) for run in runs]
"""
PUBLISHED = f"""
    def secrets():
        from attacks.lab.simulation.play import run_secret
        return [run_secret({TINY.seed})]
    {REDRAWN}
"""
BENCH = f"""
    def secrets():
        return [each._secret for each in gc.get_objects() if type(each).__name__ == "Evaluation" and each._secret]
    {REDRAWN}
"""
LOOKS = {"collector": COLLECTOR, "stack": STACK, "published seed": PUBLISHED, "secret of the evaluation": BENCH}


def cell(attack: Attack, scheme: str = "plain", **how):
    gc.collect()
    gc.freeze()  # so rules that look around do not meet what earlier tests of any kind left, and take no time over it
    try:
        return Evaluation(SCHEMES[scheme], (attack,), TINY, **how).cell(attack)[0]
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("name", LOOKS)
def test_what_a_rule_finds_in_the_interpreter_it_finds_here_and_not_in_a_process_of_its_own(tmp_path, name):
    secret = random_bytes(32) if name == "secret of the evaluation" else None
    with attack_whose_rule(tmp_path, LOOKS[name]) as cheat:
        here, isolated = cell(cheat, secret=secret), cell(cheat, isolated=True)
    assert (here.verdict, here.excluded) == ("BREACH", TINY.messages)
    assert (isolated.verdict, isolated.excluded) == ("HELD", 0)


def test_the_published_seed_opens_nothing_of_a_play_under_a_secret(tmp_path):
    with attack_whose_rule(tmp_path, PUBLISHED) as cheat:
        assert cell(cheat, secret=random_bytes(32)).verdict == "HELD"


def test_a_rule_that_reads_other_peoples_states_is_found_out_where_there_are_none(tmp_path):
    """The authority's archive lies in the adversary's process too, and nobody corrupted the authority."""
    look = """
        return [text.body for each in gc.get_objects() if type(each).__name__ == "Closure"
                for text in each.facts if type(text) is Text]
    """
    with attack_whose_rule(tmp_path, look) as cheat:
        here, isolated = cell(cheat, "envelope"), cell(cheat, "envelope", isolated=True)
    assert here.verdict == "BREACH" and here.excluded > 0
    assert isolated.verdict == "ERROR"
    assert isolated.reason.startswith("nobody alone does not open ")
    assert isolated.reason.endswith("a rule reads more than it is given")
