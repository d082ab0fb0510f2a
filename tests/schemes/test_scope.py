"""A warrant for traffic data or the subscriber's data opens no text, and what that check is worth is counted."""

import msgspec
import pytest

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.simulation.scenario import WarrantSpec, default
from attacks.lab.verdict.delivery import Messaging
from attacks.lab.verdict.evaluation import Evaluation
from escrow import codec, registry
from escrow.e2ee.policing import field_type
from escrow.errors import Malformed
from escrow.principal import corrupted
from escrow.testing.harness import Step, playing
from escrow.warrant import Order, Request, Warrant, issue

SCHEMES = {name: scheme for name, scheme in registry.schemes().items() if scheme.claim.access != "none"}
FIELDS = [name for name, scheme in SCHEMES.items() if scheme.opens_fields]
TALK = (Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob"))


def yielded(scheme, scope, careless):
    """The number of texts that a warrant of this scope gives an authority, which asks in any case if it is careless."""
    with playing(scheme) as harness:
        if careless:
            harness.wire.parties["authority"] = corrupted(harness.authority)
        warrant = issue(harness.court.key, msgspec.structs.replace(harness.order("alice"), scope=scope))
        harness.serve(warrant)
        harness.play(TALK)
        return len(harness.access(warrant, harness.intercepted()))


@pytest.mark.parametrize("careless", [False, True], ids=["honest authority", "careless authority"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_only_a_warrant_for_content_opens_content(scheme, careless):
    opened = {scope: yielded(SCHEMES[scheme], scope, careless) for scope in ("content", "traffic data", "subscriber")}
    assert opened == {"content": 2, "traffic data": 0, "subscriber": 0}


@pytest.mark.parametrize("careless", [False, True], ids=["honest authority", "careless authority"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scope_that_nobody_knows_opens_nothing(scheme, careless):
    assert yielded(SCHEMES[scheme], "no content", careless) == 0


def test_an_order_of_unknown_scope_does_not_decode():
    with playing(SCHEMES["envelope"]) as harness:
        order = msgspec.structs.replace(harness.order("alice"), scope="everything")
        warrant = Warrant(order, bytes(64))
        for fact, kind in ((order, Order), (warrant, Warrant), (Request(warrant, b"", b""), Request)):
            with pytest.raises(Malformed, match="Invalid enum value 'everything'"):
                codec.decode(codec.encode(fact), kind)


@pytest.mark.parametrize("changed", [{"scope": "traffic data"}, {"target": "carol"}, {"first": 5}], ids=str)
@pytest.mark.parametrize("scheme", FIELDS)
def test_an_authority_does_not_ask_for_what_its_warrant_does_not_cover(scheme, changed):
    with playing(SCHEMES[scheme]) as harness:
        warrant = issue(harness.court.key, msgspec.structs.replace(harness.order("alice"), **changed))
        harness.play(TALK)
        before = len(harness.wire.heard)
        harness.access(warrant, harness.intercepted())
        assert len(harness.wire.heard) == before


@pytest.mark.parametrize("scheme", FIELDS)
def test_a_pass_counts_what_opens_if_the_scope_is_not_checked(scheme):
    base = default(users=3, groups=1, days=4, messages=16)
    warrants = (WarrantSpec("bob", 0, 3, 0, 4, "traffic data"),)
    evaluation = Evaluation(SCHEMES[scheme], (), msgspec.structs.replace(base, warrants=warrants))
    analysis, messaging = evaluation.analysis, Messaging(evaluation.record)
    assert messaging.entitled == messaging.lawful == frozenset()
    authority = [Seizure("authority")]
    bobs = {sent.id for sent in evaluation.record.sent if "bob" in sent.people}
    assert bobs
    assert analysis.opened_by(authority, "served") == frozenset()
    assert analysis.opened_by(authority, "without scope") >= bobs


@pytest.mark.parametrize("scheme", FIELDS)
def test_a_field_that_opens_nothing_hides_no_other_text(scheme):
    with playing(SCHEMES[scheme]) as harness:
        warrant = harness.served("alice")
        harness.play(TALK)
        heard = harness.intercepted()
        field = codec.decode(heard[0].mail.field, field_type(SCHEMES[scheme].device.access_field))
        relabelled = codec.encode(msgspec.structs.replace(field, n=field.n + 7))
        mail = msgspec.structs.replace(heard[0].mail, field=relabelled)
        spoilt = [msgspec.structs.replace(heard[0], mail=mail), *heard[1:]]
        assert harness.said[1].body in harness.access(warrant, spoilt)
        assert harness.wire.refusals
