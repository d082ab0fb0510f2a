"""Split key: who may publish the group, what an agent compares with what it knows, and whom it blames."""

import pytest
from msgspec.structs import replace

from escrow import codec
from escrow.errors import Forged, Refused
from escrow.primitives import hpke
from escrow.principal import corrupted
from escrow.scheme import User
from escrow.schemes.split_key import _DEAL, Dealt, Published, SplitField, SplitKey
from escrow.sharing import elgamal
from escrow.testing.harness import Step, playing
from escrow.wire import Wire

USERS = (User("alice", ("alice-phone",)), User("bob", ("bob-phone",)))


def cast():
    return Wire(list(SplitKey().cast(USERS, bytes(32))))


def deal(wire, made, share, to, sender="dealer"):
    sealed = hpke.seal(wire.parties[to].transport.public, codec.encode(share), _DEAL)
    wire.ask(sender, to, Dealt(made, sealed), type(None))


# --- the group ---


@pytest.mark.parametrize("reader", ["alice-phone", "authority"])
def test_only_the_dealer_publishes_the_group_once_and_of_these_sizes(reader):
    for sizes in ((1, 1), (1, 3), (3, 3), (2, 4)):
        with pytest.raises(Refused, match="the group is of t of n agents"):
            cast().ask("dealer", reader, Published(elgamal.deal(*sizes)[0]), type(None))
    with playing(SplitKey()) as harness:
        party = harness.wire.parties[reader]
        kept, before = party.group, party.state()
        others = [name for name in harness.wire.parties if name not in ("dealer", reader)]
        for sender in others:
            for made in (kept, elgamal.deal(2, 3)[0]):
                with pytest.raises(Refused, match="the dealer publishes the group"):
                    harness.wire.ask(sender, reader, Published(made), type(None))
        with pytest.raises(Refused, match="a group that was published does not change"):
            harness.wire.ask("dealer", reader, Published(elgamal.deal(2, 3)[0]), type(None))
        harness.wire.ask("dealer", reader, Published(kept), type(None))
        assert party.state() == before


def test_another_users_group_reads_nothing():
    with playing(SplitKey()) as harness:
        warrant = harness.served("alice")
        for reader in ("alice-phone", "authority"):
            with pytest.raises(Refused):
                harness.wire.ask("carol-phone", reader, Published(elgamal.deal(2, 3)[0]), type(None))
        harness.play([Step("say", "alice-phone", "bob")])
        assert harness.access(warrant, harness.intercepted()) == {harness.said[0].body}


# --- a deal ---


@pytest.mark.parametrize(
    ("sizes", "number", "reason", "fault"),
    [
        ((2, 3), 1, "share is this agent's", "it deals share 1 to agent 2"),
        ((2, 3), 3, "share is this agent's", "it deals share 3 to agent 2"),
        ((3, 3), 2, "the deal is of t of n agents", "it deals 3 of 3, not 2 of 3"),
        ((1, 3), 2, "the deal is of t of n agents", "it deals 1 of 3, not 2 of 3"),
        ((2, 4), 2, "the deal is of t of n agents", "it deals 2 of 4, not 2 of 3"),
        ((50, 100), 2, "the deal is of t of n agents", "it deals 50 of 100, not 2 of 3"),
    ],
)
def test_an_agent_compares_its_deal_with_what_it_knows_and_blames_the_dealer_only(sizes, number, reason, fault):
    wire = cast()
    made, shares = elgamal.deal(*sizes)
    before = wire.parties["agent-2"].state()
    with pytest.raises(Refused, match=reason):
        deal(wire, made, shares[number - 1], "agent-2")
    assert wire.parties["agent-2"].state() == before
    assert [(alarm.who, alarm.check) for alarm in wire.alarms] == [("agent-2", f"dealer: {fault}")]


def test_others_do_not_deal_and_nobody_is_blamed_for_it():
    wire = cast()
    made, shares = elgamal.deal(2, 3)
    for sender in ("agent-1", "agent-3", "alice-phone", "provider", "authority"):
        with pytest.raises(Refused, match="a deal comes from the dealer"):
            deal(wire, made, shares[1], "agent-2", sender)
    assert wire.alarms == []
    deal(wire, made, shares[1], "agent-2")
    with pytest.raises(Forged, match="a second deal"):
        wire.ask("dealer", "agent-2", Dealt(made, b""), type(None))


def test_an_agent_without_a_key_stops_nobody_elses_deal():
    wire = cast()
    wire.parties["agent-1"].transport = None
    SplitKey().setup(wire)
    assert [bool(wire.parties[name].share) for name in SplitKey().agents] == [False, True, True]
    assert [party for _, party, _ in wire.refusals] == ["agent-1"]
    assert wire.parties["alice-phone"].group == wire.parties["authority"].group


def test_a_corrupted_client_insists_on_nothing():
    made, _ = elgamal.deal(1, 1)
    wire = cast()
    wire.parties["alice-phone"] = corrupted(wire.parties["alice-phone"])
    wire.ask("bob-phone", "alice-phone", Published(made), type(None))
    assert wire.parties["alice-phone"].group == made


# --- access ---


def test_a_field_is_proven_towards_one_group_only():
    with playing(SplitKey()) as harness:
        harness.play([Step("say", "alice-phone", "bob")])
        field = codec.decode(harness.intercepted()[0].mail.field, SplitField)
        capsule = replace(field.capsule, group=bytes(32))
        assert field.proven and not replace(field, capsule=capsule).proven


def test_an_agent_that_does_not_answer_costs_nothing_whichever_it_is():
    for name in SplitKey().agents:
        with playing(SplitKey()) as harness:
            warrant = harness.served("alice")
            harness.play([Step("say", "alice-phone", "bob")])
            harness.wire.parties[name].share = None
            assert harness.access(warrant, harness.intercepted()) == {harness.said[0].body}
