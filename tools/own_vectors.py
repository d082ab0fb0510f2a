"""Writes this project's own vectors into escrow/vectors: seeded runs with every value in them, and faults.

    python -m tools.own_vectors

Nobody publishes such vectors for X3DH, PQXDH and the Double Ratchet, for TDH2, for GJKR's key generation and a refresh
on P-256, or for a LEAF. The bytes are the same each time; test_transcripts.py and test_sharing_transcripts.py compare
them, compute every value a second time without this library, and try every fault.
"""

from __future__ import annotations

import json
from pathlib import Path

from escrow import crypto, vectors
from escrow.crypto import Private, Run, SigningKey, new_private
from escrow.e2ee import ratchet, x3dh
from escrow.e2ee.ratchet import exchange_as_a
from escrow.e2ee.x3dh import Bundle, IdentityKey
from tools import leaf_transcripts, pqxdh_transcripts, sharing_transcripts
from tools.ratchet_transcripts import (
    NO_TAG,
    SMALL,
    SMALL_ORDER,
    Error,
    Values,
    first_message,
    flipped,
    key_pairs,
    making,
    transcripts,
)

SEED = b"escrow-lab: transcripts of X3DH and the Double Ratchet"
SEED_OF_OTHERS = b"escrow-lab: transcripts of PQXDH, TDH2, GJKR and the LEAF"
SOURCE = "this project, tools/own_vectors.py; every value is computed a second time in tests/e2ee/test_transcripts.py"
SECOND = SOURCE.replace("e2ee/test_transcripts", "sharing/test_sharing_transcripts")
MODELLED = "this project, tools/own_vectors.py: a model (escrow.schemes.clipper.leaf), for the LEAF was never published"
FOLDER = Path(vectors.__file__).parent

NEUTRAL = b"\1" + bytes(31)  # as an Ed25519 key it verifies R = neutral, s = 0 under every message
UNSIGNED = ("Refused", "signature of the prekey")
ERASED = ("Forged", "a prekey that was erased, or used before")


def agreement(name: str, with_one_time: bool) -> Values:
    """a begins a session with b and sends the first message of it."""
    with crypto.acting("b"):
        identity_b, prekey = crypto.new_signing_key(IdentityKey), new_private()
        one_time = new_private() if with_one_time else Private(b"", b"")
    signature = x3dh.sign_prekey(identity_b, prekey.public)
    bundle = Bundle(identity_b.public, prekey.public, signature, one_time.public)
    with crypto.acting("a"):
        identity_a = crypto.new_signing_key(IdentityKey)
        (initial, root), (ephemeral,) = making(lambda: x3dh.initiate(identity_a, bundle))
        session, (own,) = making(lambda: ratchet.begin(root, initial.associated))
    keys = (identity_a.agreement, ephemeral, ephemeral, ephemeral)
    shared = [exchange_as_a(*each) for each in zip(keys, initial.pairs, strict=False)]
    return {
        **key_pairs(name, (identity_a, ephemeral), (identity_b, prekey, one_time)),
        "info": x3dh._INFO,
        **first_message(shared, root, initial.associated, own, session),
    }


def agreement_fault(of: Values, at: str, name: str, changed: Values, error: Error) -> Values:
    return {"name": name, "of": of["name"], "at": at, "changed": changed, "error": error[0], "reason": error[1]}


def initiator_faults(case: Values) -> list[Values]:
    """What a may meet in b's bundle. `listed_b` is b's identity key in the directory's list of devices."""
    signer = SigningKey(case["identity_b"], case["seed_b"])
    imposter = SigningKey(case["identity_a"], case["seed_a"])
    neutral = {"listed_b": NEUTRAL, "identity_b": NEUTRAL, "signature": NEUTRAL + bytes(32)}
    small = {"spk_b": SMALL_ORDER, "signature": x3dh.sign_prekey(signer, SMALL_ORDER)}
    other_device = ("Refused", "the bundle is of the device listed")
    no_point = ("Forged", "an Ed25519 public key is not 32 bytes or is the neutral element")
    faults: list[tuple[str, Values, Error]] = [
        ("one bit of the signature", {"signature": flipped(case["signature"])}, UNSIGNED),
        ("one bit of the prekey", {"spk_b": flipped(case["spk_b"])}, UNSIGNED),
        ("the prekey in other bytes", {"spk_b": flipped(case["spk_b"], 255)}, UNSIGNED),
        ("the bare prekey is signed", {"signature": signer.sign(case["spk_b"])}, UNSIGNED),
        ("somebody else signed", {"signature": x3dh.sign_prekey(imposter, case["spk_b"])}, UNSIGNED),
        ("somebody else's bundle", {"identity_b": case["identity_a"]}, other_device),
        ("an identity key that verifies anything", neutral, no_point),
        ("a signed prekey of small order", small, SMALL),
        ("a one-time prekey of small order", {"opk_b": SMALL_ORDER}, SMALL),
        ("a one-time prekey cut by a byte", {"opk_b": case["opk_b"][:-1]}, SMALL),
    ]
    return [agreement_fault(case, "a", *fault) for fault in faults]


def responder_faults(case: Values) -> list[Values]:
    """What b may meet in a's initial message, and b without its one-time prekey."""
    other = ("Forged", "an initial message names keys that are not here")
    respelled = ("Refused", "the ephemeral key is spelled canonically")
    faults: list[tuple[str, Values, Error]] = [
        ("another initiator", {"ik_a": case["ik_b"]}, ("Refused", "the session is from the device listed")),
        ("another responder", {"ik_b": case["ik_a"]}, other),
        ("one bit of the ephemeral key", {"ek_a": flipped(case["ek_a"])}, NO_TAG),
        ("the ephemeral key in other bytes", {"ek_a": flipped(case["ek_a"], 255)}, respelled),
        ("an ephemeral key of small order", {"ek_a": SMALL_ORDER}, SMALL),
        ("a signed prekey that is not there", {"spk_b": flipped(case["spk_b"])}, ERASED),
        ("a one-time prekey that is not there", {"opk_b": flipped(case["opk_b"])}, ERASED),
        ("a one-time prekey that was used before", {"one_time": b""}, ERASED),
        ("the one-time prekey is not named", {"opk_b": b""}, NO_TAG),
        ("one bit of the message", {"message": flipped(case["message"], 8 * len(case["message"]) - 1)}, NO_TAG),
    ]
    return [agreement_fault(case, "b", *fault) for fault in faults]


# --- the files ---


def text_of(cases: list[Values], source: str = SOURCE) -> str:
    """The file: byte strings in hexadecimal."""
    return json.dumps({"source": source, "cases": cases}, indent=2, default=bytes.hex) + "\n"


def files() -> dict[str, str]:
    """name -> text, the same each time."""
    with crypto.running(Run(SEED)):
        with_one_time = agreement("with a one-time prekey", True)
        agreements = [with_one_time, agreement("without a one-time prekey", False)]
        made = transcripts()
    agreements += initiator_faults(with_one_time) + responder_faults(with_one_time)
    sessions = [each.case for each in made] + [fault for each in made for fault in each.faults]
    return {"x3dh": text_of(agreements), "ratchet": text_of(sessions)} | other_files()


def other_files() -> dict[str, str]:
    """Of a seed of their own, so that these do not move the first two."""
    with crypto.running(Run(SEED_OF_OTHERS)):
        agreements = pqxdh_transcripts.cases()
        generation, sharing, shares = sharing_transcripts.key_cases()
        decryption = sharing_transcripts.tdh2_cases(sharing, shares)
        leafs = leaf_transcripts.clipper_cases()
    told = {"pqxdh": (agreements, SECOND), "dkg": (generation, SECOND), "tdh2": (decryption, SECOND)}
    return {name: text_of(*each) for name, each in (told | {"clipper": (leafs, MODELLED)}).items()}


if __name__ == "__main__":
    for file, content in files().items():
        (FOLDER / f"{file}.json").write_text(content, encoding="utf-8")
