"""Commits in groups of MLS that a provider or a member tells again, changed, or where nobody reads them."""

from contextlib import suppress

import msgspec
import pytest

from escrow import codec, crypto
from escrow.e2ee.content import InGroup, Text, direct
from escrow.e2ee.provider import Listed, Mail
from escrow.errors import EscrowError, Malformed, Refused
from escrow.mls import messages
from escrow.mls.conversations.attesting import SERVICE, AttestationOf, LinkedKeys, linked_keys
from escrow.mls.conversations.delivery import Handshakes, HandshakesSince, HandshakeTaken, TreeProvider
from escrow.mls.conversations.tree_device import Trees
from escrow.mls.conversations.tree_membership import group_in, sealed_text
from escrow.principal import corrupted
from escrow.schemes.ghost import GhostKeys
from escrow.schemes.ghost_mls import SCHEME, CredentialService
from escrow.testing.harness import Step, playing
from escrow.warrant import issue

TO_ALICE, FROM_ALICE = Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob")


def test_a_welcome_that_is_told_again_brings_no_earlier_epoch_back():
    """A last key package serves several times, so that its Welcomes would open again, and undo what heals a theft."""
    with playing(SCHEME) as harness:
        for name in ("bob-phone", "alice-laptop"):
            harness.provider.directory[name].one_time.clear()
        harness.play([FROM_ALICE])
        (first,) = harness.provider.commits["alice+bob"]
        bob, name = harness.device("bob-phone"), "alice+bob"
        assert bob.own.members[name].keys.epoch == 1
        assert bob.prekeys[-1].key.public in first.handshake.invited
        bob.rotate_every = 1
        harness.play([Step("day"), TO_ALICE])
        now = bob.own.members[name].keys
        assert now.epoch > 1
        harness.provider.commits[name].append(first)
        bob.follow(harness.wire)
        assert bob.own.members[name].keys == now
        assert not bob.own.members[name].stuck
        assert ("provider", "a Welcome is read once") in [each[1:] for each in harness.wire.refusals]


def with_info(told, **changes):
    """A told commit, whose GroupInfo is another."""
    info = msgspec.structs.replace(group_in(told.handshake.info), **changes)
    return msgspec.structs.replace(
        told, handshake=msgspec.structs.replace(told.handshake, info=messages.to_bytes(info))
    )


def test_a_device_keeps_no_other_tree_than_the_commit_s():
    """What the provider tells beside a commit is where the device's next commit begins."""
    with playing(SCHEME) as harness:
        bob = harness.device("bob-phone")
        keys = list(bob.one_time)
        harness.play([FROM_ALICE, Step("say", "alice-phone", "carol")])
        (other,) = harness.provider.commits["alice+carol"]
        tree = group_in(other.handshake.info).extensions
        harness.provider.commits["alice+bob"] = [with_info(harness.provider.commits["alice+bob"][0], extensions=tree)]
        bob.trees, bob.one_time = Trees(bob.trees.owner, bob.trees.service), keys
        bob.follow(harness.wire)
        assert not bob.own.members
        said = "Forged: the GroupInfo that is told with a commit is of another group"
        assert said in {why for _, _, why in harness.wire.refusals}


def test_the_delivery_service_takes_no_commit_with_the_group_info_of_another_epoch():
    with playing(SCHEME) as harness:
        harness.play([FROM_ALICE])
        told = harness.provider.commits.pop("alice+bob")[0]
        context = group_in(told.handshake.info).context
        for changed in ({"epoch": context.epoch + 1}, {"group_id": bytes(16)}):
            other = with_info(told, context=msgspec.structs.replace(context, **changed))
            with pytest.raises(Refused, match="group and epoch of a GroupInfo"):
                harness.wire.ask("alice-phone", "provider", other, HandshakeTaken)
        harness.wire.ask("alice-phone", "provider", told, HandshakeTaken)


@pytest.mark.parametrize(("part", "other"), [("message", "info"), ("info", "message")])
def test_the_delivery_service_takes_nothing_but_a_commit_with_its_group_info(part, other):
    with playing(SCHEME) as harness:
        harness.play([FROM_ALICE])
        told = harness.provider.commits.pop("alice+bob")[0]
        changed = msgspec.structs.replace(told.handshake, **{part: getattr(told.handshake, other)})
        with pytest.raises(Refused, match="a commit and its GroupInfo"):
            wrong = msgspec.structs.replace(told, handshake=changed)
            harness.wire.ask("alice-phone", "provider", wrong, HandshakeTaken)
        harness.wire.ask("alice-phone", "provider", told, HandshakeTaken)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"epoch": 1}, "group and epoch of a commit"),
        ({"group": bytes(16)}, "group and epoch of a commit"),
        ({"transcript": bytes(32)}, "transcript before a commit"),
    ],
)
def test_the_delivery_service_takes_no_commit_of_which_its_sender_says_something_else(changes, reason):
    with playing(SCHEME) as harness:
        harness.play([FROM_ALICE])
        told = harness.provider.commits.pop("alice+bob")[0]
        other = msgspec.structs.replace(told, handshake=msgspec.structs.replace(told.handshake, **changes))
        with pytest.raises(Refused, match=reason):
            harness.wire.ask("alice-phone", "provider", other, HandshakeTaken)


@pytest.mark.parametrize("other", ["alice+carol", "alice+bob"])
def test_a_commit_of_another_group_or_epoch_does_not_cut_a_device_off(other):
    """Else a provider that tells one again would part two users for good, each time they write."""
    with playing(SCHEME) as harness:
        alice, bob = harness.device("alice-phone"), harness.device("bob-phone")
        alice.rotate_every = 1
        harness.play([FROM_ALICE, Step("say", "alice-phone", "carol"), Step("day"), FROM_ALICE])
        commits, now = harness.provider.commits, bob.own.members["alice+bob"].keys
        assert len(commits["alice+bob"]) == 2
        again = msgspec.structs.replace(commits[other][0].handshake, invited=())
        if other != "alice+bob":
            again = msgspec.structs.replace(again, epoch=now.epoch)
        told = msgspec.structs.replace(commits["alice+bob"][0], handshake=again)
        commits["alice+bob"].append(told)
        bob.follow(harness.wire)
        assert bob.own.members["alice+bob"].keys == now
        assert not bob.own.members["alice+bob"].stuck


def test_the_delivery_service_takes_a_commit_once_and_only_after_the_newest():
    with playing(SCHEME) as harness:
        harness.device("bob-phone").rotate_every = 1
        harness.play([FROM_ALICE])
        harness.play([Step("day"), TO_ALICE])
        before = list(harness.provider.commits["alice+bob"])
        assert [each.handshake.epoch for each in before] == [0, 1]
        for told in before:
            with pytest.raises(Refused, match=r"(a commit continues the newest epoch|transcript before a commit)"):
                harness.wire.ask("alice-phone", "provider", told, HandshakeTaken)
        assert harness.provider.commits["alice+bob"] == before


def test_a_text_is_shown_in_no_other_conversation_than_its_group_s():
    """Who is in two conversations with somebody could show him in one what he says in the other."""
    with playing(SCHEME) as harness:
        harness.play([TO_ALICE])
        bob, alice = harness.device("bob-phone"), harness.device("alice-phone")
        before = len(harness.wire.shown)
        for conversation in (InGroup("club"), direct("alice", "bob")):
            own, said = bob.own.members["alice+bob"], codec.encode(Text(conversation, b"a text"))
            body = sealed_text(own, bob.identity, said)
            harness.wire.tell(bob.name, bob.provider, Mail(bob.name, (alice.name,), "alice+bob", None, body, b""))
            alice.collect(harness.wire)
        assert len(harness.wire.shown) == before + 1
        assert "a text is of its group's conversation" in {why for _, _, why in harness.wire.refusals}


def test_only_linked_devices_are_told_commits():
    with playing(SCHEME) as harness, pytest.raises(Refused, match="a user linked this device"):
        harness.wire.ask("authority", "provider", HandshakesSince(()), Handshakes)


def test_a_device_keeps_no_other_context_than_the_commit_s():
    with playing(SCHEME) as harness:
        bob = harness.device("bob-phone")
        keys = list(bob.one_time)
        harness.play([FROM_ALICE])
        (told,) = harness.provider.commits["alice+bob"]
        context = group_in(told.handshake.info).context
        other = msgspec.structs.replace(context, confirmed_transcript_hash=bytes(32))
        harness.provider.commits["alice+bob"] = [with_info(told, context=other)]
        bob.trees, bob.one_time = Trees(bob.trees.owner, bob.trees.service), keys
        bob.follow(harness.wire)
        assert not bob.own.members


def test_nobody_lets_commits_pile_up_in_conversations_with_nobody():
    with playing(SCHEME) as harness:
        harness.play([FROM_ALICE])
        told = harness.provider.commits["alice+bob"][0]
        stranger = msgspec.structs.replace(told, conversation=direct("alice", "nobody"))
        with pytest.raises(Refused, match="a device of the conversation commits in it"):
            harness.wire.ask("alice-phone", "provider", stranger, type(None))
        assert set(harness.provider.commits) == {"alice+bob"}


def test_a_key_package_of_another_device_is_not_added_in_the_place_of_one_that_is_listed():
    """One-time key packages carry no other signature than their own device's."""
    with playing(SCHEME) as harness:
        directory = harness.provider.directory
        directory["bob-phone"].one_time = list(directory["carol-phone"].one_time)
        harness.play([FROM_ALICE])
        there = {each.user for each in harness.device("alice-phone").own.members["alice+bob"].roster.values()}
        assert there == {"alice"}
        assert "a key package is of the device listed" in {why for _, _, why in harness.wire.refusals}


def test_who_commits_without_end_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(TreeProvider, "COMMITS", 2)
    with playing(SCHEME) as harness:
        for _ in range(2):
            harness.play([FROM_ALICE])
            harness.device("alice-phone").own.members.clear()
        with pytest.raises(Refused, match="alice-phone commits too often in one conversation"):
            harness.play([FROM_ALICE])
        assert len(harness.provider.commits["alice+bob"]) == 2


def test_the_credential_service_attests_nothing_under_a_warrant_without_content():
    with playing(SCHEME) as harness:
        order = msgspec.structs.replace(harness.order("alice"), scope="traffic data")
        harness.serve(issue(harness.court.key, order))
        assert harness.wire.party(SERVICE, CredentialService).silent == []
        assert "scope" in {why for _, _, why in harness.wire.refusals}


def test_the_credential_service_attests_one_device_for_each_warrant():
    with playing(SCHEME) as harness:
        warrant = harness.served("alice")
        service = harness.wire.party(SERVICE, CredentialService)
        (first,) = service.silent
        with pytest.raises(EscrowError, match="provider refuses"):
            harness.authority.haunt(harness.wire, warrant)
        (second,) = service.silent
        keys = [codec.decode(each.subject, GhostKeys).identity for each in (first, second)]
        assert [service.attests("alice", key) for key in keys] == [False, True]


def _says_linked(data):
    try:
        return bool(codec.decode(data, LinkedKeys))
    except Malformed:
        return False


def test_keys_of_another_day_bring_no_unlinked_device_back():
    with playing(SCHEME) as harness:
        service = harness.wire.party(SERVICE, CredentialService)
        known = dict(service.linked)
        harness.link("alice", "alice-tablet")
        said = [each.data for each in harness.wire.heard if each.src == "alice-phone" and _says_linked(each.data)]
        harness.unlink("alice-tablet")
        assert service.linked == known
        harness.take(Step("day"))
        with pytest.raises(Refused, match="keys are those of today"):
            service.answer("carol-phone", said[0], harness.wire)
        assert service.linked == known


def test_keys_that_were_replaced_today_are_not_told_again_by_who_heard_them():
    with playing(SCHEME) as harness:
        service = harness.wire.party(SERVICE, CredentialService)
        known = dict(service.linked)
        harness.link("alice", "alice-tablet")
        harness.unlink("alice-tablet")
        for said in [each.data for each in harness.wire.heard if _says_linked(each.data)]:
            with suppress(Refused):
                service.answer("carol-phone", said, harness.wire)
            assert service.linked == known


def test_keys_that_were_replaced_today_are_refused_when_they_are_told_again():
    with playing(SCHEME) as harness:
        service = harness.wire.party(SERVICE, CredentialService)
        harness.link("alice", "alice-tablet")
        said = [each.data for each in harness.wire.heard if each.src == "alice-phone" and _says_linked(each.data)][-1]
        service.answer("carol-phone", said, harness.wire)
        harness.unlink("alice-tablet")
        with pytest.raises(Refused, match="keys that were replaced today are not told again"):
            service.answer("carol-phone", said, harness.wire)


@pytest.mark.parametrize("changes", [{"user": "bob"}, {"keys": (bytes(32),)}, {"day": 1}, {"by": bytes(32)}])
def test_what_a_device_signs_of_linked_keys_is_of_its_user_its_keys_and_its_day(changes):
    with playing(SCHEME) as harness:
        service, alice = harness.wire.party(SERVICE, CredentialService), harness.device("alice-phone")
        service.linked["bob"] = service.linked["alice"]
        said = linked_keys(alice.identity, "alice", (alice.identity.public,), 0)
        assert alice.identity.public in service.linked["alice"]
        assert crypto.verify(said.by, said.signature, b"escrow-lab linked keys" + codec.encode(("alice", said.keys, 0)))
        with pytest.raises(Refused, match="a linked device of the user signed the keys"):
            harness.wire.ask("carol-phone", SERVICE, msgspec.structs.replace(said, **changes), type(None))
        harness.wire.ask("carol-phone", SERVICE, said, type(None))
        assert service.linked["alice"] == [alice.identity.public]


def test_what_was_told_of_linked_keys_is_forgotten_the_next_day():
    with playing(SCHEME) as harness:
        service = harness.wire.party(SERVICE, CredentialService)
        harness.link("alice", "alice-tablet")
        harness.take(Step("day"))
        harness.link("bob", "bob-tablet")
        assert {(each.user, each.day) for each in service.told} == {("bob", 1)}


def test_an_attestation_of_another_user_or_key_attests_nothing():
    """The service signed it, and somebody told it in the place of what was asked for."""
    with playing(SCHEME) as harness:
        bob, service = harness.device("bob-phone"), harness.wire.party(SERVICE, CredentialService)
        mine, hers = (harness.device(name).identity.public for name in ("alice-phone", "carol-phone"))
        for asked in (AttestationOf("carol", hers), AttestationOf("alice", mine)):
            told = service.on_attestation_of("bob-phone", asked, harness.wire)
            other = corrupted(service, on_attestation_of=lambda *_, told=told: told)
            harness.wire.parties[SERVICE] = other
            for key in {hers, mine}:
                listed = Listed("alice", "alice-phone", key)
                assert bob.is_attested(harness.wire, listed) == (told.user == "alice" and key == mine)


def test_a_device_without_a_usable_key_package_keeps_no_other_out():
    with playing(SCHEME) as harness:
        directory = harness.provider.directory
        directory["alice-laptop"].one_time = list(directory["carol-phone"].one_time)
        harness.play([TO_ALICE])
        there = {each.device for each in harness.device("bob-phone").own.members["alice+bob"].roster.values()}
        assert there == {"bob-phone", "alice-phone"}


def test_a_commit_that_continues_an_epoch_of_another_group_is_refused():
    """Whoever is in the conversation could put an end to it: every device would refuse the commit that is kept."""
    change = msgspec.structs.replace
    with playing(SCHEME) as harness:
        harness.device("alice-phone").rotate_every = 1
        harness.play([FROM_ALICE, Step("day"), FROM_ALICE])
        told = harness.provider.commits["alice+bob"].pop()
        message, info = messages.from_bytes(told.handshake.message), group_in(told.handshake.info)
        message = change(message, content=change(message.content, group_id=bytes(16)))
        info = change(info, context=change(info.context, group_id=bytes(16)))
        said = {"group": bytes(16), "message": messages.to_bytes(message), "info": messages.to_bytes(info)}
        with pytest.raises(Refused, match="a commit continues the newest epoch"):
            other = change(told, handshake=change(told.handshake, **said))
            harness.wire.ask("alice-phone", "provider", other, HandshakeTaken)


def test_a_key_package_comes_with_the_key_of_the_device_listed():
    with playing(SCHEME) as harness:
        bob, honest = harness.device("bob-phone"), type(harness.provider).on_fetch
        (listed,) = bob.look_up(harness.wire, "carol")

        def on_fetch(self, *asked):
            return msgspec.structs.replace(honest(self, *asked), identity=bob.identity.public)

        harness.wire.parties["provider"] = corrupted(harness.provider, on_fetch=on_fetch)
        with pytest.raises(Refused, match="the bundle is of the device listed"):
            bob.package(harness.wire, listed)


def test_a_text_is_of_the_leaf_of_the_device_that_its_mail_names():
    with playing(SCHEME) as harness:
        harness.play([Step("say", "bob-phone", "club"), Step("say", "carol-phone", "club")])
        harness.take(Step("say", "bob-phone", "club"))
        alice = harness.device("alice-phone")
        (mail,) = harness.provider.mailboxes[alice.name]
        with pytest.raises(Refused, match="the leaf is of the device listed"):
            alice.receive(harness.wire, msgspec.structs.replace(mail, sender="carol-phone"))


def test_the_service_attests_nobody_under_a_warrant_that_is_no_longer_in_force():
    with playing(SCHEME) as harness:
        order = msgspec.structs.replace(harness.order("alice"), issued=1)
        with pytest.raises(Refused, match=f"{SERVICE} refuses: warrant in force"):
            harness.authority.haunt(harness.wire, issue(harness.court.key, order))


def test_a_user_who_links_too_often_keeps_no_other_from_linking(monkeypatch):
    monkeypatch.setattr(CredentialService, "TOLD", 2)
    with playing(SCHEME) as harness:
        service = harness.wire.party(SERVICE, CredentialService)
        for name in ("alice-tablet", "alice-watch"):
            harness.link("alice", name)
        assert "alice links keys too often: it must wait a day" in {why for _, _, why in harness.wire.refusals}
        harness.link("bob", "bob-tablet")
        assert service.attests("bob", harness.device("bob-tablet").identity.public)


def test_a_delivery_service_that_counts_too_many_commits_is_refused():
    """The next commit would have a number that no state holds."""
    with playing(SCHEME) as harness:
        many = corrupted(harness.provider, on_handshake_told=lambda *_: HandshakeTaken(2**64 - 1))
        harness.wire.parties["provider"] = many
        with pytest.raises(Refused, match="so many commits"):
            harness.play([FROM_ALICE])
        assert harness.device("alice-phone").own.read == {}
