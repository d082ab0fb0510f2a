"""Transcripts of PQXDH with every value in them, and faults to try; see own_vectors.py.

The ciphertexts are made from 32 bytes ("coins") that the case names: whoever gives them to a KEM repeats both sides.
"rejected" is the secret that the ciphertext gives with its first bit changed: no error, but a hash of the seed's second
half and of the ciphertext.
"""

from __future__ import annotations

from escrow import crypto
from escrow.crypto import Private, SigningKey, new_private
from escrow.e2ee import pqxdh, ratchet, x3dh
from escrow.e2ee.pqxdh import KemShared
from escrow.e2ee.ratchet import exchange_as_a
from escrow.e2ee.x3dh import IdentityKey, PqInitial
from escrow.primitives import kem
from tools.ratchet_transcripts import NO_TAG, Error, Values, first_message, flipped, key_pairs, making

UNSIGNED = ("Refused", "signature of the prekey")
KEM_UNSIGNED = ("Refused", "signature of the KEM prekey")
KEM_ERASED = ("Forged", "a KEM prekey that was erased, or used before")
NO_CIPHERTEXT = ("Forged", "an ML-KEM-768 ciphertext is not 1088 bytes, or a seed not 64")


def agreement(name: str, with_one_time: bool) -> Values:
    """a begins a session with b and sends the first message of it."""
    with crypto.acting("b"):
        identity_b, prekey = crypto.new_signing_key(IdentityKey), new_private()
        one_time = new_private() if with_one_time else Private(b"", b"")
        key = kem.new_kem_private()
    with crypto.acting("a"):
        identity_a, ephemeral = crypto.new_signing_key(IdentityKey), new_private()
        coins = crypto.random_bytes(32)
        ciphertext, secret = kem.encapsulated(key.public, coins)
        own, theirs = identity_a.agreement, identity_b.agreement
        initial = PqInitial(
            own.public, ephemeral.public, theirs.public, prekey.public, one_time.public, key.public, ciphertext
        )
        shared = [exchange_as_a(*each) for each in zip((own, *[ephemeral] * 3), initial.pairs, strict=False)]
        root = pqxdh.mix(initial, initial.agreed(*shared), KemShared(key.public, ciphertext, secret))
        session, (ratchet_key,) = making(lambda: ratchet.begin(root, initial.associated))
    return {
        **key_pairs(name, (identity_a, ephemeral), (identity_b, prekey, one_time)),
        "kem_seed": key.raw,
        "pqpk_b": key.public,
        "kem_signature": pqxdh.sign_kem(identity_b, key.public).signature,
        "coins": coins,
        "ciphertext": ciphertext,
        "ss": secret,
        "info": pqxdh._INFO,
        "rejected": key.decapsulate(flipped(ciphertext)),
        **first_message(shared, root, initial.associated, ratchet_key, session),
    }


def faults(case: Values) -> list[Values]:
    """What a may meet in b's bundle, and b in a's first message."""
    signer = SigningKey(case["identity_b"], case["seed_b"])
    imposter = SigningKey(case["identity_a"], case["seed_a"])
    typed = signer.sign(x3dh.encode_key(case["pqpk_b"]))
    tries: list[tuple[str, str, Values, Error]] = [
        ("a", "one bit of the prekey", {"spk_b": flipped(case["spk_b"])}, UNSIGNED),
        ("a", "one bit of the KEM prekey", {"pqpk_b": flipped(case["pqpk_b"])}, KEM_UNSIGNED),
        ("a", "one bit of the KEM prekey's signature", {"kem_signature": flipped(case["kem_signature"])}, KEM_UNSIGNED),
        ("a", "the bare KEM prekey is signed", {"kem_signature": signer.sign(case["pqpk_b"])}, KEM_UNSIGNED),
        ("a", "the KEM prekey is signed as if it were a curve's", {"kem_signature": typed}, KEM_UNSIGNED),
        (
            "a",
            "somebody else signed the KEM prekey",
            {"kem_signature": pqxdh.sign_kem(imposter, case["pqpk_b"]).signature},
            KEM_UNSIGNED,
        ),
        ("a", "no KEM prekey", {"pqpk_b": b"", "kem_signature": b""}, KEM_UNSIGNED),
        ("b", "one bit of the KEM's ciphertext", {"ciphertext": flipped(case["ciphertext"])}, NO_TAG),
        ("b", "the KEM's ciphertext cut by a byte", {"ciphertext": case["ciphertext"][:-1]}, NO_CIPHERTEXT),
        ("b", "no KEM's ciphertext", {"ciphertext": b""}, NO_CIPHERTEXT),
        ("b", "a KEM prekey that is not there", {"pqpk_b": flipped(case["pqpk_b"])}, KEM_ERASED),
        ("b", "one bit of the ephemeral key", {"ek_a": flipped(case["ek_a"])}, NO_TAG),
    ]
    return [
        {"name": name, "of": case["name"], "at": at, "changed": changed, "error": error[0], "reason": error[1]}
        for at, name, changed, error in tries
    ]


def cases() -> list[Values]:
    """Both runs, and faults of the first."""
    with_one_time = agreement("with one-time prekeys", True)
    return [with_one_time, agreement("without one-time prekeys", False), *faults(with_one_time)]
