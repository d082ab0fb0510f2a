"""Proactive threshold escrow: who is believed, who is refused, how far access goes with holders who fail."""

from __future__ import annotations

from functools import cache

import pytest
from committee_faults import World, changed, off
from hypothesis import settings
from kit import results

from attacks.experiments import spare_holders
from attacks.experiments.spare_holders import Room, absent, liar, stale
from attacks.lab.runs.experiment import experiments, reproduce
from escrow import codec
from escrow.errors import Forged, Malformed, Refused, Unreachable
from escrow.primitives import group
from escrow.schemes.fair_keys.scheme import FairKeys
from escrow.schemes.split_key import SplitKey
from escrow.schemes.threshold import AgentShare, Threshold, ThresholdAgent, ThresholdField, label_of, unwrap
from escrow.sharing import tdh2
from escrow.sharing.committee.announced import Announced, KnownSharings
from escrow.sharing.epochs import Sharing
from escrow.sharing.tdh2 import TdhMessage
from escrow.testing import properties
from escrow.testing.harness import Step, playing
from escrow.warrant import Answered, Request
from escrow.wire import Wire

sizes = pytest.mark.parametrize(("t", "n"), [(2, 3), (3, 5)])


def talk(stage):
    """A warrant about alice, and messages that it covers."""
    warrant = stage.served("alice")
    stage.play([Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob")])
    return warrant, stage.intercepted()


def replaced(stage, index, kind):
    """Agent `index` of another class, with the same data."""
    agent = stage.wire.parties[f"agent-{index}"]
    stage.wire.parties[agent.name] = kind(**{name: getattr(agent, name) for name in agent.__struct_fields__})


# --- who is believed ---


@sizes
def test_outsiders_believe_a_sharing_that_t_agents_announce_and_no_fewer(t, n):
    world = World(t=t, n=n)
    authority, present = world.authority, world.sharing
    newer = changed(present, epoch=5)
    said = Announced(newer, world.agent(1).outcome, None)
    for index in range(1, t):
        world.wire.ask(f"agent-{index}", "authority", said, type(None))
        world.wire.ask(f"agent-{index}", "authority", said, type(None))
        assert authority.heard.present == present
    world.wire.ask(f"agent-{t}", "authority", said, type(None))
    assert authority.heard.present == newer and authority.heard.at(0) == present


def test_neither_a_stranger_nor_another_key_nor_fewer_shares_to_a_key_are_believed():
    """Whoever could announce a key of its own, or one that a single share opens, would read everything."""
    world, other = World(), World(seed=b"other")
    outcome, present = world.agent(1).outcome, world.sharing
    lone = Sharing(9, 3, present.commitments[:1])
    wide = Sharing(9, 4, present.commitments)
    rogue = Sharing(9, 3, (group.base(5), *present.commitments[1:]))
    before = world.authority.state()
    for sharing in (lone, wide, rogue, other.sharing):
        for index in (1, 2, 3):
            with pytest.raises(Refused, match=f"agent-{index} announces the agents' key"):
                world.wire.ask(f"agent-{index}", "authority", Announced(sharing, outcome, None), type(None))
    for stranger in ("provider", "court", "agent-4", "authority"):
        with pytest.raises(Refused, match=f"{stranger} announces"):
            world.wire.ask(stranger, "authority", Announced(changed(present, epoch=1), outcome, None), type(None))
    assert world.authority.state() == before


def test_of_one_epoch_the_first_sharing_that_was_believed_stays():
    world = World()
    present, outcome = world.sharing, world.agent(1).outcome
    again = Sharing(0, 3, (present.key, group.base(7)))
    for index in (1, 2, 3):
        world.wire.ask(f"agent-{index}", "authority", Announced(again, outcome, None), type(None))
    assert world.authority.heard.known == [present]


def test_a_device_that_heard_of_no_key_sends_nothing():
    with playing(Threshold()) as stage:
        stage.device("bob-phone").heard = KnownSharings(stage.scheme.agents, 2)
        with pytest.raises(Refused, match="no escrow key was announced"):
            stage.device("bob-phone").send(stage.wire, "alice", b"text")


# --- partials ---


class Off(ThresholdAgent):
    """Its partial is of another share, with a proof that fits that one."""

    def give(self, share: AgentShare, warrant, field: ThresholdField):
        return tdh2.partial(changed(share, raw=off(share.raw)), field.ciphertext)


class Unproven(ThresholdAgent):
    """Its partial has another's proof."""

    def give(self, share: AgentShare, warrant, field: ThresholdField):
        return changed(super().give(share, warrant, field), proof=bytes(63) + b"\x01")


class Impersonating(ThresholdAgent):
    """It answers with a right partial, in another's name."""

    def give(self, share: AgentShare, warrant, field: ThresholdField):
        return changed(super().give(share, warrant, field), index=share.index % 3 + 1)


class Recycling(ThresholdAgent):
    """It answers with the partial of another ciphertext."""

    def give(self, share: AgentShare, warrant, field: ThresholdField):
        return super().give(
            share, warrant, changed(field, ciphertext=tdh2.encrypt(field.ciphertext.key, bytes(32), bytes(32)))
        )


class Lagging(ThresholdAgent):
    """It answers for an epoch that nobody has heard of."""

    def give(self, share: AgentShare, warrant, field: ThresholdField):
        return changed(super().give(share, warrant, field), epoch=7)


class Elsewhere(ThresholdAgent):
    """Its answer is sealed to somebody else."""

    def on_request(self, sender: str, request: Request, wire: Wire) -> Answered:
        answered = super().on_request(sender, request, wire)
        return Answered(changed(answered.answer, sealed=bytes(80)))


class Gone(ThresholdAgent):
    def on_request(self, sender: str, request: Request, wire: Wire) -> Answered:
        raise Unreachable(f"{self.name} is down")


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (Off, "its proof does not hold"),
        (Unproven, "its proof does not hold"),
        (Impersonating, "another agent's"),
        (Recycling, "it is of another ciphertext"),
        (Lagging, "it is of epoch 7, which is not the present one"),
    ],
)
@sizes
def test_a_wrong_partial_is_named_and_the_others_give_access(t, n, kind, fault):
    with playing(Threshold(t=t, n=n)) as stage:
        warrant, heard = talk(stage)
        replaced(stage, 1, kind)
        assert stage.access(warrant, heard) == {said.body for said in stage.said}
        assert {alarm.check.partition(":")[0] for alarm in stage.wire.alarms} == {"wrong partial of agent-1"}
        assert all(fault in alarm.check for alarm in stage.wire.alarms)
        for index in range(2, n - t + 2):
            replaced(stage, index, kind)
        assert stage.access(warrant, heard) == set()
        named = {alarm.check.partition(":")[0] for alarm in stage.wire.alarms}
        assert named == {f"wrong partial of agent-{index}" for index in range(1, n - t + 2)}


@pytest.mark.parametrize(("kind", "reason"), [(Gone, "agent-1 is down"), (Elsewhere, "Forged")])
def test_a_withheld_partial_is_noted_with_its_agents_name_and_costs_nothing(kind, reason):
    with playing(Threshold()) as stage:
        warrant, heard = talk(stage)
        replaced(stage, 1, kind)
        assert stage.access(warrant, heard) == {said.body for said in stage.said}
        assert stage.wire.alarms == []
        assert {who for _, who, why in stage.wire.refusals if reason in why} == {"agent-1"}


def test_a_stale_partial_is_named_and_the_next_morning_its_agent_has_caught_up():
    with playing(Threshold(reboots=False)) as stage:
        warrant, heard = talk(stage)
        agent = stage.wire.parties["agent-1"]
        old, sharing = agent.share, agent.sharing
        stage.take(Step("day"))
        agent.hold(sharing, old)
        assert stage.access(warrant, heard) == {said.body for said in stage.said}
        assert {alarm.check for alarm in stage.wire.alarms} == {
            "wrong partial of agent-1: it is of epoch 0, which is not the present one"
        }
        stage.take(Step("day"))
        assert stage.wire.parties["agent-1"].share.epoch == 2


def test_what_was_sent_under_an_earlier_epoch_opens_at_every_later_one():
    with playing(Threshold()) as stage:
        warrant, heard = talk(stage)
        for _ in range(3):
            assert stage.access(warrant, heard) == {said.body for said in stage.said}
            stage.take(Step("day"))
        assert stage.authority.heard.present.epoch == 3


def test_an_agent_without_a_share_and_a_field_that_is_none_are_refused():
    with playing(Threshold()) as stage:
        warrant, heard = talk(stage)
        stage.wire.parties["agent-1"].reboot()
        field = codec.decode(heard[0].mail.field, ThresholdField)
        with pytest.raises(Refused, match="agent-1 refuses: it holds no share"):
            stage.authority.ask(stage.wire, "agent-1", warrant, field)
        with pytest.raises(Malformed):
            stage.authority.ask(stage.wire, "agent-2", warrant, warrant)


def test_each_promise_of_an_agent_is_named_where_it_is_not_met():
    with playing(Threshold()) as stage:
        warrant, heard = talk(stage)
        field = codec.decode(heard[0].mail.field, ThresholdField)
        unproven = changed(field, ciphertext=changed(field.ciphertext, masked=bytes(32)))
        relabelled = changed(field, people=("alice", "carol"))
        cases = {"the ciphertext checks": unproven, "the label is of this message": relabelled}
        cases["window"] = changed(field, day=99)
        cases["target"] = changed(field, people=("bob", "carol"))
        for reason, matter in cases.items():
            with pytest.raises(Refused, match=f"agent-1 refuses: {reason}"):
                stage.authority.ask(stage.wire, "agent-1", warrant, matter)


def test_the_label_ties_a_message_key_to_all_that_the_field_says():
    key = group.base(5)
    labels = (b"chain", 3, ("alice", "bob"), 2, b"header")
    field = ThresholdField(*labels, tdh2.encrypt(key, bytes(32), label_of(*labels)))
    message = TdhMessage(field.label, bytes(32))
    assert unwrap(field, message).value == bytes(32)
    others = ((b"other", 3), (b"chain", 4), (b"chain", 3, ("alice",)), (b"chain", 3, ("alice", "bob"), 1))
    assert len({field.label, *(label_of(*(*some, *labels[len(some) :])) for some in others)}) == 5
    for wrong in (changed(field, n=4), changed(field, header=b"")):
        with pytest.raises(Forged, match="of another message"):
            unwrap(wrong, message)


@pytest.mark.parametrize(
    "sizes",
    [{"t": 0}, {"t": 4}, {"n": 101}, {"every": -1}, {"t": 1, "every": 1}, {"n": 2}, {"t": 3, "n": 4}, {"t": 3}],
)
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="t="):
        Threshold(**sizes)


def test_joint_feldman_allows_fewer_agents_and_its_card_says_what_is_lost():
    few, enough = (Threshold(t=3, n=n, generation="joint-feldman").claim.words for n in (4, 5))
    assert "Access ends without 2 of the agents" in few and "Access ends" not in enough
    assert "biases the key" in few and "biases the key" in enough
    assert "biases the key" not in Threshold().claim.words


# --- how many may fail ---


@cache
def reproduced():
    return reproduce([experiments()["spare-holders"]], 2019, False, lambda *_: None)


def test_access_works_with_t_honest_holders_and_not_with_fewer_and_liars_are_named():
    """`reproduce spare-holders`: split-key, fair-keys and threshold, 2 of 3 and 3 of 5."""
    found = reproduced()
    assert found.agrees
    figures = {each.quantity: each.measured for each in found.experiments[0].figures}
    assert figures["threshold, 3 of 5, lying: so many cost no text"] == 2
    assert figures["split-key, 2 of 3, absent: so many cost no text"] == 1
    assert figures["fair-keys, 3 of 5, lying: named in alarms, over 0 to 5 such"] == 15
    assert len(figures) == 4 * 14


@pytest.mark.parametrize("scheme", [SplitKey(), FairKeys(), Threshold()], ids=lambda scheme: scheme.name)
def test_a_liar_that_is_not_asked_is_not_blamed(scheme):
    holders = scheme.trustees if isinstance(scheme, FairKeys) else scheme.agents
    with playing(scheme) as stage:
        room = Room(stage, holders[::-1])
        tried = room.tried(liar, 1)
        assert tried.yielded == tried.of > 0 and tried.blamed == set()
        tried = room.tried(liar, 2)
        assert tried.yielded == 0 and tried.blamed == set(holders[1:])


def test_mixed_failures_add_up():
    """One of five absent, one an epoch behind: three honest are enough; one more and they are not."""
    scheme = Threshold(t=3, n=5)
    with playing(scheme) as stage:
        room = Room(stage, scheme.agents)
        for kinds, yielded in (((absent, stale), True), ((absent, stale, liar), False)):
            by_name = dict(zip(scheme.agents, kinds, strict=False))
            tried = room.tried(lambda party, before, by=by_name: by[party.name](party, before), len(kinds))
            assert (tried.yielded == tried.of) is yielded
            assert tried.blamed == set(scheme.agents[1 : len(kinds)])


def test_the_figure_counts_up_to_the_first_gap():
    assert [spare_holders._run_of(each) for each in ([], [0], [0, 1, 3], [1, 2])] == [-1, 0, 1, -1]


# --- properties ---


@pytest.mark.parametrize("prop", properties.PROPERTIES, ids=lambda prop: prop.name)
@pytest.mark.parametrize("scheme", [Threshold(t=3, n=5, generation="joint-feldman"), Threshold(every=0)], ids=str)
def test_other_parameters_have_the_properties_too(scheme, prop):
    assert prop.broken(scheme, settings(properties.QUICK, max_examples=4), results(scheme)) == ""


def test_an_authority_that_was_told_no_agents_believes_nobody():
    assert not KnownSharings().takes("agent-1", World().sharing)
