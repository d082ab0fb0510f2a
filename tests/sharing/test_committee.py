"""A committee's runs over the wire: each fault that one agent can commit, who is blamed, and that the key lives on."""

import committee_faults as faults
import pytest
from committee_faults import World, changed, lying

from escrow import crypto
from escrow.codec import Fact, walk
from escrow.errors import Refused
from escrow.primitives import group
from escrow.principal import revive
from escrow.sharing import epochs
from escrow.sharing.committee.broadcast import Statement
from escrow.sharing.committee.clock import hold_step, steps
from escrow.sharing.committee.rounds import Opening, Purpose, Told
from escrow.sharing.dkg.gjkr import Complaint

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
HARMLESS = [faults.Answering, faults.Accusing, faults.Whispering, faults.Framing, faults.Murmuring]
EXPOSED = [
    (faults.Pretending, "revealed Feldman commitments of another polynomial"),
    (faults.Vanishing, "revealed no Feldman commitments"),
    (faults.Hollow, "revealed no Feldman commitments"),
    (faults.HollowKey, "revealed no Feldman commitments"),
    (faults.TwoFacedLater, "revealed no Feldman commitments"),
]


def held(t, n, kind, when, generation="gjkr"):
    """Key generation and two mornings in which agent 1 lies in runs of one kind."""
    return World({1: lying(kind, when)}, mornings=2, t=t, n=n, generation=generation)


def lives_on(world, t):
    """All honest agents hold shares of one sharing, and the key is the one that was made first."""
    assert {agent.outcome.session for agent in world.honest} == {Purpose("refresh", 2).session}
    assert world.sharing.epoch == 2 and world.sharing.t == t
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
        assert group.base(group.scalar(epochs.pool(world.sharing, tuple(shares[at : at + t])).raw)) == first.key


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
        assert World({1: lying(kind, when)}, t=t, n=n, generation=generation).dealers() == tuple(range(2, n + 1))
    if when == "refresh":
        assert world.dealers() == tuple(range(2, n + 1))


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
def test_an_agent_that_was_down_is_one_epoch_behind_and_recovers_the_next_morning(when):
    """Its old share is of no use meanwhile, and is dropped once the others tell it of a newer epoch."""
    world = World({5: lying(faults.Absent, when)}, mornings=1, t=3, n=5, reboots=False)
    absent = world.agent(5)
    if when == "refresh":
        assert absent.share.epoch == 0 and world.agent(1).share.epoch == 1
        assert world.sharing.epoch == 1
        type(absent).when = "never"
    world.pass_days(1)
    assert absent.sharing == world.sharing
    assert absent.share.epoch == 2
    assert world.pooled(world.agents[2:]) == world.pooled()
    blamed = {"agent-5: its commitments are missing or malformed"} if when == "refresh" else set()
    assert blamed <= world.faults()


def test_an_agent_that_missed_the_key_generation_recovers_a_share_of_it():
    world = World({1: lying(faults.Absent, "key")}, t=2, n=3)
    assert world.agent(1).sharing is None and world.dealers() == (2, 3)
    world.pass_days(1)  # agent 2, whose turn it would be, does not reboot: one share alone could not give it another
    assert world.agent(1).sharing == world.sharing and world.agent(1).share.epoch == 1
    world.pooled(world.agents[:2])


@sizes
def test_fewer_than_t_cannot_talk_an_agent_out_of_its_sharing(t, n):
    """Nor can t, to another key or to an older epoch."""
    world = World(mornings=1, t=t, n=n)
    agent, other = world.agent(1), World(seed=b"other", t=t, n=n, mornings=2).sharing
    newer, roster = changed(world.sharing, epoch=7), tuple(bytes([i]) * 32 for i in range(n))
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
    older = changed(newer, epoch=3)
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
        names = [type(fact).__name__ for fact in walk(agent, Fact)]
        assert names.count("AgentShare") == 1 and not PIECES & set(names)
        assert agent.share.epoch == 3 and agent.share.raw not in before
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
    assert agent.sharing.epoch == 0 and world.agent(1).sharing.epoch == 1
    assert agent.next_key.public == world.agent(1).roster[n - 1] != agent.key.public
    world.wire.day = 1
    world.pass_days(1)
    assert agent.key.public == world.agent(1).roster[n - 1]
    assert agent.share.epoch == 2 and world.pooled().key == agent.share.key


# --- what a member takes over from others ---


def test_a_member_takes_over_a_newer_sharing_of_its_key_that_t_members_know_and_no_other():
    world = World(mornings=2, t=2, n=3)
    agent = world.agent(1)
    own, roster, point = agent.sharing, agent.roster, group.base(5)
    newer = changed(own, epoch=own.epoch + 1, commitments=(own.key, point))

    def after(told, members=2):
        """Return what the agent knows after so many members told it this sharing."""
        agent.hold(own, None)
        agent.begin(Purpose("refresh", 3))
        agent.run.known = {f"agent-{index}": (told, roster) for index in range(2, 2 + members)}
        agent.turn(world.wire, "deal", 0)
        return agent.sharing

    assert after(newer) == newer
    assert after(newer, members=1) == own
    for wrong in (
        changed(newer, commitments=(point, point)),
        changed(newer, commitments=(own.key, point, point)),
        changed(newer, commitments=(own.key,)),
        changed(newer, n=4),
        changed(newer, epoch=own.epoch - 1),
    ):
        assert after(wrong) == own
