"""Membership is part of receiving and of changing: whose texts and sender keys are taken, and who is told of whom."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escrow import codec, crypto
from escrow.e2ee import membership, sender_keys
from escrow.e2ee.content import Direct, Distribution, InGroup, Text, direct
from escrow.e2ee.membership import NEW_MEMBER, STRANGER
from escrow.e2ee.provider import Group, GroupOf, Mail, Provider
from escrow.e2ee.sender_keys import new_chain
from escrow.errors import Refused
from escrow.principal import corrupted
from escrow.schemes import ghost, plain
from escrow.testing.harness import NAMES, Step, playing
from escrow.testing.world import mails_in

DUO = Group("duo", ("alice", "bob"), True)
STYLES = pytest.mark.parametrize("style", [True, False], ids=["sender keys", "fan-out"])
MEMBERS_DEVICES = {"alice-phone", "alice-laptop", "bob-phone"}


@pytest.fixture
def harness():
    with playing(plain.SCHEME) as made:
        yield made


def tell(harness, to, content, sender="carol-phone"):
    with crypto.acting(sender):
        device = harness.device(sender)
        device.fan_out(harness.wire, (device.user, to), content)
    harness.play([])


def by_chain(harness, own, group, conversation, sender="carol-phone"):
    """Carol's phone mails a text under a sender key to alice's and bob's devices."""
    with crypto.acting(sender):
        body, _ = sender_keys.encrypt(own, codec.encode(Text(conversation, b"planted")))
    harness.wire.tell(sender, "provider", Mail(sender, ("alice-phone", "bob-phone"), group, None, body, b""))
    harness.play([])


def own_chain(harness, group):
    """Carol's phone makes a sender key for a group and tells alice and bob."""
    own = new_chain()
    for to in ("alice", "bob"):
        tell(harness, to, Distribution(group, own.chain, own.signer.public))
    return own


def planted(harness):
    return [(each.device, each.author, each.conversation) for each in harness.wire.shown if each.text == b"planted"]


def reasons(harness):
    return {reason for _, _, reason in harness.wire.refusals}


def told(harness, notice=NEW_MEMBER):
    return {alarm.who for alarm in harness.wire.alarms if alarm.check == notice}


# --- whose texts are shown ---


def test_a_strangers_sender_key_is_not_kept_and_its_text_not_shown(harness):
    harness.gather(DUO)
    harness.play([Step("say", "alice-phone", "duo")])
    by_chain(harness, own_chain(harness, "duo"), "duo", InGroup("duo"))
    assert planted(harness) == []
    assert "only members write to a group" in reasons(harness)
    assert {peer.device for peer in harness.device("bob-phone").receiving} == {"alice-phone"}


@STYLES
def test_a_strangers_pairwise_text_of_a_group_is_refused(harness, style):
    harness.gather(msgspec.structs.replace(DUO, sender_keys=style))
    tell(harness, "bob", Text(InGroup("duo"), b"planted"))
    assert planted(harness) == []
    assert "only members write to a group" in reasons(harness)


@pytest.mark.parametrize("spoken", [True, False], ids=["a member wrote since", "no member wrote since"])
@pytest.mark.parametrize("group", ["choir", "club"])
def test_a_removed_members_text_is_refused(harness, group, spoken):
    harness.play([Step("say", "carol-phone", group), Step("say", "bob-phone", group)])
    harness.gather(Group(group, ("alice", "bob"), group == "choir"))
    harness.play([Step("say", "alice-phone", group)] * spoken)
    if group == "choir":
        by_chain(harness, harness.device("carol-phone").sending["choir"], "choir", InGroup("choir"))
    tell(harness, "bob", Text(InGroup(group), b"planted"))
    assert planted(harness) == []
    assert "only members write to a group" in reasons(harness)
    assert harness.shown == harness.meant


def test_a_member_shows_no_text_of_its_group_to_a_user_who_never_was_in_it(harness):
    harness.gather(DUO)
    tell(harness, "carol", Text(InGroup("duo"), b"planted"), sender="alice-phone")
    assert "carol-phone" not in {device for device, *_ in planted(harness)}
    assert "a text is of a group of this user's" in reasons(harness)


def test_who_was_removed_is_shown_what_was_sent_before(harness):
    harness.play([Step("say", "carol-phone", "club")])
    harness.take(Step("say", "alice-phone", "club"))
    harness.gather(Group("club", ("alice", "bob"), False))
    harness.play([])
    assert harness.shown == harness.meant


@STYLES
def test_who_comes_back_is_heard_again(harness, style):
    """A sender key that was refused in between is made anew: the device saw that it missed a change."""
    group = "choir" if style else "club"
    everybody = harness.groups[group]
    harness.play([Step("say", "alice-phone", group), Step("say", "bob-phone", group)])
    harness.take(Step("say", "carol-phone", group))
    harness.gather(msgspec.structs.replace(everybody, members=("alice", "bob")))
    harness.play([])  # what carol wrote comes when she is out
    assert (harness.meant - harness.shown).total() == 3
    harness.gather(everybody)
    lost = harness.meant - harness.shown
    harness.play([Step("say", device, group) for device in ("carol-phone", "alice-phone", "bob-phone")])
    assert harness.meant - harness.shown == lost


# --- conversations are values ---


def test_a_group_that_is_called_like_two_users_is_not_their_conversation(harness):
    harness.play([Step("say", "alice-phone", "bob")])
    name = str(direct("alice", "bob"))
    by_chain(harness, own_chain(harness, name), name, InGroup(name))
    assert planted(harness) == []
    harness.announce("carol-phone", Group(name, NAMES, True))
    with crypto.acting("carol-phone"):
        harness.device("carol-phone").send_to_group(harness.wire, name, b"planted")
    harness.play([])
    assert {(author, conversation) for _, author, conversation in planted(harness)} == {("carol", "alice%2Bbob")}


@pytest.mark.parametrize("conversation", [direct("carol", "bob"), InGroup("club")], ids=str)
def test_a_text_under_a_sender_key_is_of_no_conversation_of_two_and_of_no_other_group(harness, conversation):
    harness.play([Step("say", "carol-phone", "choir")])
    by_chain(harness, harness.device("carol-phone").sending["choir"], "choir", conversation)
    assert planted(harness) == []
    assert reasons(harness) == {"a text is of its author's conversation"}


def test_a_group_has_a_name(harness):
    with pytest.raises(Refused, match="a group has a name"):
        harness.announce("carol-phone", Group("", ("carol", "bob"), False))


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (("carol", "bob", "bob"), "a group names each member once"),
        (("carol", "alice", "bob"), "carol-phone makes a group too large: it must be at most 2 members"),
        (("carol", "bob"), "carol founds too many groups"),
    ],
)
def test_a_provider_files_no_group_that_is_ill_formed_or_above_its_bounds(harness, monkeypatch, members, reason):
    harness.announce("carol-phone", Group("first", ("carol", "bob"), False))
    monkeypatch.setattr(Provider, "MEMBERS", 2)
    monkeypatch.setattr(Provider, "GROUPS", 1)
    with pytest.raises(Refused, match=reason):
        harness.announce("carol-phone", Group("second", members, False))
    assert "second" not in harness.provider.groups


NAMED = st.text("ab+%250BA \0\n\u202e\u2028")
CONVERSATIONS = st.builds(InGroup, NAMED) | st.builds(Direct, NAMED, NAMED)


@given(CONVERSATIONS, CONVERSATIONS)
def test_no_two_conversations_are_spelled_alike(one, other):
    assert (str(one) == str(other)) == (one == other)
    assert str(one).isprintable()


def test_names_without_plus_are_spelled_as_they_are():
    assert [str(direct("bob", "alice")), str(InGroup("group-1"))] == ["alice+bob", "group-1"]


# --- who changes a group, and who is told ---


@STYLES
@pytest.mark.parametrize("scheme", [plain.SCHEME, ghost.SCHEME], ids=lambda scheme: scheme.name)
def test_a_stranger_does_not_put_itself_into_a_group(scheme, style):
    duo = msgspec.structs.replace(DUO, sender_keys=style)
    with playing(scheme) as harness:
        harness.gather(duo)
        with pytest.raises(Refused, match="a member changes a group"):
            harness.announce("carol-phone", msgspec.structs.replace(duo, members=NAMES))
        harness.play([Step("say", "alice-phone", "duo"), Step("say", "bob-phone", "duo")])
        assert "carol-phone" not in {each.device for each in harness.wire.shown}


@STYLES
def test_a_member_whom_the_provider_adds_is_shown_on_every_members_device(harness, style):
    duo = msgspec.structs.replace(DUO, sender_keys=style)
    harness.gather(duo)
    talk = [Step("say", "alice-phone", "duo"), Step("say", "bob-phone", "duo")]
    harness.play(talk)
    assert told(harness) == set()
    harness.provider.groups["duo"] = msgspec.structs.replace(harness.provider.groups["duo"], members=NAMES)
    harness.play(talk)
    assert told(harness) == MEMBERS_DEVICES
    before = len(harness.wire.alarms)
    harness.play(talk)
    assert len(harness.wire.alarms) == before  # once, and not at every text


def test_a_change_by_a_user_who_is_no_member_is_noticed(harness):
    harness.play([Step("say", "alice-phone", "club"), Step("say", "bob-phone", "club")])
    changed = Group("club", ("alice", "bob"), False, "zoe", 1)
    harness.provider.groups["club"] = changed
    harness.play([Step("say", "alice-phone", "club"), Step("say", "bob-phone", "club")])
    assert told(harness, STRANGER) == MEMBERS_DEVICES
    assert told(harness) == set()


def test_the_list_of_another_group_is_not_taken(harness):
    def other(self, sender, packet: GroupOf, wire):
        return self.groups["club"]

    harness.wire.parties["provider"] = corrupted(harness.provider, on_group_of=other)
    with pytest.raises(Refused, match="the group asked for"):
        harness.send("alice-phone", "choir", b"text", group=True)


def test_a_silent_device_gives_no_notice_of_a_group(harness):
    with playing(ghost.SCHEME) as haunted:
        warrant = haunted.court.issue(haunted.order("alice"))
        haunted.serve(warrant)
        haunted.gather(DUO)
        haunted.play([Step("say", "bob-phone", "duo")])
        first = haunted.access(warrant, [])
        haunted.gather(msgspec.structs.replace(DUO, members=NAMES))
        haunted.play([Step("say", "bob-phone", "duo")])
        assert len(first | haunted.access(warrant, [])) == 2
        assert told(haunted) == MEMBERS_DEVICES


def test_a_device_keeps_the_lists_of_so_many_groups_and_drops_what_it_looked_up_longest_ago(monkeypatch):
    monkeypatch.setattr(membership, "GROUPS_KNOWN", 3)
    with playing(plain.SCHEME) as harness:
        bob = harness.device("bob-phone")
        harness.play([Step("say", "bob-phone", "club"), Step("say", "alice-phone", "choir")])
        for number in range(3):
            harness.gather(Group(f"new {number}", ("carol", "bob"), False))
            harness.play([Step("say", "carol-phone", f"new {number}"), Step("say", "alice-phone", "choir")])
        assert [*bob.known_groups] == ["new 1", "new 2", "choir"]
        assert set(bob.known_members) <= set(bob.known_groups)
        assert harness.shown == harness.meant


def test_a_device_whose_user_left_a_group_sends_nothing_to_it(harness):
    for group in ("choir", "club"):
        harness.play([Step("say", "bob-phone", group)])
        harness.gather(Group(group, ("alice", "carol"), group == "choir"))
        sent = len(harness.wire.heard)
        with pytest.raises(Refused, match="bob-phone refuses: only members write to a group"):
            harness.device("bob-phone").send_to_group(harness.wire, group, b"from outside")
        assert not [packet for packet in harness.wire.heard[sent:] if mails_in(packet)]


def test_whoever_has_no_linked_device_founds_no_group(harness):
    """A sender without an account has no user, and no name of a user: not the empty one either."""
    for sender in ("court", "authority", "nobody"):
        with pytest.raises(Refused, match="a member changes a group"):
            harness.wire.ask(sender, "provider", Group("new", ("", "alice", "bob"), False), type(None))
    assert "new" not in harness.provider.groups


def test_a_group_mail_under_the_name_of_another_group_is_refused_and_its_key_is_not_spent(harness):
    said = Step("say", "alice-phone", "choir")
    harness.play([said])
    harness.take(said)
    carol, (mail,) = harness.device("carol-phone"), harness.provider.mailboxes["carol-phone"]
    with pytest.raises(Refused, match="a text is of its chain's group"):
        carol.receive(harness.wire, msgspec.structs.replace(mail, group="club"))
    harness.play([])
    assert harness.shown == harness.meant
