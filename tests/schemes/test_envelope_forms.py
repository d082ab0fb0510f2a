"""Forms of `envelope`: who opens what, what the relay refuses, what is malformed, and faults that are planted."""

from collections import Counter

import pytest
from hypothesis import Phase, settings
from kit import ENVELOPE, PROPERTY
from msgspec.structs import replace
from over_pq import ClassicalOverPq, HybridOverPq

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.evidence.writing import verify, write
from attacks.lab.simulation.play import play
from attacks.lab.simulation.quantum import QUANTUM
from attacks.lab.simulation.scenario import small
from attacks.lab.verdict.analysis import Analysis
from attacks.lab.verdict.claims import Judge
from attacks.registry import attacks
from escrow import codec, registry
from escrow.errors import Forged, Refused
from escrow.primitives import group, kem
from escrow.principal import corrupted
from escrow.registry import UnknownName, with_parameters
from escrow.schemes._envelope import agencies, dealt, hybrid, several
from escrow.schemes._envelope.dealt import DealtEnvelope, DealtField
from escrow.schemes._envelope.several import AgencyDevice, AgencyField
from escrow.testing.harness import Step, playing
from escrow.warrant import promises

SCENARIO, LAST = small(), small().days - 1


def form(words):
    return with_parameters(ENVELOPE, [f"envelope.{each}" for each in words.split()])


FORMS = {  # what is asked for -> module, bytes of a field of alice's to bob
    "": "escrow.schemes.envelope",
    "n=3": "escrow.schemes._envelope.agencies",
    "n=3 t=2 policing=recipient": "escrow.schemes._envelope.agencies",
    "per=epoch days=2 n=2 policing=relay": "escrow.schemes._envelope.agencies",
    "kem=xwing committing=true": "escrow.schemes._envelope.hybrid",
    "kem=xwing n=2 t=2 policing=recipient": "escrow.schemes._envelope.hybrid",
    "kem=xwing per=epoch": "escrow.schemes._envelope.hybrid",
    "policing=publicly": "escrow.schemes._envelope.dealt",
    "policing=publicly n=5 t=3 committing=true": "escrow.schemes._envelope.dealt",
}


@pytest.mark.parametrize("words", FORMS)
def test_whatever_goes_together_works_and_is_stated_as_it_was_asked_for(words):
    scheme = form(words)
    assert type(scheme).__module__ == FORMS[words]
    stated = {name: str(value).lower() for name, value in registry.parameters(scheme).items()}
    assert stated == dict(each.split("=") for each in words.split())
    assert scheme.replaced() == scheme and scheme.usual() == ENVELOPE
    assert scheme.replaced(kem="x25519", n=1, t=1, per="message", days=1, policing="none", committing=False) == ENVELOPE
    with playing(scheme) as harness:
        warrant = harness.served("alice")
        steps = [
            Step("say", "alice-phone", "bob"),
            Step("say", "bob-phone", "choir"),
            Step("say", "bob-phone", "carol"),
        ]
        harness.play([*steps, Step("day"), *steps])
        theirs = {said.body for said in harness.said if "alice" in said.people}
        assert (harness.access(warrant, harness.intercepted()), harness.shown) == (theirs, harness.meant)
        assert not harness.wire.alarms and not harness.wire.refusals


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("kem=rsa", "it is one of x25519, xwing"),
        ("per=day", "it is one of message, epoch"),
        ("policing=everybody", "it is one of none, relay, recipient, publicly"),
        ("kem=xwing policing=publicly", "policing is one of none, relay, recipient"),
        ("per=epoch policing=recipient", "policing is one of none, relay"),
        ("per=epoch policing=publicly", "policing is one of none, relay"),
        ("per=epoch n=3 t=2", "per is message, or t is 1"),
        ("days=2", "1 with per=message"),
        ("per=epoch days=0", "1 or more with per=epoch"),
        ("n=3 t=4", "1 <= t <= n <= 27"),
        ("n=28", "1 <= t <= n <= 27"),
        ("q=3", "kem, n, t, per, days"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line_that_names_the_words(words, says):
    with pytest.raises(UnknownName) as refused:
        form(words)
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_other_schemes_are_not_policed_publicly_and_the_form_with_proofs_not_otherwise():
    for name, scheme in registry.schemes().items():
        if "policing" in scheme.parameter_types() and name != "envelope":
            with pytest.raises(UnknownName, match="policing is one of none, relay, recipient"):
                with_parameters(scheme, [f"{name}.policing=publicly"])
    with pytest.raises(ValueError, match="not with policing=none"):
        DealtEnvelope()


# --- who opens what ---


@pytest.fixture(scope="module")
def analysed():
    kept = {}

    def of(words):
        if words not in kept:
            scheme = form(words)
            kept[words] = Analysis(scheme, play(scheme, SCENARIO), [*attacks().values()])
        return kept[words]

    return of


def opened(analysis, *names):
    return analysis.opened_by([Seizure(name, (LAST,)) for name in names])


@pytest.mark.parametrize("words", ["n=3 t=2", "policing=publicly n=3 t=2", "kem=xwing n=3 t=2"])
def test_any_two_of_three_agencies_open_everything_and_one_opens_nothing(words, analysed):
    analysis = analysed(words)
    every = {sent.id for sent in analysis.record.sent}
    for one, other in (("agent-1", "agent-2"), ("agent-1", "agent-3"), ("agent-2", "agent-3")):
        assert opened(analysis, one) == opened(analysis, other) == frozenset()
        assert opened(analysis, one, other) == every


@pytest.mark.parametrize(("days", "more"), [(1, 0), (2, 3), (5, 6)])
def test_an_epochs_key_over_collects_exactly_the_epoch_of_its_sender(days, more, analysed):
    analysis = analysed(f"per=epoch days={days}")
    record, slot = analysis.record, analysis.scheme.claim.grants[-1].slot
    read = opened(analysis, "authority")
    judge = Judge(record, analysis.scheme.claim)
    assert read == {sent.id for sent in record.sent if judge._in_slot(slot, sent.id)}
    assert len(read) - len(opened(analysed(""), "authority")) == more
    assert len(opened(analysis, "agent")) == len(record.sent)


def test_a_phone_keeps_the_key_of_its_epoch_and_erases_it_when_that_is_over():
    with playing(form("per=epoch days=2")) as harness:
        harness.play([Step("say", "alice-phone", "bob")])
        device, kept = harness.wire.party("alice-phone", AgencyDevice), []
        for _ in range(3):
            kept.append(device.epoch is not None)
            harness.take(Step("day"))
        assert kept == [True, True, False]


@pytest.mark.parametrize(
    ("scheme", "extent"),
    [(ClassicalOverPq(), "everything"), (HybridOverPq(), "what was asked for")],
    ids=["x25519", "xwing"],
)
def test_what_is_recorded_opens_later_by_a_field_under_x25519_and_not_by_one_under_xwing(scheme, extent):
    """The texts are under PQXDH, so that fields and answers decide; answers are sealed under X25519 in any form."""
    record = play(scheme, SCENARIO, attacks()["harvest-now-decrypt-later"])
    analysis = Analysis(scheme, record, [*attacks().values()])
    every, asked = {sent.id for sent in record.sent}, analysis.opened_by([Seizure("authority", (LAST,))])
    assert analysis.opened_by([Seizure(QUANTUM)]) == (every if extent == "everything" else asked) and asked < every


# --- what the relay sees without a secret ---


def sent_with(scheme, change):
    """Return the harness after bob's changed client wrote to alice, and the text."""
    with playing(scheme) as harness:
        honest = scheme.device.access_field
        seen = []

        def access_field(self, key, context):
            made = change(self, honest(self, key, context), key, context, seen)
            seen.append(honest(self, key, context))
            return made

        harness.play([Step("say", "bob-phone", "alice")])
        harness.wire.parties["bob-phone"] = corrupted(harness.device("bob-phone"), access_field=access_field)
        before = harness.shown.total()
        harness.play([Step("say", "bob-phone", "alice"), Step("say", "bob-phone", "alice")])
        refusals = Counter(why for _, who, why in harness.wire.refusals if who == "provider" and "bob-phone" in why)
        alarms = [
            each.check for each in harness.wire.alarms if each.who.startswith("alice") and "bob-phone" in each.check
        ]
        return harness.shown.total() - before, refusals, alarms


def to_ones_own(device, field, key, context, seen):
    secret = group.random_scalar()
    return honest_dealing(replace_keys(device, (group.base(secret),) * len(device.keys)), key, context)


def replace_keys(device, keys):
    class Other:
        t = device.t

    Other.keys = keys
    return Other()


def honest_dealing(device, key, context):
    return dealt.DealtDevice.access_field(device, key, context)


def claimed(device, field, key, context, seen):
    """A dealing to one's own keys under the holders' names."""
    return replace(to_ones_own(device, field, key, context, seen), keys=field.keys)


def fewer(device, field, key, context, seen):
    class Other:
        t, keys = 1, device.keys

    return honest_dealing(Other(), key, context)


def with_sealed(field, sealed):
    return replace(field, dealing=replace(field.dealing, sealed=sealed))


CHANGES = {
    "stripped": (lambda *_: None, "carries an access field"),
    "junk proofs": (
        lambda d, field, *_: replace(field, dealing=replace(field.dealing, proofs=(bytes(64),) * 3)),
        "the proof for holder 1 does not hold",
    ),
    "a share that does not fit": (
        lambda d, field, *_: with_sealed(field, (*field.dealing.sealed[:2], d.keys[0])),
        "the proof for holder 3 does not hold",
    ),
    "no points": (
        lambda d, field, *_: replace(field, dealing=replace(field.dealing, commitments=(bytes(33),) * 2)),
        "the proof for holder 1 does not hold",
    ),
    "a share too few": (
        lambda d, field, *_: with_sealed(field, field.dealing.sealed[:2]),
        "2 shares with 3 proofs for 3 keys",
    ),
    "sealed to one's own keys": (to_ones_own, "sealed to others than the holders"),
    "sealed to one's own keys, under the holders'": (claimed, "the proof for holder 1 does not hold"),
    "for fewer holders": (fewer, "it needs 1 holders, not 2"),
    "of another mail": (lambda d, field, k, c, seen: seen[0] if seen else field, "is of its mail"),
    "of another mail, under this one's number": (
        lambda d, field, k, c, seen: replace(seen[0], chain=field.chain, n=field.n) if seen else field,
        "the proof for holder 1 does not hold",
    ),
    "of other people": (
        lambda d, field, *_: replace(field, people=("bob", "carol")),
        "names sender and recipients",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_relay_refuses_without_a_secret(what):
    change, says = CHANGES[what]
    shown, refusals, _ = sent_with(form("policing=publicly n=3 t=2"), change)
    assert shown < (4 if "another mail" in what else 1) and any(says in why for why in refusals)


def false_wrap(device, field, key, context, seen):
    return replace(field, wrapped=bytes(48))


def test_a_wrap_that_holds_another_key_passes_the_relay_and_the_recipients_name_its_sender():
    shown, refusals, alarms = sent_with(form("policing=publicly n=3 t=2"), false_wrap)
    assert (shown, refusals.total()) == (0, 0)
    assert set(alarms) == {"bob-phone: the access field beside its text is not the text's"}


# --- what is malformed is refused by name, and the other messages open ---

BAD_POINT = b"\x02" + b"\xff" * 32
SPOILT = {
    "n=3": [
        (lambda f: replace(f, parts=replace(f.parts, ephemeral=bytes(32))), "small order"),
        (lambda f: replace(f, parts=replace(f.parts, sealed=f.parts.sealed[:1])), "1 parts for 3 agencies"),
        (lambda f: replace(f, parts=replace(f.parts, commitments=(bytes(32),))), "tag does not fit"),
        (lambda f: replace(f, parts=replace(f.parts, sealed=(b"",) * 3)), "tag does not fit"),
    ],
    "kem=xwing": [
        (lambda f: replace(f, parts=replace(f.parts, sealed=(f.parts.sealed[0][:9],))), "1120 bytes, not 41"),
        (lambda f: replace(f, parts=replace(f.parts, ephemeral=bytes(32))), "small order"),
        (
            lambda f: replace(f, parts=replace(f.parts, sealed=(bytes(kem.CIPHERTEXT) + f.parts.sealed[0][-48:],))),
            "tag does not fit",
        ),
    ],
    "policing=publicly n=3 t=2": [
        (lambda f: with_sealed(f, ()), "no share for holder"),
        (lambda f: with_sealed(f, (BAD_POINT,) * 3), "point"),
        (lambda f: with_sealed(f, (b"",) * 3), "point"),
    ],
}


def opening(words, field, key):
    if words.startswith("policing"):
        return dealt.open_dealt_part(field, key)
    rule = hybrid.open_hybrid_part if words == "kem=xwing" else agencies.open_agency_part
    return rule(field.parts, key)


@pytest.mark.parametrize(
    ("words", "spoil", "why"), [(words, *each) for words, cases in SPOILT.items() for each in cases]
)
def test_what_is_malformed_is_refused_by_name_and_the_other_messages_open(words, spoil, why):
    with playing(form(words)) as harness:
        warrant = harness.served("alice")
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        first, *_, last = harness.intercepted()
        wrong = spoil(codec.decode(first.mail.field, DealtField if words.startswith("policing") else AgencyField))
        key = next(party.key for name, party in harness.wire.parties.items() if name.startswith("agent"))
        with pytest.raises(Forged, match=why):
            opening(words, wrong, key)
        mail = replace(first.mail, field=codec.encode(wrong))
        assert harness.access(warrant, [replace(first, mail=mail), last]) == {harness.said[-1].body}
        assert harness.wire.refusals


@pytest.mark.parametrize("lie", ["value", "name", "index"])
@pytest.mark.parametrize(
    ("words", "says", "other"),
    [("n=3 t=2", "wrong share", bytes(32)), ("policing=publicly n=3 t=2", "wrong part", group.GENERATOR)],
)
def test_a_lying_agency_is_named_and_the_others_open_the_text(words, says, other, lie):
    with playing(form(words)) as harness:
        liar = harness.wire.parties["agent-1"]
        honest, told = type(liar).give, {lie: {"value": other, "name": bytes(32), "index": 2}[lie]}
        lying = {"give": lambda self, *asked: replace(honest(self, *asked), **told)}
        harness.wire.parties["agent-1"] = corrupted(liar, **lying)
        warrant = harness.served("alice")
        harness.play([Step("say", "alice-phone", "bob")] * 4)
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}
        assert {each.check for each in harness.wire.alarms} == {f"{says} of agent-1"}


@pytest.mark.parametrize(("t", "why"), [(1, "any 1 agencies, not for 2"), (3, "any 3 agencies, not for 2")])
def test_a_field_that_more_or_fewer_agencies_open_is_refused_by_the_authority_which_asks_none_of_them(t, why):
    with playing(form("n=3 t=2")) as harness:
        harness.device("bob-phone").t, warrant = t, harness.served("alice")
        harness.play([Step("say", "bob-phone", "alice")])
        assert not harness.access(warrant, harness.intercepted())
        assert why in harness.wire.refusals[-1][2]
        assert not [packet for packet in harness.wire.heard if packet.dst.startswith("agent")]


@pytest.mark.parametrize(
    ("words", "agency", "why"),
    [
        ("per=epoch days=2", "agent", "the labels are those that the sender wrapped a key for"),
        ("n=3 t=2", "agent-1", "the secret is for what the labels say"),
    ],
)
def test_an_agency_gives_nothing_for_labels_that_the_sender_did_not_write(words, agency, why):
    with playing(form(words)) as harness:
        warrant = harness.served("alice")
        harness.play([Step("say", "bob-phone", "carol")])
        field = codec.decode(harness.intercepted()[0].mail.field, AgencyField)
        for asked, says in ((field, "target"), (replace(field, people=("bob", "alice")), why)):
            with pytest.raises(Refused, match=says):
                harness.authority.ask(harness.wire, agency, warrant, asked)


def test_a_proof_of_a_form_is_written_and_verified_with_the_parameters_that_it_states(tmp_path):
    scheme, every = form("n=3 t=2 committing=true"), attacks()
    digest = write(tmp_path, scheme, every["authority-theft"], SCENARIO, [*every.values()], "agent-1,agent-3")
    assert verify(tmp_path / digest).summary.startswith("24 texts follow from")


# --- faults in the design ---


def about_anybody(*asked):
    """What officials promise, but for the target of a warrant."""
    return (each for each in promises(*asked) if each[0] != "target")


PLANTED = [
    ("per=epoch", "a field is bound", (AgencyField, "context", lambda field: field.chain)),
    ("kem=xwing", "no valid warrant no text", (hybrid.HybridAgency, "insist_all", lambda *_: None)),
    ("per=epoch", "a request is bound", (several, "_wraps", lambda *_: True)),
    ("per=epoch", "no valid warrant no text", (agencies.EnvelopeAgency, "insist_all", lambda *_: None)),
    ("kem=xwing", "no valid warrant no text", (several, "promises", about_anybody)),
    ("kem=xwing per=epoch", "a request is bound", (several, "_wraps", lambda *_: True)),
    ("policing=publicly n=3 t=2", "a request is bound", (DealtField, "proof_fault", lambda *_: "")),
    ("policing=publicly n=3 t=2", "no valid warrant no text", (dealt.DealtHolder, "insist_all", lambda *_: None)),
    ("policing=publicly n=3 t=2", "no valid warrant no text", (dealt, "promises", about_anybody)),
]


@pytest.mark.parametrize(("words", "prop", "line"), PLANTED)
def test_the_property_kit_catches_a_fault_that_is_planted(words, prop, line, monkeypatch):
    how = settings(settings(), phases=[Phase.generate])
    assert not PROPERTY[prop].broken(form(words), how)
    monkeypatch.setattr(*line)
    assert PROPERTY[prop].broken(form(words), how)
