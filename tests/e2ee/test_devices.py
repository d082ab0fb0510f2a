"""What devices and provider make of the protocols: sessions, groups, prekeys, notices, ceremonies, the relay."""

import msgspec
import pytest

from escrow.crypto import new_private, new_signing_key
from escrow.e2ee import sessions
from escrow.e2ee.contacts import compare_safety_numbers, news
from escrow.e2ee.listing.checks import CHANGED_KEY, NEW_DEVICE
from escrow.e2ee.provider import Collect, Delivery, DeviceList, DevicesOf, Fetch, Group, Listed, Publish
from escrow.e2ee.x3dh import Bundle, IdentityKey
from escrow.errors import Forged, Refused, Unreachable
from escrow.schemes.plain import SCHEME
from escrow.testing.harness import DEVICES, Step, playing

# --- groups with Sender Keys ---


def test_who_is_removed_reads_no_more_and_who_joins_reads_nothing_older():
    with playing(SCHEME) as harness:
        talk = Step("say", "alice-phone", "choir")
        harness.play([talk])
        chain = harness.device("alice-phone").sending["choir"].chain.chain
        for members in (("alice", "bob"), ("alice", "bob", "carol")):
            harness.wire.ask("alice-phone", "provider", Group("choir", members, True), type(None))
            harness.play([talk])
        read = [harness.shown["carol-phone", "alice", "choir", said.body] for said in harness.said]
        assert read == [1, 0, 1]
        rotated = harness.device("alice-phone").sending["choir"].chain.chain
        assert rotated != chain
        held = [peer.chain for peer in harness.device("carol-phone").receiving if peer.chain.chain == rotated]
        assert held[0].n == 2  # the chain was handed over as it stood, after the text she was not to read


def test_group_mail_that_overtakes_its_sender_key_waits_for_it():
    with playing(SCHEME) as harness:
        harness.take(Step("say", "alice-phone", "choir"))
        box = harness.wire.parties["provider"].mailboxes["bob-phone"]
        assert [bool(mail.group) for mail in box] == [False, True]
        box.reverse()
        harness.play([])
        assert harness.shown == harness.meant
        assert harness.device("bob-phone").waiting == []


# --- sessions ---


def test_two_devices_that_write_first_at_once_lose_no_mail():
    with playing(SCHEME) as harness:
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        assert len(harness.device("bob-phone").sessions["alice-phone"]) == 2
        for _ in range(3):
            harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        assert harness.shown == harness.meant


def test_sessions_with_a_peer_are_a_bounded_list():
    with playing(SCHEME) as harness:
        for _ in range(sessions.SESSIONS_KEPT + 2):
            harness.device("alice-phone").sessions.clear()
            harness.play([Step("say", "alice-phone", "bob")])
        assert len(harness.device("bob-phone").sessions["alice-phone"]) == sessions.SESSIONS_KEPT
        assert harness.shown == harness.meant


def test_a_text_goes_to_every_device_of_the_peer_and_to_ones_own_others():
    with playing(SCHEME) as harness:
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        seen = [{name for name, *_, body in harness.shown if body == said.body} for said in harness.said]
        assert seen == [{"alice-laptop", "bob-phone"}, {"alice-phone", "alice-laptop"}]


# --- prekeys ---


def test_a_signed_prekey_is_rotated_and_its_private_half_erased():
    with playing(SCHEME) as harness:
        bob, kept = harness.device("bob-phone"), []
        for day in range(1, 10):
            harness.wire.day = day
            bob.each_day(harness.wire)
            kept.append([prekey.day for prekey in bob.prekeys])
        assert kept == [[0], [0], [0, 3], [0, 3], [3], [3, 6], [3, 6], [6], [6, 9]]
        listed = harness.wire.parties["provider"].directory["bob-phone"]
        assert listed.prekey == bob.prekeys[-1].key.public


def first_mail(harness):
    harness.take(Step("say", "alice-phone", "bob"))
    return harness.wire.parties["provider"].mailboxes["bob-phone"][0]


def test_an_initial_message_replayed_to_a_device_that_forgot_the_session_is_refused():
    with playing(SCHEME) as harness:
        mail, bob = first_mail(harness), harness.device("bob-phone")
        harness.play([])
        assert mail.initial.opk_b not in [key.public for key in bob.one_time]
        bob.sessions.clear()
        with pytest.raises(Forged, match="erased, or used before"):
            bob.receive(harness.wire, mail)


def test_an_initial_message_respelled_does_not_show_its_text_again():
    """X25519 ignores a public key's highest bit: without a one-time prekey a second session would open."""
    with playing(SCHEME) as harness:
        harness.wire.parties["provider"].directory["bob-phone"].one_time.clear()
        mail, bob = first_mail(harness), harness.device("bob-phone")
        harness.play([])
        ek_a = mail.initial.ek_a[:31] + bytes([mail.initial.ek_a[31] ^ 0x80])
        again = msgspec.structs.replace(mail, initial=msgspec.structs.replace(mail.initial, ek_a=ek_a))
        with pytest.raises(Refused, match="spelled"):
            bob.receive(harness.wire, again)
        assert harness.shown == harness.meant


def test_an_initial_message_without_a_one_time_prekey_is_read_once_too():
    with playing(SCHEME) as harness:
        harness.wire.parties["provider"].directory["bob-phone"].one_time.clear()
        mail, bob = first_mail(harness), harness.device("bob-phone")
        harness.play([])
        bob.sessions.clear()
        with pytest.raises(Refused, match="a first message begins one session"):
            bob.receive(harness.wire, mail)
        assert harness.shown == harness.meant


def test_a_session_is_begun_with_the_key_that_is_listed_for_its_author():
    with playing(SCHEME) as harness:
        mail, bob = first_mail(harness), harness.device("bob-phone")
        (listed,) = (each for each in bob.look_up(harness.wire, "alice") if each.device == mail.sender)
        with pytest.raises(Refused, match="the session is from the device listed"):
            other = msgspec.structs.replace(listed, identity=bob.identity.public)
            sessions.open_mail(bob, mail, other)
        assert bob.sessions == {}


def test_an_initial_message_for_an_erased_prekey_is_refused():
    with playing(SCHEME) as harness:
        mail, bob = first_mail(harness), harness.device("bob-phone")
        for harness.wire.day in (3, 5):
            bob.each_day(harness.wire)
        with pytest.raises(Forged, match="erased, or used before"):
            bob.receive(harness.wire, mail)


def test_each_one_time_prekey_is_handed_out_once_and_then_none():
    with playing(SCHEME) as harness:
        handed = [harness.wire.ask("carol-phone", "provider", Fetch("bob-phone"), Bundle).one_time for _ in range(5)]
        assert len(set(handed[:3])) == 3
        assert handed[3:] == [b"", b""]
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        assert harness.shown == harness.meant


# --- notices and ceremonies ---


def lie_about(harness, name, identity):
    """The directory exchanges a device's identity key."""
    entry = harness.wire.parties["provider"].directory[name]
    harness.wire.parties["provider"].directory[name] = msgspec.structs.replace(entry, identity=identity)


def alarms(harness):
    return [(alarm.who, alarm.check) for alarm in harness.wire.alarms]


def test_a_new_device_or_key_is_shown_once_to_each_that_knew_the_user():
    with playing(SCHEME) as harness:
        harness.play([Step("say", "alice-phone", "bob")])
        assert alarms(harness) == []
        lie_about(harness, "bob-phone", new_signing_key(IdentityKey).public)
        for _ in range(2):
            harness.device("alice-phone").look_up(harness.wire, "bob")
        harness.device("carol-phone").look_up(harness.wire, "bob")  # she never knew another key
        assert alarms(harness) == [("alice-phone", "a new device or key is shown")]
        assert "bob-phone" not in harness.device("alice-phone").sessions


def test_a_user_is_shown_a_device_that_they_did_not_link():
    with playing(SCHEME) as harness:
        directory = harness.wire.parties["provider"].directory
        directory["alice-tablet"] = msgspec.structs.replace(directory["bob-phone"], user="alice")
        harness.device("alice-phone").look_up(harness.wire, "alice")
        assert alarms(harness) == [("alice-phone", "a new device or key is shown")]


def test_a_new_device_and_a_changed_key_call_for_notices_of_their_own():
    with playing(SCHEME) as harness:
        alice, other = harness.device("alice-phone"), new_signing_key(IdentityKey).public
        (known,) = alice.look_up(harness.wire, "bob")
        for listed, notice in (
            (known, None),
            (Listed("bob", "bob-phone", other), CHANGED_KEY),
            (Listed("bob", "bob-tablet", other), NEW_DEVICE),
            (Listed("bob", "bob-tablet", alice.identity.public), NEW_DEVICE),
            (Listed("alice", "alice-tablet", other), NEW_DEVICE),
        ):
            assert news(alice, listed.user, listed) == notice


def test_a_device_whose_keys_do_not_serve_keeps_no_text_from_the_others():
    with playing(SCHEME) as harness:
        directory = harness.provider.directory
        directory["alice-laptop"] = msgspec.structs.replace(directory["alice-laptop"], signature=bytes(64))
        harness.play([Step("say", "bob-phone", "alice")])
        assert [each.device for each in harness.wire.shown] == ["alice-phone"]


@pytest.mark.parametrize("lied_about", [None, *DEVICES])
def test_a_ceremony_agrees_unless_the_directory_lies_about_a_device_of_the_two(lied_about):
    with playing(SCHEME) as harness:
        if lied_about:
            lie_about(harness, lied_about, new_signing_key(IdentityKey).public)
        alice, bob = harness.device("alice-phone"), harness.device("bob-phone")
        alice.look_up(harness.wire, "bob")
        bob.look_up(harness.wire, "alice")
        honest = lied_about in (None, "carol-phone")
        assert compare_safety_numbers(harness.wire, alice, bob) is honest
        assert alarms(harness) == ([] if honest else [(name, "safety number") for name in ("alice-phone", "bob-phone")])


@pytest.mark.parametrize("listed", [b"", bytes(31), (1).to_bytes(32, "little")], ids=["empty", "short", "neutral"])
def test_a_ceremony_over_a_key_that_is_none_does_not_agree(listed):
    with playing(SCHEME) as harness:
        lie_about(harness, "bob-phone", listed)
        alice, bob = harness.device("alice-phone"), harness.device("bob-phone")
        alice.look_up(harness.wire, "bob")
        bob.look_up(harness.wire, "alice")
        assert not compare_safety_numbers(harness.wire, alice, bob)
        assert alarms(harness) == [(name, "safety number") for name in ("alice-phone", "bob-phone")]


def test_a_bundle_of_another_key_or_without_a_signature_is_refused():
    with playing(SCHEME) as harness:
        directory, sound = harness.wire.parties["provider"].directory, {}
        sound |= directory
        for wrong in ({"identity": new_signing_key(IdentityKey).public}, {"prekey": new_private().public}):
            alice, listed = harness.device("alice-phone"), harness.device("alice-phone").look_up(harness.wire, "bob")
            directory["bob-phone"] = msgspec.structs.replace(sound["bob-phone"], **wrong)
            with pytest.raises(Refused):
                sessions.current(alice, harness.wire, listed[0])
            directory["bob-phone"] = sound["bob-phone"]
        directory["bob-phone"] = msgspec.structs.replace(sound["carol-phone"], user="bob")  # signed, by carol's key
        with pytest.raises(Refused, match="the bundle is of the device listed"):
            sessions.current(alice, harness.wire, listed[0])


# --- provider ---


def test_the_provider_takes_keys_from_linked_devices_only_and_never_another_identity():
    with playing(SCHEME) as harness:
        bob = harness.device("bob-phone")
        for user, identity in (("alice", bob.identity.public), ("bob", new_signing_key(IdentityKey).public)):
            packet = Publish(user, identity, b"", b"", ())
            with pytest.raises(Refused):
                harness.wire.ask("bob-phone", "provider", packet, type(None))


def test_the_relay_takes_mail_from_its_sender_only_and_hands_it_out_once():
    with playing(SCHEME) as harness:
        mail = first_mail(harness)
        with pytest.raises(Refused):
            harness.wire.ask("carol-phone", "provider", mail, type(None))
        of_nobody = msgspec.structs.replace(mail, sender="authority")
        with pytest.raises(Refused, match="a user linked this device"):
            harness.wire.ask("authority", "provider", of_nobody, type(None))
        with pytest.raises(Refused, match="a user linked this device"):
            harness.wire.ask("authority", "provider", Fetch("bob-phone"), Bundle)
        first, second = (harness.wire.ask("bob-phone", "provider", Collect(), Delivery) for _ in range(2))
        assert first.mails == (mail,)
        assert second.mails == ()


def test_the_provider_lists_the_devices_of_the_user_that_it_is_asked_for():
    with playing(SCHEME) as harness:
        told = harness.wire.ask("bob-phone", "provider", DevicesOf("alice"), DeviceList)
        assert [(each.user, each.device) for each in told.devices] == [
            ("alice", "alice-laptop"),
            ("alice", "alice-phone"),
        ]


def test_unknown_devices_and_groups_are_unreachable():
    with playing(SCHEME) as harness:
        with pytest.raises(Unreachable):
            harness.wire.ask("bob-phone", "provider", Fetch("nobody-phone"), Bundle)
        with pytest.raises(Unreachable):
            harness.device("bob-phone").send_to_group(harness.wire, "nowhere", b"")
        with pytest.raises(Unreachable):
            harness.wire.ask("bob-phone", "nobody", Collect(), Delivery)
