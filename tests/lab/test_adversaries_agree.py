"""The closure, the puppets and the bytes agree; where one of them is made to err, the others say so."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks import registry
from attacks.lab.crosscheck import compare as agreeing
from attacks.lab.crosscheck.compare import BORROWED, EVENINGS, HALVES, IN_THE_OPEN, OWN_CHAIN, UNUSED, agree
from attacks.lab.crosscheck.puppets import Puppets, recorded_answers
from attacks.lab.crosscheck.two_plays import TwoPlays
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict import analysis as analysing
from attacks.lab.verdict.analysis import Analysis
from escrow import registry as schemes
from escrow.e2ee import ratchet, sender_keys
from escrow.schemes import envelope, ghost, plain, split_key
from escrow.schemes.clipper import scheme as clipper
from escrow.wire import Heard
from tests.support.misplaced import BlurterScheme, HoarderScheme, SternScheme

ATTACKS = tuple(registry.attacks().values())
SCHEMES = {module.SCHEME.name: module.SCHEME for module in (plain, envelope, split_key, ghost, clipper)}
LONG = os.environ.get("ESCROW_LAB_PROFILE") == "long"
TRIED = [*schemes.schemes().values()] if LONG else [plain.SCHEME, envelope.SCHEME, ghost.SCHEME, clipper.SCHEME]
SMALL = default(users=4, days=5, messages=16)


def compare(scheme, scenario=SMALL, attack=None):
    return agree(analysed(scheme, scenario, attack))


def analysed(scheme, scenario=SMALL, attack=None):
    plays = TwoPlays(scheme, scenario, attack)
    return Analysis(scheme, plays.record, ATTACKS, door=plays)


BORDER = {
    "plain": {"authority, court, provider"},
    "envelope": {"agent@0", "authority@4", "court, provider"},
    "split-key": {"agent-1@0, agent-2@0", "authority@4", "agent-1, court, dealer, provider"},
    "ghost": {"authority@3", "court, provider"},
    "clipper": {
        "programmer@0",
        "agent-1@0, agent-2@0, programmer@0",
        "agent-1@0, agent-2@0, carol-phone@0",
        "agent-1, agent-2, court, provider",
    },
}
POOLED = {"clipper"}  # where agents have halves, a phone has the family key, and no party's code takes both


@pytest.mark.parametrize("name", SCHEMES)
def test_adversaries_agree_on_every_border_coalition(name):
    found = compare(SCHEMES[name], SMALL if name == "split-key" else default(messages=60))
    assert found.failures == ()
    assert BORDER[name] <= set(found.checked)
    assert found.closure_only[OWN_CHAIN] and found.closure_only[EVENINGS]
    assert bool(found.closure_only[HALVES]) == (name in POOLED)
    assert not any(found.closure_only[kind] for kind in (IN_THE_OPEN, BORROWED, UNUSED)) and found.notes == ()


sizes = st.builds(
    default,
    users=st.integers(3, 5),
    groups=st.integers(0, 2),
    days=st.integers(1, 7),
    messages=st.integers(1, 50),
    seed=st.integers(0, 2**32),
)


@st.composite
def scenarios(draw):
    scenario = draw(sizes)
    some = st.lists(st.sampled_from(scenario.devices), max_size=3, unique=True).map(tuple)
    return msgspec.structs.replace(
        scenario,
        lossy=draw(some),
        without_one_time=draw(some),
        late_percent=draw(st.sampled_from([0, 10, 50])),
        rotate_every=draw(st.integers(1, 4)),
        keep_prekeys=draw(st.integers(0, 3)),
    )


@settings(max_examples=200 if LONG else 8, deadline=None)
@given(
    scenarios(),
    st.sampled_from(TRIED),
    st.randoms(use_true_random=False),
)
def test_adversaries_agree_in_any_scenario_on_any_coalition(scenario, scheme, random):
    """The short run leaves out the slow schemes: `ESCROW_LAB_PROFILE=long` tries all."""
    analysis = analysed(scheme, scenario)
    states = [(name, evening) for name in analysis.record.states for evening in range(scenario.days)]
    drawn = (random.sample(states, min(len(states), random.randint(2, 5))) for _ in range(5))
    assert agree(analysis, [tuple(sorted(each)) for each in drawn]).failures == ()


@pytest.mark.parametrize("name", ["court-key-theft", "warrant-misuse", "prekey-substitution", "ghost-insertion"])
def test_adversaries_agree_on_plays_of_active_attacks(name):
    attack = registry.attacks()[name]
    assert compare(ghost.SCHEME if name == "ghost-insertion" else envelope.SCHEME, SMALL, attack).failures == ()


@pytest.mark.parametrize("name", ["rogue-leaf", "leaf-feedback"])
def test_adversaries_agree_on_plays_of_rogues_with_chips(name):
    found = compare(clipper.SCHEME, SMALL, registry.attacks()[name])
    assert found.failures == () and not found.closure_only[BORROWED]


def test_a_chip_opens_what_another_sent_under_its_leaf_and_that_it_is_the_same_leaf_is_seen_in_the_bytes(monkeypatch):
    """No device tries its unit key on mail that it did not send; the closure does, and opens what frames its owner."""
    squeeze, scenario = registry.attacks()["squeeze"], default(messages=60)
    analysis = analysed(clipper.SCHEME, scenario, squeeze)
    found = agree(analysis)
    assert found.failures == () and found.closure_only[BORROWED]
    monkeypatch.setattr(agreeing, "FINGERPRINT", 17)  # longer than a LEAF
    unseen = agree(analysis)
    assert not unseen.closure_only[BORROWED]
    assert all(said.startswith("carol-phone@") for said in unseen.failures) and unseen.failures


# --- the second and third adversary by themselves ---


def test_puppets_and_the_record_of_the_door_share_no_code_with_the_closure():
    names = ("puppets", "two_plays", "consequences", "strings.overlaps")
    code = f"import sys, {', '.join(f'attacks.lab.crosscheck.{name}' for name in names)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "attacks.lab.crosscheck.puppets" in loaded
    assert not [name for name in loaded if name.startswith(("attacks.lab.adversary.local", "attacks.lab.verdict"))]


def test_puppets_serve_a_request_that_nobody_signed():
    record = play(envelope.SCHEME, SMALL)
    assert Puppets(envelope.SCHEME, record).opened([("agent", 0)]) == {sent.id for sent in record.sent}


def test_a_seized_authority_opens_recorded_answers_whenever_it_was_seized():
    record = play(split_key.SCHEME, SMALL)
    ids = {sent.body: sent.id for sent in record.sent}
    lawful = {ids[text.body] for text in record.lawful}
    assert lawful
    puppets = Puppets(split_key.SCHEME, record)
    assert puppets.opened([("authority", 0)]) == puppets.opened([("authority", 4)]) == lawful
    assert puppets.opened([("agent-1", 0), ("agent-1", 4), ("agent-2", 2)]) == set(ids.values())
    assert puppets.opened([("agent-1", evening) for evening in range(5)]) == frozenset()


def test_a_recorded_answer_is_the_next_packet_back_unless_another_request_came_first():
    packets = [(b"1", "ab"), (b"2", "ab"), (b"two", "ba"), (b"2", "ab"), (b"again", "ba"), (b"4", "cb")]
    found = recorded_answers(Heard(0, *way, data) for data, way in packets)
    assert {key: found[key] for key in found if key[0] == "a"} == {("a", "b", b"2"): b"two"}
    assert ("c", "b", b"4") not in found


# --- each adversary catches what another was made to miss ---


@pytest.mark.parametrize(
    ("scheme", "rule", "who"),
    [
        (envelope.SCHEME, sender_keys.open_sender_message, "agent@set-up"),
        (envelope.SCHEME, envelope.open_message_key, "authority@set-up"),
        (ghost.SCHEME, ratchet.exchange_as_a, "authority@3"),
        (plain.SCHEME, sender_keys.sender_step, "bob-phone@0"),
    ],
)
def test_a_missing_derivation_is_noticed_by_the_puppets(monkeypatch, scheme, rule, who):
    every = analysing.rules_of
    monkeypatch.setattr(
        analysing, "rules_of", lambda *of: tuple(each for each in every(*of) if each is not rule.__rule__)
    )
    found = compare(scheme, default(messages=60) if scheme is ghost.SCHEME else SMALL)
    assert any(said.startswith(f"{who}: puppets opened what the closure did not") for said in found.failures)


def test_a_promise_written_as_mathematics_is_noticed():
    found = compare(SternScheme())
    assert any(said.startswith("agent@set-up: the closure opened what the puppets did not") for said in found.failures)
    assert compare(envelope.SCHEME).failures == ()


def specimen(name):
    """Comparison of a broken scheme. A global here would mix its types with those of this module's own schemes."""
    from attacks.specimens import control_scenario

    return compare(registry.specimens()[name], control_scenario())


def test_a_secret_that_its_holders_code_never_uses_is_noticed():
    found, sound = specimen("spare-key"), specimen("no-spare-key")
    assert found.notes[0].startswith("authority@set-up: rules open, by what is held there and no party's own code uses")
    assert found.closure_only[UNUSED] and not sound.closure_only[UNUSED]
    assert found.failures == () == sound.failures == sound.notes


def test_a_typed_key_on_the_wire_is_found_by_closure_and_bytes_without_puppets():
    found = specimen("key-in-clear")
    assert found.failures == () and found.closure_only[IN_THE_OPEN]
    assert not specimen("key-hashed").closure_only[IN_THE_OPEN]


def test_a_secret_hidden_in_loose_bytes_is_caught_by_the_bytes_alone():
    analysis = analysed(HoarderScheme())
    found = agree(analysis)
    assert found.failures and all("bytes open what no rule does" in said for said in found.failures)
    for name in ("alice-phone", "bob-laptop"):
        own = {sent.id for sent in analysis.record.sent if sent.device == name}
        assert own and own <= analysis.graph.lying([(name, 4)])


def test_a_key_on_the_wire_is_caught_by_the_bytes_with_nobody_seized():
    analysis = analysed(BlurterScheme())
    assert analysis.graph.lying(()) == {sent.id for sent in analysis.record.sent}
    assert agree(analysis).failures[0].startswith("nobody: ")


def test_an_analysis_without_the_record_of_the_door_is_not_compared():
    with pytest.raises(TypeError, match="record of the door"):
        agree(Analysis(plain.SCHEME, play(plain.SCHEME, SMALL), ATTACKS))
