"""CTX over AES-GCM: an independent computation, every flipped bit, and what AES-GCM opens under two keys."""

import hashlib
from typing import Any

import pytest
from Crypto.Cipher import AES
from hypothesis import given
from hypothesis import strategies as st

from attacks.kernels import two_keys
from escrow import crypto
from escrow.crypto import TAG, random_bytes
from escrow.errors import Forged
from escrow.primitives import committing

KEYS = st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32)
NONCES = st.binary(min_size=12, max_size=12)


def slow_seal(key: bytes, plaintext: bytes, associated: bytes, nonce: bytes) -> bytes:
    """Return C ‖ T*, by pycryptodome, which gives ciphertext and tag apart."""
    cipher: Any = AES.new(key, AES.MODE_GCM, nonce=nonce)
    cipher.update(associated)
    body, tag = cipher.encrypt_and_digest(plaintext)
    hashed = hashlib.new("sha3-256")
    for part in (key, nonce, associated, tag):
        hashed.update(len(part).to_bytes(4, "big"))
        hashed.update(part)
    return bytes(body) + hashed.digest()


@given(KEYS, st.binary(max_size=100), st.binary(max_size=40), NONCES)
def test_pycryptodome_computes_the_same_bytes_and_they_open(
    key: bytes, plaintext: bytes, associated: bytes, nonce: bytes
) -> None:
    sealed = committing.seal(key, plaintext, associated, nonce)
    assert sealed == slow_seal(key, plaintext, associated, nonce)
    assert len(sealed) == len(plaintext) + committing.COMMITMENT
    assert committing.open_sealed(key, sealed, associated, nonce) == plaintext


@pytest.mark.parametrize(
    ("key", "plaintext", "associated", "nonce", "sealed"),
    [
        ("00" * 16, "", "", "00" * 12, "1bfded47bc13a001ad4e1fb27d1ce0a7ffbb8669c455fde273cc4c7f9354f084"),
        ("01" * 32, "6162", "6163", "02" * 12, "66b4411d529035d02a99234135e16f1e81fbe8e282959f302b9d5204fe6f560eb88a"),
        (
            "03" * 32,
            "00" * 33,
            "",
            "00" * 12,
            (
                "612486dea963a39d967b8ffca87c4135d99e1d714a9b4d0397411177ab2994c7"
                "6ce51fc5dcc859793c026f1989133e40b2f8d99db29e8b3cf10ec22cd2a3a2dea4"
            ),
        ),
    ],
)
def test_known_answers(key: str, plaintext: str, associated: str, nonce: str, sealed: str) -> None:
    parts = [bytes.fromhex(part) for part in (key, plaintext, associated, nonce)]
    assert committing.seal(*parts).hex() == sealed


def test_every_flipped_bit_is_forged() -> None:
    given = [bytes(32), committing.seal(bytes(32), b"some text", b"header"), b"header", bytes(12)]
    assert committing.open_sealed(*given) == b"some text"
    for place, value in enumerate(given):
        for bit in range(8 * len(value)):
            flipped = bytearray(value)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(Forged):
                committing.open_sealed(*given[:place], bytes(flipped), *given[place + 1 :])


@pytest.mark.parametrize("size", [0, 1, 15, 17, 31, 33])
def test_impossible_lengths_are_forged(size: int) -> None:
    sealed = committing.seal(bytes(32), b"", b"")
    for key, cut, nonce in (
        (bytes(size), sealed, bytes(12)),
        (bytes(32), (sealed + b"\0")[:size], bytes(12)),
        (bytes(32), sealed, bytes(size % 12)),
    ):
        with pytest.raises(Forged):
            committing.open_sealed(key, cut, b"", nonce)


def test_a_tag_of_aes_gcm_is_no_commitment() -> None:
    with pytest.raises(Forged):
        committing.open_sealed(bytes(32), crypto.seal(bytes(32), bytes(64), b""), b"")


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=50), st.integers(1, 5))
def test_aes_gcm_opens_one_ciphertext_under_two_keys_and_ctx_does_not(
    key: bytes, associated: bytes, blocks: int
) -> None:
    other = random_bytes(32)
    sealed = two_keys.fitted(key, other, associated, random_bytes(16 * (blocks - 1)))
    one, two = (crypto.open_sealed(each, sealed, associated) for each in (key, other))
    assert one != two and len(one) == len(two) == 16 * blocks
    committed = committing.seal(key, one, associated)
    assert committed[: -committing.COMMITMENT] == sealed[:-TAG], "the same ciphertext, before tag and commitment"
    assert committing.open_sealed(key, committed, associated) == one
    for forged in (committed, committing.seal(other, two, associated)):
        with pytest.raises(Forged):
            for each in (key, other):
                committing.open_sealed(each, forged, associated)
