"""What members say to all, all hear alike; and which packets of a committee's run are refused, and why."""

import committee_faults as faults
import pytest
from committee_faults import World, changed

from escrow import crypto
from escrow.codec import encode
from escrow.errors import EscrowError, Forged, Refused
from escrow.primitives import hpke
from escrow.sharing.committee.broadcast import Board, MemberKey, Signed, Statement
from escrow.sharing.committee.clock import hold_step, steps
from escrow.sharing.committee.rounds import (
    Dealing,
    Purpose,
    Told,
    complete_dealing,
    deal_again,
    open_share,
    open_value,
    seal_share,
    seal_value,
)
from escrow.sharing.dkg import extraction, gjkr, result
from escrow.sharing.dkg.gjkr import Commitments, Complaint, PublicShare, SubShare
from escrow.sharing.proactive.recovery import Blinded

sizes = pytest.mark.parametrize(("t", "n"), [(2, 3), (3, 5)])


# --- packets ---


@pytest.fixture
def running():
    """A world in which a refresh has begun, with all dealing done."""
    world = World()
    names = world.scheme.agents
    with crypto.running(world.door):
        for name in names:
            with crypto.acting(name):
                world.agent(int(name[-1])).begin(Purpose("refresh", 1))
        for step in list(steps(2))[:3]:
            hold_step(world.wire, names, *step)
    return world


def told(world, index, *facts, **values):
    agent = world.agent(index)
    made = Statement(agent.run.purpose.session, agent.run.board.round, index, facts)
    return changed(made, **values)


def test_words_that_are_not_signed_in_time_by_whose_they_are_are_refused_and_their_teller_named(running):
    board, key, other = running.agent(2).run.board, running.agent(1).key, running.agent(3).key
    complaint = Complaint(board.session, 1, 3)
    said = told(running, 1, complaint)
    cases = {
        "it speaks for another": told(running, 3, complaint).signed(3, other),
        "did not sign them": said.signed(3, other),
        "too few vouch": said.signed(1, key),
        "a signature does not verify": changed(said, vouched=(Signed(1, bytes(64)), *said.signed(3, other).vouched)),
        "another run or round": changed(said, round="pool").signed(1, key).signed(3, other),
        "of another run": changed(said, session=bytes(32)).signed(1, key).signed(3, other),
        "did not sign": changed(said, vouched=(*said.signed(1, key).vouched, Signed(9, bytes(64)))),
        "too late": changed(said, vouched=said.signed(1, key).vouched * 2),
    }
    before = encode(board)
    for fault, statement in cases.items():
        with pytest.raises(Refused, match=fault) as refused:
            running.wire.ask("agent-3", "agent-2", Told((statement,)), type(None))
        assert "agent-3 tells a statement of member" in refused.value.reason
    assert encode(board) == before
    running.wire.ask("agent-3", "agent-2", Told((said.signed(1, key).signed(3, other),)), type(None))
    assert board.said["deal"]["1"][-1].facts == (complaint,)


def test_one_bad_statement_does_not_hide_the_good_ones_beside_it(running):
    board, key, other = running.agent(2).run.board, running.agent(1).key, running.agent(3).key
    good = told(running, 1, Complaint(board.session, 1, 3)).signed(1, key).signed(3, other)
    with pytest.raises(Refused):
        running.wire.ask("agent-3", "agent-2", Told((changed(good, vouched=()), good)), type(None))
    assert board.said["deal"]["1"][-1] == good


def test_what_is_longer_than_any_round_asks_for_is_neither_verified_nor_passed_on(running):
    """Else every member would verify, and tell all others, as many pairs as one liar puts into one statement."""
    agent, key, other = running.agent(2), running.agent(1).key, running.agent(3).key
    before, session = agent.state(), agent.run.board.session
    pair = PublicShare(session, 3, 1, 3, bytes(32), bytes(32))
    for facts in ((pair,) * 500, (Commitments(session, 3, (bytes(33),) * 500),), (changed(pair, value=bytes(9999)),)):
        long = told(running, 3, *facts).signed(3, other).signed(1, key)
        with pytest.raises(Refused, match="longer than what any round asks for"):
            running.wire.ask("agent-3", "agent-2", Told((long,)), type(None))
    short = told(running, 1, Complaint(session, 1, 3)).signed(1, key).signed(3, other)
    with pytest.raises(Refused, match="agent-3 tells more statements than two of each member"):
        running.wire.ask("agent-3", "agent-2", Told((short,) * 7), type(None))
    assert agent.state() == before


def test_nobody_is_told_in_a_later_round_what_was_heard_in_the_last_hop_of_an_earlier_one():
    """The honest would refuse it, and name the honest member that told it."""
    world = World({3: faults.Murmuring}, t=2, n=3)
    assert world.dealers() == (1, 2, 3)
    assert world.wire.alarms == world.wire.refusals == []


def test_a_member_is_heard_twice_a_round_and_then_it_is_convicted(running):
    board, key, other = running.agent(2).run.board, running.agent(1).key, running.agent(3).key
    for dealer in (2, 3, 3):
        statement = told(running, 1, Complaint(board.session, 1, dealer)).signed(1, key).signed(3, other)
        assert board.hear(statement, running.agent(2).roster) == ""
    assert len(board.said["deal"]["1"]) == 2
    assert board.turn("complain", 0) == (1,)
    assert 1 not in board.by_dealer("deal") and 3 in board.by_dealer("deal")


def test_a_deal_from_anybody_but_its_dealer_is_refused(running):
    agent = running.agent(2)
    share = SubShare(agent.run.purpose.session, 1, 2, bytes(32), bytes(32))
    for sender, wrong in (
        ("agent-3", share),
        ("agent-1", changed(share, member=3)),
        ("agent-1", changed(share, dealer=3)),
    ):
        dealing = Dealing(share.session, seal_share(agent.run.transport.public, wrong))
        with pytest.raises(Refused, match=f"{sender} deals a share of its own"):
            running.wire.ask(sender, "agent-2", dealing, type(None))
    dealing = Dealing(share.session, seal_share(agent.run.transport.public, share))
    with pytest.raises(Refused, match="provider is not a member"):
        running.wire.ask("provider", "agent-2", dealing, type(None))
    kept = agent.run.dealt[1]
    running.wire.ask("agent-1", "agent-2", dealing, type(None))
    assert agent.run.dealt[1] == kept


def test_packets_of_a_run_that_is_over_are_refused(running):
    replayed = [each for each in running.wire.heard if each.dst == "agent-2"]
    names = running.scheme.agents
    with crypto.running(running.door):
        for step in list(steps(2))[3:]:
            hold_step(running.wire, names, *step)
    agent = running.agent(2)
    before = agent.state()
    for purpose in (None, Purpose("refresh", 2)):
        if purpose is not None:
            agent.begin(purpose)
            before = agent.state()
        for packet in replayed:
            with pytest.raises(EscrowError):
                agent.answer(packet.src, packet.data, running.wire)
        assert agent.state() == before


def test_every_packet_cut_off_or_flipped_ends_in_a_typed_error_or_changes_nothing(running):
    """What was heard before is heard again without a look at its signatures."""
    heard = [each for each in running.wire.heard if each.dst == "agent-2"][-8:]
    agent, refused = running.agent(2), 0
    before = agent.state()
    for packet in heard:
        for at in range(0, len(packet.data), 11):
            for data in (packet.data[:at], packet.data[:at] + bytes([packet.data[at] ^ 1]) + packet.data[at + 1 :]):
                try:
                    agent.answer(packet.src, data, running.wire)
                except EscrowError:
                    refused += 1
                assert agent.state() == before
    assert refused > 100


def test_sealed_pieces_open_by_their_transport_key_alone():
    key, other = crypto.new_private(), crypto.new_private()
    share, value = SubShare(b"s", 1, 2, bytes(32), bytes(32)), Blinded(b"s", 1, bytes(32))
    dealt, lent = seal_share(key.public, share), seal_value(key.public, value)
    assert open_share(dealt, key) == share and open_value(lent, key) == value
    for opener, sealed in ((open_share, dealt), (open_value, lent)):
        with pytest.raises(Forged):
            opener(sealed, other)
    with pytest.raises(Forged):
        open_share(changed(dealt, sealed=lent.sealed), key)
    with pytest.raises(Forged, match="another key"):
        open_share(changed(dealt, to=other.public), key)
    blob = changed(dealt, sealed=hpke.seal(key.public, b"junk", b"committee deal"))
    with pytest.raises(Forged, match="not a SubShare"):
        open_share(blob, key)


# --- broadcast by itself ---


def boards(n):
    keys = [crypto.new_signing_key(MemberKey) for _ in range(n)]
    return keys, [key.public for key in keys], [Board(b"run", "deal") for _ in keys]


@pytest.mark.parametrize("liars", [1, 2, 3])
def test_what_one_honest_member_reads_every_honest_member_reads(liars):
    """The worst case: liars pass a statement on among themselves, and show it to one honest member in the last hop."""
    n = liars + 2
    keys, public, told = boards(n)
    statement = Statement(b"run", "deal", 1, (Complaint(b"run", 1, 2),)).signed(1, keys[0])
    for liar in range(2, liars + 1):
        statement = statement.signed(liar, keys[liar - 1])
    honest = (n - 1, n)
    for hop in range(liars + 1):
        for index in honest:
            told[index - 1].turn("deal", hop)
        if hop == liars - 1:
            assert told[honest[0] - 1].hear(statement, public) == ""
        for index, other in (honest, honest[::-1]):
            if hop == liars:
                for each in told[index - 1].to_relay():
                    assert told[other - 1].hear(each.signed(index, keys[index - 1]), public) == ""
    assert {len(told[index - 1].of("deal", Complaint)) for index in honest} == {1}
    late = Board(b"run", "deal", liars)
    assert "too few" in late.hear(statement, public)
    assert late.of("deal", Complaint) == []


def test_facts_of_another_kind_than_the_round_asks_for_are_passed_over():
    keys, public, told = boards(2)
    facts = (Complaint(b"run", 1, 2), Commitments(b"run", 1, (b"first",)), Commitments(b"run", 1, (b"second",)))
    told[1].hear(Statement(b"run", "deal", 1, facts).signed(1, keys[0]), public)
    assert told[1].by_dealer("deal") == {1: facts[1]}
    assert told[1].of("deal", Complaint) == [facts[0]]
    assert told[1].of("pool", Complaint) == []


def test_runs_of_different_purposes_have_different_sessions():
    purposes = [Purpose(kind, number, lost) for kind in ("key", "refresh") for number in (0, 1) for lost in (0, 1)]
    assert len({each.session for each in purposes}) == len(purposes)
    with pytest.raises(Forged, match="no sharing"):
        Purpose("refresh", 1).setting(2, 3, True, None)


# --- what kept pieces are worth ---


@sizes
def test_a_dealers_polynomial_or_enough_of_its_sub_shares_give_all_that_it_dealt(t, n):
    setting = gjkr.gjkr(b"run", t, n)
    dealt = {dealer: gjkr.deal(setting, dealer) for dealer in range(1, n - t + 2)}
    revealed = {dealer: extraction.reveal(setting, polynomials) for dealer, (polynomials, _, _) in dealt.items()}
    made = result.conclude(setting, tuple(dealt), revealed)
    polynomials, _, sent = dealt[1]
    values = [(each.dealer, each.member, each.value) for each in sent]
    for found in (deal_again(polynomials, made), complete_dealing(made, sent[n - t :])):
        assert [(each.dealer, each.member, each.value) for each in found] == values
        assert all(result.share_dealt(made, each) for each in found)
    wrong = changed(sent[0], value=faults.off(sent[0].value))
    for short in (sent[1:t], (wrong, *sent[1:t]), (*sent[1:t], dealt[2][2][0])):
        with pytest.raises(Forged):
            complete_dealing(made, short)
