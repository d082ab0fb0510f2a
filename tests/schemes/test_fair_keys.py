"""Fair keys: who is refused, who is blamed, what one warrant gives away, and faults that are caught."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attacks import registry
from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.adversary.labels import WITHOUT
from attacks.lab.runs.experiment import experiments, reproduce
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.analysis import MATHEMATICS, SERVED, Analysis
from attacks.lab.verdict.evaluation import Evaluation
from attacks.specimens.roomy_certificates import RoomyCertificates
from escrow.crypto import sha256
from escrow.derivation import service
from escrow.errors import EscrowError, Refused
from escrow.primitives import group
from escrow.scheme import User
from escrow.schemes.fair_keys import registration
from escrow.schemes.fair_keys import scheme as fair_keys
from escrow.schemes.fair_keys.registration import (
    Begin,
    Centre,
    Certificate,
    Deal,
    Revealed,
    Submit,
    TrusteeShare,
    shifted,
)
from escrow.schemes.fair_keys.scheme import FairDevice, FairKeys, Trustee
from escrow.sharing import elgamal
from escrow.testing import properties
from escrow.testing.harness import Step, playing
from escrow.warrant import issue
from escrow.wire import Wire

SMALL = default(users=4, groups=0, days=4, messages=20)
ATTACKS = tuple(registry.attacks().values())


def with_parties(scheme, **kinds):
    """The scheme with other classes for its parties."""
    return type("Altered", (type(scheme),), kinds, frozen=True, kw_only=True)(**msgspec.structs.asdict(scheme))


def set_up(scheme):
    with playing(scheme) as harness:
        return harness


# --- registration ---


@given(t=st.integers(1, 4), more=st.integers(0, 3), shift=st.integers(0, group.Q - 1))
def test_the_fair_key_is_the_users_choice_and_the_centres_together(t, more, shift):
    made, shares = elgamal.deal(t, t + more)
    final = shifted(made, shift)
    key = elgamal.combine_shares(made, shares)
    whole = group.scalar_bytes(int.from_bytes(key.raw, "big") + shift)
    assert final.key == group.base(group.scalar(whole))
    moved = [group.scalar_bytes(int.from_bytes(share.raw, "big") + shift) for share in shares]
    held = [elgamal.KeyShare(final.name, share.index, raw) for share, raw in zip(shares, moved, strict=True)]
    assert all(elgamal.share_fits(final, share) for share in held)
    assert elgamal.combine_shares(final, tuple(held[-t:])).raw == whole


@pytest.mark.parametrize("failsafe", [True, False])
def test_every_user_is_certified_and_every_trustee_holds_a_share_that_fits(failsafe):
    harness = set_up(FairKeys(failsafe=failsafe))
    certificates = harness.authority.certificates
    assert set(certificates) == {"alice", "bob", "carol"}
    assert all(any(each.shift) is failsafe for each in certificates.values())
    for name in ("trustee-1", "trustee-2", "trustee-3"):
        trustee = harness.wire.parties[name]
        assert trustee.transport is None
        assert {share.user for share in trustee.shares} == set(certificates)
        assert all(elgamal.share_fits(certificates[share.user].group, share) for share in trustee.shares)


class Skewed(FairDevice):
    """A user whose second share is not on the polynomial."""

    def choose(self, t, n):
        shares, commitments = super().choose(t, n)
        return [shares[0], shares[1] + 1, *shares[2:]], commitments


def test_a_share_beside_the_commitments_is_refused_by_the_trustee_who_gets_it():
    with pytest.raises(Refused, match="trustee-2 refuses: share fits the user's commitments"):
        set_up(with_parties(FairKeys(), device=Skewed))


class Hasty(FairDevice):
    """A user who leaves out the last trustee's approval, or forges it."""

    def submit(self, wire, packet):
        return super().submit(wire, msgspec.structs.replace(packet, approvals=packet.approvals[:-1]))


class Forging(FairDevice):
    def submit(self, wire, packet):
        return super().submit(wire, msgspec.structs.replace(packet, approvals=(*packet.approvals[:-1], bytes(64))))


class Wordy(FairDevice):
    def submit(self, wire, packet):
        return super().submit(wire, msgspec.structs.replace(packet, remark=b"x"))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Hasty, "every trustee approved"),
        (Forging, "approval of trustee 3"),
        (Wordy, "a certificate has no room for what a user chooses"),
    ],
)
def test_the_centre_certifies_nothing_that_is_not_approved(kind, reason):
    with pytest.raises(Refused, match=f"centre refuses: {reason}"):
        set_up(with_parties(FairKeys(), device=kind))


class Late(Centre):
    """A centre that picks B once it has seen [A]G: it could choose the key's bits."""

    def on_submit(self, sender: str, packet: Submit, wire) -> Revealed:
        self.pending[packet.user] = (group.scalar_bytes(5), bytes(32))
        return super().on_submit(sender, packet, wire)


class Idle(Centre):
    """A centre that commits, and adds nothing."""

    def on_submit(self, sender: str, packet: Submit, wire) -> Revealed:
        del self.pending[packet.user]
        return super().on_submit(sender, packet, wire)


class Swapping(Centre):
    """A centre that certifies a key of its own."""

    def on_submit(self, sender: str, packet: Submit, wire) -> Revealed:
        told = super().on_submit(sender, packet, wire)
        made, _ = elgamal.deal(packet.group.t, packet.group.n)
        return Revealed(msgspec.structs.replace(told.certificate, group=made), told.blinding)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Late, "the centre's commitment opens"),
        (Idle, "the centre's commitment opens"),
        (Swapping, "the certified key is the one dealt"),
    ],
)
def test_a_user_takes_no_key_that_the_centre_chose(kind, reason):
    with pytest.raises(Refused, match=f"refuses: {reason}"):
        set_up(with_parties(FairKeys(), centre=kind))


def test_nobody_registers_for_another_and_only_the_centre_closes_registration():
    """Who deals a user's key knows it."""
    scheme = FairKeys()
    users = [User("alice", ("alice-phone",)), User("mallory", ("mallory-phone",))]
    parties = list(scheme.cast(users, bytes(32)))
    wire = Wire(parties)
    made, _ = elgamal.deal(2, 3)
    asked = {
        "centre": (Begin("alice"), Submit("alice", made, ())),
        "trustee-1": (Deal("alice", made, b""),),
    }
    for name, packets in asked.items():
        for packet in packets:
            with pytest.raises(Refused, match=f"{name} refuses: a user registers herself"):
                wire.ask("mallory-phone", name, packet, type(None))
    with pytest.raises(Refused, match="the centre publishes the directory"):
        wire.ask("mallory-phone", "trustee-1", registration.Directory(()), type(None))
    assert wire.parties["trustee-1"].transport is not None


def test_registration_is_closed_once_the_directory_is_out():
    harness = set_up(FairKeys())
    made, _ = elgamal.deal(2, 3)
    with pytest.raises(Refused, match="registration is closed"):
        harness.wire.ask("bob-phone", "trustee-1", Deal("bob", made, b""), registration.Approval)


def test_a_directory_heard_twice_changes_nothing():
    harness = set_up(FairKeys())
    trustee, told = harness.wire.parties["trustee-1"], tuple(harness.authority.certificates.values())
    before = trustee.state()
    harness.wire.ask("centre", "trustee-1", registration.Directory(told), type(None))
    assert trustee.state() == before


def test_a_stranger_to_the_directory_is_not_written_to():
    harness = set_up(FairKeys())
    device = harness.device("bob-phone")
    del device.certificates["carol"]
    with pytest.raises(Refused, match="carol has no certified key"):
        device.send(harness.wire, "carol", b"text")


# --- access ---


class Lying(Trustee):
    """A trustee who hands over another share than its own."""

    def give(self, share: TrusteeShare, warrant: fair_keys.Warrant, certificate: Certificate) -> elgamal.KeyShare:
        if self.name == "trustee-1":
            share = msgspec.structs.replace(share, raw=group.scalar_bytes(7))
        return super().give(share, warrant, certificate)


def test_a_wrong_share_is_blamed_on_its_trustee_and_the_others_give_access():
    with playing(with_parties(FairKeys(), trustee=Lying)) as harness:
        warrant = issue(harness.court.key, harness.order("bob"))
        harness.serve(warrant)
        harness.play([Step("say", "bob-phone", "alice")])
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}
        assert [alarm.check for alarm in harness.wire.alarms] == ["wrong share of trustee-1"]


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


def test_seeded_faults_are_caught_by_laws(monkeypatch):
    named = {prop.name: prop for prop in properties.PROPERTIES}
    broken = named["no valid warrant no text"].broken
    monkeypatch.setattr("escrow.warrant.in_force", lambda *_: True)
    assert "expired" in broken(FairKeys())
    monkeypatch.setattr(fair_keys.FairField, "context", unbound)
    assert "in place of" in named["a field is bound"].broken(FairKeys())


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
    assert cell.verdict == "BREACH" and cell.evaded > 0
    sound, _ = Evaluation(FairKeys(), ATTACKS, SMALL).cell(attack)
    assert sound.evaded == 0


def test_a_commitment_binds_the_centre_to_one_shift():
    harness = set_up(FairKeys())
    centre = harness.wire.parties["centre"]
    told = centre.on_begin("bob-phone", Begin("bob"), harness.wire)
    shift, blinding = centre.pending["bob"]
    assert told.commitment == sha256(registration._COMMIT, shift, blinding)
    assert told.commitment != centre.on_begin("bob-phone", Begin("bob"), harness.wire).commitment


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
