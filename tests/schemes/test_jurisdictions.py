"""Several governments: what each opens, across its border too, what one more costs, and who is told of a bad key."""

import pytest
from hypothesis import Phase, settings
from kit import PROPERTY

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.analysis import Analysis
from escrow import codec
from escrow.crypto import new_private
from escrow.errors import EscrowError, Refused
from escrow.primitives.hpke import seal
from escrow.schemes import jurisdictions
from escrow.schemes.envelope import SCHEME as ENVELOPE
from escrow.schemes.jurisdictions import (
    SCHEME,
    GovernmentAgent,
    GovernmentPublishes,
    JointDevice,
    JointField,
    SeveralGovernments,
)
from escrow.testing.harness import Step, playing

SCENARIO = small()
HOME = {user.name: f"agent-{number % SCHEME.n + 1}" for number, user in enumerate(SCENARIO.users)}


def opened(scheme):
    """By agent: the texts that its stolen key opens, as the sets of people who are in their conversations."""
    record = play(scheme, SCENARIO)
    people = {sent.id: frozenset(sent.people) for sent in record.sent}
    analysis, last = Analysis(scheme, record, ()), SCENARIO.days - 1
    return {
        agent: [people[text] for text in analysis.opened_by([Seizure(agent, (last,))])]
        for agent in sorted(set(HOME.values()))
    }, list(people.values())


def test_any_one_governments_key_opens_the_texts_of_all_countries_where_each_gets_a_part():
    read, every = opened(SCHEME)
    assert all(len(texts) == len(every) for texts in read.values())


def test_a_governments_key_opens_its_residents_texts_and_no_others_where_only_their_governments_get_a_part():
    read, every = opened(SeveralGovernments(parts="residents"))
    for agent, texts in read.items():
        assert len(texts) == sum(any(HOME[name] == agent for name in people) for people in every)
        assert 0 < len(texts) < len(every)


@pytest.mark.parametrize("n", [1, 3, 10, 27])
def test_a_government_more_costs_eighty_bytes_of_seal(n):
    with playing(SeveralGovernments(n=n)) as harness:
        harness.play([Step("say", "bob-phone", "alice")])
        field = codec.decode(harness.intercepted()[0].mail.field, JointField)
        assert [len(part.ephemeral + part.sealed) for part in field.parts] == [80] * n
        assert len(seal(field.ephemeral, bytes(32))) == 80


@pytest.mark.parametrize(
    ("sender", "reason"),
    [("provider", "an agent publishes its key"), ("agent-1", "a key that was published does not change")],
)
def test_a_client_seals_to_the_key_that_each_agent_published_first(sender, reason):
    with playing(SCHEME) as harness:
        bob = harness.wire.party("bob-phone", JointDevice)
        before = dict(bob.agents)
        with pytest.raises(Refused, match=reason):
            harness.wire.ask(sender, bob.name, GovernmentPublishes(new_private().public), type(None))
        assert bob.agents == before and "agent-1" in before


@pytest.mark.parametrize(("asked", "opens"), [("residents", 0), ("anybody", 1)])
def test_an_agent_answers_about_its_residents_only_if_it_says_so(asked, opens):
    with playing(SeveralGovernments(asked=asked)) as harness:
        agents = [name for name in harness.wire.parties if name.startswith("agent-") and name != HOME["alice"]]
        for name in [HOME["alice"], *agents[1:]]:
            del harness.wire.parties[name]
        harness.play([Step("say", "bob-phone", "alice")])
        warrant = harness.served("alice")
        assert len(harness.access(warrant, harness.intercepted())) == opens


def test_a_key_that_nothing_can_be_sealed_to_is_named_and_keeps_no_other_government_from_reading():
    with playing(SCHEME) as harness:
        device = harness.wire.party("bob-phone", JointDevice)
        device.agents.pop("agent-2")
        with pytest.raises(EscrowError, match="small order"):
            harness.wire.ask("agent-2", "bob-phone", GovernmentPublishes(bytes(32)), type(None))
        assert [alarm.check for alarm in harness.wire.alarms] == ["agent-2: nothing can be sealed to its key"]
        harness.play([Step("say", "bob-phone", "alice")])
        assert len(codec.decode(harness.intercepted()[0].mail.field, JointField).parts) == SCHEME.n - 1


def test_a_key_that_a_government_published_does_not_change():
    with playing(SCHEME) as harness:
        before = harness.wire.party("bob-phone", JointDevice).agents["agent-2"]
        other = new_private().public
        with pytest.raises(Refused, match="does not change"):
            harness.wire.ask("agent-2", "bob-phone", GovernmentPublishes(other), type(None))
        assert harness.wire.party("bob-phone", JointDevice).agents["agent-2"] == before


def test_an_agent_with_anothers_key_keeps_no_government_from_reading():
    with playing(SCHEME) as harness:
        device = harness.wire.party("bob-phone", JointDevice)
        device.agents["agent-2"] = device.agents[HOME["alice"]]
        harness.play([Step("say", "bob-phone", "alice")])
        warrant = harness.served("alice")
        assert len(harness.access(warrant, harness.intercepted())) == 1


def test_a_field_with_a_part_for_nobody_is_said_of_its_sender():
    with playing(SCHEME) as harness:
        harness.wire.party("bob-phone", JointDevice).agents.clear()
        harness.play([Step("say", "bob-phone", "alice")])
        warrant = harness.served("alice")
        assert harness.access(warrant, harness.intercepted()) == set()
        assert (0, "bob-phone", "Forged: its field has a part for nobody") in harness.wire.refusals


PLANTED = [
    (
        "a bad key stops nobody else",
        "agent-1 has a key that is a colleague's: alice-phone misses a text",
        (JointDevice, "_readers", lambda device, people: sorted(device.agents.values())),
    ),
    ("a field is bound", "with `parts`", (JointField, "tagged", lambda field, key: b"")),
    ("a field is bound", "with `n`", (JointField, "context", lambda field: codec.encode(field.chain))),
    ("who has no business is not heeded", "heeds a packet of", (JointDevice, "insist", lambda *_: None)),
    ("no valid warrant no text", "under a forged signature", (GovernmentAgent, "insist_all", lambda *_: None)),
]


@pytest.mark.parametrize(("prop", "says", "line"), PLANTED)
def test_the_property_kit_catches_a_fault_that_is_planted(prop, says, line, monkeypatch):
    how = settings(settings(), phases=[Phase.generate])
    assert not PROPERTY[prop].broken(SCHEME, how)
    monkeypatch.setattr(*line)
    found = PROPERTY[prop].broken(SCHEME, how)
    assert found and says in found


def test_more_governments_than_are_known_are_refused():
    with pytest.raises(ValueError, match="1 to 27"):
        SeveralGovernments(n=jurisdictions.MOST + 1)
    assert ENVELOPE.family == SCHEME.family
