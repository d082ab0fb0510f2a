"""Properties of the transcripts of PQXDH, key generation, refresh, TDH2 and Clipper: every value comes out the same by
hand; a changed bit is noticed, by hand and by the self-check; and a fault is worth its verdict and no other.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import by_hand
import by_hand_group
import pytest
from by_hand import spoilt
from Crypto.PublicKey import MLKEM

from escrow import vectors
from escrow.vectors.case import VERDICT, unhexed
from tools import own_vectors

Values = dict[str, Any]
CASES = {"x3dh": (2, 20), "pqxdh": (2, 12), "ratchet": (5, 31), "dkg": (2, 37), "tdh2": (1, 28), "clipper": (4, 15)}
MADE = ("pqxdh", "dkg", "tdh2", "clipper")  # test_transcripts.py has the others
LARGEST = 100_000  # bytes of a file


def cases(file: str) -> list[Values]:
    found: list[Values] = vectors.load(file)["cases"]
    return found


def runs(file: str) -> dict[str, Values]:
    return {case["name"]: case for case in cases(file) if "error" not in case}


def faults(file: str) -> list[Values]:
    return [case for case in cases(file) if "error" in case]


def test_made_anew_they_are_the_same_bytes() -> None:
    made = own_vectors.other_files()
    assert set(made) == set(MADE)
    for file, text in made.items():
        assert text == (own_vectors.FOLDER / f"{file}.json").read_text("utf-8"), file
        assert len(text) < LARGEST


def test_none_is_missing_and_each_has_its_name() -> None:
    assert {file: (len(runs(file)), len(faults(file))) for file in vectors.OWN} == CASES
    for file in vectors.OWN:
        assert set(Counter(case["name"] for case in cases(file)).values()) == {1}, file
        assert vectors.load(file)["source"].startswith("this project")
        assert {fault["of"] for fault in faults(file)} <= set(runs(file))


def test_every_kind_of_lie_names_its_culprit() -> None:
    """Where a fault is a member's or a sender's, the verdict says whose; only what no member did names nobody."""
    nobody = {
        "tdh2": [fault["name"] for fault in faults("tdh2") if fault["at"] == "ciphertext"],
        "clipper": [fault["name"] for fault in faults("clipper") if fault["at"] != "receiver"],
        "dkg": [fault["name"] for fault in faults("dkg") if fault["error"] == "none"],
    }
    assert {file: len(names) for file, names in nobody.items()} == {"tdh2": 14, "clipper": 4, "dkg": 4}
    for file, names in nobody.items():
        named = [fault for fault in faults(file) if fault.get("culprits")]
        assert sorted(fault["name"] for fault in named) == sorted(
            fault["name"] for fault in faults(file) if fault["name"] not in names
        )


# --- by hand ---


def walk_pqxdh(case: Values) -> None:
    """As X3DH's, with a KEM of another implementation beside it."""
    public, secret = case["pqpk_b"], case["ss"]
    key = MLKEM.construct(param_set=MLKEM.ML_KEM_768, seed=case["kem_seed"])
    assert key.ek == public
    assert key.public_key()._encaps(case["coins"]) == (secret, case["ciphertext"])
    other = bytes([case["ciphertext"][0] ^ 1]) + case["ciphertext"][1:]
    assert case["rejected"] == hashlib.shake_256(case["kem_seed"][32:] + other).digest(32)  # FIPS 203, algorithm 18
    assert case["kem_signature"] == by_hand.signer(case["seed_b"]).sign(b"\x09" + public)
    by_hand.walk_agreement(case | {"ad": case["ad"][:66], "sk": classical(case), "message": first_message(case)})
    shared = b"".join(case[f"dh{number}"] for number in range(1, 5 if case["one_time"] else 4))
    assert case["info"] == b"EscrowLab_CURVE25519_SHA-256_ML-KEM-768"
    assert case["sk"] == by_hand.hkdf(bytes(32), b"\xff" * 32 + shared + secret, case["info"], 32)
    assert case["ad"][66:] == b"\x09" + public
    assert case["message"] == first_message(case, case["sk"], case["ad"])


def classical(case: Values) -> bytes:
    """What X3DH alone would have made of the same exchanges, for its walk."""
    shared = b"".join(case[f"dh{number}"] for number in range(1, 5 if case["one_time"] else 4))
    return by_hand.hkdf(bytes(32), b"\xff" * 32 + shared, case["info"], 32)


def first_message(case: Values, sk: bytes = b"", ad: bytes = b"") -> bytes:
    ad = ad or case["ad"][:66]
    chain = by_hand.Person(sk or classical(case), ad).ratchet(case["ratchet_key"], case["spk_b"])["chain"]
    header = by_hand.public_of(case["ratchet_key"]) + bytes(2)
    cipher = by_hand.gcm(by_hand.hmac256(chain, b"\1"), ad + header)
    return header + b"".join(cipher.encrypt_and_digest(case["text"]))


WALKS: dict[str, Callable[[Values], None]] = {
    "pqxdh": walk_pqxdh,
    "dkg": by_hand_group.walk_run,
    "tdh2": by_hand_group.walk_tdh2,
}
WALKED = pytest.mark.parametrize(("file", "name"), [(file, name) for file in WALKS for name in runs(file)])
EVERY_RUN = pytest.mark.parametrize(("file", "name"), [(file, name) for file in vectors.OWN for name in runs(file)])


@WALKED
def test_by_hand_every_value_comes_out_the_same(file: str, name: str) -> None:
    WALKS[file](unhexed(runs(file)[name]))


@WALKED
def test_by_hand_a_value_with_one_bit_changed_is_noticed(file: str, name: str) -> None:
    for field, wrong in spoilt(unhexed(runs(file)[name])):
        with pytest.raises((AssertionError, ValueError, KeyError)):
            WALKS[file](wrong)
            pytest.fail(field)


# --- the self-check ---

UNSEEN = {  # what the self-check cannot notice, and why
    ("pqxdh", "coins"): "the library's KEM takes none; by hand it is noticed",
    ("dkg", "session"): "it keeps runs apart, and enters no value",
    ("clipper", "width"): "an AEAD's MAC has a width of its own",
}


@EVERY_RUN
def test_the_self_check_notices_one_bit_changed(file: str, name: str) -> None:
    run = unhexed(runs(file)[name])
    assert vectors.OWN[file][0](run)
    unseen = set()
    for field, wrong in spoilt(run, {"ratchet": 7}.get(file, 1)):
        try:
            if vectors.OWN[file][0](wrong):
                unseen.add(field)
        except Exception:  # noqa: S112 (whatever it raises, the case does not hold)
            continue
    assert unseen == {field for other, field in UNSEEN if other == file and (field != "width" or name == "an AEAD")}


@pytest.mark.parametrize("file", vectors.OWN)
def test_a_fault_has_one_verdict(file: str) -> None:
    """With any part of the verdict changed, or with nothing wrong, it does not hold."""
    for fault in faults(file):
        of = runs(file)[fault["of"]]
        for name in VERDICT & set(fault):
            wrong = {"culprits": [9], "qualified": [9]}.get(name, "0" * 66)
            assert not vectors.holds(file, fault | {name: wrong}, of), (fault["name"], name)
        if {"lies", "changed"} & set(fault):
            harmless = fault | ({"lies": {}} if "lies" in fault else {"changed": {}})
            assert vectors.holds(file, harmless, of) == (fault["error"] == "none"), fault["name"]
