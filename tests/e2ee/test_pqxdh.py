"""PQXDH and its KEM: both sides agree on what the specification says, every signature counts, the KEM key is bound."""

from __future__ import annotations

import msgspec
import pytest
from by_hand import hkdf, x25519
from msgspec.structs import replace
from pq_pair import bundle_of, met, theirs

from escrow.crypto import new_signing_key
from escrow.e2ee import pqxdh, ratchet, x3dh
from escrow.e2ee.pqxdh import PqBundle, SignedKem
from escrow.e2ee.ratchet import exchange_as_b
from escrow.errors import Forged, Refused
from escrow.primitives.kem import new_kem_private
from escrow.testing.alterations import altered
from escrow.vocabulary import vocabulary

WITH_AND_WITHOUT = pytest.mark.parametrize("stock", [1, 0], ids=["one-time prekeys", "none left"])


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
