"""Vectors too large to ship: read from the folder that ESCROW_LAB_VECTORS names, or else skipped, saying so.

`SETS` is every file of that folder: how many cases it has, and which tests execute them or why none does. What is
executed comes out as published, every case of it; how many of each kind, those tests pin.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

VARIABLE = "ESCROW_LAB_VECTORS"


def folder() -> Path:
    """Where they are; the test is skipped where nobody says."""
    if not (named := os.environ.get(VARIABLE)):
        pytest.skip(f"{VARIABLE} names no folder of external vectors")
    return Path(named)


def vectors(relative: str) -> Any:
    """The JSON file `relative` of that folder. A folder that lacks the file is an error, not a skip."""
    return json.loads((folder() / relative).read_text())


def wycheproof(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(group, test) of every case of Wycheproof's `name`, in the file's order."""
    for group in vectors(f"wycheproof/testvectors_v1/{name}_test.json")["testGroups"]:
        for test in group["tests"]:
            yield group, test


def cases_in(path: Path) -> int:
    """How many cases a file has; one, where its format says nothing of cases."""
    if path.suffix != ".json":
        return 1
    found = json.loads(path.read_text())
    if path.parent.name == "merkle":
        return len(found)
    if path.parent.name == "frost":
        return len(found["inputs"]["participant_shares"])
    if path.parent.name == "voprf":
        return sum(len(suite["vectors"]) for suite in found)
    if isinstance(found, list):
        return len(found)
    counted = {"numberOfTests": int, "totalTests": int, "vectors": len, "tests": len}
    return next((count(found[name]) for name, count in counted.items() if name in found), 1)


class Set(NamedTuple):
    """Files of one kind, by a pattern below the folder: how many cases they have together, and what becomes of them.

    `run` of them come out as published, by the tests `by` (file and name without "test_"); `why` is for the rest.
    """

    files: str
    cases: int
    run: int = 0
    by: tuple[str, ...] = ()
    why: str = ""


_W = "wycheproof/testvectors_v1/{}_test.json".format
_H = "hash-to-curve/{}.json".format
_SUITES = "base mode and two KEMs are built here; of the rest a library at hand opens 42"
OTHER_CURVE = "another curve: the one of the sharings here is P-256"
OTHER_SUITE = "MLS is built for ciphersuite 1; the others need other curves, hashes and ciphers"
NO_PRIMITIVE = "nothing here uses the primitive"
NO_ROOM = "nothing of the kind is built here"

SETS = (
    Set(_W("aes_gcm"), 316, 289, ("vectors.aes_gcm",), "nonces that the library underneath refuses: 27 valid cases"),
    Set(_W("aes_kwp"), 254, why=NO_PRIMITIVE),
    Set(_W("aes_wrap"), 165, why=NO_PRIMITIVE),
    Set(_W("chacha20_poly1305"), 325, 316, ("vectors.chacha20_poly1305",), "HPKE computes its nonces: 12 bytes always"),
    Set(_W("xchacha20_poly1305"), 315, why=NO_PRIMITIVE),
    Set(_W("ecdh_secp256r1_ecpoint"), 355, 355, ("group.ecdh_of_wycheproof", "vectors.ecdh_p256")),
    Set(_W("ecdsa_secp256r1_sha256"), 484, why="signatures here are Ed25519's, and Schnorr proofs of our own hashing"),
    Set(_W("ed25519"), 151, 151, ("vectors.ed25519",)),
    Set(_W("x25519"), 518, 518, ("vectors.x25519",)),
    Set(_W("hkdf_sha256"), 86, 86, ("vectors.hkdf_sha256",)),
    Set(_W("hkdf_sha512"), 83, why="HKDF is over SHA-256 here"),
    Set(_W("hmac_sha256"), 174, 174, ("vectors.hmac_sha256",)),
    Set(_W("hmac_sha512"), 174, why="HMAC is over SHA-256 here"),
    Set(_W("mlkem_768"), 193, 193, ("kem.wycheproof_ml_kem_768_decapsulation",)),
    Set(_W("mlkem_768_keygen_seed"), 100, 100, ("kem.wycheproof_ml_kem_768_keys",)),
    Set(_W("mlkem_768_encaps"), 265, 265, ("kem.wycheproof_ml_kem_768_encapsulation",)),
    Set(_W("mlkem_768_semi_expanded_decaps"), 9, why="private keys here are seeds; the library takes no expanded ones"),
    Set("hpke/rfc9180-trimmed.json", 128, 8, ("hpke.base_mode_gives_the_bytes_of_the_rfc",), _SUITES),
    Set("hpke/hpke-pq-test-vectors.json", 13, why="hybrid KEMs and hashes of a draft; PQXDH uses ML-KEM-768 bare"),
    Set(_H("P256_XMD_SHA-256_SSWU_RO_"), 5, 5, ("hash_to_curve.the_shipped_answers_are_the_published_ones",)),
    Set(_H("P256_XMD_SHA-256_SSWU_NU_"), 5, 5, ("hash_to_curve.the_non_uniform_suite_maps_one_element",)),
    Set(_H("expand_message_xmd_SHA256_38"), 10, 10, ("hash_to_curve.expansion_gives_the_published_bytes",)),
    Set(_H("expand_message_xmd_SHA256_256"), 10, why="tags of more than 255 bytes are refused, which a test holds"),
    Set(_H("expand_message_xmd_SHA512_38"), 10, 10, ("hash_to_curve.expansion_gives_the_published_bytes",)),
    Set(_H("expand_message_xof_*"), 30, why="the suite of P-256 expands by SHA-256"),
    Set(_H("BLS12381G1*RO_"), 5, 5, ("bls12_381.hashing_to_g1_gives_the_points_of_rfc_9380",)),
    Set(_H("BLS12381G1*NU_"), 5, why="the library underneath hashes by the other suite"),
    Set(_H("BLS12381G2*"), 10, why="signatures here are points of G1"),
    Set(_H("edwards25519_XMD*NU_"), 5, 5, ("vrf.elligator_2_gives_the_points_of_rfc_9380",)),
    Set(_H("edwards25519_XMD*RO_"), 5, why="verifiable random functions map one element"),
    Set(_H("curve25519_XMD*"), 10, why=OTHER_CURVE),
    Set(_H("secp256k1*"), 10, why=OTHER_CURVE),
    Set("frost/frost-p256-sha256.json", 3, 3, ("vectors.the_dealers_of_rfc_9591",)),
    Set("frost/frost-[ers]*.json", 12, why=OTHER_CURVE),
    Set("skipjack/skipjack.json", 81, 81, ("vectors.the_shipped_skipjack_answers_are_the_published_ones",)),
    Set("chilldkg/*.json", 249, why="secp256k1 and another protocol; its kinds of lies are in test_chilldkg.py"),
    Set("akd-whatsapp-kt/whatsapp_v1.yaml", 1, 1, ("whatsapp_vectors.whatsapps_published_proofs_are_verified",)),
    Set("akd-whatsapp-kt/experimental.yaml", 1, why="another tree of the same library, which nobody deploys"),
    Set("bls12-381/bls12-381-g1-*.txt", 1, 1, ("bls12_381.the_published_signatures_in_g1",)),
    Set("bls12-381/zkcrypto/*.dat", 2, 2, ("bls12_381.the_published_encodings_are_read",)),
    Set("bls12-381/bls12-381-[gs][2c]*.txt", 3, why="signatures here are points of G1, and keys are drawn"),
    Set("ecvrf/ecvrf.json", 12, 12, ("vrf.the_answers_of_the_rfc",)),
    Set("merkle/all.json", 196, 196, ("merkle.published_proofs_are_accepted_and_refused_as_published",)),
    Set("mikey-sakke/mikey-sakke.json", 1, why=NO_ROOM),
    Set("mls/deserialization.json", 14, 14, ("mls_vectors.lengths_are_read_and_written_as_published",)),
    Set("mls/tree-math.json", 10, 10, ("mls_vectors.positions_in_trees_are_as_published",)),
    Set("mls/crypto-basics.json", 7, 1, ("mls_vectors.labelled_operations_are_as_published",), OTHER_SUITE),
    Set("mls/key-schedule.json", 7, 1, ("mls_vectors.the_key_schedule_is_as_published",), OTHER_SUITE),
    Set("mls/secret-tree.json", 21, 3, ("mls_vectors.the_secret_tree_is_as_published",), OTHER_SUITE),
    Set("mls/message-protection.json", 7, 1, ("mls_vectors.messages_are_protected_as_published",), OTHER_SUITE),
    Set("mls/transcript-hashes.json", 7, 1, ("mls_vectors.transcript_hashes_are_as_published",), OTHER_SUITE),
    Set("mls/welcome.json", 7, 1, ("mls_vectors.a_welcome_opens_as_published",), OTHER_SUITE),
    Set("mls/tree-operations.json", 5, 5, ("mls_vectors.trees_change_as_published",)),
    Set("mls/psk_secret.json", 77, 11, ("mls_vectors.pre_shared_keys_are_mixed_as_published",), OTHER_SUITE),
    Set("pdq/**/*.*[gnt]", 9, why=NO_ROOM),
    Set("tlock/quicknet-hello.json", 1, 1, ("bls12_381.the_shipped_answer_is_the_published_one",)),
    Set("tlock/*[!o].*", 5, why="nothing says with which signature these open"),
    Set("voprf/allVectors.json", 40, why=NO_ROOM),
    Set("xwing/test-vectors.json", 3, why="PQXDH mixes X25519 and ML-KEM-768 by its own KDF"),
)
