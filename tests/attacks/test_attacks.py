"""The attacks: each breaks its specimen and not the twin, opens what it should, and disturbs nothing else."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from attacked import ACTIVE, ATTACKS, FULL, analysed, by_scheme, played

import attacks
from attacks.lab.simulation.attack import Attack, Turn, attacker_device, entry_of
from attacks.lab.simulation.play import play
from attacks.lab.verdict.cell import Messaging
from attacks.lab.verdict.controls import control_of
from attacks.specimens import control_scenario
from escrow.e2ee import x3dh
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Provider
from escrow.principal import corrupted, revive
from escrow.schemes import envelope

by_active = pytest.mark.parametrize("name", ACTIVE)


# --- controls ---


def test_every_attack_says_what_it_is():
    """That one is taken out, the pages notice that list it."""
    for name, attack in ATTACKS.items():
        assert isinstance(attack, Attack)
        assert attack.name == name
        assert all((attack.title, attack.source.author, attack.source.section, attack.specimen))


@pytest.mark.parametrize("name", ATTACKS)
def test_specimen_and_twin_carry_the_same_mail_without_an_attack(name):
    """They differ in what the attack uses, not in whether they work."""
    control = control_of(ATTACKS[name])
    specimen, twin = (Messaging(played(each, "", control.scenario)) for each in (control.specimen, control.twin))
    assert specimen.lost == twin.lost
    assert specimen.lawful == twin.lawful
    assert specimen.forged == specimen.duplicated == twin.forged == twin.duplicated == 0


def test_the_twins_of_a_directory_attack_lose_no_mail():
    """A sound client does not merely stop: it goes on with the keys that its user was given in person."""
    for name in ("ghost-insertion", "prekey-substitution"):
        control = control_of(ATTACKS[name])
        attacked, honest = (played(control.twin, each, control.scenario) for each in (name, ""))
        assert Messaging(attacked).lost == Messaging(honest).lost
        assert attacked.alarms == ()


# --- what all of them leave alone ---


@by_scheme
@pytest.mark.parametrize("name", [name for name in ACTIVE if not ATTACKS[name].stops_mail] + ["field-stripping"])
def test_mail_comes_through_an_active_attack_as_without_it(scheme, name):
    """A relay that refuses what field stripping sends is none of these schemes'."""
    attacked, honest = Messaging(played(scheme, name)), Messaging(played(scheme))
    assert attacked.lost == honest.lost
    assert attacked.shown == honest.shown
    assert attacked.forged == attacked.duplicated == 0
    days = {attacked.by_id[text].day for text in attacked.delivered}
    assert days == {sent.day for sent in attacked.record.sent}


@by_scheme
@by_active
def test_a_corrupted_party_is_its_data(scheme, name):
    """It too may be replaced by its own decoded state after every step, and nobody notices."""
    scenario = control_scenario()
    one, other = played(scheme, name, scenario), play(scheme, scenario, ATTACKS[name], forgetful=True)
    assert one.heard == other.heard
    assert one.states == other.states


@by_active
def test_corrupted_parties_exist_and_are_corrupted_within_the_scenario(name):
    record = played(envelope.SCHEME, name)
    assert record.corrupted
    for turn in record.corrupted:
        assert turn.principal in record.cast.devices + record.cast.officials
        assert 0 <= turn.day < FULL.days


def test_passive_attacks_corrupt_nobody_or_take_states_only():
    cast = played(envelope.SCHEME).cast
    names = ("null-eavesdropper", "authority-theft", "device-compromise")
    taken = {name: list(ATTACKS[name].corruptions(cast, FULL)) for name in names}
    assert not {*names} & {*ACTIVE}
    assert taken["null-eavesdropper"] == []
    assert {seize.principal for seize in taken["authority-theft"]} == set(cast.officials)
    assert {seize.principal for seize in taken["device-compromise"]} == set(cast.devices)
    for name, evenings in (("authority-theft", FULL.days + 1), ("device-compromise", FULL.days)):  # set-up is one
        seized = taken[name]
        assert not any(isinstance(each, Turn) for each in seized)
        assert len(set(seized)) == len({seize.principal for seize in seized}) * evenings


@by_scheme
def test_whoever_only_listens_learns_nothing_of_any_play(scheme):
    for name in ("", *ACTIVE):
        assert analysed(scheme, name).opened_by(()) == frozenset()


def test_attacks_do_not_import_where_truth_lives():
    simulation = ("simulation.attack", "simulation.scenario", "simulation.silenced")
    lab = {f"attacks.lab.{module}" for module in (*simulation, "adversary.view")}
    files = [
        file
        for file in Path(attacks.__file__).parent.glob("*.py")
        if file.stem not in ("__init__", "__main__", "registry")
    ]
    assert len(files) == len(ATTACKS)
    beside = {f"attacks.{file.stem}" for file in files}
    declared = {
        type(attack).__module__: {attack.apparatus.__module__} for attack in ATTACKS.values() if attack.apparatus
    }
    assert declared
    for file in files:
        apparatus = declared.get(f"attacks.{file.stem}", set())
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used = {
                name for name in names if name.split(".")[0] == "attacks" and not name.startswith("attacks.kernels.")
            }
            assert used <= lab | beside | apparatus, file.name


def test_an_attack_that_knows_a_scheme_says_to_which_it_applies():
    for attack in ATTACKS.values():
        source = Path(sys.modules[type(attack).__module__].__file__).read_text()
        knows = any(line.startswith(("from escrow.schemes", "import escrow.schemes")) for line in source.splitlines())
        assert not knows or type(attack).applies is not Attack.applies, attack.name


# --- what an attacker makes is state ---


def test_a_corrupted_party_shrugs_and_its_added_fields_are_state():
    honest = Provider("provider", accounts={"a-phone": "a"})
    party = corrupted(honest, {"kept": list[Device]})
    party.insist(False, "anything")
    party.kept.append(attacker_device("a-tablet", "a"))
    again = revive(party.state(), type(party))
    assert again == party
    assert again.accounts == honest.accounts
    assert again.kept[0].identity.raw in party.state()
    assert corrupted(honest, {"kept": list[Device]}).kept == []


def test_an_attackers_device_is_listed_with_a_prekey_that_its_own_key_signed():
    device = attacker_device("a-tablet", "a")
    entry = entry_of(device)
    assert (entry.user, entry.identity, entry.one_time) == ("a", device.identity.public, [])
    assert x3dh.prekey_is_signed(x3dh.Bundle(entry.identity, entry.prekey, entry.signature))
    assert attacker_device("a-tablet", "a").identity != device.identity
