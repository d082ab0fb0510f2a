"""Users who encrypt by themselves first: the law opens a ciphertext, which is missed and no false evidence."""

from functools import cache

import msgspec
import pytest

from attacks import pre_encryption
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.controls import control_of
from attacks.lab.verdict.delivery import Messaging
from attacks.registry import attacks
from escrow import registry
from escrow.scheme import Scheme

PAIR = pre_encryption.PreEncryption("by a pair", ("alice-phone", "alice-laptop", "carol-phone"))
ESCROWS = [name for name, each in registry.schemes().items() if each.claim.access != "none"]


@cache
def told(scheme, attack=None, scenario=None):
    return Messaging(play(scheme, scenario or small(), attack))


@pytest.mark.parametrize("name", ESCROWS)
def test_what_a_pair_encrypts_arrives_and_the_law_reads_all_else(name):
    scheme: Scheme = registry.schemes()[name]
    honest, attacked = told(scheme), told(scheme, PAIR)
    between = {sent.id for sent in honest.record.sent if set(sent.people) == {"alice", "carol"}}
    assert honest.lawful & between, "otherwise nothing is tried"
    assert attacked.lawful == honest.lawful - between
    assert len(attacked.unreadable) == len(honest.lawful & between)
    assert attacked.evaded == honest.evaded | (honest.lawful & between & attacked.delivered)
    assert attacked.lost == honest.lost and attacked.shown == honest.shown
    assert attacked.fabricated == attacked.forged == 0
    told_by = [{(each.who, each.check) for each in play.alarms} for play in (attacked, honest)]
    assert told_by[0] <= told_by[1], "nobody notices"


@pytest.mark.parametrize("policing", ["relay", "recipient"])
def test_whoever_polices_fields_finds_them_in_order(policing):
    attacked = told(msgspec.structs.replace(registry.schemes()["envelope"], policing=policing), pre_encryption.ATTACK)
    assert attacked.entitled & attacked.delivered == attacked.evaded != frozenset()
    assert attacked.lawful == frozenset() and attacked.alarms == () and attacked.fabricated == 0


def test_a_decoy_is_no_ciphertext_of_two_users():
    attack = attacks()["decoys"]
    decoyed = told(registry.schemes()["envelope"], attack.strategies(None, small())[-1])
    assert len(decoyed.record.corrupted) > 1
    assert decoyed.fabricated > 0 and not decoyed.unreadable


def test_what_goes_under_a_shadow_key_is_unreadable_too():
    attack = attacks()["shadow-public-keys"]
    control = control_of(attack)
    hidden = told(control.specimen, attack, control.scenario)
    assert hidden.evaded and len(hidden.unreadable) >= len(hidden.evaded) and hidden.fabricated == 0
