"""The access by fair keys, and faults that a property or an attack catches."""

import sys

import msgspec
import pytest
from fair_registration import set_up, unregistered, with_parties

from attacks import registry
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.labelling.labels import WITHOUT
from attacks.lab.runs.experiment import experiments, reproduce
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from attacks.lab.verdict.evaluation import Evaluation
from attacks.specimens.roomy_certificates import RoomyCertificates
from escrow import codec
from escrow.crypto import sha256
from escrow.derivation import service
from escrow.errors import EscrowError, Refused
from escrow.primitives import group
from escrow.schemes.fair_keys import registration
from escrow.schemes.fair_keys import scheme as fair_keys
from escrow.schemes.fair_keys.registration import Begin, Certificate, TrusteeShare
from escrow.schemes.fair_keys.scheme import FairKeys, Trustee
from escrow.sharing import elgamal
from escrow.testing import properties
from escrow.testing.harness import Step, playing
from escrow.vocabulary import vocabulary

SMALL = default(users=4, groups=0, days=4, messages=20)
ATTACKS = tuple(registry.attacks().values())


# --- access ---


class Lying(Trustee):
    """A trustee who hands over another share than its own."""

    def give(self, share: TrusteeShare, warrant: fair_keys.Warrant, certificate: Certificate) -> elgamal.KeyShare:
        if self.name == "trustee-1":
            share = msgspec.structs.replace(share, raw=group.scalar_bytes(7))
        return super().give(share, warrant, certificate)


def test_a_wrong_share_is_blamed_on_its_trustee_and_the_others_give_access():
    with playing(with_parties(FairKeys(), trustee=Lying)) as harness:
        warrant = harness.served("bob")
        harness.play([Step("say", "bob-phone", "alice")])
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}
        assert [alarm.check for alarm in harness.wire.alarms] == ["wrong share of trustee-1"]


def test_a_field_with_a_thousand_capsules_costs_the_authority_no_more_than_one(monkeypatch):
    """A sender fills a field with capsules of the target's key: copies of its own, and other points."""
    with playing(FairKeys()) as harness:
        warrant = harness.served("bob")
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "alice-phone", "bob")])
        first, second = [each for each in harness.intercepted() if "bob-phone" in each.mail.recipients][:2]
        field = codec.decode(first.mail.field, fair_keys.FairField)
        others = [msgspec.structs.replace(field.capsules[1], point=group.base(k)) for k in range(1, 500)]
        many = msgspec.structs.replace(field, capsules=(*field.capsules * 250, *others))
        mail = msgspec.structs.replace(first.mail, field=codec.encode(many))
        tried = []
        honest = elgamal.decapsulate
        monkeypatch.setattr(elgamal, "decapsulate", lambda key, capsule: tried.append(1) or honest(key, capsule))
        opened = harness.access(warrant, [msgspec.structs.replace(first, mail=mail), second])
        assert opened == {harness.said[1].body} and len(tried) == 2


def test_a_trustee_that_does_not_answer_costs_nothing_whichever_it_is():
    for name in FairKeys().trustees:
        with playing(FairKeys()) as harness:
            warrant = harness.served("bob")
            harness.play([Step("say", "bob-phone", "alice")])
            harness.wire.parties[name].shares = []
            assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}


def test_a_key_of_which_a_trustee_holds_no_share_is_refused_in_its_own_name():
    with playing(FairKeys()) as harness:
        warrant, trustee = harness.issued("bob"), harness.wire.parties["trustee-2"]
        trustee.shares = [share for share in trustee.shares if share.user != "bob"]
        with pytest.raises(Refused, match=r"^trustee-2 refuses: it holds no share of that key$"):
            harness.authority.ask(harness.wire, "trustee-2", warrant, harness.authority.certificates["bob"])


def opened_by(analysis, who, name=MATHEMATICS):
    structure = analysis.structure(name)
    ids = {number: text for text, number in analysis.texts.items()}
    return {ids[number] for number in structure.opened(structure.mask([Seizure(each) for each in who]))}


def of_users(record, users):
    return {sent.id for sent in record.sent if set(users) & set(sent.people)}


@pytest.fixture(scope="module")
def evaluation():
    return Evaluation(FairKeys(), ATTACKS, SMALL)


def test_t_trustees_open_every_text_and_one_none(evaluation):
    everything = {sent.id for sent in evaluation.record.sent}
    assert opened_by(evaluation.analysis, ["trustee-1", "trustee-3"]) == everything
    assert opened_by(evaluation.analysis, ["trustee-2"]) == opened_by(evaluation.analysis, ["centre"]) == set()


def test_one_warrant_about_a_user_opens_all_that_user_says_and_hears_past_and_future(evaluation):
    """The authority's key, or its archive at any time, once a warrant is answered: a key has no window."""
    targets = [warrant.target for warrant in SMALL.warrants]
    opened = opened_by(evaluation.analysis, ["authority"])
    assert opened == of_users(evaluation.record, targets)
    window = {
        sent.id
        for sent in evaluation.record.sent
        for warrant in SMALL.warrants
        if warrant.target in sent.people and warrant.first <= sent.day <= warrant.last
    }
    assert window < opened


def test_before_it_is_answered_a_warrant_opens_nothing():
    record = play(FairKeys(), msgspec.structs.replace(SMALL, warrants=()))
    assert opened_by(Analysis(FairKeys(), record, ATTACKS), ["authority", "centre", "provider"]) == set()


def test_the_target_is_a_promise_of_the_trustees(evaluation):
    everything = {sent.id for sent in evaluation.record.sent}
    assert opened_by(evaluation.analysis, ["authority"], SERVED) < everything
    assert opened_by(evaluation.analysis, ["authority"], WITHOUT + "target") == everything
    assert opened_by(evaluation.analysis, ["court"], SERVED) == everything


# --- faults ---


@service(fair_keys.release, holder="share")
def whoever(share: TrusteeShare, warrant: fair_keys.Warrant, certificate: Certificate) -> fair_keys.Checks:
    yield "court's signature", warrant.signed_by(share.court)


class Anybody(Trustee):
    """A trustee who does not ask whom the warrant names."""

    def checks(self, share, warrant, certificate):
        return whoever(share, warrant, certificate)


def unbound(field):
    """The seals are bound to nothing."""
    return b"context"


def test_seeded_faults_are_caught_by_properties(monkeypatch):
    named = {prop.name: prop for prop in properties.PROPERTIES}
    broken = named["no valid warrant no text"].broken
    monkeypatch.setattr("escrow.warrant.in_force", lambda *_: True)
    assert "expired" in broken(FairKeys())
    monkeypatch.setattr(fair_keys.FairField, "context", unbound)
    assert "a text is yielded with another " in named["a field is bound"].broken(FairKeys())


def test_a_trustee_who_does_not_look_whom_a_warrant_names_gives_everything_away():
    everything = {sent.id for sent in play(FairKeys(), SMALL).sent}
    careless = Evaluation(with_parties(FairKeys(), trustee=Anybody), ATTACKS, SMALL)
    assert opened_by(careless.analysis, ["authority"], SERVED) == everything
    cell, _ = careless.cell(registry.attacks()["warrant-misuse"])
    assert cell.verdict == "BREACH" and cell.exposed.total == len(everything)


def test_seeded_faults_are_caught_by_attacks():
    """A centre that certifies what a user chooses gives rogues a directory of their own."""
    attack = registry.attacks()["shadow-public-keys"]
    cell, _ = Evaluation(RoomyCertificates(), ATTACKS, SMALL).cell(attack)
    assert cell.verdict == "FAILS" and cell.evaded > 0
    sound, _ = Evaluation(FairKeys(), ATTACKS, SMALL).cell(attack)
    assert sound.evaded == 0


def test_a_commitment_binds_the_centre_to_one_shift():
    wire, commitments = unregistered(), set()
    centre = wire.parties["centre"]
    for user in ("bob", "carol"):
        told = centre.on_begin(f"{user}-phone", Begin(user), wire)
        shift, blinding = centre.pending[user]
        assert told.commitment == sha256(registration._COMMIT, shift, blinding)
        commitments.add(told.commitment)
    assert len(commitments) == 2


@pytest.mark.parametrize("sizes", [{"t": 0}, {"t": 4}, {"n": 101}])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="trustees"):
        FairKeys(**sizes)


def test_every_packet_cut_off_or_flipped_ends_in_a_typed_error():
    harness = set_up(FairKeys())
    heard = [each for each in harness.wire.heard if each.dst in {"centre", "trustee-1"} and each.src != "provider"]
    for packet in heard[:4]:
        party = harness.wire.parties[packet.dst]
        for at in range(0, len(packet.data), 7):
            for data in (packet.data[:at], packet.data[:at] + bytes([packet.data[at] ^ 1]) + packet.data[at + 1 :]):
                with pytest.raises(EscrowError):
                    party.answer(packet.src, data, harness.wire)


def test_shadow_keys_fit_into_a_modulus_and_not_into_a_fixed_group():
    """`reproduce shadow-keys`: the figures beside arithmetic."""
    found = reproduce([experiments()["shadow-keys"]], 2019, False, lambda *_: None)
    assert found.agrees


def test_a_module_with_a_scheme_that_names_the_laboratory_gets_no_rule_of_it():
    """What the laboratory's own facts note is no fact that parties hold, and its rules are nobody's."""
    found = vocabulary(sys.modules[__name__])
    assert whoever.__service__ in found.services
    of = {each.__module__ for each in found.types} | {rule.function.__module__ for rule in found.rules}
    assert Evaluation.__module__.startswith("attacks.lab.")
    assert not [name for name in of if name.startswith("attacks.lab.")]
