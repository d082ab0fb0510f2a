"""RFC 9180 base mode: the RFC's vectors, two other implementations, and what must not open."""

import copy
import pickle
from collections import Counter
from contextlib import nullcontext
from threading import Thread
from time import sleep

import pytest
from Crypto.Protocol import HPKE
from Crypto.PublicKey import ECC
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke as peer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from external import vectors

from attacks.lab.costs.counts import units
from escrow import crypto
from escrow.errors import Forged
from escrow.primitives import hpke

KEMS = {0x20: hpke.X25519, 0x10: hpke.P256}
AEADS = {
    1: hpke.AES_128_GCM,
    2: hpke.AES_256_GCM,
    3: hpke.CHACHA20_POLY1305,
    0xFFFF: hpke.EXPORT_ONLY,
}
SUITES = [hpke.Suite(kem, aead) for kem in KEMS.values() for aead in AEADS.values() if aead.key_size]


def key(kem: hpke.Kem, secret: str, public: str) -> hpke.Key:
    kind = crypto.Private if kem is hpke.X25519 else hpke.PrivateP256
    return kind(bytes.fromhex(public), bytes.fromhex(secret))


def hexes(item: dict, *names: str) -> list[bytes]:
    return [bytes.fromhex(item[name]) for name in names]


def why_not_ours(vector: dict) -> str:
    """Why a vector is not run through our code; empty if it is."""
    if vector["mode"]:
        return "a mode other than base"
    if vector["kem_id"] not in KEMS:
        return "another KEM"
    return "" if vector["kdf_id"] == 1 else "another KDF"


def test_base_mode_gives_the_bytes_of_the_rfc():
    counted, skipped = Counter(), Counter()
    for vector in vectors("hpke/rfc9180-trimmed.json"):
        if reason := why_not_ours(vector):
            skipped[reason] += 1
            continue
        suite = hpke.Suite(KEMS[vector["kem_id"]], AEADS[vector["aead_id"]])
        public, info, enc = hexes(vector, "pkRm", "info", "enc")
        got, sender = suite.sender(public, info, key(suite.kem, vector["skEm"], vector["pkEm"]))
        receiver = suite.receiver(key(suite.kem, vector["skRm"], vector["pkRm"]), enc, info)
        assert got == enc
        for number, item in zip((0, 1, 2, 4, 255, 256), vector["encryptions"], strict=suite.aead.key_size > 0):
            plaintext, aad, sealed = hexes(item, "pt", "aad", "ct")
            sender.sequence = receiver.sequence = number
            assert sender.seal(plaintext, aad) == sealed
            assert receiver.open(sealed, aad) == plaintext
            counted["encryptions"] += 1
        for item in vector["exports"]:
            context, value = hexes(item, "exporter_context", "exported_value")
            assert sender.export(context, item["L"]) == receiver.export(context, item["L"]) == value
            counted["exports"] += 1
        counted["vectors"] += 1
    assert counted == {"vectors": 8, "encryptions": 36, "exports": 24}
    assert skipped == {"a mode other than base": 96, "another KEM": 16, "another KDF": 8}


CURVES = {0x10: ("p256", 1), 0x12: ("p521", 3), 0x20: ("curve25519", 1), 0x21: ("curve448", 3)}  # and the KDF there


def test_the_vectors_that_are_not_ours_open_in_the_library_that_has_them():
    """The other modes, P-521 and X448 through pycryptodome, which has one KDF for each KEM; messages 0, 1, 2."""
    counted = Counter()
    for vector in vectors("hpke/rfc9180-trimmed.json"):
        curve, kdf = CURVES[vector["kem_id"]]
        if not why_not_ours(vector):
            continue
        if vector["kdf_id"] != kdf:
            counted["no library at hand pairs this KEM and this KDF"] += 1
            continue
        if vector["aead_id"] == 0xFFFF:
            counted["no message in it: only exports, which not every supported release computes"] += 1
            continue
        enc, info, psk, psk_id = (bytes.fromhex(vector.get(name, "")) for name in ("enc", "info", "psk", "psk_id"))
        receiver = HPKE.new(
            receiver_key=pycryptodome_key(curve, bytes.fromhex(vector["skRm"])),
            sender_key=pycryptodome_key(curve, bytes.fromhex(vector["skSm"])).public_key()
            if "skSm" in vector
            else None,
            psk=(psk_id, psk) if psk else None,
            aead_id=HPKE.AEAD(vector["aead_id"]),
            enc=enc,
            info=info,
        )
        for item in vector["encryptions"][:3]:
            plaintext, aad, sealed = hexes(item, "pt", "aad", "ct")
            assert receiver.unseal(sealed, aad) == plaintext
        counted["vectors"] += 1
    assert counted == {
        "vectors": 42,
        "no message in it: only exports, which not every supported release computes": 14,
        "no library at hand pairs this KEM and this KDF": 64,
    }


def pycryptodome_key(curve: str, secret: bytes) -> ECC.EccKey:
    if curve.startswith("curve"):
        return ECC.construct(curve=curve, seed=secret)
    return ECC.construct(curve=curve, d=int.from_bytes(secret, "big"))


def peer_suite(suite: hpke.Suite) -> peer.Suite:
    kem = peer.KEM.X25519 if suite.kem is hpke.X25519 else peer.KEM.P256
    aead = (peer.AEAD.AES_128_GCM, peer.AEAD.AES_256_GCM, peer.AEAD.CHACHA20_POLY1305)[suite.aead.number - 1]
    return peer.Suite(kem, peer.KDF.HKDF_SHA256, aead)


def peer_public(public: bytes):
    if len(public) == 32:
        return X25519PublicKey.from_public_bytes(public)
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: f"{s.kem.number:#x}-{s.aead.number}")
def test_cryptography_opens_ours_and_we_open_theirs(suite):
    theirs = peer_suite(suite)
    for size in (0, 1, 32, 1000):
        key, plaintext = suite.kem.new_private(), crypto.random_bytes(size)
        info = crypto.random_bytes(size % 7)
        assert theirs.decrypt(suite.seal(key.public, plaintext, info), key.live, info) == plaintext
        assert suite.open(key, theirs.encrypt(plaintext, peer_public(key.public), info), info) == plaintext


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: f"{s.kem.number:#x}-{s.aead.number}")
def test_pycryptodome_opens_ours_and_we_open_theirs(suite):
    key, size = suite.kem.new_private(), suite.kem.size
    theirs = pycryptodome_key("p256" if suite.kem is hpke.P256 else "curve25519", key.raw)
    aead = HPKE.AEAD(suite.aead.number)
    sealed = suite.seal(key.public, b"plaintext", b"info", b"aad")
    receiver = HPKE.new(receiver_key=theirs, aead_id=aead, enc=sealed[:size], info=b"info")
    assert receiver.unseal(sealed[size:], b"aad") == b"plaintext"
    sender = HPKE.new(receiver_key=theirs.public_key(), aead_id=aead, info=b"info")
    messages = [sender.seal(b"first"), sender.seal(b"second", b"aad")]
    ours = suite.receiver(key, sender.enc, b"info")
    assert [ours.open(messages[0]), ours.open(messages[1], b"aad")] == [b"first", b"second"]


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: f"{s.kem.number:#x}-{s.aead.number}")
def test_no_flipped_bit_opens(suite):
    key = suite.kem.new_private()
    sealed = suite.seal(key.public, bytes(32), b"info")
    for bit in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Forged):
            suite.open(key, bytes(flipped), b"info")


def test_nothing_cut_off_opens():
    key = crypto.new_private()
    sealed = hpke.seal(key.public, bytes(32))
    assert len(sealed) == 80
    assert hpke.open_(key, sealed) == bytes(32)
    for length in range(80):
        with pytest.raises(Forged):
            hpke.open_(key, sealed[:length])


def test_another_key_info_or_aad_does_not_open():
    key = crypto.new_private()
    sealed = hpke.seal(key.public, b"text", b"info", b"aad")
    assert hpke.open_(key, sealed, b"info", b"aad") == b"text"
    for other in ((crypto.new_private(), b"info", b"aad"), (key, b"inf", b"aad"), (key, b"info", b"")):
        with pytest.raises(Forged):
            hpke.open_(other[0], sealed, *other[1:])


def test_a_message_out_of_order_does_not_open_and_costs_no_number():
    key = crypto.new_private()
    enc, sender = hpke.DEFAULT.sender(key.public)
    first, second = sender.seal(b"first"), sender.seal(b"second")
    receiver = hpke.DEFAULT.receiver(key, enc)
    with pytest.raises(Forged):
        receiver.open(second)
    assert [receiver.open(first), receiver.open(second)] == [b"first", b"second"]


@pytest.mark.parametrize("public", [bytes(32), bytes(31), b"", (1).to_bytes(32, "little")])
def test_no_sealing_to_what_is_no_key(public):
    with pytest.raises(Forged):
        hpke.seal(public, b"text")


def test_no_p256_sealing_to_a_compressed_point_or_off_the_curve():
    suite, key = hpke.Suite(hpke.P256, hpke.AES_128_GCM), hpke.new_private_p256()
    compressed = bytes([2 + key.public[-1] % 2]) + key.public[1:33]
    for public in (compressed, key.public[:-1] + bytes([key.public[-1] ^ 1]), b"\x00", bytes(65)):
        with pytest.raises(Forged):
            suite.seal(public, b"text")


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: f"{s.kem.number:#x}-{s.aead.number}")
def test_one_seed_gives_one_ciphertext_and_the_door_hears_of_it(suite):
    def play() -> tuple[list, list]:
        heard: list = []
        with crypto.running(crypto.Run(b"seed", heard.append)):
            key = suite.kem.new_private()
            sealed = [suite.seal(key.public, b"text", b"info") for _ in range(2)]
            assert [suite.open(key, each, b"info") for each in sealed] == [b"text", b"text"]
        return sealed, heard

    (sealed, heard), (again, _) = play(), play()
    assert sealed == again
    assert sealed[0] != sealed[1]
    events = Counter(name for call in heard for name in units(call))
    kem = "x25519" if suite.kem is hpke.X25519 else "p256"
    exchange = "x25519" if suite.kem is hpke.X25519 else "p256-exchange"
    expected = {f"{kem}-key": 3, exchange: 4, "hmac": 12, "hkdf-expand": 12, "seal": 2, "open": 2}
    assert events == expected
    assert [call.outputs[0] for call in heard if call.operation == "seal"] == [
        each[suite.kem.size :] for each in sealed
    ]


def test_one_ephemeral_for_two_recipients_gives_two_unrelated_keys():
    ephemeral, alice, bob = (crypto.new_private() for _ in range(3))
    enc, to_alice = hpke.DEFAULT.sender(alice.public, ephemeral=ephemeral)
    _, to_bob = hpke.DEFAULT.sender(bob.public, ephemeral=ephemeral)
    sealed = to_alice.seal(b"text"), to_bob.seal(b"text")
    assert sealed[0] != sealed[1]
    assert hpke.DEFAULT.receiver(bob, enc).open(sealed[1]) == b"text"
    with pytest.raises(Forged):
        hpke.DEFAULT.receiver(bob, enc).open(sealed[0])


def test_the_library_refuses_what_we_flip():
    """The oracle is awake: cryptography refuses one flipped bit of ours as well."""
    private = X25519PrivateKey.generate()
    sealed = bytearray(hpke.seal(private.public_key().public_bytes_raw(), b"text"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        peer_suite(hpke.DEFAULT).decrypt(bytes(sealed), private)


# --- contexts (RFC 9180, section 5.2) ---


def ends(suite: hpke.Suite) -> tuple[hpke.SenderContext, hpke.ReceiverContext]:
    key = suite.kem.new_private()
    enc, sender = suite.sender(key.public)
    return sender, suite.receiver(key, enc)


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: f"{s.kem.number:#x}-{s.aead.number}")
def test_a_context_goes_in_one_direction(suite):
    sender, receiver = ends(suite)
    assert not hasattr(sender, "open")
    assert not hasattr(receiver, "seal")
    assert receiver.open(sender.seal(b"text")) == b"text"


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: f"{s.kem.number:#x}-{s.aead.number}")
def test_the_last_message_is_number_2_to_the_96_less_2(suite):
    sender, receiver = ends(suite)
    sender.sequence = receiver.sequence = 2**96 - 2
    sealed = sender.seal(b"the last")
    assert receiver.open(sealed) == b"the last"
    for number in (2**96 - 1, 2**96, 2**100):
        sender.sequence = receiver.sequence = number
        with pytest.raises(hpke.MessageLimitReached):
            sender.seal(b"one more")
        with pytest.raises(hpke.MessageLimitReached):
            receiver.open(sealed)
        assert sender.sequence == receiver.sequence == number


def slow_seal(key: bytes, plaintext: bytes, associated: bytes, nonce: bytes) -> bytes:
    """Seal after a pause in which the other threads come to the same place."""
    sleep(0.002)
    return crypto.seal(key, plaintext, associated, nonce)


SLOW = hpke.Suite(hpke.X25519, hpke.Aead(1, 16, slow_seal, crypto.open_sealed))


def sealed_by_threads(context: hpke.SenderContext) -> int:
    """Return how many of 40 ciphertexts of one plaintext, sealed by four threads, are different."""
    found: list[bytes] = []

    def work() -> None:
        for _ in range(10):
            found.append(context.seal(bytes(16)))

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    return len(set(found))


def test_threads_that_seal_to_one_context_use_no_nonce_twice():
    sender, _ = ends(SLOW)
    assert sealed_by_threads(sender) == sender.sequence == 40


def test_a_context_without_its_lock_is_found_out():
    sender, _ = ends(SLOW)
    sender._lock = nullcontext()
    assert sealed_by_threads(sender) < 40


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickle.dumps])
def test_no_context_is_copied_since_both_would_seal_under_the_same_nonces(again):
    key = crypto.new_private()
    enc, sender = hpke.DEFAULT.sender(key.public)
    for context in (sender, hpke.DEFAULT.receiver(key, enc)):
        with pytest.raises(TypeError, match="is not copied"):
            again(context)


@pytest.mark.parametrize("kem", KEMS.values(), ids=lambda kem: f"{kem.number:#x}")
def test_an_export_only_context_exports_and_does_nothing_else(kem):
    sender, receiver = ends(hpke.Suite(kem, hpke.EXPORT_ONLY))
    for use in (sender.seal, receiver.open):
        with pytest.raises(Forged, match="export-only"):
            use(bytes(16))
    assert sender.export(b"context", 32) == receiver.export(b"context", 32)


@pytest.mark.parametrize("length", [-1, 8161, 65536, 2**64])
def test_an_export_of_an_impossible_length_is_refused(length):
    sender, _ = ends(hpke.DEFAULT)
    assert [len(sender.export(b"context", possible)) for possible in (0, 1, 8160)] == [0, 1, 8160]
    with pytest.raises(Forged):
        sender.export(b"context", length)
