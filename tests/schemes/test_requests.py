"""Properties of requests: nothing is read before the requester is known; a request may be about several facts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from attacks.lab.runs.conformance import Trial
from attacks.lab.simulation.play import play
from attacks.registry import attacks
from escrow import codec
from escrow.crypto import new_signing_key, sha256, verify
from escrow.errors import Malformed, Refused, Unreachable
from escrow.schemes.envelope import SCHEME, EnvelopeAgent
from escrow.testing.harness import playing
from escrow.warrant import Authority, AuthorityKey, issue
from escrow.wire import Wire
from tests.support.official_checks import BRIEF, SIZES, analysed, forget_schemes, opened_by, scheme_with

ABOVE = '''
class RegistrarKey(SigningKey, frozen=True, dict=True):
    """The registrar's Ed25519 key pair."""


class Approval(Fact, frozen=True):
    """The registrar's signature (64 bytes) on a warrant."""

    signature: Public

    def fits(self, registrar: bytes, warrant: Warrant) -> bool:
        """Return whether the registrar signed the warrant."""
        return crypto.verify(registrar, self.signature, codec.encode(warrant))


@derivation("any key, any warrant")
def approve(key: RegistrarKey, warrant: Guard[Warrant]) -> Approval:
    """Sign a warrant."""
    return Approval(key.sign(codec.encode(warrant)))


class Registrar(Principal):
    """Approves what the authority shows."""

    key: RegistrarKey
'''
TWO_FACTS = {
    "field: TwofactField) -> Checks": "field: TwofactField, approval: Approval) -> Checks",
    "    court: Public\n": "    court: Public\n    registrar: Public\n",
    "def held(self, subject: TwofactField)": "def held(self, subject: TwofactField, approval: Approval)",
    "from escrow.codec import Public": "from escrow.codec import Fact, Public",
    "import Private, new_private": "import Private, SigningKey, new_private, new_signing_key",
    "import Checks, derivation, service": "import Checks, Guard, derivation, service",
    "            made = new_private()\n": '            made = new_private()\n        with crypto.acting("registrar"):\n'
    "            key = new_signing_key(RegistrarKey)\n        yield Registrar('registrar', key=key)\n",
    "made.raw, court))": "made.raw, court, key.public))",
    'authority.ask(wire, "custodian", warrant, field)': 'authority.ask(wire, "custodian", warrant, '
    '(field, approve(wire.party("registrar", Registrar).key, warrant)))',
}
CHECKS = """
yield from promises(key.court, warrant, field.people, field.day)
yield "approved", approval.fits(key.registrar, warrant)
"""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Let schemes of other tests have the same names."""
    yield
    forget_schemes()


def test_an_official_reads_nothing_of_a_request_that_its_authority_did_not_sign() -> None:
    record = play(SCHEME, SIZES)
    agent = record.party("agent", 2)
    assert isinstance(agent, EnvelopeAgent)
    wire = Wire([agent])
    wire.day = 2
    key = next(party.key for party in [record.party("authority", 2)] if isinstance(party, Authority))
    request = Authority("authority", key=key).request(record.warrants[0], b"no field at all")
    with pytest.raises(Malformed):
        agent.on_request("authority", request, wire)
    other = Authority("authority", key=new_signing_key(AuthorityKey)).request(record.warrants[0], b"no field at all")
    with pytest.raises(Refused, match="requester's signature"):
        agent.on_request("authority", msgspec.structs.replace(request, signature=other.signature), wire)


def test_a_request_may_be_about_several_facts_each_of_which_an_attacker_needs(tmp_path: Path) -> None:
    analysis = analysed(scheme_with(tmp_path, "twofact", CHECKS, ABOVE, TWO_FACTS), BRIEF)
    assert len(analysis.record.lawful) > 0
    assert analysis.record.refusals == ()
    assert opened_by(analysis, "court") == 0
    assert opened_by(analysis, "court", "registrar") == len(analysis.record.sent)
    assert analysis.adversary.refusals == ()


def test_an_official_that_answers_to_no_request_breaks_the_rules_property(tmp_path: Path) -> None:
    """The scheme has a second service, and nobody who offers it."""
    second = '''
@service(open_sealed_key, holder="key")
def night_desk(key: IdleKey, warrant: Warrant, field: IdleField) -> Checks:
    """Yield what nobody checks."""
    yield "never", warrant.signed_by(key.court)
    raise Forged("there is no night desk")


@derivation("answer.to = key.public")
'''
    replaced = {
        '@derivation("answer.to = key.public")\n': second.lstrip("\n"),
        "import EscrowError": "import EscrowError, Forged",
    }
    checks = "yield from promises(key.court, warrant, field.people, field.day)"
    idle = Trial(scheme_with(tmp_path, "idle", checks, replaced=replaced), list(attacks().values()))
    assert idle.uses_every_rule().startswith("never answered to a request: ")
    forget_schemes()
    sound = Trial(scheme_with(tmp_path, "busy", checks), list(attacks().values()))
    assert sound.uses_every_rule() == ""


def test_the_court_hands_no_warrant_to_an_authority_that_it_cannot_seal_to() -> None:
    with playing(SCHEME) as harness:
        warrant = harness.issued("alice")
        for unknown in ("nobody", "alice-phone"):
            with pytest.raises(Unreachable, match=f"no receiving key of {unknown}"):
                harness.court.serve(harness.wire, unknown, warrant)
        assert harness.authority.warrants == []


def test_what_is_signed_says_what_it_is():
    """No signature on an order or a request is one on something else."""
    with playing(SCHEME) as harness:
        order = harness.order("alice")
        warrant = issue(harness.court.key, order)
        request = harness.authority.request(warrant, b"subject")
        said = sha256(b"escrow-lab request", codec.encode(warrant), b"subject")
        assert verify(harness.authority.key.public, request.signature, said)
        assert verify(harness.court.key.public, warrant.signature, b"escrow-lab warrant" + codec.encode(order))
