"""Every variant of ghost has the properties of the kit: the quick ones all variants, all of them each value."""

from itertools import product

import pytest
from hypothesis import Phase, settings
from kit import GHOST, PROPERTY, SCHEMES, results

from escrow.e2ee.listing.vouching import VouchingDevice
from escrow.e2ee.provider import Provider
from escrow.principal import corrupted
from escrow.registry import UnknownName, with_parameters
from escrow.schemes import ghost
from escrow.testing.harness import Step, playing
from escrow.warrant import Order, Request

VALUES = {
    "devices": ("unsigned", "signed", "shared"),
    "groups": ("server", "admins"),
    "covers": ("all", "target"),
    "fan_out": ("unwatched", "watched"),
    "hush": ("court", "provider", "none"),
}
EVERY = [dict(zip(VALUES, values, strict=True)) for values in product(*VALUES.values())]
SOME = settings(max_examples=60, deadline=None, derandomize=True, database=None)
FEW = settings(max_examples=1, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
QUICK = [
    "access yields what is in scope",
    "a changed key rotates sender chains",
    "silence ends with its warrant",
    "a bad key stops nobody else",
]


def variant(chosen):
    return with_parameters(GHOST, [f"ghost.{name}={value}" for name, value in chosen.items()])


def broken(chosen, names):
    found = {name: PROPERTY[name].broken(variant(chosen), FEW, results(GHOST)) for name in names}
    return {name: how for name, how in found.items() if how}


def test_every_variant_has_the_quick_properties():
    assert {str(each): how for each in EVERY if (how := broken(each, QUICK))} == {}


@pytest.mark.parametrize("number", range(3))
def test_each_value_has_every_property_in_some_variant(number):
    assert broken({name: values[number % len(values)] for name, values in VALUES.items()}, PROPERTY) == {}


IN_TREES = {
    "devices": ("unsigned", "signed"),
    "groups": ("server", "admins"),
    "covers": ("all", "target"),
    "fan_out": ("watched", "unwatched"),
    "hush": ("none", "provider", "court"),
    "number": ("shown", "hidden"),
    "proposals": ("provider", "members", "provider"),
}
IN_DIRECTORY = {
    "devices": ("signed", "shared"),
    "groups": ("admins", "server"),
    "hush": ("provider", "none"),
    "epoch": (1, 3),
    "gossip": (100, 0),
    "audits": ("nobody", "auditor"),
    "monitor": ("hidden", "shown"),
}


TOGETHER = [("ghost-mls", IN_TREES, number) for number in range(3)]
TOGETHER += [("ghost-directory", IN_DIRECTORY, number) for number in range(2)]


@pytest.mark.parametrize(("scheme", "values", "number"), TOGETHER, ids=lambda each: str(each)[:15])
def test_each_value_has_every_property_in_groups_of_mls_and_with_a_directory(scheme, values, number):
    chosen = [f"{scheme}.{name}={each[number % len(each)]}" for name, each in values.items()]
    made = with_parameters(SCHEMES[scheme], chosen)
    found = {name: PROPERTY[name].broken(made, FEW, results(SCHEMES[scheme])) for name in PROPERTY}
    assert {name: how for name, how in found.items() if how} == {}


def test_one_key_a_user_is_none_in_groups_of_mls():
    with pytest.raises(UnknownName, match="each device has a signature key of its own"):
        with_parameters(SCHEMES["ghost-mls"], ["ghost-mls.devices=shared"])


FAULTS = (
    ("no valid warrant no text", Order, "opens_content", True),
    ("no valid warrant no text", Request, "signed", lambda self: True),
    ("silence ends with its warrant", ghost, "until", lambda order: order.last),
    ("silence ends with its warrant", ghost, "is_hushed", lambda *_: True),
    ("silence ends with its warrant", ghost.GhostProvider, "writes", Provider.writes),
    ("silence ends with its warrant", ghost.GhostClient, "hears", lambda *_: True),
)


@pytest.mark.parametrize("scheme", ["ghost", "ghost-directory", "ghost-mls"])
@pytest.mark.parametrize(("name", "kind", "method", "fault"), FAULTS, ids=lambda each: str(each)[:12])
def test_a_planted_fault_is_caught_on_every_transport(scheme, name, kind, method, fault, monkeypatch):
    assert not PROPERTY[name].broken(SCHEMES[scheme], SOME)
    monkeypatch.setattr(kind, method, fault)
    assert PROPERTY[name].broken(SCHEMES[scheme], SOME)


TO_ALICE, FROM_ALICE, DAY = Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob"), Step("day")


@pytest.mark.parametrize("settings", ["hush=none", "covers=target"])
@pytest.mark.parametrize("devices", VALUES["devices"])
def test_a_warrant_s_device_that_is_not_hidden_reads_all_and_is_shown_until_its_last_day(settings, devices):
    with playing(with_parameters(GHOST, [f"ghost.{settings}", f"ghost.devices={devices}"])) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        warrant = harness.served("alice", 0, 1)
        harness.play([TO_ALICE, FROM_ALICE])
        assert harness.access(warrant, []) == {said.body for said in harness.said[2:]}
        told = {alarm.who for alarm in harness.wire.alarms}
        assert told == ({"bob-phone"} | ({"alice-phone"} if settings == "hush=none" else set()))
        (ghost,) = set(harness.provider.directory) - set(harness.owner)
        harness.wire.parties["provider"] = corrupted(harness.provider, on_devices_of=Provider.on_devices_of)
        harness.play([DAY, DAY, FROM_ALICE])
        assert ghost not in [each.device for each in harness.device("alice-phone").recipients(harness.wire, ["alice"])]


def test_a_user_who_begins_again_under_one_new_key_is_shown_as_changed_once_and_reached():
    with playing(variant({"devices": "shared"})) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        old = harness.device("alice-phone").identity
        harness.unlink("alice-laptop")
        fresh = harness.listed("alice", "alice-phone")
        fresh.linked = [fresh.identity.public]
        harness.wire.parties["alice-phone"] = fresh
        harness.play([TO_ALICE, TO_ALICE, FROM_ALICE])
        assert fresh.identity != old and not harness.meant - harness.shown
        assert [alarm.who for alarm in harness.wire.alarms] == ["bob-phone"]


def keys(client, listed):
    return {each.identity for each in client.contacts[listed.user] if not client.is_exempt(each, 0)}


VOUCHERS = "a bad key stops nobody else"


def test_a_companion_under_another_key_may_not_cut_off_the_primary(monkeypatch):
    scheme = variant({"devices": "shared"})
    assert not PROPERTY[VOUCHERS].broken(scheme, SOME)
    monkeypatch.setattr(VouchingDevice, "vouches", lambda self, listed, day: len(keys(self, listed)) == 1)
    assert "missing" in PROPERTY[VOUCHERS].broken(scheme, SOME)


def test_without_the_declaration_a_primary_s_power_is_a_fault(monkeypatch):
    for given in ("devices=signed", "devices=shared", "groups=admins"):
        scheme = with_parameters(GHOST, [f"ghost.{given}"])
        with monkeypatch.context() as patched:
            patched.setattr(type(GHOST), "vouchers", ())
            assert "misses a text" in PROPERTY[VOUCHERS].broken(scheme, SOME)
