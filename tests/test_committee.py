"""A committee's runs over the wire: each fault that one agent can commit, who is blamed, and that the key lives on."""

import pytest

from escrow import crypto, group, hpke
from escrow.codec import encode, facts_in
from escrow.errors import EscrowError, Forged, Refused
from escrow.principal import revive
from escrow.sharing import dkg, extraction, outcome, staged
from escrow.sharing.broadcast import Board, MemberKey, Signed, Statement
from escrow.sharing.clock import hold_step, steps
from escrow.sharing.dkg import Commitments, Complaint, SubShare
from escrow.sharing.recovery import Blinded
from escrow.sharing.run import (
    Dealing,
    Opening,
    Purpose,
    Told,
    complete_dealing,
    deal_again,
    open_share,
    open_value,
    seal_share,
    seal_value,
)
from tests import committee_faults as faults
from tests.committee_faults import World, changed, lying

sizes = pytest.mark.parametrize(("t", "n"), [(2, 3), (3, 5)])
phases = pytest.mark.parametrize("when", ["key", "refresh", "recovery"])
hidings = pytest.mark.parametrize("generation", ["gjkr", "joint-feldman"])

OUT = [  # a fault in dealing, and what is said of it
    (faults.Unanswering, "left a complaint without an answer"),
    (faults.ToAll, "complain of it|left a complaint without an answer"),
    (faults.Garbled, "complain of it|answered a complaint with a share that does not fit"),
    (faults.Withholding, "left a complaint without an answer"),
    (faults.Mute, "commitments are missing or malformed"),
    (faults.Dawdling, "left a complaint without an answer"),
    (faults.TwoFaced, "said two different things to all"),
]
HARMLESS = [faults.Answering, faults.Accusing, faults.Whispering, faults.Framing]
EXPOSED = [
    (faults.Pretending, "revealed Feldman commitments of another polynomial"),
    (faults.Vanishing, "revealed no Feldman commitments"),
    (faults.TwoFacedLater, "revealed no Feldman commitments"),
]


def held(t, n, kind, when, generation="gjkr"):
    """Key generation and two mornings in which agent 1 lies in runs of one kind."""
    return World({1: lying(kind, when)}, mornings=2, t=t, n=n, generation=generation)


def lives_on(world, t):
    """All honest agents hold shares of one sharing, and the key is the one that was made first."""
    assert {agent.outcome.session for agent in world.honest} == {Purpose("refresh", 2).session}
    assert world.sharing.stage == 2 and world.sharing.t == t
    assert world.sharing.key == world.authority.heard.at(0).key
    assert all(agent.share is not None and agent.run is None for agent in world.honest)
    return group.base(group.scalar(world.pooled().raw)) == world.sharing.key


# --- what one liar can do, and cannot ---


@sizes
@hidings
def test_an_honest_committee_blames_nobody_and_keeps_the_key(t, n, generation):
    world = World(mornings=3, t=t, n=n, generation=generation)
    assert world.wire.alarms == world.wire.refusals == []
    first = world.authority.heard.at(0)
    assert world.sharing.key == first.key and world.sharing.commitments != first.commitments
    assert world.dealers() == tuple(range(1, n + 1))
    shares = [agent.share for agent in world.agents]
    for at in range(n - t + 1):
        assert group.base(group.scalar(staged.pool(world.sharing, tuple(shares[at : at + t])).raw)) == first.key


@sizes
@phases
@hidings
@pytest.mark.parametrize(("kind", "fault"), OUT)
def test_who_deals_badly_is_out_and_named_and_the_key_lives_on(t, n, when, generation, kind, fault):
    world = held(t, n, kind, when, generation)
    assert lives_on(world, t)
    assert world.blamed() == {1}
    assert any(each in said for said in world.faults() for each in fault.split("|"))
    if when == "key":
        first = held_outcome(World({1: lying(kind, when)}, t=t, n=n, generation=generation))
        assert first == tuple(range(2, n + 1))
    if when == "refresh":
        assert world.dealers() == tuple(range(2, n + 1))


def held_outcome(world):
    return world.dealers()


@sizes
@phases
@hidings
@pytest.mark.parametrize("kind", HARMLESS)
def test_what_can_be_put_right_puts_nobody_out(t, n, when, generation, kind):
    """An answered complaint convicts neither side; nobody is framed by words that it did not sign."""
    world = held(t, n, kind, when, generation)
    assert lives_on(world, t)
    assert world.blamed() == set()
    assert world.dealers() == tuple(range(1, n + 1))


@sizes
@phases
@pytest.mark.parametrize(("kind", "fault"), EXPOSED)
def test_who_lies_once_the_secret_is_fixed_is_exposed_and_stays_in(t, n, when, kind, fault):
    world = held(t, n, kind, when)
    assert lives_on(world, t)
    assert world.blamed() == {1}
    assert any(fault in each for each in world.faults())
    assert world.dealers() == tuple(range(1, n + 1))


@sizes
@phases
def test_void_evidence_falls_back_on_who_brings_it(t, n, when):
    world = held(t, n, faults.Objecting, when)
    assert lives_on(world, t)
    assert world.blamed() == {1}
    assert any("is void" in each for each in world.faults())


@pytest.mark.parametrize("when", ["key", "refresh"])
def test_too_few_commitments_put_their_dealer_out(when):
    world = held(3, 5, faults.Short, when)
    assert lives_on(world, 3) and world.blamed() == {1}


@pytest.mark.parametrize("kind", [kind for kind, _ in (*OUT, *EXPOSED)] + HARMLESS)
def test_two_liars_of_five_who_do_the_same_change_nothing(kind):
    world = World({index: lying(kind, "refresh") for index in (1, 4)}, mornings=1, t=3, n=5)
    assert world.pooled().raw == World(t=3, n=5).pooled().raw
    assert world.blamed() == (set() if kind in HARMLESS else {1, 4})


def test_no_single_agent_can_be_the_only_dealer():
    """It would choose the key. With echoes that nobody signs, one agent could put all others out."""

    class Louder(faults.Framing):
        def say(self, wire, run, *facts):
            super().say(wire, run, *facts)
            if run.board.round == "complain":
                self.relay(wire, run)

    world = World({3: lying(Louder, "key")}, mornings=1)
    assert world.dealers() == (1, 2, 3) and world.blamed() == set()


# --- recovery ---


def test_a_wrong_value_lent_is_named_and_the_share_recovered_from_the_others():
    world = held(3, 5, faults.Lending, "recovery")
    assert lives_on(world, 3)
    assert world.blamed() == {1}
    assert world.faults() == {"agent-1: it lent a value that does not fit"}


def test_of_three_agents_two_helpers_are_needed_and_a_liar_is_named_all_the_same():
    world = World({1: faults.Lending}, mornings=1, t=2, n=3)
    assert world.agent(2).share is None
    assert world.blamed() == {1}
    assert any("of the 2 values that recover a share" in reason for _, who, reason in world.wire.refusals)
    assert world.sharing.key == world.authority.heard.at(0).key


@sizes
def test_a_value_of_an_old_share_fits_no_more(t, n):
    class Stale(faults.Lending):
        def lend(self, value):
            return changed(value, raw=self.outcome.session)

    world = World({1: Stale}, mornings=1, t=t, n=n)
    assert world.blamed() == {1}


@pytest.mark.parametrize("when", ["refresh", "recovery"])
def test_an_agent_that_was_down_is_one_stage_behind_and_recovers_the_next_morning(when):
    """Its old share is of no use meanwhile, and is dropped once the others tell it of a newer stage."""
    world = World({5: lying(faults.Absent, when)}, mornings=1, t=3, n=5, reboots=False)
    absent = world.agent(5)
    if when == "refresh":
        assert absent.share.stage == 0 and world.agent(1).share.stage == 1
        assert world.sharing.stage == 1
        type(absent).when = "never"
    world.pass_days(1)
    assert absent.sharing == world.sharing
    assert absent.share.stage == 2
    assert world.pooled(world.agents[2:]) == world.pooled()
    blamed = {"agent-5: its commitments are missing or malformed"} if when == "refresh" else set()
    assert blamed <= world.faults()


def test_an_agent_that_missed_the_key_generation_recovers_a_share_of_it():
    world = World({1: lying(faults.Absent, "key")}, t=2, n=3)
    assert world.agent(1).sharing is None and world.dealers() == (2, 3)
    world.pass_days(1)  # agent 2, whose turn it would be, does not reboot: one share alone could not give it another
    assert world.agent(1).sharing == world.sharing and world.agent(1).share.stage == 1
    world.pooled(world.agents[:2])


@sizes
def test_fewer_than_t_cannot_talk_an_agent_out_of_its_sharing(t, n):
    """Nor can t, to another key or to an older stage."""
    world = World(mornings=1, t=t, n=n)
    agent, other = world.agent(1), World(seed=b"other", t=t, n=n, mornings=2).sharing
    newer, roster = changed(world.sharing, stage=7), tuple(bytes([i]) * 32 for i in range(n))
    for told, count, taken in ((newer, t - 1, False), (other, n - 1, False), (newer, t, True)):
        agent.begin(Purpose("refresh", 9))
        for index in range(2, count + 2):
            agent.on_opening(
                f"agent-{index}", Opening(agent.run.purpose.session, bytes(32), (told, roster)), world.wire
            )
        before = agent.sharing
        agent.turn(world.wire, "deal", 0)
        assert (agent.sharing == told, agent.share is None, agent.roster == roster) == (taken, taken, taken)
        assert taken or agent.sharing == before
    older = changed(newer, stage=3)
    for index in range(2, n + 1):
        agent.run.known[f"agent-{index}"] = (older, roster)
    agent.turn(world.wire, "deal", 0)
    assert agent.sharing == newer


# --- what is kept ---

PIECES = {"Polynomials", "SubShare", "Summed", "Blinded", "Private", "Complaint", "PublicShare"}


@sizes
@hidings
def test_after_a_morning_an_agent_keeps_its_new_share_and_nothing_of_the_run(t, n, generation):
    world = World(mornings=2, t=t, n=n, generation=generation)
    before = {agent.share.raw for agent in world.agents}
    world.pass_days(1)
    for agent in world.agents:
        names = [type(fact).__name__ for fact in facts_in(agent)]
        assert names.count("AgentShare") == 1 and not PIECES & set(names)
        assert agent.share.stage == 3 and agent.share.raw not in before
        state = agent.state()
        assert not any(raw in state for raw in before)


@pytest.mark.parametrize("kind", [kind for kind, _ in (*OUT, *EXPOSED)] + HARMLESS)
def test_nothing_is_kept_of_a_run_in_which_somebody_lied_either(kind):
    world = held(2, 3, kind, "refresh")
    for names in world.secrets().values():
        assert not PIECES & set(names)


@sizes
def test_agents_that_restart_between_all_steps_of_a_run_go_on_as_if_nothing_had_happened(t, n):
    worlds = [World(t=t, n=n), World(t=t, n=n)]
    for forgetful, world in enumerate(worlds):
        names = world.scheme.agents
        with crypto.running(world.door):
            for purpose in (Purpose("refresh", 1), Purpose("recovery", 1, 2)):
                for name in names:
                    with crypto.acting(name):
                        world.wire.parties[name].begin(purpose)
                for step in steps(t):
                    hold_step(world.wire, names, *step)
                    if forgetful:
                        parties = {name: revive(each.state(), type(each)) for name, each in world.wire.parties.items()}
                        world.wire.parties = parties
    assert worlds[0].wire.heard == worlds[1].wire.heard
    assert [agent.state() for agent in worlds[0].agents] == [agent.state() for agent in worlds[1].agents]


@sizes
def test_keys_stolen_before_a_refresh_speak_for_nobody_after_it(t, n):
    """Else the mobile adversary, robbing one agent after another, could put all others out and deal alone."""
    world = World(t=t, n=n)
    stolen = {agent.index: agent.key for agent in world.agents}
    world.pass_days(1)
    assert world.wire.alarms == []
    for agent in world.agents:
        assert agent.key.raw != stolen[agent.index].raw and agent.next_key is None
        assert not any(key.raw in agent.state() for key in stolen.values())
        assert agent.roster == tuple(each.key.public for each in world.agents)
    listener, liar = world.agent(1), world.agent(2)
    for agent in (listener, liar):
        agent.begin(Purpose("refresh", 2))
        agent.turn(world.wire, "deal", 0)
    session = liar.run.purpose.session
    for index, key in stolen.items():
        forged = Statement(session, "deal", index, (Complaint(session, index, 1),)).signed(index, key)
        with pytest.raises(Refused, match=r"agent-2 tells a statement of member .: a signature does not verify"):
            world.wire.ask("agent-2", "agent-1", Told((forged,)), type(None))


@sizes
def test_an_agent_that_stopped_in_the_middle_of_a_refresh_finds_which_of_its_keys_is_known(t, n):
    world = World(t=t, n=n, reboots=False)
    agent, names = world.agent(n), world.scheme.agents
    with crypto.running(world.door):
        for name in names:
            with crypto.acting(name):
                world.wire.parties[name].begin(Purpose("refresh", 1))
        for round_, hop in steps(t):
            if round_ == "settle":
                agent.run = None
            hold_step(world.wire, names, round_, hop)
    assert agent.sharing.stage == 0 and world.agent(1).sharing.stage == 1
    assert agent.next_key.public == world.agent(1).roster[n - 1] != agent.key.public
    world.wire.day = 1
    world.pass_days(1)
    assert agent.key.public == world.agent(1).roster[n - 1]
    assert agent.share.stage == 2 and world.pooled().key == agent.share.key


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
    assert board.said["deal"][-1].facts == (complaint,)


def test_one_bad_statement_does_not_hide_the_good_ones_beside_it(running):
    board, key, other = running.agent(2).run.board, running.agent(1).key, running.agent(3).key
    good = told(running, 1, Complaint(board.session, 1, 3)).signed(1, key).signed(3, other)
    with pytest.raises(Refused):
        running.wire.ask("agent-3", "agent-2", Told((changed(good, vouched=()), good)), type(None))
    assert board.said["deal"][-1] == good


def test_a_member_is_heard_twice_a_round_and_then_it_is_convicted(running):
    board, key, other = running.agent(2).run.board, running.agent(1).key, running.agent(3).key
    for dealer in (2, 3, 3):
        statement = told(running, 1, Complaint(board.session, 1, dealer)).signed(1, key).signed(3, other)
        assert board.hear(statement, running.agent(2).roster) == ""
    assert len([each for each in board.said["deal"] if each.by == 1]) == 2
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
    with pytest.raises(Refused, match="provider is none"):
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
    setting = dkg.gjkr(b"run", t, n)
    dealt = {dealer: dkg.deal(setting, dealer) for dealer in (1, 2)}
    revealed = {dealer: extraction.reveal(setting, polynomials) for dealer, (polynomials, _, _) in dealt.items()}
    made = outcome.conclude(setting, (1, 2), revealed)
    polynomials, _, sent = dealt[1]
    values = [(each.dealer, each.member, each.value) for each in sent]
    for found in (deal_again(polynomials, made), complete_dealing(made, sent[n - t :])):
        assert [(each.dealer, each.member, each.value) for each in found] == values
        assert all(outcome.share_dealt(made, each) for each in found)
    wrong = changed(sent[0], value=faults.off(sent[0].value))
    for short in (sent[1:t], (wrong, *sent[1:t]), (*sent[1:t], dealt[2][2][0])):
        with pytest.raises(Forged):
            complete_dealing(made, short)
