"""One-time prekeys: the directory is full every morning, and private halves that nobody uses are erased."""

import msgspec
import pytest

from attacks.lab.simulation.play import Play
from attacks.lab.simulation.scenario import default
from escrow import codec, crypto
from escrow.e2ee.provider import CountPrekeys, Fetch, Mail, PrekeysLeft, Provider
from escrow.e2ee.x3dh import Bundle
from escrow.errors import Refused
from escrow.principal import corrupted
from escrow.schemes import plain, plain_pq
from escrow.schemes.plain_pq import PqBundle
from escrow.testing.harness import STOCK, Step, playing

BOTH = pytest.mark.parametrize("scheme", [plain.SCHEME, plain_pq.SCHEME], ids=["plain", "plain-pq"])


def drain(harness, asker="carol-phone"):
    """Fetch bob's keys until no one-time prekey is left; return those that were handed out."""
    handed = [harness.wire.ask(asker, "provider", Fetch("bob-phone"), PqBundle | Bundle) for _ in range(STOCK)]
    assert all(bundle.one_time for bundle in handed)
    return handed


def halves(harness):
    return [len(each) for each in harness.device("bob-phone").one_time_halves()]


def stock(harness):
    provider = harness.provider
    return provider.left(provider.directory["bob-phone"])


@BOTH
def test_a_stock_that_strangers_drained_is_full_again_the_next_morning(scheme):
    with playing(scheme) as harness:
        for harness.wire.day in range(1, 8):
            drain(harness)
            assert set(stock(harness)) == {0}
            harness.morning()
            assert set(stock(harness)) == {STOCK}


@BOTH
def test_private_halves_of_first_messages_that_never_come_do_not_pile_up(scheme):
    with playing(scheme) as harness:
        bob, most = harness.device("bob-phone"), []
        for harness.wire.day in range(1, 40):
            drain(harness)
            harness.morning()
            most.append(max(halves(harness)))
        days = bob.rotate_every + bob.keep_prekeys
        assert STOCK < max(most) <= STOCK * (days + 1)
        assert max(most[:10]) == max(most)


@BOTH
@pytest.mark.parametrize(("last", "opens"), [(4, True), (5, False)])
def test_a_half_lives_as_long_as_the_signed_prekey_with_which_it_was_handed_out(scheme, last, opens):
    with playing(scheme, ["late"]) as harness:  # a new signed prekey on day 3; the old one lives 2 days more
        harness.take(Step("say", "carol-phone", "bob"))
        for harness.wire.day in range(1, last + 1):
            harness.morning()
        assert set(halves(harness)) == {STOCK + opens}
        harness.play([])
        assert [each.device for each in harness.wire.shown] == ["bob-phone"] * opens
        assert set(halves(harness)) == {STOCK}


@pytest.mark.parametrize("count", [-1, -(2**40), 2**40])
def test_a_directory_that_lies_about_the_stock_makes_no_device_grow_without_end(count):
    def lie(provider, sender, packet: CountPrekeys, wire):
        asked.append(sender)
        return PrekeysLeft(count)

    asked, most = [], []
    with playing(plain.SCHEME) as harness:
        harness.wire.parties["provider"] = corrupted(harness.provider, on_count_prekeys=lie)
        bob = harness.device("bob-phone")
        for harness.wire.day in range(1, 30):
            harness.morning()
            most.append(len(bob.one_time))
        assert asked.count("bob-phone") == 29
        assert max(most) == max(most[:10]) <= STOCK * (bob.rotate_every + bob.keep_prekeys + 1)


def test_an_old_signed_prekey_is_erased_although_rotation_is_quicker():
    with playing(plain.SCHEME) as harness:
        bob = harness.device("bob-phone")
        bob.rotate_every, bob.keep_prekeys = 1, 4
        for harness.wire.day in range(1, 20):
            bob.each_day(harness.wire)
            assert len(bob.prekeys) <= 1 + 4


@BOTH
def test_honest_use_of_the_default_scenario_meets_no_bound(scheme):
    with crypto.running(crypto.Run(bytes(32))):
        play = Play(scheme, default())
        assert len(play.run().sent) == 250
    assert [why for _, party, why in play.wire.refusals if party == "provider"] == []


# --- the provider's bounds ---


def test_whoever_fetches_too_often_fetches_again_the_next_day_and_other_devices_today():
    with playing(plain.SCHEME) as harness:
        for harness.wire.day in (0, 1):
            for asker in ("carol-phone", "alice-phone"):
                for _ in range(harness.provider.FETCHES):
                    harness.wire.ask(asker, "provider", Fetch("bob-phone"), Bundle)
                with pytest.raises(
                    Refused, match=f"{asker} fetches bob-phone's keys too often: it must use its session"
                ):
                    harness.wire.ask(asker, "provider", Fetch("bob-phone"), Bundle)
            assert harness.wire.ask("carol-phone", "provider", Fetch("alice-laptop"), Bundle).identity


@pytest.mark.parametrize("field", ["one_time", "one_time_kems"])
def test_each_kind_of_one_time_prekey_has_a_bound_of_its_own(field):
    with playing(plain_pq.SCHEME) as harness:
        bob, entry = harness.device("bob-phone"), harness.provider.directory["bob-phone"]
        before, room = harness.provider.state(), harness.provider.ONE_TIME - STOCK
        made = getattr(bob.publication(1), field)
        bare = msgspec.structs.replace(bob.publication(0), **{field: made * (room + 1)})
        with pytest.raises(Refused, match="bob-phone publishes too many one-time prekeys: it must publish only"):
            harness.wire.ask("bob-phone", "provider", bare, type(None))
        assert harness.provider.state() == before
        harness.wire.ask("bob-phone", "provider", msgspec.structs.replace(bare, **{field: made * room}), type(None))
        assert harness.provider.directory["bob-phone"] != entry


@pytest.mark.parametrize(
    ("more", "reason"), [(0, "publishes keys that are too long"), (1, "sends a packet that is too")]
)
def test_keys_fit_into_a_packet_together_with_those_that_are_left(more, reason, monkeypatch):
    """So that a provider can always hand out, in one packet, what it keeps of a device."""
    with playing(plain.SCHEME) as harness:
        said, before = harness.device("bob-phone").publication(1), harness.provider.state()
        monkeypatch.setattr(Provider, "PACKET_BYTES", len(codec.encode(said)))
        with pytest.raises(Refused, match=f"bob-phone {reason}"):
            many = msgspec.structs.replace(said, one_time=said.one_time * (1 + more))
            harness.wire.ask("bob-phone", "provider", many, type(None))
        assert harness.provider.state() == before


def test_a_mailbox_that_another_filled_is_open_to_who_has_little_in_it():
    with playing(plain.SCHEME) as harness:
        full = [Mail("carol-phone", ("bob-phone",), "", None, b"a body", b"")] * harness.provider.MAILS
        harness.provider.mailboxes["bob-phone"] = list(full)
        mail = Mail("alice-phone", ("bob-phone",), "", None, b"a body", b"")
        harness.wire.tell("alice-phone", "provider", mail)
        assert harness.provider.mailboxes["bob-phone"] == [*full, mail]


def test_mail_to_a_name_that_nobody_linked_is_complained_of_and_the_others_get_theirs():
    with playing(plain.SCHEME) as harness:
        names = ("nobody-phone", "bob-phone", "alice-phone")
        harness.wire.tell("carol-phone", "provider", Mail("carol-phone", names, "", None, b"a body", b""))
        assert sorted(harness.provider.mailboxes) == ["alice-phone", "bob-phone"]
        assert ["nobody-phone" in why for _, _, why in harness.wire.refusals] == [True]
        waiting = [Mail("carol-phone", ("bob-phone",), "", None, b"a body", b"")] * harness.provider.MAILS
        harness.provider.mailboxes["bob-phone"] = waiting
        harness.wire.tell("carol-phone", "provider", Mail("carol-phone", names, "", None, b"another", b""))
        assert [len(harness.provider.mailboxes[name]) for name in names[1:]] == [harness.provider.MAILS, 2]
        assert "carol-phone sends bob-phone too much: it must wait" in harness.wire.refusals[-1][2]
