"""Small known answers, shipped with the package: the tests and the self-check read the same files.

A file is {"source": …, "cases": [{"name": …, …}]}; byte strings are hexadecimal. Each answer is computed by the code
that the rest of the library runs. Most are published. Where no one has published any they are this project's own: runs,
and faults with the error and the culprit that each must give (escrow.vectors.case).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.resources import files

from escrow import crypto
from escrow.e2ee import ratchet
from escrow.e2ee.fingerprint import safety_number
from escrow.primitives import bls12_381, group, hash_to_curve, hpke, ibe, skipjack
from escrow.sharing import feldman, shamir
from escrow.vectors import agreements, leafs, sharings
from escrow.vectors.case import Case, expected, unhexed


def load(name: str) -> Case:
    """Return the vectors of that name. Raise FileNotFoundError if there are none."""
    loaded: Case = json.loads((files(__package__) / f"{name}.json").read_text("utf-8"))
    return loaded


def known_answers(*names: str) -> Iterator[tuple[str, bool]]:
    """Yield (name, whether this library gives the answer) for every case of these files, or of all.

    All take about half a second. The answer to a fault is the error that it names. Those in `untried` are left out.
    Raises KeyError for a file that is not checked here.
    """
    without = untried()
    for name in names or (*PUBLISHED, *OWN):
        if name in without:
            continue
        cases = load(name)["cases"]
        if name in PUBLISHED:
            yield from ((f"{name}: {case['name']}", _ask(PUBLISHED[name], case)) for case in cases)
            continue
        runs = {case["name"]: case for case in cases if "error" not in case}
        for case in cases:
            yield f"{name}: {case['name']}", holds(name, case, runs.get(case.get("of")))


def untried() -> dict[str, str]:
    """Return which files cannot be checked here, by name, and why: a package is not installed."""
    return {"tlock": reason} if (reason := bls12_381.missing()) else {}


def holds(name: str, case: Case, of: Case | None) -> bool:
    """Return whether a case of this project's own gives what it says; `of` is the run that a fault changes."""
    replay, fault = OWN[name]
    if of is None:
        return _ask(replay, unhexed(case))
    return _ask(lambda case: fault(unhexed(of), case) == expected(case), unhexed(case))


def _ask(holds: Callable[[Case], bool], case: Case) -> bool:
    try:
        return holds(case)
    except Exception:  # a damaged installation may raise anything: the answer was not the published one
        return False


def _bytes(case: Case, *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


def _x25519(case: Case) -> bool:
    private, public, shared = _bytes(case, "private", "public", "shared")
    return crypto.Private(b"", private).exchange(public) == shared


def _ed25519(case: Case) -> bool:
    seed, public, message, signature = _bytes(case, "seed", "public", "message", "signature")
    signed = crypto.SigningKey(public, seed).sign(message)
    return signed == signature and crypto.verify(public, signature, message)


def _edwards_to_montgomery(case: Case) -> bool:
    edwards, montgomery = _bytes(case, "edwards", "montgomery")
    return crypto.montgomery(edwards) == montgomery


def _hkdf_sha256(case: Case) -> bool:
    ikm, salt, info, prk, okm = _bytes(case, "ikm", "salt", "info", "prk", "okm")
    whole = crypto.hkdf(salt, ikm, info, len(okm))
    extracted = crypto.hkdf_extract(salt, ikm)
    return whole == okm == crypto.hkdf_expand(extracted, info, len(okm)) and extracted == prk


def _aes_gcm(case: Case) -> bool:
    key, nonce, associated, plaintext, sealed = _bytes(case, "key", "nonce", "associated", "plaintext", "sealed")
    opened = crypto.open_sealed(key, sealed, associated, nonce)
    return crypto.seal(key, plaintext, associated, nonce) == sealed and opened == plaintext


def _hpke(case: Case) -> bool:
    private, public, info, enc = _bytes(case, "private", "public", "info", "enc")
    plaintext, aad, sealed, exported = _bytes(case, "plaintext", "aad", "sealed", "exported")
    kem, key = (hpke.X25519, crypto.Private) if case["kem"] == hpke.X25519.number else (hpke.P256, hpke.PrivateP256)
    suite = hpke.Suite(kem, hpke.AES_128_GCM)
    got, sender = suite.sender(public, info, key(enc, bytes.fromhex(case["ephemeral"])))
    receiver = suite.receiver(key(public, private), enc, info)
    sent = got == enc and sender.seal(plaintext, aad) == sealed and sender.export(b"", 32) == exported
    return sent and receiver.open(sealed, aad) == plaintext


def _double_ratchet(case: Case) -> bool:
    chain, following, cipher, mac = _bytes(case, "chain_key", "next_chain_key", "cipher_key", "mac_key")
    message_key, next_chain = ratchet.step(ratchet.ChainKey(b"", 0, chain))
    derived = crypto.hkdf(b"", message_key.value, b"WhisperMessageKeys", 80)
    return next_chain.value == following and derived.startswith(cipher + mac)


def _safety_number(case: Case) -> bool:
    mine, theirs = _bytes(case, "my_key", "their_key")
    number: str = case["number"]
    return safety_number(case["mine"], [mine], case["theirs"], [theirs]) == number


def _p256(case: Case) -> bool:
    i, r = (group.scalar(raw) for raw in _bytes(case, "i", "r"))
    i_point, r_point, shared = _bytes(case, "i_point", "r_point", "shared_point")
    both = group.multiply(r_point, i) == shared == group.multiply(i_point, r)
    return both and group.base(i) == i_point and group.multi([r_point], [i]) == shared


def _frost_p256(case: Case) -> bool:
    coefficients = [int(raw, 16) for raw in (case["secret"], *case["coefficients"])]
    shares = {index: int(raw, 16) for index, raw in enumerate(case["shares"], 1)}
    commitments = tuple(map(group.base, coefficients))
    dealt = shamir.evaluate(coefficients, shares) == list(shares.values()) and commitments[0].hex() == case["public"]
    combined = shamir.combine({index: shares[index] for index in (1, 3)}) == coefficients[0]
    return dealt and combined and feldman.verify_shares(commitments, shares)


def _hash_to_curve(case: Case) -> bool:
    tag, message, point = _bytes(case, "tag", "message", "point")
    elements = hash_to_curve.field_elements(message, tag, 2)
    hashed = [element.to_bytes(32, "big").hex() for element in elements] == case["u"]
    mapped = [hash_to_curve.map_to_curve(element).hex() for element in elements] == case["q"]
    return hashed and mapped and hash_to_curve.hash_to_curve(message, tag) == point


def _skipjack(case: Case) -> bool:
    key, plaintext, ciphertext = _bytes(case, "key", "plaintext", "ciphertext")
    return skipjack.encrypt(key, plaintext) == ciphertext and skipjack.decrypt(key, ciphertext) == plaintext


def _tlock(case: Case) -> bool:
    public, signature, sealed, message = _bytes(case, "public", "signature", "sealed", "message")
    signed = bls12_381.verifies(public, ibe.name_point(ibe.name_of_round(case["round"])), signature)
    return signed and ibe.open_(signature, sealed) == message


PUBLISHED: dict[str, Callable[[Case], bool]] = {
    "x25519": _x25519,
    "ed25519": _ed25519,
    "edwards_to_montgomery": _edwards_to_montgomery,
    "hkdf_sha256": _hkdf_sha256,
    "aes_gcm": _aes_gcm,
    "hpke": _hpke,
    "double_ratchet": _double_ratchet,
    "safety_number": _safety_number,
    "p256": _p256,
    "frost_p256": _frost_p256,
    "hash_to_curve": _hash_to_curve,
    "skipjack": _skipjack,
    "tlock": _tlock,
}

OWN: dict[
    str, tuple[Callable[[Case], bool], Callable[[Case, Case], Case]]
] = {  # (how to replay a run, the verdict on a fault)
    "x3dh": (agreements.replay_agreement, agreements.fault_of_agreement),
    "pqxdh": (agreements.replay_agreement, agreements.fault_of_agreement),
    "ratchet": (agreements.replay_ratchet, agreements.fault_of_ratchet),
    "dkg": (sharings.replay_dkg, sharings.fault_of_dkg),
    "tdh2": (sharings.replay_tdh2, sharings.fault_of_tdh2),
    "clipper": (leafs.replay_clipper, leafs.fault_of_clipper),
}
