"""ML-KEM-768 against known answers and another implementation; what the door tells of it."""

from __future__ import annotations

import pytest
from external import wycheproof
from pq_pair import theirs

from escrow import crypto
from escrow.crypto import Call, Run
from escrow.errors import Forged
from escrow.primitives import kem
from escrow.primitives.kem import KemPrivate, new_kem_private

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


def test_the_door_tells_of_every_use_of_the_kem():
    heard = []
    with crypto.running(Run(bytes(32), heard.append)):
        key = new_kem_private()
        ciphertext, secret = kem.encapsulate(key.public)
        key.decapsulate(ciphertext)
    (message,) = heard[2].outputs
    assert kem.encapsulated(key.public, message) == (ciphertext, secret)
    assert heard == [
        Call("random", (), (key.raw,), ""),
        Call("ml-kem-key", (key.raw,), (key.public,), ""),
        Call("random", (), (message,), ""),
        Call("ml-kem-encapsulate", (key.public, message), (ciphertext, secret), ""),
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
