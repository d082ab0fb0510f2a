"""Signed lists of devices and members: what a client refuses, and faults that the kit finds when they are planted."""

import msgspec
import pytest
from kit import PROPERTY, SAID

from attacks.lab.simulation.attack import attacker_device, entry_of
from escrow.e2ee.device import Device
from escrow.e2ee.listing import device_lists, one_key
from escrow.e2ee.listing.checks import CHANGED_KEY
from escrow.e2ee.listing.device_lists import AFTER_NEWS, LIVES
from escrow.e2ee.listing.filing import VouchingProvider
from escrow.e2ee.listing.vouching import MORE_DEVICES, OTHER_LIST, VouchingDevice
from escrow.e2ee.provider import Listed
from escrow.errors import Refused
from escrow.principal import Principal, lying
from escrow.registry import with_parameters
from escrow.schemes import ghost
from escrow.testing.harness import Step, playing
from escrow.testing.world import mails_in
from escrow.warrant import Request

SIGNED = with_parameters(ghost.SCHEME, ["ghost.devices=signed"])
ADMINS = with_parameters(ghost.SCHEME, ["ghost.groups=admins"])
SHARED = with_parameters(ghost.SCHEME, ["ghost.devices=shared"])
WATCHED = with_parameters(ghost.SCHEME, ["ghost.fan_out=watched"])
TO_ALICE, FROM_ALICE = Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob")
DISTURBED, ROTATED = "a disturbed step gives no weaker success", "a changed key rotates sender chains"
OVERT = with_parameters(ghost.SCHEME, ["ghost.hush=none"])
SILENT, LINGERS = "silence ends with its warrant", "no text under a key not listed and shown"
SCOPE, HEEDED = "access yields what is in scope", "who has no business is not heeded"


def reached(harness, step):
    """The devices to which a step's mail goes."""
    before = len(harness.wire.heard)
    harness.take(step)
    return {to for packet in harness.wire.heard[before:] for mail in mails_in(packet) for to in mail.recipients}


def listed_by_an_insider(harness, scheme, companion_signs=False):
    rogue = attacker_device("alice-tablet", "alice", scheme.device)
    harness.provider.add(rogue.name, entry_of(rogue, scheme.provider))
    if companion_signs:
        primary = harness.device("alice-phone").identity.public
        harness.provider.companions[rogue.name] = device_lists.device_signature(rogue.identity, 2, primary)
    return rogue


@pytest.mark.parametrize("scheme", [SIGNED, SHARED])
@pytest.mark.parametrize("companion_signs", [False, True])
def test_no_mail_goes_to_a_device_for_which_the_primary_did_not_sign(scheme, companion_signs):
    with playing(scheme) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        listed_by_an_insider(harness, scheme, companion_signs)
        assert reached(harness, TO_ALICE) == {"alice-phone", "alice-laptop"}
        assert harness.wire.refusals[-1][1:] == ("alice-tablet", "nobody vouches for alice-tablet")


def test_a_companion_that_was_linked_gets_mail_at_once():
    with playing(SIGNED) as harness:
        harness.link("alice", "alice-watch")
        assert reached(harness, TO_ALICE) == {"alice-phone", "alice-laptop", "alice-watch"}


def test_a_list_is_taken_for_so_many_days_and_for_two_more_once_there_is_a_newer_one():
    with playing(SIGNED) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        bob = harness.device("bob-phone")
        known, phone = (
            bob.vouching.known["alice"],
            next(each for each in bob.contacts["alice"] if "laptop" in each.device),
        )
        assert known.last == LIVES and bob.vouches(phone, LIVES) and not bob.vouches(phone, LIVES + 1)
        frozen, harness.provider.signed_lists = dict(harness.provider.signed_lists), {}
        harness.take(Step("day"))
        harness.provider.signed_lists |= {name: each for name, each in frozen.items() if name == "alice"}  # an old list
        harness.play([FROM_ALICE])
        assert harness.device("bob-phone").vouching.known["alice"].last == 1 + AFTER_NEWS


def test_a_list_of_a_day_to_come_is_not_kept_however_far_that_is():
    """A day past which no number of a state goes would leave a device that cannot be written down."""
    with playing(SIGNED) as harness:
        harness.play([TO_ALICE])
        known = dict(harness.device("bob-phone").vouching.known)
        for day in (1, 2**64 - 1):
            told = msgspec.structs.replace(harness.provider.signed_lists["alice"], day=day, serial=9)
            signature = harness.device("alice-phone").identity.sign(told.signed)
            harness.provider.signed_lists["alice"] = msgspec.structs.replace(told, signature=signature)
            harness.play([TO_ALICE])
            assert harness.device("bob-phone").vouching.known == known
            assert harness.device("bob-phone").state()


def test_the_other_end_notices_a_list_that_is_not_its_own():
    def lies(self, promise):
        return promise not in {"list signature", "account signature", "device signature"}

    with playing(SIGNED) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        listed_by_an_insider(harness, SIGNED)
        harness.wire.parties["bob-phone"] = lying(harness.device("bob-phone"), keeps=lies)
        harness.play([TO_ALICE])
        assert ("alice-phone", OTHER_LIST) in {(alarm.who, alarm.check) for alarm in harness.wire.alarms}


def test_another_s_signature_for_a_group_adds_nobody():
    with playing(ADMINS) as harness:
        harness.play([Step("say", "bob-phone", "club")])
        group = harness.groups["club"]
        bob = harness.device("bob-phone")
        more = msgspec.structs.replace(group, members=(*group.members, "stranger"))
        harness.provider.groups["club"] = more
        harness.provider.signed_groups["club"] = device_lists.group_signature(bob.identity, more, 9)
        carol = harness.device("carol-phone")
        if "carol" in group.members:
            assert carol.look_up_group(harness.wire, "club").members == group.members
        assert harness.device("alice-phone").look_up_group(harness.wire, "club").members == group.members


def test_a_device_that_was_unlinked_is_not_made_valid_by_what_its_primary_once_signed():
    with playing(SIGNED) as harness:
        harness.play([TO_ALICE, FROM_ALICE])
        before, entry = harness.provider.signed_lists["alice"], harness.provider.directory["alice-laptop"]
        harness.unlink("alice-laptop")
        assert reached(harness, TO_ALICE) == {"alice-phone"}
        now = harness.provider.signed_lists["alice"]
        assert (before.valid, now.valid) == ((1,), ())
        harness.provider.add("alice-laptop", entry)
        for told in (before, msgspec.structs.replace(now, valid=before.valid, accounts=before.accounts)):
            harness.provider.signed_lists["alice"] = told
            assert reached(harness, TO_ALICE) == {"alice-phone"}


def wrongly_signed(harness):
    """What a device tells a provider that files lists: the promise that keeps it out, who tells it, and what."""
    change, provider = msgspec.structs.replace, harness.provider
    phone, laptop = (harness.device(f"alice-{each}").identity for each in ("phone", "laptop"))
    own, mine = provider.signed_lists["alice"], provider.companions["alice-laptop"]
    yield "a list is of its sender", "bob-phone", own
    yield "a list is of its sender", "alice-phone", device_lists.signed_list(phone, "bob", 0, 9, ())
    yield "a list is of today", "alice-phone", device_lists.signed_list(phone, "alice", 9, 9, ())
    yield "signature of a list", "alice-phone", change(own, signature=mine.signature)
    yield "a user has one primary device", "alice-laptop", device_lists.signed_list(laptop, "alice", 0, 9, ())
    yield "a list is not older than the one before", "alice-phone", device_lists.signed_list(phone, "alice", 0, 0, ())
    yield "a list has a signature for each valid index", "alice-phone", change(own, accounts=())
    yield "a device signs for itself", "bob-phone", mine
    yield "signature of a companion", "alice-laptop", change(mine, signature=own.signature)
    yield "a device registers itself", "bob-tablet", device_lists.Registered("bob-tablet", 1, phone.public)
    yield "a device registers itself", "bob-phone", device_lists.Registered("alice-phone", 1, phone.public)


@pytest.mark.parametrize("at", range(11))
def test_what_a_device_signs_is_filed_for_its_own_user_and_key_alone(at):
    with playing(SIGNED) as harness:
        reason, sender, said = list(wrongly_signed(harness))[at]
        before = harness.provider.state()
        with pytest.raises(Refused, match=reason):
            harness.wire.ask(sender, "provider", said, type(None))
        assert harness.provider.state() == before


def test_the_members_of_a_group_are_signed_by_the_key_of_who_says_them():
    with playing(ADMINS) as harness:
        phone, other = (harness.device(f"alice-{each}").identity for each in ("phone", "laptop"))
        group, signed = harness.groups["club"], harness.provider.signed_groups["club"]
        chains = msgspec.structs.replace(group, sender_keys=True)
        for reason, said in (
            ("what is signed of a group is what was said", device_lists.group_signature(phone, chains, 9)),
            ("signature of a group", msgspec.structs.replace(signed, signature=bytes(64))),
            ("who changed a group last signs it", device_lists.group_signature(other, group, 9)),
        ):
            with pytest.raises(Refused, match=reason):
                harness.wire.ask("alice-phone", "provider", said, type(None))
            assert harness.provider.signed_groups["club"] == signed


@pytest.mark.parametrize("serial", [0, 2**64 - 1])
def test_a_member_who_changed_nothing_does_not_sign_in_the_place_of_who_did(serial):
    """With the greatest number, nobody could have signed after it."""
    with playing(ADMINS) as harness:
        group, signed = harness.provider.groups["club"], harness.provider.signed_groups["club"]
        said = device_lists.group_signature(harness.device("bob-phone").identity, group, serial)
        with pytest.raises(Refused, match="who changed a group last signs it"):
            harness.wire.ask("bob-phone", "provider", said, type(None))
        assert harness.provider.signed_groups["club"] == signed


def test_an_older_list_of_a_groups_members_is_refused():
    with playing(ADMINS) as harness:
        alice, group = harness.device("alice-phone"), harness.provider.groups["club"]
        newest = harness.provider.signed_groups["club"].serial
        older = device_lists.group_signature(alice.identity, group, newest - 1)
        with pytest.raises(Refused, match="a list is not older than the one before"):
            harness.wire.ask(alice.name, alice.provider, older, type(None))
        assert harness.provider.signed_groups["club"].serial == newest


def test_a_list_of_another_primary_is_not_learnt_of_a_user_who_is_known():
    with playing(SIGNED) as harness:
        harness.play([TO_ALICE])
        bob, laptop = harness.device("bob-phone"), harness.device("alice-laptop").identity
        known = bob.vouching.known["alice"]
        harness.provider.signed_lists["alice"] = device_lists.signed_list(laptop, "alice", 0, 9, ())
        bob.look_up(harness.wire, "alice")
        assert bob.vouching.known["alice"] == known


def test_a_list_that_its_primary_signed_for_another_user_vouches_for_nobody():
    with playing(SIGNED) as harness:
        phone, laptop = (harness.device(f"alice-{each}").identity for each in ("phone", "laptop"))
        harness.provider.signed_lists["alice"] = device_lists.signed_list(phone, "bob", 0, 9, (laptop.public,))
        assert reached(harness, TO_ALICE) == {"alice-phone"}


def test_a_companion_that_signed_for_another_primary_is_vouched_for_by_nobody():
    with playing(SIGNED) as harness:
        laptop, other = harness.device("alice-laptop").identity, harness.device("bob-phone").identity
        harness.provider.companions["alice-laptop"] = device_lists.device_signature(laptop, 1, other.public)
        assert reached(harness, TO_ALICE) == {"alice-phone"}


def test_sessions_with_a_device_that_registered_anew_are_forgotten_once():
    with playing(SHARED) as harness:
        harness.play([TO_ALICE])
        bob, before = harness.device("bob-phone"), harness.provider.registered["alice-laptop"]
        harness.provider.registered["alice-laptop"] = msgspec.structs.replace(before, number=before.number + 1)
        bob.look_up(harness.wire, "alice")
        assert "alice-laptop" not in bob.sessions
        harness.play([TO_ALICE])
        bob.look_up(harness.wire, "alice")
        assert "alice-laptop" in bob.sessions
        assert bob.vouching.numbers["alice-laptop"] == before.number + 1


def test_another_device_under_the_one_key_of_its_user_calls_for_no_notice():
    with playing(SHARED) as harness:
        harness.play([TO_ALICE])
        bob, key = harness.device("bob-phone"), harness.device("alice-phone").identity.public
        assert bob.noticed("alice", Listed("alice", "alice-watch", key)) is None
        assert bob.noticed("alice", Listed("alice", "alice-watch", bob.identity.public)) == CHANGED_KEY


def test_a_device_asks_under_its_own_name_who_signed_a_group():
    with playing(ADMINS) as harness:
        group, bob = harness.provider.groups["club"], harness.device("bob-phone")
        harness.provider.groups["club"] = msgspec.structs.replace(group, members=(*group.members, "stranger"))
        before = len(harness.wire.heard)
        bob.look_up_group(harness.wire, "club")
        bob.change_group(harness.wire, group)
        assert {packet.src for packet in harness.wire.heard[before:]} <= {"bob-phone", "provider"}
        assert [each[1:] for each in harness.wire.refusals] == [
            ("stranger", "no admin signed that stranger is in club")
        ]


def test_a_user_is_told_that_a_text_goes_to_more_devices():
    with playing(WATCHED) as harness:
        harness.play([TO_ALICE])
        listed_by_an_insider(harness, WATCHED)
        harness.play([TO_ALICE, TO_ALICE])
        assert [(a.who, a.check) for a in harness.wire.alarms if a.check == MORE_DEVICES] == [
            ("bob-phone", MORE_DEVICES)
        ]


@pytest.mark.parametrize("settings", ["devices=signed", "devices=shared", "groups=admins", "covers=target"])
def test_a_warrant_s_device_reads_whatever_lists_are_signed(settings):
    with playing(with_parameters(ghost.SCHEME, [f"ghost.{settings}"])) as harness:
        harness.play([TO_ALICE])
        warrant = harness.served("alice")
        harness.play([TO_ALICE, FROM_ALICE])
        assert harness.access(warrant, []) == {said.body for said in harness.said[1:]}


def nothing(*_):
    """Do nothing."""


def but(reason):
    """A promise of a party, without the one of this reason."""

    def insist(self, condition, why):
        if why != reason:
            Principal.insist(self, condition, why)

    return insist


def in_silence(self, wire, people):
    return Device.recipients(self, wire, people)


def signing_nothing(self, wire, group):
    Device.change_group(self, wire, group)


def in_any_case(self, wire, told, device):
    return told.warrant.order.last if isinstance(told, Request) and told.warrant.order.target == "alice" else None


SAME, OLD = "what is signed of a group is what was said of it", "a list is of today"
FAULTS = (
    (SAID, SIGNED, VouchingProvider, "insist", but(OLD)),
    (HEEDED, SIGNED, VouchingProvider, "insist", but("a list is of its sender")),
    (DISTURBED, SIGNED, VouchingDevice, "recipients", in_silence),
    (ROTATED, SIGNED, VouchingDevice, "vouch", nothing),
    (SCOPE, SIGNED, ghost.GhostClient, "look_up", VouchingDevice.look_up),
    (SAID, ADMINS, VouchingProvider, "insist", but(SAME)),
    (HEEDED, ADMINS, VouchingProvider, "insist", but("the member who changed a group last signs it")),
    ("mail arrives", ADMINS, VouchingDevice, "change_group", signing_nothing),
    (SCOPE, SHARED, ghost.GhostClient, "look_up", VouchingDevice.look_up),
    (ROTATED, SHARED, one_key, "_forget", nothing),
    (HEEDED, SHARED, VouchingProvider, "insist", but("a device registers itself")),
    (SCOPE, SHARED, ghost.GhostClient, "is_exempt", lambda self, listed, day: False),
    (LINGERS, OVERT, ghost.GhostClient, "is_exempt", lambda self, listed, day: True),
    (SCOPE, OVERT, ghost.GhostClient, "is_exempt", VouchingDevice.is_exempt),
    (SAID, OVERT, ghost.GhostClient, "_last_day", in_any_case),
    (SILENT, WATCHED, ghost, "until", lambda order: ghost.EVER),
)


@pytest.mark.parametrize(("name", "scheme", "kind", "method", "fault"), FAULTS)
def test_the_kit_finds_a_fault_that_is_planted(name, scheme, kind, method, fault, monkeypatch):
    assert not PROPERTY[name].broken(scheme)
    monkeypatch.setattr(kind, method, fault)
    assert PROPERTY[name].broken(scheme)
