"""A silent device is hidden under its name, its key and for the days of its warrant, and no longer."""

import msgspec
import pytest

from escrow import codec
from escrow.crypto import new_signing_key
from escrow.e2ee.contacts import author_of
from escrow.e2ee.device import new_ghost
from escrow.e2ee.provider import Collect, Delivery, Listed, Mail, Provider
from escrow.e2ee.x3dh import IdentityKey
from escrow.errors import Refused
from escrow.principal import corrupted
from escrow.schemes.ghost import SCHEME, AskQuiet, GhostKeys, Quiet, ghost_name, is_hushed, keys_of, quiet_told
from escrow.testing.harness import Step, playing

NAME = ghost_name("alice", bytes(16))  # the nonce of the harness's orders
TALK = [Step("say", "bob-phone", "choir"), Step("say", "alice-phone", "choir")]
NOTICE = "a new device or key is shown"


@pytest.fixture
def haunted():
    """The target's conversations on day 0, with a silent device for days 0 and 1."""
    with playing(SCHEME) as harness:
        harness.play(TALK)
        harness.served("alice", 0, 1)
        yield harness.play(TALK)


def chain(harness, name):
    return harness.device(name).sending["choir"].chain.chain


def lingering(harness):
    """The provider goes on listing the device, and shows the request under which it was added."""
    provider = corrupted(harness.provider, on_devices_of=Provider.on_devices_of)
    harness.wire.parties["provider"] = provider


def to_the_third_day(harness):
    for _ in range(2):
        harness.take(Step("day"))


def test_a_silent_device_is_addressed_in_silence_while_its_warrant_lasts(haunted):
    for name in ("bob-phone", "alice-phone"):
        assert NAME in [listed.device for listed in haunted.device(name).sending["choir"].holders]
    assert haunted.wire.alarms == []


def test_a_client_takes_no_mail_of_a_device_that_it_hides(haunted):
    bob = haunted.device("bob-phone")
    assert NAME in [listed.device for listed in bob.contacts["alice"]]
    with pytest.raises(Refused, match="a silent device writes nothing"):
        author_of(bob, haunted.wire, Mail(NAME, ("bob-phone",), "", None, b"a body", b""))


def test_what_a_silent_device_has_read_is_handed_over_though_its_new_mail_is_kept_back(haunted):
    def refusing(provider, sender, packet, wire):
        raise Refused("provider", "no more mail")

    (haunting,) = haunted.authority.hauntings
    haunting.ghost.collect(haunted.wire)
    haunted.wire.parties["provider"] = corrupted(haunted.provider, on_collect=refusing)
    assert haunted.access(haunting.warrant, []) == {said.body for said in haunted.said[len(TALK) :]}
    assert haunted.wire.refusals[-1][1:] == ("provider", "no more mail")


def test_a_silent_device_that_is_removed_holds_no_chain_any_more(haunted):
    before = [chain(haunted, name) for name in ("bob-phone", "alice-phone")]
    to_the_third_day(haunted)
    haunted.play(TALK)
    for name, old in zip(("bob-phone", "alice-phone"), before, strict=True):
        assert chain(haunted, name) != old
        assert NAME not in [listed.device for listed in haunted.device(name).sending["choir"].holders]
        assert haunted.device(name).quiet == []
    assert haunted.wire.alarms == []


def test_a_silent_device_that_stays_is_noticed_once_and_its_own_user_sends_it_nothing_more(haunted):
    lingering(haunted)
    to_the_third_day(haunted)
    haunted.play(TALK * 2)
    told = [alarm.who for alarm in haunted.wire.alarms if alarm.check == NOTICE]
    assert sorted(told) == ["alice-phone", "bob-phone"]
    assert NAME not in [listed.device for listed in haunted.device("alice-phone").sending["choir"].holders]


def test_a_silence_is_for_one_name_and_one_key(haunted):
    bob, other = haunted.device("bob-phone"), new_signing_key(IdentityKey).public
    listed = bob.quiet[0]
    assert bob.keeps_quiet(haunted.wire, listed)
    for wrong in ({"identity": other}, {"device": "alice-tablet"}, {"user": "carol"}):
        assert not bob.keeps_quiet(haunted.wire, msgspec.structs.replace(listed, **wrong))


def test_a_request_hides_the_device_that_it_names_and_no_other(haunted):
    court, request = haunted.court.key.public, haunted.provider.haunted[NAME]
    listed = Listed("alice", NAME, codec.decode(request.subject, GhostKeys).identity)
    assert is_hushed(court, listed, request)
    for wrong in ({"identity": bytes(32)}, {"device": "alice-tablet"}, {"user": "carol"}):
        assert not is_hushed(court, msgspec.structs.replace(listed, **wrong), request)


def test_a_client_that_first_asks_when_the_warrant_is_over_is_not_told_to_keep_quiet(haunted):
    lingering(haunted)
    request = haunted.provider.haunted[NAME]
    keys = codec.decode(request.subject, GhostKeys)
    carol, listed = haunted.device("carol-phone"), Listed("alice", NAME, keys.identity)
    assert carol.keeps_quiet(haunted.wire, listed)
    to_the_third_day(haunted)
    assert not carol.keeps_quiet(haunted.wire, listed)
    assert not carol.is_exempt(listed, haunted.wire.day)


def test_a_client_that_asks_about_every_device_learns_who_is_under_a_warrant(haunted):
    """Carol's phone never wrote to the target alone; what it may ask is not limited."""
    phone, learnt = haunted.device("carol-phone"), []
    for device in haunted.provider.directory:
        answer = haunted.wire.ask(phone.name, phone.provider, AskQuiet(device), Quiet).answer
        if (request := quiet_told(answer, phone.identity)) is not None:
            learnt.append((device, request.warrant.order.target))
    assert learnt == [(NAME, "alice")]


def test_a_silent_device_is_handed_no_mail_once_its_warrant_expired(haunted):
    haunted.play([Step("day"), *TALK])
    assert haunted.provider.mailboxes[NAME]
    haunted.wire.day = haunted.provider.haunted[NAME].warrant.order.expires + 1
    assert not haunted.wire.ask(NAME, "provider", Collect(), Delivery).mails
    assert NAME not in {*haunted.provider.mailboxes, *haunted.provider.accounts}


def test_a_request_after_the_last_day_that_the_warrant_covers_is_refused():
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice", 0, 0)
        harness.take(Step("day"))
        with pytest.raises(Refused, match="window"):
            harness.authority.haunt(harness.wire, warrant)
        harness.serve(warrant)  # which goes on, and the refusal is kept
        assert harness.provider.haunted == {}
        assert harness.wire.refusals[-1] == (1, "authority", "window")


def test_a_warrant_adds_one_device_with_no_more_keys_than_any_device_has():
    with playing(SCHEME) as harness:
        warrant, authority = harness.issued("alice"), harness.authority
        keys = keys_of(new_ghost("alice", "alice-watch"))
        many = msgspec.structs.replace(keys, one_time=(bytes(32),) * (Provider.ONE_TIME + 1))
        with pytest.raises(Refused, match="no more one-time prekeys"):
            authority.put(harness.wire, "provider", warrant, many, type(None))
        authority.put(harness.wire, "provider", warrant, keys, type(None))
        for other, check in (("alice-watch", "no device has that name"), ("alice-clock", "a warrant adds one device")):
            again = msgspec.structs.replace(keys, device=other)
            with pytest.raises(Refused, match=check):
                authority.put(harness.wire, "provider", warrant, again, type(None))
        assert list(harness.provider.haunted) == ["alice-watch"]
