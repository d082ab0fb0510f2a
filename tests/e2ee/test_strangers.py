"""Who is out writes no more, a text says whose conversation it is of, and a flood pushes nobody else's mail out."""

import msgspec
import pytest

from escrow import codec, crypto
from escrow.e2ee import groups, sender_keys
from escrow.e2ee.content import Direct, Distribution, InGroup, Text
from escrow.e2ee.provider import Group, Mail
from escrow.e2ee.sender_keys import new_chain
from escrow.errors import Refused
from escrow.schemes.plain import SCHEME
from escrow.testing.harness import Step, playing


@pytest.fixture
def harness():
    with playing(SCHEME) as made:
        yield made.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])


def tell(harness, sender, to, content):
    """A device sends any content to another's user, pairwise."""
    with crypto.acting(sender):
        harness.device(sender).fan_out(harness.wire, (harness.owner[sender], to), content)
    harness.play([])


def test_who_was_removed_writes_to_the_group_no_more(harness):
    harness.wire.ask("alice-phone", "provider", Group("choir", ("alice", "bob"), True), type(None))
    with pytest.raises(Refused, match="only members write to a group"):
        harness.device("carol-phone").send_to_group(harness.wire, "choir", b"text")


def test_a_device_that_nobody_linked_puts_nothing_into_mailboxes(harness):
    gone = harness.unlink("alice-laptop")
    harness.wire.parties["alice-laptop"] = gone
    with crypto.acting("alice-laptop"):
        gone.send(harness.wire, "bob", b"from a device that was sold")
    harness.play([])
    assert not [shown for shown in harness.wire.shown if shown.text == b"from a device that was sold"]
    assert "a user linked this device" in [reason for _, _, reason in harness.wire.refusals]


@pytest.mark.parametrize("conversation", [Direct("alice", "carol"), Direct("carol", "dave"), Direct("bob", "alice")])
def test_a_text_is_not_shown_in_a_conversation_of_others(harness, conversation):
    tell(harness, "bob-phone", "alice", Text(conversation, b"planted"))
    assert not [shown for shown in harness.wire.shown if shown.text == b"planted"]
    assert "a text is of its author's conversation" in [reason for _, _, reason in harness.wire.refusals]


def test_a_group_text_is_of_its_chains_group(harness):
    harness.play([Step("say", "alice-phone", "choir")])
    own = harness.device("alice-phone").sending["choir"]
    body, _ = sender_keys.encrypt(own, codec.encode(Text(InGroup("club"), b"elsewhere")))
    mail = Mail("alice-phone", ("bob-phone",), "choir", None, body, b"")
    with pytest.raises(Refused, match="its author's conversation"):
        harness.device("bob-phone").receive(harness.wire, mail)


def test_no_member_speaks_as_another_under_the_chain_that_both_know(harness):
    """Every member can make a chain's message keys; who writes under it is said by the key that signs for it."""
    harness.play([Step("say", "alice-phone", "choir")])
    (known,) = (each for each in harness.device("carol-phone").receiving if each.device == "alice-phone")
    forger = msgspec.structs.replace(new_chain(), chain=known.chain)
    body, _ = sender_keys.encrypt(forger, codec.encode(Text(InGroup("choir"), b"planted")))
    with pytest.raises(Refused, match="signature of a group message"):
        mail = Mail("alice-phone", ("bob-phone",), "choir", None, body, b"")
        harness.device("bob-phone").receive(harness.wire, mail)


def test_chains_of_one_peer_are_a_bounded_list(harness):
    for number in range(groups.GROUPS_KEPT + 20):
        harness.announce("bob-phone", Group(f"group {number}", ("alice", "bob"), True))
        chain = new_chain()
        told = Distribution(f"group {number}", chain.chain, chain.signer.public)
        tell(harness, "bob-phone", "alice", told)
    assert len(harness.device("alice-phone").receiving) == groups.GROUPS_KEPT


def test_a_flood_of_unknown_chains_pushes_out_its_own_mail_first(harness):
    bob = harness.device("bob-phone")
    genuine = Mail("carol-phone", ("bob-phone",), "choir", None, bytes(120), b"")
    bob.receive(harness.wire, genuine)
    for number in range(2 * groups.WAITING_KEPT):
        forged = msgspec.structs.replace(genuine, sender="alice-phone", body=number.to_bytes(32, "big") + bytes(88))
        bob.receive(harness.wire, forged)
    assert len(bob.waiting) == groups.WAITING_KEPT
    assert genuine in bob.waiting


def test_a_session_that_is_never_answered_is_begun_anew_after_some_patience():
    """Without it, a lost first flight takes along all that follows once its prekey is erased."""
    for patience, arrived in ((0, 0), (3, 2)):
        with playing(SCHEME, fates=["lost", *["now"] * 100]) as harness:
            harness.device("bob-phone").patience = patience
            for day in range(3):
                harness.take(Step("day"))
                if day == 0:
                    harness.take(Step("say", "bob-phone", "carol"))
            carol = harness.device("carol-phone")
            carol.prekeys = carol.prekeys[-1:]
            harness.wire.day += 1  # the harness's last day is over
            with crypto.acting("carol-phone"):
                carol.each_day(harness.wire)
            carol.prekeys = carol.prekeys[-1:]
            harness.play([Step("say", "bob-phone", "carol")] * 2)
            assert sum(shown.device == "carol-phone" for shown in harness.wire.shown) == arrived, patience
