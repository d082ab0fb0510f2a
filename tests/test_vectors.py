"""Published vectors: the small ones that ship, and Wycheproof's where the folder of external vectors is named."""

import copy
from collections import Counter

import pytest
from external import wycheproof

from escrow import crypto, hpke, vectors
from escrow.errors import Forged

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
}


def hexes(item: dict, *names: str) -> list[bytes]:
    return [bytes.fromhex(item[name]) for name in names]


# --- what ships ---


def test_every_shipped_answer_holds_and_none_is_missing():
    answers = list(vectors.known_answers())
    assert Counter(name.split(":")[0] for name, _ in answers) == SHIPPED
    assert len({name for name, _ in answers}) == len(answers)
    assert [name for name, holds in answers if not holds] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_every_file_names_its_source(name):
    assert vectors.load(name)["source"]


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
    for number, case in enumerate(original(name)["cases"]):
        for field, wrong in changed(case):
            damaged = original(name)
            damaged["cases"][number] = wrong
            monkeypatch.setattr(vectors, "load", lambda asked, d=damaged: d if asked == name else original(asked))
            failed = [answer for answer, holds in vectors.known_answers() if not holds]
            assert failed == [f"{name}: {case['name']}"], field


# --- Wycheproof ---


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
            assert crypto.hkdf_expand(crypto.hkdf_extract(salt, ikm), info, test["size"]) == okm
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
