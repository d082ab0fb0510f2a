"""Split key: complaints about a dealing, the dealer's answers in the open, and what clients do when it failed.

Two of three agents are needed. So one complaint can be answered, and two are the end: two shares are the key.
"""

from collections.abc import Sequence

import pytest

from attacks.kernels.wrong_shares import one_off
from escrow.e2ee.policing import field_type
from escrow.errors import Refused
from escrow.principal import corrupted
from escrow.schemes.split_key import SplitDevice, SplitField, SplitKey
from escrow.sharing.accusations import Accusations, NoShare, RevealedShare
from escrow.sharing.elgamal import KeyShare
from escrow.testing.harness import Harness, Step, playing

ASKED = "its share does not fit its commitments"


class Dealing(SplitKey, frozen=True, kw_only=True):
    """`wrong` agents are dealt wrong shares, `liars` complain without a reason; the dealer `answers`, or does not."""

    wrong: tuple[int, ...] = ()
    liars: tuple[int, ...] = ()
    answers: bool = True

    def cast(self, users, court):
        def handed(dealer, shares: Sequence):
            return [one_off(share) if share.index in self.wrong else share for share in shares]

        def complain(agent, wire, to):
            if agent.share is None or agent.index in self.liars:
                wire.announce(agent.name, to, NoShare())

        silent = {} if self.answers else {"rebut": lambda *_: None}
        for party in super().cast(users, court):
            if party.name == "dealer" and (self.wrong or silent):
                yield corrupted(party, handed=handed, **silent)
            elif isinstance(party, self.agent) and party.index in self.liars:
                yield corrupted(party, complain=complain)
            else:
                yield party


def play(scheme):
    """A text before the law comes, one after; what the law reads, and whether the clients sent."""
    with playing(scheme) as harness:
        warrant = harness.served("alice")
        try:
            harness.play([Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob")])
        except Refused as refused:
            assert "the dealing failed" in refused.reason
            return harness, None
        return harness, len(harness.access(warrant, harness.intercepted()))


def fields(harness):
    return [bool(intercept.mail.field) for intercept in harness.intercepted()]


def told(harness: Harness) -> list[str]:
    return [f"{alarm.who}: {alarm.check}" for alarm in harness.wire.alarms]


def heard(harness, kind):
    return [packet.src for packet in harness.wire.heard if packet.data[:20] and kind.__name__.encode() in packet.data]


def test_an_honest_dealing_sends_nothing_more_and_the_dealer_forgets():
    harness, read = play(Dealing())
    assert read == 2 and heard(harness, NoShare) == heard(harness, RevealedShare) == []
    assert harness.wire.parties["dealer"].dealt == [] and all(fields(harness))


@pytest.mark.parametrize("wrong", [(2,), (1, 3), (1, 2, 3)])
@pytest.mark.parametrize("failed", ["stop", "unescrowed"])
def test_after_wrong_shares_nothing_is_escrowed_to_the_key(wrong, failed):
    harness, read = play(Dealing(wrong=wrong, failed=failed))
    assert read == (None if failed == "stop" else 0)
    assert told(harness) == [f"agent-{number}: dealer: {ASKED}" for number in wrong]
    assert harness.device("bob-phone").accusations == Accusations(list(wrong), list(wrong), ended=True)
    if failed == "stop":
        assert harness.wire.shown == []
    else:
        assert fields(harness) and not any(fields(harness))
        assert {shown.text for shown in harness.wire.shown} == {said.body for said in harness.said}


def test_one_liar_stops_nobody_because_the_dealer_answers_in_the_open():
    harness, read = play(Dealing(liars=(2,)))
    assert read == 2 and told(harness) == []
    for name in harness.owner:
        assert harness.device(name).accusations == Accusations([2], [], ended=True)
    assert set(heard(harness, RevealedShare)) == {"dealer"}


def test_a_complaint_that_is_not_answered_is_the_end():
    harness, read = play(Dealing(liars=(2,), answers=False))
    assert read is None and heard(harness, RevealedShare) == []


def test_two_complaints_are_the_end_and_two_shares_are_never_revealed():
    harness, read = play(Dealing(liars=(2, 3)))
    assert read is None and heard(harness, RevealedShare) == []
    assert harness.wire.parties["dealer"].dealt == []


def test_only_agents_complain_and_only_the_dealer_answers_with_a_share_that_fits():
    with playing(SplitKey()) as harness:
        wire, share = harness.wire, harness.wire.parties["agent-2"].share
        for reader in (harness.device("bob-phone"), wire.parties["dealer"]):
            reader.accusations.ended = False
        for sender in ("alice-phone", "provider", "authority", "dealer"):
            for reader in ("bob-phone", "dealer"):
                with pytest.raises(Refused, match="an agent complains of its deal"):
                    wire.ask(sender, reader, NoShare(), type(None))
        wire.ask("agent-2", "bob-phone", NoShare(), type(None))
        wire.ask("agent-2", "bob-phone", NoShare(), type(None))
        kept = Accusations([2], [2])
        revealed = KeyShare(share.group, share.index, share.raw)
        for sender, said, why in (
            ("agent-2", revealed, "the dealer answers a complaint"),
            ("dealer", one_off(revealed), "share fits the dealer's commitments"),
        ):
            with pytest.raises(Refused, match=why):
                wire.ask(sender, "bob-phone", RevealedShare(said), type(None))
            assert harness.device("bob-phone").accusations == kept
        with pytest.raises(Refused, match="the dealing failed: agent-2 complained"):
            harness.take(Step("say", "bob-phone", "alice"))


def test_the_relay_still_knows_the_type_of_the_field():
    assert field_type(SplitDevice.access_field) is SplitField


@pytest.mark.parametrize("failed", ["stop", "unescrowed"])
def test_a_complaint_or_an_answer_after_the_set_up_changes_nothing(failed):
    for liars in ((), (1, 2)):
        with playing(Dealing(failed=failed, liars=liars)) as harness:
            before = [harness.device(name).accusations for name in harness.owner]
            accused = [list(each.accusers) for each in before]
            for agent in ("agent-1", "agent-2", "agent-3"):
                harness.wire.announce(agent, [*harness.owner, "dealer"], NoShare())
            share = harness.wire.parties["agent-3"].share
            told = RevealedShare(KeyShare(share.group, share.index, share.raw))
            harness.wire.announce("dealer", list(harness.owner), told)
            after = [harness.device(name).accusations for name in harness.owner]
            assert [each.accusers for each in after] == accused
            assert all(each.are_fatal(2) == bool(liars) for each in after)
            assert harness.wire.parties["dealer"].accusations.accusers == list(liars)


def test_an_answer_before_the_group_is_published_is_refused():
    with playing(SplitKey()) as harness:
        share, bob = harness.wire.parties["agent-1"].share, harness.device("bob-phone")
        bob.group = None
        with pytest.raises(Refused, match="share fits"):
            harness.wire.ask("dealer", bob.name, RevealedShare(KeyShare(share.group, 1, share.raw)), type(None))
