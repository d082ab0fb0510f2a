"""Negotiated access fields: an honest relay changes nothing, a lying one is believed unless peers sign."""

import msgspec
import pytest

from attacks.downgrade import ATTACK
from attacks.lab.simulation.play import cast_of, play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.evaluation import Evaluation
from escrow import crypto, registry
from escrow.crypto import new_signing_key
from escrow.e2ee.listing.modes import AskMode, SpokenMode
from escrow.e2ee.provider import Listed
from escrow.e2ee.x3dh import IdentityKey
from escrow.errors import Refused
from escrow.principal import corrupted
from escrow.testing.harness import playing

SCENARIO = default(users=3, groups=1, days=4, messages=16)


def negotiated(name, modes):
    return msgspec.structs.replace(registry.schemes()[name], modes=modes)


@pytest.mark.parametrize("modes", ["offered", "signed"])
def test_an_honest_relay_changes_nothing_of_what_the_law_reads(modes):
    plain, other = (Messaging(play(negotiated("envelope", each), SCENARIO)) for each in ("all", modes))
    assert (other.entitled & other.delivered, other.evaded) == (plain.entitled & plain.delivered, plain.evaded)
    assert not other.record.alarms


@pytest.mark.parametrize("name", ["envelope", "split-key"])
def test_a_relay_that_denies_the_mode_of_all_takes_everything_from_the_law_unless_peers_sign(name):
    offered, signed = (
        Evaluation(negotiated(name, modes), [ATTACK], SCENARIO).cell(ATTACK)[0] for modes in ("offered", "signed")
    )
    assert offered.unkept > 0 == offered.complaints
    assert signed.unkept == 0 < signed.complaints


def test_it_says_why_where_nothing_is_negotiated():
    for scheme in registry.schemes().values():
        assert ATTACK.applies(scheme, cast_of(scheme, SCENARIO)).startswith("nothing is negotiated")
        break


@pytest.mark.parametrize(
    ("signer", "day", "escrows", "makes_a_field"),
    [("own", 0, False, False), ("own", 1, False, True), ("another", 0, False, True), ("own", 0, True, True)],
)
def test_only_a_denial_of_today_that_the_recipients_key_signed_is_believed(signer, day, escrows, makes_a_field):
    with playing(negotiated("envelope", "signed")) as harness:
        bob, alice = harness.device("bob-phone"), harness.device("alice-phone")
        key = bob.identity if signer == "own" else new_signing_key(IdentityKey)
        said = SpokenMode(bob.name, escrows, day)
        told = msgspec.structs.replace(said, signature=key.sign(said.said()))
        harness.wire.parties["provider"] = corrupted(harness.wire.parties["provider"], on_ask_mode=lambda *_: told)
        listed = Listed(bob.user, bob.name, bob.identity.public)
        with crypto.acting(alice.name):
            assert alice.escrows_to(harness.wire, listed) == makes_a_field
        assert bool(harness.wire.alarms) == (not escrows and makes_a_field)


def test_a_device_speaks_for_itself_only():
    with playing(negotiated("envelope", "offered")) as harness, pytest.raises(Refused, match="speaks for itself"):
        harness.wire.ask("alice-phone", "provider", SpokenMode("bob-phone", False, 0), type(None))
    with playing(negotiated("envelope", "offered")) as harness:
        told = harness.wire.ask("alice-phone", "provider", AskMode("bob-phone"), SpokenMode)
        assert told.escrows
