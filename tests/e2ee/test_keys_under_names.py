"""A name is not a key: a new key under an old name reads nothing meant for the old key, and does not speak as it."""

import msgspec
import pytest

from escrow import crypto
from escrow.crypto import new_signing_key
from escrow.e2ee.content import InGroup, Text
from escrow.e2ee.provider import DeviceList, DevicesOf, Listed
from escrow.e2ee.x3dh import IdentityKey
from escrow.errors import Refused
from escrow.principal import corrupted
from escrow.schemes import plain, plain_pq
from escrow.testing.harness import Step, playing

SCHEME = plain.SCHEME
TALK = [Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")]


@pytest.fixture
def harness():
    with playing(SCHEME) as made:
        yield made


def lists(harness, answer):
    """Have the directory answer `answer(user, devices)` to who asks for the devices of a user."""
    honest = type(harness.provider).on_devices_of

    def on_devices_of(provider, sender, packet: DevicesOf, wire):
        return DeviceList(tuple(answer(packet.user, list(honest(provider, sender, packet, wire).devices))))

    harness.wire.parties["provider"] = corrupted(harness.provider, on_devices_of=on_devices_of)


def test_a_session_is_with_the_key_that_was_listed_when_it_was_begun(harness):
    harness.play(TALK)
    bob, alice = harness.device("bob-phone"), harness.device("alice-phone")
    kept = bob.sessions["alice-phone"]
    assert [each.identity for each in kept] == [alice.identity.public] * len(kept)
    with crypto.acting("bob-phone"):
        bob.sessions["alice-phone"] = [msgspec.structs.replace(each, identity=bytes(32)) for each in kept]
    harness.play(TALK[1:])
    assert bob.sessions["alice-phone"][0].identity == alice.identity.public
    assert harness.shown == harness.meant


def test_a_mail_in_a_session_with_another_key_than_the_one_listed_is_refused(harness):
    harness.play(TALK)
    harness.take(TALK[0])
    bob = harness.device("bob-phone")
    other = new_signing_key(IdentityKey).public
    bob.contacts["alice"] = [
        msgspec.structs.replace(each, identity=other) if each.device == "alice-phone" else each
        for each in bob.contacts["alice"]
    ]
    (mail,) = harness.provider.mailboxes["bob-phone"]
    assert mail.initial is None
    with pytest.raises(Refused, match="the session is with the key that is listed"):
        bob.receive(harness.wire, mail)


def test_a_group_mail_under_a_chain_that_another_key_told_is_refused(harness):
    said = Step("say", "alice-phone", "choir")
    harness.play([said])
    harness.take(said)
    carol, (mail,) = harness.device("carol-phone"), harness.provider.mailboxes["carol-phone"]
    assert mail.group
    other = new_signing_key(IdentityKey).public
    carol.receiving = [msgspec.structs.replace(each, identity=other) for each in carol.receiving]
    with pytest.raises(Refused, match="the chain is of the key that is listed"):
        carol.receive(harness.wire, mail)


def test_what_the_directory_lists_under_another_user_is_left_out(harness):
    planted = Listed("alice", "carol-phone", harness.device("carol-phone").identity.public)
    lists(harness, lambda user, devices: [planted, *devices] if user == "bob" else devices)
    alice = harness.device("alice-phone")
    assert planted not in alice.look_up(harness.wire, "bob")
    assert planted not in alice.contacts["bob"]


def test_a_text_is_not_shown_as_from_a_user_whose_list_has_not_its_author(harness):
    """The directory says that carol's phone is alice's, and does not list it among alice's."""
    lists(harness, lambda user, devices: [] if user == "carol" else devices)
    harness.play([Step("say", "carol-phone", "bob")])
    harness.device("bob-phone").contacts.clear()
    directory = harness.provider.directory
    directory["carol-phone"] = msgspec.structs.replace(directory["carol-phone"], user="alice")
    lists(harness, lambda user, devices: [each for each in devices if each.device != "carol-phone"])
    before = len(harness.wire.shown)
    harness.play([Step("say", "carol-phone", "bob")])
    assert [shown for shown in harness.wire.shown[before:] if shown.device == "bob-phone"] == []


def test_a_text_of_a_device_that_is_not_listed_among_its_users_is_not_shown(harness):
    """No safety number has its key, whomever the directory names as its owner."""
    lists(harness, lambda user, devices: [] if user == "carol" else devices)
    harness.play([Step("say", "carol-phone", "bob")])
    assert [shown for shown in harness.wire.shown if shown.device == "bob-phone"] == []
    assert "the author is listed among its user's devices" in [reason for _, _, reason in harness.wire.refusals]


def test_a_device_that_is_listed_under_two_keys_is_taken_under_neither(harness):
    lists(harness, lambda _, devices: [*devices, *(msgspec.structs.replace(e, identity=bytes(32)) for e in devices)])
    with pytest.raises(Refused, match="a device is listed under one key"):
        harness.device("alice-phone").look_up(harness.wire, "bob")
    assert "bob" not in harness.device("alice-phone").contacts


def test_a_device_of_ones_own_that_was_not_linked_reads_and_says_nothing(harness):
    harness.play(TALK)
    stranger = harness.listed("alice", "alice-tablet")
    harness.wire.parties["alice-tablet"] = stranger
    since = len(harness.wire.heard)
    harness.play([Step("say", "alice-phone", "bob"), Step("say", "alice-phone", "choir")])
    assert harness.provider.mailboxes.get("alice-tablet", []) == []
    stranger.linked += harness.device("alice-phone").linked
    with crypto.acting("alice-tablet"):
        stranger.fan_out(harness.wire, ("alice", "bob"), Text(InGroup("club"), b"planted"))
    harness.play([])
    assert {shown.device for shown in harness.wire.shown if shown.text == b"planted"} <= {"bob-phone"}
    assert "the author is a device that its user linked" in [reason for _, _, reason in harness.wire.refusals]
    assert [alarm.who for alarm in harness.wire.alarms if alarm.packets >= since][:1] == ["alice-phone"]


def test_a_new_device_under_an_old_name_may_write_first(harness):
    harness.play(TALK)
    harness.unlink("alice-laptop")
    harness.link("alice", "alice-laptop")
    harness.play([Step("say", "alice-laptop", "bob"), Step("say", "alice-laptop", "choir")])
    assert harness.shown["bob-phone", "alice", "alice+bob", harness.said[-2].body] == 1
    assert harness.shown["carol-phone", "alice", "choir", harness.said[-1].body] == 1
    assert "bob-phone" in [alarm.who for alarm in harness.wire.alarms]


def test_who_has_a_replaced_device_is_heard_by_a_reader_only_until_that_reader_asks_the_directory_again(harness):
    harness.play([Step("say", "alice-laptop", "choir"), Step("say", "carol-phone", "alice")])
    stolen = harness.unlink("alice-laptop")
    harness.link("alice", "alice-laptop")
    for heard in (True, False):
        said = b"by whoever has the old laptop" + bytes([heard])
        with crypto.acting("thief"):
            stolen.send_to_group(harness.wire, "choir", said)
        harness.play([])
        assert any(each.device == "carol-phone" and each.text == said for each in harness.wire.shown) == heard
        harness.play([Step("say", "carol-phone", "alice")])


@pytest.mark.parametrize("scheme", [SCHEME, plain_pq.SCHEME], ids=lambda scheme: scheme.name)
def test_what_is_remembered_of_first_messages_lives_as_long_as_the_signed_prekey(scheme):
    with playing(scheme) as harness:
        bob = harness.device("bob-phone")
        for one_time in (True, False):
            if not one_time:
                harness.provider.directory["bob-phone"].one_time.clear()
            harness.device("alice-phone").sessions.clear()
            harness.play(TALK[:1])
            assert len(bob.prekeys[-1].begun) == (not one_time)
        for harness.wire.day in range(1, bob.rotate_every + bob.keep_prekeys + 1):
            bob.each_day(harness.wire)
        assert [prekey.begun for prekey in bob.prekeys] == [[]]
