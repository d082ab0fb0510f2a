"""Verifiable random functions: published answers, and every proof that was changed is refused."""

import external
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escrow.errors import Forged, Malformed
from escrow.primitives import edwards25519
from escrow.primitives.vrf import SUITES

suites = pytest.mark.parametrize("suite", SUITES, ids=lambda each: each.name)


def test_the_answers_of_the_rfc():
    by_name = {each.name: each for each in SUITES}
    ran = 0
    for case in external.vectors("ecvrf/ecvrf.json"):
        suite = by_name[case["section"]]
        secret, public, alpha = (bytes.fromhex(case[name]) for name in ("SK", "PK", "alpha"))
        proof, output = bytes.fromhex(case["pi"]), bytes.fromhex(case["beta"])
        assert suite.public(secret) == public
        assert suite.prove(secret, alpha) == (output, proof)
        assert suite.verify(public, alpha, proof) == output
        ran += 1
    assert ran == 12


def test_elligator_2_gives_the_points_of_rfc_9380():
    answers = external.vectors("hash-to-curve/edwards25519_XMD_SHA-512_ELL2_NU_.json")
    for case in answers["vectors"]:
        point = edwards25519.encode_to_curve(case["msg"].encode(), answers["dst"].encode())
        x, y = (int(case["P"][axis], 16) for axis in "xy")
        assert point == (y | (x & 1) << 255).to_bytes(32, "little")
    assert len(answers["vectors"]) == 5


@suites
@given(
    secret=st.binary(min_size=32, max_size=32).filter(lambda raw: any(raw) and raw[0] < 255),
    alpha=st.binary(max_size=70),
    data=st.data(),
)
def test_a_proof_fits_its_key_and_input_and_no_changed_bit_passes(suite, secret, alpha, data):
    public = suite.public(secret)
    output, proof = suite.prove(secret, alpha)
    assert suite.verify(public, alpha, proof) == output
    assert (len(output), len(proof)) == (suite.output, suite.proof)
    bit = data.draw(st.integers(0, 8 * len(proof) - 1))
    changed = bytearray(proof)
    changed[bit // 8] ^= 1 << bit % 8
    for wrong in (
        (public, alpha, bytes(changed)),
        (public, alpha + b"\x00", proof),
        (suite.public(bytes(31) + b"\x07"), alpha, proof),
    ):
        with pytest.raises((Forged, Malformed)):
            suite.verify(*wrong)


@suites
def test_bytes_that_are_no_proof_or_key_are_refused(suite):
    secret = bytes(31) + b"\x07"
    public, (_, proof) = suite.public(secret), suite.prove(secret, b"")
    for length in (0, 1, len(proof) - 1, len(proof) + 1):
        with pytest.raises(Malformed, match="bytes"):
            suite.verify(public, b"", (proof + bytes(1))[:length])
    with pytest.raises(Malformed, match="order"):
        suite.verify(public, b"", proof[:-32] + b"\xff" * 32)
    with pytest.raises(Forged):
        suite.verify(b"\xff" * len(public), b"", proof)
    with pytest.raises(Forged):
        suite.prove(bytes(5), b"")


@pytest.mark.parametrize("low", [b"\x01" + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_a_key_of_small_order_is_refused(low):
    for suite in SUITES[2:]:
        with pytest.raises(Forged, match="small order"):
            suite.verify(low, b"", bytes(suite.proof))
