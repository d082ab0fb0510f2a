"""Fields by request: none without one, an unsigned one is believed where the relay's word is, and no other is."""

import msgspec
import pytest

from attacks.forced_escrow import ATTACK
from attacks.lab.simulation.play import cast_of
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.evaluation import Evaluation
from attacks.specimens.asked_modes import SPECIMEN, TWIN
from escrow import crypto, registry
from escrow.crypto import new_signing_key
from escrow.e2ee.listing.modes import SpokenMode
from escrow.e2ee.provider import Listed
from escrow.e2ee.x3dh import IdentityKey
from escrow.principal import corrupted
from escrow.testing.harness import Step, playing

SCENARIO = default(users=3, groups=1, days=4, messages=16)


@pytest.mark.parametrize("scheme", [SPECIMEN, TWIN], ids=lambda each: each.name)
def test_nobody_asks_and_no_text_has_a_field(scheme):
    with playing(scheme) as harness:
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "choir")])
        assert harness.intercepted()
        assert not any(each.mail.field for each in harness.intercepted())
        assert not harness.wire.alarms


def test_a_relay_that_lies_about_all_has_officials_open_everything_unless_peers_sign():
    open_, signed = (Evaluation(each, [ATTACK], SCENARIO).cell(ATTACK)[0] for each in (SPECIMEN, TWIN))
    assert (open_.verdict, open_.excluded, open_.complaints) == ("BREACH", SCENARIO.messages, 0)
    assert (signed.verdict, signed.excluded) == ("HELD", 0)
    assert signed.complaints > 0


def test_what_is_claimed_of_the_targets_gives_texts_to_them():
    one = ATTACK.strategies(cast_of(SPECIMEN, SCENARIO), SCENARIO)[0]
    cell = Evaluation(SPECIMEN, [one], SCENARIO).cell(one)[0]
    assert 0 < cell.excluded < SCENARIO.messages


@pytest.mark.parametrize(
    ("signer", "day", "makes_a_field"), [("own", 0, True), ("own", 1, False), ("another", 0, False)]
)
def test_only_a_request_of_today_that_the_recipients_key_signed_is_believed(signer, day, makes_a_field):
    with playing(TWIN) as harness:
        bob, alice = harness.device("bob-phone"), harness.device("alice-phone")
        said = SpokenMode(bob.name, True, day)
        key = bob.identity if signer == "own" else new_signing_key(IdentityKey)
        told = msgspec.structs.replace(said, signature=key.sign(said.said()))
        harness.wire.parties["provider"] = corrupted(harness.wire.parties["provider"], on_ask_mode=lambda *_: told)
        with crypto.acting(alice.name):
            assert alice.escrows_to(harness.wire, Listed(bob.user, bob.name, bob.identity.public)) == makes_a_field
        assert bool(harness.wire.alarms) is not makes_a_field


def test_it_says_why_where_no_client_asks():
    scheme = registry.schemes()["envelope"]
    for modes in ("all", "offered", "signed"):
        other = scheme.replaced(modes=modes)
        assert "no client asks for a field" in ATTACK.applies(other, cast_of(other, SCENARIO))


def test_with_an_honest_provider_the_law_reads_nothing():
    record = Evaluation(SPECIMEN, [ATTACK], SCENARIO).honest
    assert isinstance(record, Messaging)
    assert not record.lawful
