"""Fair keys: who is refused, who is blamed, what one warrant gives away, and faults that are caught."""

from contextlib import nullcontext

import msgspec
import pytest
from fair_registration import set_up, unregistered, with_parties
from hypothesis import given
from hypothesis import strategies as st

from escrow import codec
from escrow.crypto import sha256
from escrow.errors import EscrowError, Forged, Refused
from escrow.primitives import group, hpke
from escrow.principal import corrupted
from escrow.scheme import User
from escrow.schemes.fair_keys import registration
from escrow.schemes.fair_keys.registration import Begin, Centre, Deal, Revealed, Submit, shifted
from escrow.schemes.fair_keys.scheme import FairDevice, FairKeys
from escrow.sharing import elgamal, feldman
from escrow.testing.harness import Step, playing
from escrow.wire import Wire

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
        other = "carol" if packet.user != "carol" else "bob"
        return Revealed(msgspec.structs.replace(super().on_submit(sender, packet, wire).certificate, user=other))


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


@pytest.mark.parametrize("failsafe", [True, False])
def test_two_users_who_deal_one_key_do_not_escape_the_warrants_about_either(failsafe):
    """Without the centre's shift their certificates would be of one group, and no warrant about either would fit."""
    one = feldman.deal(group.random_scalar(), 2, 3)

    class Twin(FairDevice):
        def choose(self, t, n):
            return one if self.user in ("alice", "bob") else super().choose(t, n)

    with playing(with_parties(FairKeys(failsafe=failsafe), device=Twin)) as harness:
        assert set(harness.authority.certificates) == {"alice", "carol"}
        assert (0, "bob-phone", "a key has one user") in harness.wire.refusals
        warrant = harness.served("alice")
        harness.play([Step("say", "alice-phone", "carol"), Step("say", "carol-phone", "alice")])
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}


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


def test_a_user_deals_one_key():
    """Else the key that is certified and the one whose shares are handed out for a warrant could be two."""
    wire, kept = unregistered(), []
    for refused in (False, True):
        made, shares = elgamal.deal(2, 3)
        with pytest.raises(Refused, match="trustee-2 refuses: one deal a user") if refused else nullcontext():
            dealt(wire, "alice", made, shares[1], "trustee-2")
        kept.append([each.group for each in wire.parties["trustee-2"].shares])
    assert kept[0] == kept[1]


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


class HastyCarol(FairDevice):
    """Carol alone leaves out the last trustee's approval."""

    def submit(self, wire, packet):
        last = 2 if self.user == "carol" else 3
        return super().submit(wire, msgspec.structs.replace(packet, approvals=packet.approvals[:last]))


def test_a_user_who_cannot_be_registered_is_named_and_stops_nobody():
    with playing(with_parties(FairKeys(), device=HastyCarol)) as harness:
        assert set(harness.authority.certificates) == {"alice", "bob"}
        assert [who for _, who, _ in harness.wire.refusals] == ["carol-phone"]
        harness.play([Step("say", "alice-phone", "bob"), Step("say", "bob-phone", "alice")])
        assert harness.shown == harness.meant
        warrant = harness.issued("bob")
        assert harness.access(warrant, harness.intercepted()) == {said.body for said in harness.said}
