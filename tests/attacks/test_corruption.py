"""A corrupted official evaluates no check, so that a check that raises does not stop it."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import pytest

from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import Scenario, default
from escrow import codec
from escrow.derivation import Checks
from escrow.errors import Forged
from escrow.principal import Principal, corrupted
from escrow.scheme import Intercept, Scheme, User
from escrow.schemes.envelope import AgentKey, Envelope, EnvelopeAgent, EnvelopeScheme
from escrow.testing.harness import Step, playing
from escrow.warrant import Authority, Order, Warrant
from escrow.wire import Wire


class RaisingAgent(EnvelopeAgent):
    """An agent whose check raises: it takes a promise for mathematics."""

    def checks(self, secret: AgentKey, warrant: Warrant, subject: Envelope) -> Checks:
        if not warrant.signed_by(secret.court):
            raise Forged("the court did not sign this")
        yield from super().checks(secret, warrant, subject)


class RaisingScheme(EnvelopeScheme, frozen=True, kw_only=True):
    """The specimen: `envelope` with that agent."""

    name = "raising"

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        for party in super().cast(users, court):
            yield RaisingAgent(party.name, party.key) if isinstance(party, EnvelopeAgent) else party


class UnsignedWarrants(Attack):
    """Authority and agent are corrupted; the authority asks for everything under warrants that nobody signed."""

    name = "unsigned-warrants"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        return [Turn("agent", 0), Turn("authority", 0)]

    def each_evening(self, party: Principal, scheme: Scheme, wire: Wire, intercepted: Sequence[Intercept]) -> None:
        if isinstance(party, Authority):
            for _ in scheme.access(party, wire, unsigned(party, "alice"), intercepted):
                pass  # the text is in the archive


class Evaluating(UnsignedWarrants):
    """The same with parties that go on where a check fails, and still evaluate it."""

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        return corrupted(party, insist_all=Principal.insist_all)


def unsigned(authority: Authority, target: str) -> Warrant:
    """A warrant for everything of one person, without a signature."""
    order = Order("unsigned", authority.key.public, target, 0, 9, "content", bytes(32), 0, 9, bytes(16))
    return Warrant(order, bytes(64))


def archived(scheme: Scheme, attack: Attack) -> set[bytes]:
    """The texts in the authority's archive after the last evening."""
    authority = play(scheme, SCENARIO, attack).party("authority", SCENARIO.days - 1)
    assert isinstance(authority, Authority)
    return {text.body for text in authority.archive}


SCENARIO = msgspec.structs.replace(default(users=3, groups=0, days=3, messages=12), warrants=())


def test_an_active_attack_gets_the_same_answers_whether_a_check_raises_or_not() -> None:
    sent = {said.body for said in play(RaisingScheme(), SCENARIO).sent}
    assert archived(RaisingScheme(), UnsignedWarrants()) == archived(EnvelopeScheme(), UnsignedWarrants()) == sent


def test_a_party_that_evaluates_its_checks_is_stopped_by_the_specimen_alone() -> None:
    assert archived(EnvelopeScheme(), Evaluating())
    assert not archived(RaisingScheme(), Evaluating())


def test_the_honest_agent_raises_and_the_corrupted_one_answers() -> None:
    with playing(RaisingScheme()) as harness:
        harness.play([Step("say", "alice-phone", "bob")])
        parties, authority = harness.wire.parties, corrupted(harness.authority)
        intercept, *_ = harness.intercepted()
        field = codec.decode(intercept.mail.field, Envelope)
        with pytest.raises(Forged, match="the court did not sign this"):
            authority.ask(harness.wire, "agent", unsigned(authority, "alice"), field)
        parties["agent"] = Attack().corrupt(parties["agent"], RaisingScheme(), Cast((), ()), SCENARIO)
        answer = authority.ask(harness.wire, "agent", unsigned(authority, "alice"), field)
        assert answer.to == authority.key.agreement.public
