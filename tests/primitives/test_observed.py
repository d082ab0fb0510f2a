"""The observer is told what really went in and came out: each call in plays of all schemes is computed again."""

import pytest

from attacks.lab.crosscheck.door_record import DoorRecord
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import small
from escrow import crypto, registry
from escrow.crypto import Private, SigningKey
from escrow.errors import Forged
from escrow.primitives import bls12_381, committing, group, hash_to_curve, hpke, ibe, kem, skipjack
from escrow.sharing import shamir
from escrow.transparency.directory import VRF


def scalars(raw):
    return [group.scalar(each) for each in raw]


def told(values):
    return tuple(map(group.scalar_bytes, values))


def halves(values):
    return values[: len(values) // 2], values[len(values) // 2 :]


AGAIN = {  # operation: its outputs from its inputs, and from the lengths of its outputs where those are arguments
    "x25519": lambda sizes, raw, public: [Private(b"", raw).exchange(public)],
    "x25519-key": lambda sizes, raw: [Private(b"", raw).live.public_key().public_bytes_raw()],
    "ed25519-key": lambda sizes, raw: [SigningKey(b"", raw).live.public_key().public_bytes_raw()],
    "ed25519-scalar": lambda sizes, raw: [
        SigningKey(SigningKey(b"", raw).live.public_key().public_bytes_raw(), raw).agreement.raw
    ],
    "ed25519-sign": lambda sizes, raw, message: [SigningKey(b"", raw).sign(message)],
    "montgomery": lambda sizes, public: [crypto.montgomery(public)],
    "hmac": lambda sizes, key, message: [crypto.hmac256(key, message)],
    "hkdf": lambda sizes, salt, secret, info: [crypto.hkdf(salt, secret, info, *sizes)],
    "hkdf-expand": lambda sizes, secret, info: [crypto.hkdf_expand(secret, info, *sizes)],
    "xor": lambda sizes, one, other: [bytes(a ^ b for a, b in zip(one, other, strict=True))],
    "vrf": lambda sizes, secret, alpha: [*VRF.prove(secret, alpha)],
    "skipjack": lambda sizes, key, block: [skipjack.encrypt(key, block)],
    "skipjack-open": lambda sizes, key, block: [skipjack.decrypt(key, block)],
    "ml-kem-key": lambda sizes, raw: [kem.KemPrivate(b"", raw).live.public_key().public_bytes_raw()],
    "ml-kem-decapsulate": lambda sizes, raw, ciphertext: [kem.KemPrivate(b"", raw).decapsulate(ciphertext)],
    "p256-exchange": lambda sizes, raw, public: [hpke.PrivateP256(b"", raw).exchange(public)],
    "p256-base": lambda sizes, k: [group.base(group.scalar(k))],
    "p256-multiply": lambda sizes, point, k: [group.multiply(point, group.scalar(k))],
    "p256-add": lambda sizes, *points: [group.add(*points)],
    "p256-negate": lambda sizes, point: [group.negate(point)],
    "p256-multi": lambda sizes, *given: [group.multi(halves(given)[0], scalars(halves(given)[1]))],
    "p256-horner": lambda sizes, *given: [group.horner(given[:-1], group.scalar(given[-1]))],
    "p256-multiply-two": lambda sizes, point, s, public, c: [
        group.multi([point, public], [group.scalar(s), group.scalar(c)])
    ],
    "p256-hash": lambda sizes, tag, *parts: told([group.hash_to_scalar(tag.decode(), *parts)]),
    "p256-combine": lambda sizes, *given: told([group.combination(*map(scalars, halves(given)))]),
    "p256-scalars": lambda sizes, drawn: told(
        int.from_bytes(drawn[at : at + 48], "big") % group.Q for at in range(0, len(drawn), 48)
    ),
    "expand": lambda sizes, message, tag: [hash_to_curve.expand(message, tag, *sizes)],
    "hash-to-curve": lambda sizes, message, tag: [hash_to_curve.hash_to_curve(message, tag)],
    "bls-scalars": lambda sizes, drawn: [
        bls12_381.scalar_bytes(1 + int.from_bytes(drawn[at : at + 48], "big") % (bls12_381.R - 1))
        for at in range(0, len(drawn), 48)
    ],
    "bls-hash": lambda sizes, message, tag: [bls12_381.hash_to_one(message, tag)],
    "bls-base": lambda sizes, k: [bls12_381.base_two(bls12_381.scalar(k))],
    "bls-multiply": lambda sizes, point, k: [bls12_381.multiply_one(point, bls12_381.scalar(k))],
    "bls-multi": lambda sizes, *given: [
        bls12_381.multi_one(halves(given)[0], [int.from_bytes(each, "big") for each in halves(given)[1]])
    ],
    "bls-pair": lambda sizes, one, two: [bls12_381.pair(one, two)],
    "bls-pair-power": lambda sizes, one, two, k: [bls12_381.pair_power(one, two, bls12_381.scalar(k))],
    "ibe-h3": lambda sizes, masking, message: [bls12_381.scalar_bytes(ibe._exponent(masking, message))],
    "shamir-interpolate": None,  # its indexes are not told
    "shamir-split": None,
    "shamir-evaluate": lambda sizes, *given: told(shamir.evaluate(scalars(given), range(1, len(sizes) + 1))),
    "sha256": None,  # of the parts with their lengths, or of one string as it stands
    "draw": None,
    "p256-key": None,
    "ml-kem-encapsulate": None,
    "random": None,
}


def is_sha256(call):
    return call.outputs[0] in {crypto.sha256(*call.inputs), crypto.digest(b"".join(call.inputs))}


def is_opened(call):
    """Whether the one of open and seal was told of as what the other undoes."""
    key, nonce, associated, given = call.inputs
    sealed, plaintext = (given, call.outputs[0]) if call.operation == "open" else (call.outputs[0], given)
    for cipher in (crypto.open_sealed, committing.open_sealed, hpke.CHACHA20_POLY1305.open):
        try:
            return cipher(key, sealed, associated, nonce) == plaintext
        except (Forged, ValueError):
            continue
    return False


@pytest.mark.parametrize("name", registry.schemes())
def test_every_call_of_a_play_gives_its_outputs_again(name):
    record = DoorRecord()
    play(registry.schemes()[name], small(), observer=record)
    assert record.calls
    for call in record.calls:
        if call.outputs and AGAIN.get(call.operation):
            sizes = [len(each) for each in call.outputs]
            assert tuple(AGAIN[call.operation](sizes, *call.inputs)) == call.outputs, call.operation
        elif call.outputs and call.operation in {"seal", "open"}:
            assert is_opened(call)
        elif call.operation == "sha256":
            assert is_sha256(call)
        elif call.outputs:
            assert call.operation in AGAIN, call.operation
