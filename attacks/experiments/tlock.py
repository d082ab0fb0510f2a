"""A signature is a key: a text that was sealed to a round of drand opens with the signature of that round.

  file      `age`: a header with the file key, sealed to the round's name by identity-based encryption, and its HMAC;
            a payload under ChaCha20-Poly1305
  opened    the beacon's BLS signature of the round, which everybody can have once it is published, gives the file key
  changed   one bit of U, V or W changed: the comparison of Fujisaki and Okamoto refuses

The last line is ours: the check that a signature of another round, which is as genuine, opens nothing.
Source: Gailly, Melissaris and Romailler, "tlock: practical timelock encryption from threshold BLS", ePrint 2023/189;
ciphertext and signature are those of drand's own test. The format of files is that of age-encryption.org/v1.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from hmac import compare_digest

from attacks.lab.runs.experiment import Experiment, Figure, Progress
from escrow import vectors
from escrow.crypto import hkdf, hmac256
from escrow.errors import Forged
from escrow.primitives import bls12_381, hpke, ibe
from escrow.scheme import Source

CHUNK = b"\x00" * 11 + b"\x01"  # the nonce of the first chunk of a payload, which is also its last


def file_key_of(age: bytes, unwrap: Callable[[bytes], bytes]) -> bytes:
    """Return the file key (16 bytes) of an `age` file, by what opens the body of its only recipient's part.

    Raises:
        Forged: the file key does not fit the header's HMAC.
    """
    header, _, rest = age.partition(b"\n--- ")
    body = header.split(b"\n", 2)[2].replace(b"\n", b"")
    key = unwrap(_base64(body))
    mac = hmac256(hkdf(b"", key, b"header", 32), header + b"\n---")
    if not compare_digest(mac, _base64(rest.partition(b"\n")[0])):
        raise Forged("the header's HMAC is of another file key")
    return key


def payload_of(age: bytes, key: bytes) -> bytes:
    """Return the text of an `age` file of one chunk, by its file key. Raise Forged if its tag does not fit."""
    payload = age.partition(b"\n--- ")[2].partition(b"\n")[2]
    nonce, sealed = payload[:16], payload[16:]
    return hpke.CHACHA20_POLY1305.open(hkdf(nonce, key, b"payload", 32), sealed, b"", CHUNK)


def _base64(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4))


def opens(signature: bytes, sealed: bytes) -> bool:
    """Return whether a signature opens a ciphertext."""
    try:
        ibe.open_(signature, sealed)
    except Forged:
        return False
    return True


def flipped(sealed: bytes, first: int, end: int) -> Iterator[bytes]:
    """Yield the ciphertext with one bit changed, for each bit of these bytes."""
    for bit in range(8 * first, 8 * end):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


class Tlock(Experiment):
    """Open drand's ciphertext by the signature of its round, and try changed ciphertexts."""

    name = "tlock"
    title = "A signature is a key: the beacon's signature opens what was sealed to its round"
    source = Source("Gailly, Melissaris and Romailler", "tlock", 2023, "decryption", "nothing")

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield whether the signature is the beacon's, whether it opens the text, and what changed ones open."""
        if reason := bls12_381.missing():
            yield Figure(quantity=f"ciphertexts tried: {reason}", measured=0, at_least=1)
            return
        found = vectors.load("tlock")
        (case,) = found["cases"]
        age, (public, signature, sealed) = (
            bytes.fromhex(found["age"]),
            [bytes.fromhex(case[name]) for name in ("public", "signature", "sealed")],
        )
        signed = bls12_381.verifies(public, ibe.name_point(ibe.name_of_round(case["round"])), signature)
        yield Figure(
            quantity="the round's signature verifies under the beacon's key",
            measured=signed,
            published=1,
            where="tlock_test.go, TestDecryptText",
        )
        text = payload_of(age, file_key_of(age, lambda body: ibe.open_(signature, body)))
        yield Figure(
            quantity="texts that it opens, header and payload verified",
            measured=text == found["plaintext"].encode(),
            published=1,
            where="tlock_test.go, TestDecryptText",
            note=f"The text: {text.decode()}",
        )
        parts = {"U": (0, bls12_381.G2), "V": (bls12_381.G2, -16 + len(sealed)), "W": (len(sealed) - 16, len(sealed))}
        for done, (part, span) in enumerate(parts.items()):
            progress(done, len(parts), f"tlock: {part}")
            tried = list(flipped(sealed, *span))
            yield Figure(
                quantity=f"one bit of {part} changed: ciphertexts that still open",
                measured=sum(opens(signature, each) for each in tried),
                expected=0,
                formula="U = [H3(σ, M)]g",
                note=f"{len(tried)} ciphertexts.",
            )
        yield Figure(
            quantity="signatures of other names that open it",
            measured=sum(opens(_signed(bls12_381.R // 3, bytes([name]) * 32), sealed) for name in range(8)),
            expected=0,
            formula="e(S, U) of another S",
            note="8 signatures of other names, by a key of ours.",
        )


def _signed(secret: int, name: bytes) -> bytes:
    return bls12_381.multiply_one(ibe.name_point(name), secret)


EXPERIMENT = Tlock()
