"""Who hushes the notice, and whether the safety number hides the silent device: who reads and who notices, by hand.

In each play bob writes to alice before the silent device comes; then bob to alice, alice to bob and alice to carol, who
meets alice only now. The device reads the three later texts, whatever the parameters.
"""

import msgspec
import pytest

from attacks.lab.simulation.attack import attacker_device, entry_of
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.delivery import Messaging
from escrow.crypto import new_signing_key
from escrow.e2ee.contacts import compare_safety_numbers
from escrow.e2ee.x3dh import IdentityKey
from escrow.registry import with_parameters
from escrow.schemes.ghost import SCHEME, AskQuiet, GhostScheme, Quiet, quiet_told
from escrow.testing.harness import Step, playing
from escrow.warrant import Request

NOTICE, NUMBER = "a new device or key is shown", "safety number"
BEFORE = [Step("say", "bob-phone", "alice")]
AFTER = [Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob"), Step("say", "alice-phone", "carol")]
HUSHES, NUMBERS = ("court", "provider"), ("shown", "hidden")


def told(harness):
    """Who complained of what."""
    return sorted((alarm.who, alarm.check) for alarm in harness.wire.alarms)


def meet(harness):
    """Alice compares numbers with bob, then with carol: whether they agree."""
    alice = harness.device("alice-phone")
    return [compare_safety_numbers(harness.wire, alice, harness.device(name)) for name in ("bob-phone", "carol-phone")]


@pytest.mark.parametrize("hush", HUSHES)
@pytest.mark.parametrize("number", NUMBERS)
def test_the_law_reads_as_much_and_only_a_number_that_is_shown_tells_of_it(hush, number):
    with playing(with_parameters(SCHEME, [f"ghost.hush={hush}", f"ghost.number={number}"])) as harness:
        harness.play(BEFORE)
        warrant = harness.served("alice")
        harness.play(AFTER)
        assert harness.access(warrant, []) == {said.body for said in harness.said[1:]}
        assert told(harness) == []
        assert meet(harness) == [number == "hidden"] * 2
        both = sorted([("alice-phone", NUMBER)] * 2 + [("bob-phone", NUMBER), ("carol-phone", NUMBER)])
        assert told(harness) == ([] if number == "hidden" else both)


@pytest.mark.parametrize("hush", HUSHES)
@pytest.mark.parametrize("number", NUMBERS)
def test_an_insider_is_hidden_by_the_providers_word_and_not_by_a_courts_signature(hush, number):
    """Bob knew alice's devices, and alice's own clients know theirs; carol takes the first list for true."""
    with playing(GhostScheme(hush=hush, number=number)) as harness:
        harness.play(BEFORE)
        rogue = attacker_device("alice-tablet", "alice", SCHEME.device)
        harness.provider.add("alice-tablet", entry_of(rogue, SCHEME.provider))
        harness.play(AFTER)
        assert "alice-tablet" in harness.device("bob-phone").sessions  # who is told of it, sends to it all the same
        # ... but not its owner, whose own clients send only to what was linked or is hidden: so an insider reads more
        assert ("alice-tablet" in harness.device("alice-phone").sessions) == (hush == "provider")
        noticing = [(name, NOTICE) for name in ("alice-laptop", "alice-phone", "bob-phone")]
        found = set(told(harness))
        assert found == (set(noticing) if hush == "court" else set())
        assert meet(harness) == [(hush, number) == ("provider", "hidden")] * 2


def test_the_providers_word_hides_no_new_key_of_a_known_device():
    with playing(GhostScheme(hush="provider", number="hidden")) as harness:
        harness.play(BEFORE)
        provider = harness.provider
        entry = provider.directory["alice-phone"]
        false = msgspec.structs.replace(entry, identity=new_signing_key(IdentityKey).public)
        provider.add("alice-phone", false)
        harness.device("bob-phone").look_up(harness.wire, "alice")
        assert told(harness) == [("bob-phone", NOTICE)]


@pytest.mark.parametrize("hush", HUSHES)
def test_a_client_reads_the_warrant_only_where_a_court_hushes(hush):
    with playing(GhostScheme(hush=hush)) as harness:
        harness.play(BEFORE)
        harness.served("alice", 0, 2)
        harness.play(AFTER)
        (name,) = harness.provider.haunted
        bob = harness.device("bob-phone")
        answers = [harness.wire.ask(bob.name, bob.provider, AskQuiet(each), Quiet).answer for each in (name, "other")]
        said = quiet_told(answers[0], bob.identity)
        assert said == 2 if hush == "provider" else isinstance(said, Request)
        assert quiet_told(answers[1], bob.identity) is None
        assert len({len(each.sealed) for each in answers}) == 1


@pytest.mark.parametrize("hush", HUSHES)
def test_a_device_that_the_providers_word_hid_is_gone_when_its_warrant_ends(hush):
    with playing(GhostScheme(hush=hush, number="hidden")) as harness:
        harness.play(BEFORE)
        harness.served("alice", 0, 1)
        harness.play(AFTER)
        harness.take(Step("day"))
        harness.take(Step("day"))
        harness.play(AFTER)
        assert not harness.provider.haunted.keys() & harness.provider.directory and not harness.provider.hushed
        assert harness.device("bob-phone").quiet == [] and told(harness) == [] and meet(harness) == [True, True]


@pytest.mark.parametrize("number", NUMBERS)
def test_in_a_play_two_users_who_meet_notice_the_law_only_where_the_number_is_shown(number):
    alarms = Messaging(play(GhostScheme(number=number), small())).alarms
    assert {alarm.check for alarm in alarms} == ({NUMBER} if number == "shown" else set())
