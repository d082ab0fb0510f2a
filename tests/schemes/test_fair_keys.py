"""Fair keys: who is refused, who is blamed, what one warrant gives away, and faults that are caught."""

from contextlib import suppress

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
from escrow import codec
from escrow.crypto import sha256
from escrow.derivation import service
from escrow.errors import EscrowError, Forged, Refused
from escrow.primitives import group, hpke
from escrow.principal import corrupted
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
from escrow.sharing import elgamal, feldman
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


def unregistered(scheme=None):
    """The parties before anybody has registered."""
    users = [User(name, (f"{name}-phone",)) for name in ("alice", "bob", "carol")]
    return Wire(list((scheme or FairKeys()).cast(users, bytes(32))))


def transports(wire):
    return [(name, wire.parties[name].transport_key()) for name in FairKeys().trustees]


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
    """A centre that picks B once it has seen [A]G: it could choose the key's bits. It checks nothing."""

    def insist(self, condition: bool, reason: str) -> None: ...

    def on_submit(self, sender: str, packet: Submit, wire) -> Revealed:
        self.pending[packet.user] = (group.scalar_bytes(5), bytes(32))
        return super().on_submit(sender, packet, wire)


class Idle(Late):
    """A centre that commits, and adds nothing."""

    def on_submit(self, sender: str, packet: Submit, wire) -> Revealed:
        self.pending[packet.user] = (bytes(32), b"")
        return Centre.on_submit(self, sender, packet, wire)


class Swapping(Centre):
    """A centre that certifies a key of its own."""

    def on_submit(self, sender: str, packet: Submit, wire) -> Revealed:
        told = super().on_submit(sender, packet, wire)
        made, _ = elgamal.deal(packet.group.t, packet.group.n)
        return Revealed(msgspec.structs.replace(told.certificate, group=made))


class Renaming(Centre):
    """A centre that certifies a user's key as another's."""

    def on_submit(self, sender: str, packet: Submit, wire) -> Revealed:
        return Revealed(msgspec.structs.replace(super().on_submit(sender, packet, wire).certificate, user="carol"))


class Disproving(Centre):
    """A centre that keeps the approvals to itself."""

    def on_submit(self, sender: str, packet: Submit, wire) -> Revealed:
        return Revealed(msgspec.structs.replace(super().on_submit(sender, packet, wire).certificate, approvals=()))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Late, "the centre's commitment opens"),
        (Idle, "the centre's commitment opens"),
        (Swapping, "the certified key is the one dealt"),
        (Renaming, "the certified key is the one dealt"),
        (Disproving, "the certified key is the one dealt"),
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


# --- sizes, numbers, order ---


class HigherDegree(FairDevice):
    """A user who deals a polynomial of another degree."""

    def choose(self, t, n):
        return feldman.deal(group.random_scalar(), t + 1, n)


class LowerDegree(FairDevice):
    """A user who deals a polynomial that one trustee alone knows."""

    def choose(self, t, n):
        return feldman.deal(group.random_scalar(), 1, n)


@pytest.mark.parametrize("kind", [HigherDegree, LowerDegree])
def test_a_user_who_deals_another_degree_is_refused_by_the_first_trustee(kind):
    with pytest.raises(Refused, match="trustee-1 refuses: the key is of t of n trustees"):
        set_up(with_parties(FairKeys(), device=kind))


def dealt(wire, user, made, share, to, sealed_for=None, commitment=b""):
    part = codec.encode(share)
    sealed = hpke.seal(wire.parties[to].transport_key(), part, registration._deal_of(sealed_for or user))
    return wire.ask(f"{user}-phone", to, Deal(user, made, sealed, commitment), registration.Approval).signature


@pytest.mark.parametrize(
    ("t", "n", "number", "reason"),
    [
        (2, 3, 1, "share is this trustee's"),
        (2, 3, 3, "share is this trustee's"),
        (2, 4, 2, "the key is of t of n trustees"),
        (50, 100, 2, "the key is of t of n trustees"),
        (3, 3, 2, "the key is of t of n trustees"),
    ],
)
def test_a_trustee_compares_what_it_is_dealt_with_what_it_knows(t, n, number, reason):
    wire = unregistered()
    made, shares = elgamal.deal(t, n)
    before = wire.parties["trustee-2"].state()
    with pytest.raises(Refused, match=f"trustee-2 refuses: {reason}"):
        dealt(wire, "alice", made, shares[number - 1], "trustee-2")
    assert wire.parties["trustee-2"].state() == before
    assert wire.alarms == []


def test_a_deal_that_was_heard_cannot_be_repeated_as_ones_own():
    """Else a warrant about mallory would give alice's key: both differ by what the centre reveals."""
    wire = unregistered()
    made, shares = elgamal.deal(2, 3)
    with pytest.raises(Forged):
        dealt(wire, "bob", made, shares[0], "trustee-1", sealed_for="alice")
    assert dealt(wire, "alice", made, shares[0], "trustee-1")


def approvals(wire, user, sizes=(2, 3), commitment=b""):
    made, shares = elgamal.deal(*sizes)
    signed = [dealt(wire, user, made, share, f"trustee-{share.index}", None, commitment) for share in shares]
    return Submit(user, made, tuple(signed))


@pytest.mark.parametrize("failsafe", [True, False])
def test_no_certificate_without_begin_and_one_a_user(failsafe):
    wire = unregistered(FairKeys(failsafe=failsafe))

    def ask(packet, reply):
        return wire.ask("alice-phone", "centre", packet, reply)

    with pytest.raises(Refused, match="a user begins, and then submits"):
        ask(Submit("alice", elgamal.deal(2, 3)[0], ()), Revealed)
    told = ask(Begin("alice"), registration.Committed)
    submitted = approvals(wire, "alice", commitment=told.commitment)
    with pytest.raises(Refused, match="a user begins once"):
        ask(Begin("alice"), registration.Committed)
    with pytest.raises(Refused, match="no room"):
        ask(msgspec.structs.replace(submitted, remark=b"x"), Revealed)
    found = ask(submitted, Revealed)  # a Submit that is refused reveals nothing, and may be repeated
    assert any(found.certificate.shift) is failsafe
    assert told.commitment == sha256(registration._COMMIT, found.certificate.shift, found.certificate.blinding)
    for packet, reply in ((submitted, Revealed), (Begin("alice"), registration.Committed)):
        with pytest.raises(Refused, match="one certificate a user"):
            ask(packet, reply)
    assert wire.parties["centre"].certified == [found.certificate]


def test_the_centre_compares_the_sizes_even_if_all_trustees_approve():
    wire = unregistered()
    for name in FairKeys().trustees:
        wire.parties[name] = corrupted(wire.parties[name])
    wire.ask("alice-phone", "centre", Begin("alice"), registration.Committed)
    with pytest.raises(Refused, match="centre refuses: the key is of t of n trustees"):
        wire.ask("alice-phone", "centre", approvals(wire, "alice", (3, 3)), Revealed)


@given(st.lists(st.sampled_from(["begin", "deal 1", "deal 2", "deal 3", "submit", "remark", "publish"]), max_size=12))
def test_in_any_order_a_user_gets_at_most_one_certificate_after_all_steps(steps):
    wire = unregistered()
    made, shares = elgamal.deal(2, 3)
    signed, done, told, commitment = {}, set(), [], b""
    for step in steps:
        try:
            match step.split():
                case ["begin"]:
                    commitment = wire.ask("alice-phone", "centre", Begin("alice"), registration.Committed).commitment
                case ["deal", number]:
                    share, trustee = shares[int(number) - 1], f"trustee-{number}"
                    signed[number] = dealt(wire, "alice", made, share, trustee, None, commitment)
                case ["publish"]:
                    directory = registration.Directory(tuple(wire.parties["centre"].certified))
                    for name in (*FairKeys().trustees, "bob-phone"):
                        wire.ask("centre", name, directory, type(None))
                case [what]:
                    parts = tuple(signed.get(number, bytes(64)) for number in "123")
                    remark = b"x" if what == "remark" else b""
                    told.append(wire.ask("alice-phone", "centre", Submit("alice", made, parts, remark), Revealed))
                    assert what == "submit"
                    assert {"begin", "deal 1", "deal 2", "deal 3"} <= done
        except EscrowError:
            continue
        done.add(step)
    assert len(told) <= 1
    assert wire.parties["centre"].certified == [each.certificate for each in told]


def spoilt_directories(harness):
    told = tuple(harness.authority.certificates.values())
    first, key = told[0], harness.wire.parties["centre"].key

    def signed(**changes):
        blank = msgspec.structs.replace(first, **changes)
        return msgspec.structs.replace(blank, signature=key.sign(blank.body()))

    other, _ = elgamal.deal(2, 3)
    larger, _ = elgamal.deal(3, 3)
    yield "the centre publishes the directory", "provider", told
    yield "the centre publishes the directory", "alice-laptop", told
    yield "a certificate that is known does not change", "centre", told[1:]
    yield "a certificate that is known does not change", "centre", (signed(remark=b"x"), *told[1:])
    yield "every trustee approved", "centre", (signed(group=other), *told[1:])
    yield "the key is of t of n trustees", "centre", (signed(group=larger), *told[1:])
    yield "one certificate a user", "centre", (*told, signed(remark=b"x"))
    yield "centre's signature", "centre", (msgspec.structs.replace(first, shift=bytes(32)), *told[1:])


def test_a_directory_is_the_centres_whole_and_never_another():
    harness = set_up(FairKeys())
    for reason, sender, told in spoilt_directories(harness):
        for name in ("bob-phone", "authority"):
            before = harness.wire.parties[name].state()
            with pytest.raises(Refused, match=f"{name} refuses: {reason}"):
                harness.wire.ask(sender, name, registration.Directory(told), type(None))
            assert harness.wire.parties[name].state() == before


def of_alice_and_bob(wire):
    return (wire.parties[f"{name}-phone"].certificates[name] for name in ("alice", "bob"))


def false_certificates(wire):
    """Return what a centre could state of alice's key in place of the truth, with all that it heard."""
    replace = msgspec.structs.replace
    alice, bob = of_alice_and_bob(wire)
    dealt_key = shifted(alice.group, -int.from_bytes(alice.shift, "big"))
    own = replace(alice, group=elgamal.deal(2, 3)[0])
    seven = {"shift": group.scalar_bytes(7)}
    return [
        own,
        replace(own, approvals=()),
        replace(own, approvals=(wire.parties["centre"].key.sign(own.approval()),) * 3),
        replace(bob, user="alice"),
        replace(alice, group=shifted(dealt_key, 7), **seven),
        replace(alice, blinding=bytes(32), **seven),
        replace(alice, group=dealt_key, shift=bytes(32), blinding=b""),
    ]


def without_an_approval(wire):
    """Return alice's certificate with other approvals than all, in their order."""
    alice, _ = of_alice_and_bob(wire)
    first, second, third = alice.approvals
    some = ((), (first, second), (first,) * 3, (third, second, first), (*alice.approvals, third))
    return [msgspec.structs.replace(alice, approvals=each) for each in some]


@pytest.mark.parametrize("failsafe", [True, False])
def test_a_centre_alone_certifies_no_key_for_a_single_reader(failsafe):
    """Else it would read what that reader writes to the user, and the trustees would not."""
    wire = unregistered(FairKeys(failsafe=failsafe))
    for name in ("alice-phone", "bob-phone"):
        wire.parties[name].register(wire, transports(wire), 2)
    _, bob = of_alice_and_bob(wire)

    def refused(name, reason, certificate):
        signature = wire.parties["centre"].key.sign(certificate.body())
        told = msgspec.structs.replace(certificate, signature=signature)
        before = wire.parties[name].state()
        with pytest.raises(Refused, match=f"{name} refuses: {reason}"):
            wire.ask("centre", name, registration.Directory((told, bob)), type(None))
        assert wire.parties[name].state() == before

    for each in (*false_certificates(wire), *without_an_approval(wire)):
        for name in ("alice-phone", "bob-phone", "carol-phone", "authority"):
            refused(name, "every trustee approved the certified key", each)
    for each in false_certificates(wire):
        refused("trustee-2", "the certified key is the one dealt", each)
    true = registration.Directory(tuple(of_alice_and_bob(wire)))
    for name in ("carol-phone", "authority", "trustee-2"):
        wire.ask("centre", name, true, type(None))
    assert set(wire.parties["carol-phone"].certificates) == {"alice", "bob"}


def test_a_trustee_takes_the_first_directory_with_each_user_once_as_the_centre_signed_it():
    wire = unregistered()
    for name in ("alice-phone", "bob-phone"):
        wire.parties[name].register(wire, transports(wire), 2)
    alice, bob = of_alice_and_bob(wire)

    def tell(*told):
        wire.ask("centre", "trustee-1", registration.Directory(told), type(None))

    with pytest.raises(Refused, match="centre's signature"):
        tell(msgspec.structs.replace(alice, signature=bob.signature), bob)
    with pytest.raises(Refused, match="one certificate a user"):
        tell(alice, bob, alice)
    tell(bob)
    with pytest.raises(Refused, match="registration is closed"):
        tell(alice, bob)
    assert [share.group == bob.group.name for share in wire.parties["trustee-1"].shares] == [False, True]


def test_a_trustee_adds_nothing_to_its_shares_after_registration():
    harness = set_up(FairKeys())
    trustee = harness.wire.parties["trustee-1"]
    before = trustee.state()
    for _, sender, told in spoilt_directories(harness):
        with suppress(Refused):
            harness.wire.ask(sender, "trustee-1", registration.Directory(told), type(None))
        assert trustee.state() == before


def test_a_user_knows_her_own_certificate_before_the_directory():
    wire = unregistered()
    device = wire.parties["alice-phone"]
    device.register(wire, transports(wire), 2)
    blank = msgspec.structs.replace(device.certificates["alice"], remark=b"x")
    swapped = msgspec.structs.replace(blank, signature=wire.parties["centre"].key.sign(blank.body()))
    with pytest.raises(Refused, match="a certificate that is known does not change"):
        wire.ask("centre", "alice-phone", registration.Directory((swapped,)), type(None))


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
