"""What devices and directory do with KEM prekeys, re-encapsulation, the price, and faults that are caught."""

from __future__ import annotations

import hashlib
import os

import msgspec
import pytest
from msgspec.structs import replace
from pq_pair import bundle_of, met, theirs

from attacks.lab.costs.counts import exact
from attacks.lab.runs import conformance
from attacks.lab.simulation.attack import attacker_device, entry_of
from attacks.lab.verdict.evaluation import Evaluation
from attacks.registry import attacks
from attacks.specimens import kept_keys
from escrow import codec, crypto
from escrow.crypto import new_private
from escrow.derivation import honest_only
from escrow.e2ee.device import Device as PlainDevice
from escrow.e2ee.device import new_devices
from escrow.e2ee.pqxdh import PqBundle
from escrow.e2ee.provider import Fetch
from escrow.e2ee.x3dh import Bundle, Initial, PqInitial
from escrow.errors import EscrowError, Forged, Malformed
from escrow.primitives import hpke, kem
from escrow.primitives.kem import KemPrivate, new_kem_private
from escrow.schemes import plain, plain_pq
from escrow.schemes.plain_pq import PlainPq, PqDevice, PqProvider, PqPublish
from escrow.testing.alterations import altered
from escrow.testing.properties import PROPERTIES, QUICK
from escrow.wire import Wire

PROPERTY = {prop.name: prop for prop in PROPERTIES}


# --- what a device and a directory do ---


def test_one_time_kem_prekeys_go_first_each_once_and_then_the_last_resort_one():
    _, _, bob, provider = met(stock=2)
    handed = [bundle_of(provider).kem.public for _ in range(4)]
    last = bob.kem_prekeys[0].key.public
    assert handed == [*(key.public for key in bob.one_time_kems), last, last]


def sent(stock: int = 1):
    """(wire, bob, the first mail to him)."""
    wire, alice, bob, provider = met(stock)
    alice.send(wire, "bob", b"hello")
    (mail,) = provider.mailboxes["b"]
    return wire, bob, mail


def shown(wire: Wire) -> list[bytes]:
    return [each.text for each in wire.shown]


def test_a_one_time_kem_prekey_is_erased_once_its_first_message_was_read():
    wire, bob, mail = sent()
    bob.collect(wire)
    assert shown(wire) == [b"hello"]
    assert mail.initial.pqpk_b not in [key.public for key in bob.one_time_kems]
    bob.sessions.clear()
    with pytest.raises(Forged):
        bob.receive(wire, mail)


def test_an_initial_message_with_anything_changed_opens_nothing_and_spends_nothing():
    wire, bob, mail = sent()
    state = bob.state()
    for other in altered(mail.initial):
        with pytest.raises(EscrowError):
            bob.receive(wire, replace(mail, initial=other))
    before, after = (codec.decode(codec.unseal_bytes(each, ""), PqDevice) for each in (state, bob.state()))
    assert (before.sessions, before.one_time, before.one_time_kems) == (
        after.sessions,
        after.one_time,
        after.one_time_kems,
    )
    bob.receive(wire, mail)
    assert shown(wire) == [b"hello"]


def test_nobody_steps_down_to_a_session_without_a_kem():
    _, bob, mail = sent()
    classical = Initial(*msgspec.structs.astuple(mail.initial)[:5])
    with pytest.raises(Forged, match="without a KEM's ciphertext"):
        bob.accept(classical)
    _, alice, _, provider = met()
    with pytest.raises(Forged, match="without a KEM prekey"):
        alice.begin(Bundle(*msgspec.structs.astuple(bundle_of(provider))[:4]))
    (old,) = new_devices(PlainDevice, "old", ["o"])
    with pytest.raises(Forged, match="another key agreement"):
        old.accept(mail.initial)


def test_a_directory_answers_devices_with_kem_prekeys_only():
    wire, alice, _, _ = met()
    old = PlainDevice("a", "alice", alice.identity, alice.linked)
    old.renew(0)
    with pytest.raises(Malformed, match="without KEM prekeys"):
        wire.ask("a", "provider", old.publication(0), type(None))
    assert isinstance(wire.ask("a", "provider", Fetch("b"), PqBundle), PqBundle)
    with pytest.raises(Malformed):
        wire.ask("a", "provider", Fetch("b"), Bundle)
    assert isinstance(alice.publication(0), PqPublish)


def test_a_last_resort_kem_prekey_is_erased_with_the_signed_prekey_of_its_day():
    wire, _, bob, _ = met(stock=0)
    for wire.day in range(1, 9):
        bob.each_day(wire)
        assert [old.day for old in bob.kem_prekeys] == [old.day for old in bob.prekeys]
    assert bob.kem_prekeys[-1].day == 6
    assert len(bob.kem_prekeys) == 1


# --- re-encapsulation: what the KEM key in AD is for (section 4.12) ---


def loose(monkeypatch):
    """A KEM whose secret is not bound to the key: whoever opens a ciphertext can pass its secret on to another key."""
    monkeypatch.setattr(
        kem, "encapsulate", lambda public: (hpke.seal(public, secret := crypto.random_bytes(32)), secret)
    )
    monkeypatch.setattr(
        KemPrivate,
        "decapsulate",
        lambda key, ciphertext: hpke.open_(crypto.Private(key.public, key.raw), ciphertext),
    )

    def new() -> KemPrivate:
        made = new_private()
        return KemPrivate(made.public, made.raw)

    monkeypatch.setattr(plain_pq, "new_kem_private", new)


def passed_on(mail, leaked: KemPrivate, other: bytes):
    """The mail as if its secret had been encapsulated to another key of the same device."""
    secret = leaked.decapsulate(mail.initial.ciphertext)
    return replace(mail, initial=replace(mail.initial, pqpk_b=other, ciphertext=hpke.seal(other, secret)))


def mixed_up(monkeypatch) -> tuple[Wire, PqDevice, object]:
    loose(monkeypatch)
    wire, bob, mail = sent(stock=1)
    leaked = next(key for key in bob.one_time_kems if key.public == mail.initial.pqpk_b)
    return wire, bob, passed_on(mail, leaked, bob.kem_prekeys[0].key.public)


def test_a_re_encapsulated_secret_is_noticed_because_the_kem_key_is_in_the_associated_data(monkeypatch):
    wire, bob, mail = mixed_up(monkeypatch)
    with pytest.raises(Forged):
        bob.receive(wire, mail)


def test_without_the_kem_key_there_it_passes_under_a_loose_kem(monkeypatch):
    monkeypatch.setattr(PqInitial, "associated", property(lambda initial: Initial.associated.fget(initial)))
    wire, bob, mail = mixed_up(monkeypatch)
    bob.receive(wire, mail)
    assert shown(wire) == [b"hello"]


def test_ml_kem_itself_gives_two_keys_two_secrets_from_the_same_randomness():
    """So that there the associated data is a second lock."""
    one, other = (theirs(new_kem_private()).public_key() for _ in range(2))
    assert one._encaps(bytes(32))[0] != other._encaps(bytes(32))[0]
    assert one._encaps(bytes(32)) == one._encaps(bytes(32))


# --- the price ---


def test_beside_plain_a_session_costs_bytes_when_it_begins_and_a_kem_operation_at_each_end():
    before, after = ({row.job: row for row in exact(scheme)} for scheme in (plain.SCHEME, plain_pq.SCHEME))
    ours, theirs_ = after.pop("set-up"), before.pop("set-up")
    in_mail = 1184 + 1088 + 3 + 3 + len("Pq")  # key and ciphertext by value, msgpack's lengths, the longer name
    in_bundle = 1184 + 64 + 3 + 2 + 1 + 1 + len("SignedKem") + len("Pq")
    assert (ours.mail - theirs_.mail, ours.asked - theirs_.asked) == (in_mail, in_bundle) == (2280, 1266)
    for party, operation in (("alice-phone", "ml-kem-encapsulate"), ("bob-phone", "ml-kem-decapsulate")):
        more = {name: times - theirs_.operations[party].get(name, 0) for name, times in ours.operations[party].items()}
        verified = {"ed25519-verify": 1} if party == "alice-phone" else {}
        assert {name: times for name, times in more.items() if times} == {operation: 1, **verified}
    for job, row in after.items():
        assert replace(row, scheme="", sessions=0) == replace(before[job], scheme="", sessions=0)


# --- design faults, each caught by a property or by an attack ---


def test_a_kem_that_draws_past_the_door_breaks_a_property(monkeypatch):
    encapsulated = kem.encapsulated
    assert not PROPERTY["the seed decides"].broken(plain_pq.SCHEME, QUICK)
    monkeypatch.setattr(kem, "encapsulated", lambda public, message: encapsulated(public, os.urandom(32)))
    assert PROPERTY["the seed decides"].broken(plain_pq.SCHEME, QUICK)


class LooseSeedDevice(PqDevice):
    seed: bytes = b""


class LooseSeed(PlainPq, frozen=True):
    device = LooseSeedDevice


def test_a_kem_seed_in_loose_bytes_breaks_a_property():
    assert "LooseSeedDevice.seed" in PROPERTY["state is typed"].broken(LooseSeed(), QUICK)


class HalfMixingDevice(PqDevice):
    @honest_only("a fault of this device's own half")
    def accept(self, initial):
        session = super().accept(initial)
        return replace(session, root=replace(session.root, value=hashlib.sha256(session.root.value).digest()))


class HalfMixing(PlainPq, frozen=True):
    device = HalfMixingDevice


def test_two_ends_that_mix_otherwise_break_a_property():
    assert PROPERTY["mail arrives"].broken(HalfMixing(), QUICK)


class KeepingDevice(PqDevice):
    def spend(self, initial):
        """Nothing is erased."""


class KeptPrekeys(PlainPq, frozen=True):
    device = KeepingDevice


def test_one_time_prekeys_that_are_kept_open_first_flights_to_whoever_takes_the_device_later():
    every = tuple(attacks().values())
    theft = attacks()["device-compromise"]
    fault, sound = (
        Evaluation(each, every, kept_keys.SCENARIO).cell(theft)[0] for each in (KeptPrekeys(), plain_pq.SCHEME)
    )
    assert (fault.verdict, sound.verdict) == ("BREACH", "AS CLAIMED")
    assert fault.excluded > 0


def test_the_properties_of_a_play_hold():
    tests = dict(conformance.Trial(plain_pq.SCHEME, tuple(attacks().values())).tests())
    assert {name: test() for name, test in tests.items() if name not in PROPERTY} == {
        name: "" for name in tests if name not in PROPERTY
    }


def test_what_the_entry_of_an_attackers_device_holds_is_what_a_device_accepts():
    """Attacks list devices of their own by the scheme's own kinds of device and directory."""
    _, alice, _, _ = met()
    device = attacker_device("b-tablet", "bob", PqDevice)
    bundle = PqProvider.handed_out(entry_of(device, PqProvider))
    assert bundle.identity == device.identity.public
    assert alice.begin(bundle).initial.pqpk_b == device.kem_prekeys[0].key.public
