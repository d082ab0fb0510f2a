"""PQXDH and its KEM: both sides agree on what the specification says, every signature counts, the KEM key is bound."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from by_hand import hkdf, x25519
from Crypto.PublicKey import MLKEM
from external import wycheproof
from msgspec.structs import replace

from attacks.lab.costs.counts import exact
from attacks.lab.runs import conformance
from attacks.lab.simulation.attack import attacker_device, entry_of
from attacks.lab.verdict.evaluation import Evaluation
from attacks.registry import attacks
from attacks.specimens import kept_keys
from escrow import codec, crypto
from escrow.crypto import Call, Run, new_private, new_signing_key
from escrow.e2ee import pqxdh, ratchet, x3dh
from escrow.e2ee.device import Device as PlainDevice
from escrow.e2ee.device import new_devices
from escrow.e2ee.pqxdh import PqBundle, SignedKem
from escrow.e2ee.provider import Fetch
from escrow.e2ee.ratchet import exchange_as_b
from escrow.e2ee.x3dh import Bundle, Initial, PqInitial
from escrow.errors import EscrowError, Forged, Malformed, Refused
from escrow.primitives import hpke, kem
from escrow.primitives.kem import KemPrivate, new_kem_private
from escrow.schemes import plain, plain_pq
from escrow.schemes.plain_pq import PlainPq, PqDevice, PqProvider, PqPublish
from escrow.testing.alterations import altered
from escrow.testing.properties import PROPERTIES, QUICK
from escrow.vocabulary import vocabulary
from escrow.wire import Wire

WITH_AND_WITHOUT = pytest.mark.parametrize("stock", [1, 0], ids=["one-time prekeys", "none left"])
PROPERTY = {prop.name: prop for prop in PROPERTIES}


def theirs(key: KemPrivate) -> MLKEM.MLKEMKey:
    """The same key in another implementation."""
    return MLKEM.construct(param_set=MLKEM.ML_KEM_768, seed=key.raw)


# --- the KEM ---


def test_wycheproof_ml_kem_768_decapsulation():
    refused = 0
    for _, test in wycheproof("mlkem_768"):
        seed, ciphertext = bytes.fromhex(test["seed"]), bytes.fromhex(test["c"])
        try:
            secret = KemPrivate(b"", seed).decapsulate(ciphertext)
        except Forged:
            assert test["result"] == "invalid"
            refused += 1
            continue
        assert (secret.hex(), test["result"]) == (test["K"], "valid"), test["tcId"]
    assert refused == 40


def test_wycheproof_ml_kem_768_keys():
    for _, test in wycheproof("mlkem_768_keygen_seed"):
        live = KemPrivate(b"", bytes.fromhex(test["seed"])).live
        assert live.public_key().public_bytes_raw().hex() == test["ek"]


def test_wycheproof_ml_kem_768_encapsulation():
    refused = 0
    for _, test in wycheproof("mlkem_768_encaps"):
        public = bytes.fromhex(test["ek"])
        try:
            kem.encapsulate(public)
        except Forged:
            assert test["result"] == "invalid"
            refused += 1
            continue
        ciphertext, secret = kem.encapsulated(public, bytes.fromhex(test["m"]))
        assert (ciphertext.hex(), secret.hex(), test["result"]) == (test["c"], test["K"], "valid"), test["tcId"]
    assert refused == 132


def test_another_implementation_makes_the_same_of_the_same_keys():
    for _ in range(20):
        key = new_kem_private()
        other = theirs(key)
        assert (other.ek, len(key.public), len(key.raw)) == (key.public, 1184, 64)
        ciphertext, secret = kem.encapsulate(key.public)
        assert other._decaps(ciphertext) == key.decapsulate(ciphertext) == secret
        secret, ciphertext = other.public_key()._encaps()
        assert key.decapsulate(ciphertext) == secret


def drawn(seed: bytes | None) -> tuple[KemPrivate, bytes, bytes]:
    with crypto.running(Run(seed)):
        return (key := new_kem_private()), *kem.encapsulate(key.public)


def test_a_seed_repeats_keys_ciphertexts_and_secrets():
    key, ciphertext, secret = drawn(bytes(32))
    assert drawn(bytes(32)) == (key, ciphertext, secret)
    assert key.decapsulate(ciphertext) == secret
    assert len({drawn(None)[2], drawn(None)[2], drawn(bytes(31))[2], secret}) == 4


def test_our_encapsulation_is_what_the_library_and_another_implementation_open():
    for number in range(20):
        key, ciphertext, secret = drawn(bytes([number]) * 32)
        assert key.decapsulate(ciphertext) == theirs(key)._decaps(ciphertext) == secret


@pytest.mark.parametrize("seed", [bytes(32), None])
def test_the_door_tells_of_every_use_of_the_kem(seed):
    heard = []
    with crypto.running(Run(seed, heard.append)):
        key = new_kem_private()
        ciphertext, secret = kem.encapsulate(key.public)
        key.decapsulate(ciphertext)
    if seed is None:  # the library draws: what is drawn is told as the secret
        drawn, gives = secret, (ciphertext,)
    else:
        (drawn,), gives = heard[2].outputs, (ciphertext, secret)
        assert kem.encapsulated(key.public, drawn) == gives
    assert heard == [
        Call("random", (), (key.raw,), ""),
        Call("ml-kem-key", (key.raw,), (key.public,), ""),
        Call("random", (), (drawn,), ""),
        Call("ml-kem-encapsulate", (key.public, drawn), gives, ""),
        Call("ml-kem-decapsulate", (key.raw, ciphertext), (secret,), ""),
    ]


def test_a_changed_ciphertext_gives_another_secret_and_one_of_another_length_none():
    key = new_kem_private()
    ciphertext, secret = kem.encapsulate(key.public)
    for at in range(0, 1088, 31):
        changed = ciphertext[:at] + bytes([ciphertext[at] ^ 1]) + ciphertext[at + 1 :]
        assert key.decapsulate(changed) not in {secret, key.decapsulate(bytes(1088))}
    for wrong in (b"", ciphertext[:-1], ciphertext + b"\0"):
        with pytest.raises(Forged):
            key.decapsulate(wrong)
    for wrong in (b"", key.public[:-1], key.public + b"\0", b"\xff" * 1184):
        with pytest.raises(Forged):
            kem.encapsulate(wrong)


# --- the agreement ---


def met(stock: int = 1) -> tuple[Wire, PqDevice, PqDevice, PqProvider]:
    """Two devices that published their keys."""
    (alice,), (bob,) = new_devices(PqDevice, "alice", ["a"]), new_devices(PqDevice, "bob", ["b"], stock=stock)
    provider = PqProvider(name="provider", accounts={"a": "alice", "b": "bob"})
    wire = Wire([alice, bob, provider])
    for device in (alice, bob):
        device.each_day(wire)
    return wire, alice, bob, provider


def bundle_of(provider: PqProvider) -> PqBundle:
    return provider.handed_out(provider.directory["b"])


@WITH_AND_WITHOUT
def test_both_sides_agree(stock):
    _, alice, bob, provider = met(stock)
    begun = alice.begin(bundle_of(provider))
    message, _ = ratchet.encrypt(begun.session, b"hello")
    session = bob.accept(begun.initial)
    assert (session.id, session.associated) == (begun.session.id, begun.session.associated)
    assert ratchet.decrypt(session, message).body == b"hello"
    assert bool(begun.initial.opk_b) == bool(stock)
    held = [key.public for key in bob.one_time_kems] if stock else [bob.kem_prekeys[0].key.public]
    assert begun.initial.pqpk_b in held


@WITH_AND_WITHOUT
def test_the_key_is_the_specifications_recomputed_by_hand(stock):
    """Over hashlib, hmac and another implementation of X25519 and ML-KEM."""
    _, alice, bob, provider = met(stock)
    initial = alice.begin(bundle_of(provider)).initial
    prekey, one_time = bob.named(initial)
    key = bob.one_time_kems[0] if stock else bob.kem_prekeys[0].key
    identity = bob.identity.agreement.raw
    shared = [
        x25519(prekey.raw, initial.ik_a),
        x25519(identity, initial.ek_a),
        x25519(prekey.raw, initial.ek_a),
        *([x25519(one_time.raw, initial.ek_a)] if one_time else []),
        theirs(key)._decaps(initial.ciphertext),
    ]
    secret = hkdf(bytes(32), b"\xff" * 32 + b"".join(shared), b"EscrowLab_CURVE25519_SHA-256_ML-KEM-768", 32)
    classical, kem_secret = pqxdh.answer(initial, bob.identity, prekey, one_time, key)
    root = pqxdh.mix(initial, classical, kem_secret)
    assert (root.value, root.session, root.newest) == (secret, initial.ek_a, prekey.public)
    assert len(classical.value) == (128 if stock else 96)


@WITH_AND_WITHOUT
def test_the_rules_give_what_the_two_sides_agree_on(stock):
    _, alice, bob, provider = met(stock)
    initial = alice.begin(bundle_of(provider)).initial
    prekey, one_time = bob.named(initial)
    keys = (prekey, bob.identity.agreement, prekey, one_time)
    shared = [exchange_as_b(key, pair) for key, pair in zip(keys, initial.pairs, strict=False)]
    classical = (x3dh.agree if stock else x3dh.agree_without_one_time)(initial, *shared)
    secret = pqxdh.decapsulate(initial, bob.one_time_kems[0] if stock else bob.kem_prekeys[0].key)
    assert pqxdh.mix(initial, classical, secret) == bob.accept(initial).root
    if stock:
        with pytest.raises(Forged):
            x3dh.agree_without_one_time(initial, *shared[:3])


def test_every_secret_goes_into_the_key():
    _, alice, _, provider = met()
    initial, classical, secret = pqxdh.begin(alice.identity, bundle_of(provider))
    root = pqxdh.mix(initial, classical, secret)
    for at in range(0, 128, 32):
        other = classical.value[:at] + bytes(32) + classical.value[at + 32 :]
        assert pqxdh.mix(initial, replace(classical, value=other), secret).value != root.value
    assert pqxdh.mix(initial, classical, replace(secret, value=bytes(32))).value != root.value


def test_only_the_secret_of_this_very_ciphertext_and_key_is_mixed_in():
    (rule,) = (rule for rule in vocabulary(pqxdh).rules if rule.function is pqxdh.mix)
    tied = {(each.left_path, each.right_path) for each in rule.equalities}
    assert tied == {("session", "ek_a"), ("key", "pqpk_b"), ("ciphertext", "ciphertext")}


def test_the_associated_data_holds_all_three_keys_and_their_encodings_are_disjoint():
    _, alice, _, provider = met()
    initial = alice.begin(bundle_of(provider)).initial
    parts = [b"\x05" + initial.ik_a, b"\x05" + initial.ik_b, b"\x09" + initial.pqpk_b]
    assert initial.associated == b"".join(parts)
    assert [len(part) for part in parts] == [33, 33, 1185]
    assert x3dh.encode_key(bytes(32))[0] != x3dh.encode_kem(bytes(32))[0]


# --- signatures ---


def test_whatever_is_changed_in_a_bundle_is_refused_but_the_unsigned_one_time_key():
    _, alice, _, provider = met()
    bundle = bundle_of(provider)
    alice.begin(bundle)
    wrong = [other for other in altered(bundle) if other.one_time == bundle.one_time]
    assert len(wrong) > 1184 + 64 + 64
    for other in wrong:
        with pytest.raises((Refused, Forged)):
            alice.begin(other)


def test_each_signature_that_is_missing_or_anothers_is_refused():
    _, alice, bob, provider = met()
    bundle, stranger = bundle_of(provider), new_signing_key()
    ours = new_kem_private().public
    bare = bob.identity.sign(bundle.kem.public)  # over the key without its type byte
    typed = bob.identity.sign(x3dh.encode_key(bundle.kem.public))  # as if it were a curve's
    faults = {
        "signature of the prekey": [
            replace(bundle, signature=b""),
            replace(bundle, signature=x3dh.sign_prekey(stranger, bundle.prekey)),
            replace(bundle, signature=bundle.kem.signature),
        ],
        "signature of the KEM prekey": [
            replace(bundle, kem=SignedKem(bundle.kem.public, signature))
            for signature in (b"", bare, typed, bundle.signature, pqxdh.sign_kem(stranger, bundle.kem.public).signature)
        ]
        + [replace(bundle, kem=pqxdh.sign_kem(stranger, ours)), PqBundle(*msgspec.structs.astuple(bundle)[:4])],
    }
    for reason, wrong in faults.items():
        for other in wrong:
            with pytest.raises(Refused, match=reason):
                alice.begin(other)


def test_one_time_kem_prekeys_are_signed_too():
    _, _, _, provider = met(stock=3)
    handed = [bundle_of(provider) for _ in range(4)]
    assert all(pqxdh.kem_is_signed(bundle) for bundle in handed)
    assert len({bundle.kem.public for bundle in handed}) == 4


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


def test_a_kem_that_draws_past_the_door_breaks_a_law(monkeypatch):
    assert not PROPERTY["the seed decides"].broken(plain_pq.SCHEME, QUICK)
    monkeypatch.setattr(crypto, "repeats", lambda: False)
    assert PROPERTY["the seed decides"].broken(plain_pq.SCHEME, QUICK)


class LooseSeedDevice(PqDevice):
    seed: bytes = b""


class LooseSeed(PlainPq, frozen=True):
    device = LooseSeedDevice


def test_a_kem_seed_in_loose_bytes_breaks_a_law():
    assert "LooseSeedDevice.seed" in PROPERTY["state is typed"].broken(LooseSeed(), QUICK)


class HalfMixingDevice(PqDevice):
    def accept(self, initial):
        session = super().accept(initial)
        return replace(session, root=replace(session.root, value=hashlib.sha256(session.root.value).digest()))


class HalfMixing(PlainPq, frozen=True):
    device = HalfMixingDevice


def test_two_ends_that_mix_otherwise_break_a_law():
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


def test_the_laws_of_a_play_hold():
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
