"""Published vectors: the small ones that ship, and the large ones where the folder of external vectors is named.

Which of the large ones are executed, how many cases, and why the others are not: `external.SETS`.
"""

import copy
import importlib
import importlib.resources
import inspect
from collections import Counter
from pathlib import Path

import external
import pytest
from external import wycheproof

from escrow import crypto, vectors
from escrow.errors import Forged
from escrow.primitives import hpke
from escrow.primitives.group import base
from escrow.sharing import feldman, shamir

SHIPPED = {
    "x25519": 4,
    "ed25519": 3,
    "edwards_to_montgomery": 1,
    "hkdf_sha256": 1,
    "aes_gcm": 2,
    "hpke": 2,
    "double_ratchet": 1,
    "safety_number": 1,
    "p256": 1,
    "frost_p256": 1,
    "hash_to_curve": 5,
    "skipjack": 81,
    "tlock": 1,
}
OWN = {"x3dh": 22, "pqxdh": 14, "ratchet": 36, "dkg": 39, "tdh2": 29, "clipper": 19}


def hexes(item: dict, *names: str) -> list[bytes]:
    return [bytes.fromhex(item[name]) for name in names]


# --- what ships ---


def test_every_shipped_answer_holds_and_none_is_missing():
    answers = list(vectors.known_answers())
    assert Counter(name.split(":")[0] for name, _ in answers) == SHIPPED | OWN
    assert (set(vectors.PUBLISHED), set(vectors.OWN)) == (set(SHIPPED), set(OWN))
    assert len({name for name, _ in answers}) == len(answers)
    assert [name for name, holds in answers if not holds] == []


@pytest.mark.parametrize("name", SHIPPED | OWN)
def test_every_file_names_its_source(name):
    assert vectors.load(name)["source"]


def test_no_file_ships_that_nobody_checks():
    shipped = {path.name for path in importlib.resources.files(vectors).iterdir() if path.name.endswith(".json")}
    assert shipped == {f"{name}.json" for name in SHIPPED | OWN}


def other(value):
    """The value, changed in one place."""
    if isinstance(value, int):
        return value ^ 0x30  # X25519's KEM number for P-256's, and back
    if not value:
        return "00"
    return value[:-1] + format(int(value[-1], 16) ^ 1, "x")


def changed(case: dict):
    """(field, the case with that field changed), for every field and every item of a list."""
    for field, value in case.items():
        if field == "name":
            continue
        for at in range(len(value)) if isinstance(value, list) else [None]:
            wrong = copy.deepcopy(case)
            if at is None:
                wrong[field] = other(value)
            else:
                wrong[field][at] = other(value[at])
            yield field, wrong


@pytest.mark.parametrize("name", SHIPPED)
def test_an_answer_with_any_field_changed_does_not_hold(name, monkeypatch):
    """The self-check can fail: no field of a shipped case is there for nothing."""
    original = vectors.load
    for number, case in enumerate(original(name)["cases"][:10]):
        for field, wrong in changed(case):
            damaged = original(name)
            damaged["cases"][number] = wrong
            monkeypatch.setattr(vectors, "load", lambda asked, d=damaged: d if asked == name else original(asked))
            failed = [answer for answer, holds in vectors.known_answers(name) if not holds]
            assert failed == [f"{name}: {case['name']}"], field


# --- the folder of external vectors ---


def test_every_set_of_vectors_is_executed_or_says_why_not(monkeypatch):
    """No file twice, none left out, the number of cases as pinned; and who executes one names it."""
    for folder in Path(__file__).parents[1].iterdir():
        monkeypatch.syspath_prepend(folder)
    root, claimed = external.folder(), Counter()
    for each in external.SETS:
        files = [path for path in root.glob(each.files) if path.name != "SOURCE.txt"]
        claimed.update(files)
        assert sum(map(external.cases_in, files)) == each.cases, each.files
        assert bool(each.run) == bool(each.by), each.files
        assert (each.run < each.cases) == bool(each.why), each.files
        for test in each.by:
            module, _, name = test.partition(".")
            found = importlib.import_module(f"test_{module}")
            assert inspect.isfunction(getattr(found, f"test_{name}")), test
            named = files[0].stem.removesuffix("_test").removesuffix("_RO_").removesuffix("_NU_")
            assert named in inspect.getsource(found), test
    assert set(claimed.values()) == {1}
    data = {path for path in root.glob("*/**/*") if path.is_file()}
    assert {path.name for path in data - set(claimed)} == {"SOURCE.txt", "COPYING"}


def test_how_many_cases_are_executed():
    cases, run = (sum(getattr(each, name) for each in external.SETS) for name in ("cases", "run"))
    assert (cases, run) == (CASES, RUN)


CASES, RUN = 5010, 2840


def test_the_shipped_skipjack_answers_are_the_published_ones():
    published = external.vectors("skipjack/skipjack.json")["tests"]
    fields = ("key", "plaintext", "ciphertext")
    shipped = [[case[name] for name in fields] for case in vectors.load("skipjack")["cases"]]
    assert shipped == [[test[name] for name in fields] for test in published]


def test_the_dealers_of_rfc_9591():
    """What ships is what is published; and the signers' nonces with their commitments are four multiples of G."""
    published = external.vectors("frost/frost-p256-sha256.json")
    given = published["inputs"]
    (case,) = vectors.load("frost_p256")["cases"]
    assert (case["secret"], case["public"]) == (given["group_secret_key"], given["group_public_key"])
    assert case["coefficients"] == given["share_polynomial_coefficients"]
    assert case["shares"] == [each["participant_share"] for each in given["participant_shares"]]
    coefficients = [int(raw, 16) for raw in (case["secret"], *case["coefficients"])]
    dealt = {each["identifier"]: int(each["participant_share"], 16) for each in given["participant_shares"]}
    assert shamir.evaluate(coefficients, dealt) == list(dealt.values())
    assert feldman.verify_shares([base(a) for a in coefficients], dealt)
    nonces = [
        (each[kind], each[f"{kind}_commitment"])
        for each in published["round_one_outputs"]["outputs"]
        for kind in ("hiding_nonce", "binding_nonce")
    ]
    assert [base(int(nonce, 16)).hex() for nonce, _ in nonces] == [point for _, point in nonces]
    assert len(nonces) == 4


# --- Wycheproof ---


def test_ecdh_p256():
    """As HPKE multiplies, which takes uncompressed points only: the one compressed case is refused."""
    counted = Counter()
    for _, test in wycheproof("ecdh_secp256r1_ecpoint"):
        raw = int(test["private"], 16).to_bytes(32, "big")
        try:
            shared = hpke.PrivateP256(b"", raw).exchange(bytes.fromhex(test["public"]))
        except Forged:
            counted["refused", test["result"]] += 1
            continue
        assert shared.hex() == test["shared"]
        counted["agreed", test["result"]] += 1
    assert counted == {("agreed", "valid"): 330, ("refused", "acceptable"): 1, ("refused", "invalid"): 24}


def test_aes_gcm():
    """Refused by the library underneath, not by us: nonces of fewer than 8 or more than 128 bytes (27 valid cases)."""
    counted = Counter()
    for _, test in wycheproof("aes_gcm"):
        key, nonce, associated, plaintext, ciphertext, tag = hexes(test, "key", "iv", "aad", "msg", "ct", "tag")
        usable = 8 <= len(nonce) <= 128
        if test["result"] == "valid" and usable:
            assert crypto.seal(key, plaintext, associated, nonce) == ciphertext + tag
            assert crypto.open_sealed(key, ciphertext + tag, associated, nonce) == plaintext
        else:
            with pytest.raises(Forged):
                crypto.open_sealed(key, ciphertext + tag, associated, nonce)
        counted[test["result"], "usable nonce" if usable else "other nonce"] += 1
    assert counted == {
        ("valid", "usable nonce"): 202,
        ("valid", "other nonce"): 27,
        ("invalid", "usable nonce"): 81,
        ("invalid", "other nonce"): 6,
    }


def test_chacha20_poly1305():
    """Nonces of other lengths than 12 bytes (9 invalid cases) cannot arise: HPKE computes its nonces."""
    counted = Counter()
    aead = hpke.CHACHA20_POLY1305
    for _, test in wycheproof("chacha20_poly1305"):
        key, nonce, associated, plaintext, ciphertext, tag = hexes(test, "key", "iv", "aad", "msg", "ct", "tag")
        if test["result"] == "valid":
            assert aead.seal(key, plaintext, associated, nonce) == ciphertext + tag
            assert aead.open(key, ciphertext + tag, associated, nonce) == plaintext
        elif len(nonce) == 12:
            with pytest.raises(Forged):
                aead.open(key, ciphertext + tag, associated, nonce)
        counted[test["result"], len(nonce) == 12] += 1
    assert counted == {("valid", True): 256, ("invalid", True): 60, ("invalid", False): 9}


def test_x25519():
    """Of the acceptable cases, those whose shared secret is zero are refused and all others agree."""
    counted = Counter()
    for _, test in wycheproof("x25519"):
        private, public, shared = hexes(test, "private", "public", "shared")
        if "ZeroSharedSecret" in test["flags"]:
            with pytest.raises(Forged):
                crypto.Private(b"", private).exchange(public)
        else:
            assert crypto.Private(b"", private).exchange(public) == shared
        counted[test["result"], "ZeroSharedSecret" in test["flags"]] += 1
    assert counted == {("valid", False): 264, ("acceptable", False): 223, ("acceptable", True): 31}


def test_ed25519():
    counted = Counter()
    for group, test in wycheproof("ed25519"):
        signature, message = hexes(test, "sig", "msg")
        public = bytes.fromhex(group["publicKey"]["pk"])
        assert crypto.verify(public, signature, message) == (test["result"] == "valid")
        counted[test["result"]] += 1
    assert counted == {"valid": 88, "invalid": 63}


def test_hkdf_sha256():
    """The invalid cases ask for more than 255 blocks: an error of the caller, so no Forged."""
    counted = Counter()
    for _, test in wycheproof("hkdf_sha256"):
        ikm, salt, info, okm = hexes(test, "ikm", "salt", "info", "okm")
        if test["result"] == "valid":
            assert crypto.hkdf(salt, ikm, info, test["size"]) == okm
            extracted = crypto.hkdf_extract(salt, ikm)
            assert crypto.hkdf_expand(extracted, info, test["size"]) == okm
            if test["size"] <= 32:
                blank = crypto.hkdf_expand(extracted, b"", 12)
                assert crypto.hkdf_expand_pair(extracted, info, len(okm), b"", 12) == (okm, blank)
                assert crypto.hkdf_expand_pair(extracted, b"", 12, info, len(okm)) == (blank, okm)
            else:
                for lengths in ((test["size"], 12), (12, test["size"])):
                    with pytest.raises(ValueError, match="at most 32 bytes"):
                        crypto.hkdf_expand_pair(extracted, info, lengths[0], b"", lengths[1])
        else:
            with pytest.raises(ValueError, match="8160"):
                crypto.hkdf(salt, ikm, info, test["size"])
        counted[test["result"]] += 1
    assert counted == {"valid": 83, "invalid": 3}


def test_hmac_sha256():
    """Half of the cases hold a tag cut to 16 bytes, compared as far as it goes."""
    counted = Counter()
    for group, test in wycheproof("hmac_sha256"):
        key, message, tag = hexes(test, "key", "msg", "tag")
        assert len(tag) == group["tagSize"] // 8
        assert (crypto.hmac256(key, message)[: len(tag)] == tag) == (test["result"] == "valid")
        counted[test["result"]] += 1
    assert counted == {"valid": 66, "invalid": 108}
