"""BLS12-381 and encryption to a name: published answers, and the refusal of bytes that are no points."""

import external
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escrow.errors import Forged
from escrow.primitives import bls12_381 as bls
from escrow.primitives import ibe

OTHER_SUBGROUP = {  # points of the curve that are not in the subgroup of prime order: the least x that is on the curve
    "one": bytes([0x80]) + bytes(46) + b"\x04",
    "two": bytes([0x80]) + bytes(94) + b"\x02",
}
some = settings(max_examples=15, deadline=None)


def lines(name):
    return (external.folder() / "bls12-381" / name).read_text().splitlines()


def test_hashing_to_g1_gives_the_points_of_rfc_9380():
    answers = external.vectors("hash-to-curve/BLS12381G1_XMD_SHA-256_SSWU_RO_.json")
    for case in answers["vectors"]:
        x, y = (int(case["P"][axis], 16) for axis in "xy")
        p = int(answers["field"]["p"], 16)
        sign = 0x20 if y > p - y else 0
        raw = bytearray(x.to_bytes(48, "big"))
        raw[0] |= 0x80 | sign
        assert bls.hash_to_one(case["msg"].encode(), answers["dst"].encode()) == bytes(raw)
    assert len(answers["vectors"]) == 5


def test_the_published_signatures_in_g1():
    """bls12-381-g1-test-vectors: private key, message, signature."""
    ran = 0
    for line in lines("bls12-381-g1-test-vectors.txt"):
        key, message, signature = (bytes.fromhex(part) for part in line.split(":"))
        point = bls.hash_to_one(message, ibe.SIGNED)
        assert bls.multiply_one(point, int.from_bytes(key, "big")) == signature
        ran += 1
        if ran % 32 == 0:
            assert bls.verifies(bls.base_two(int.from_bytes(key, "big")), point, signature)
            assert not bls.verifies(bls.base_two(5), point, signature)
    assert ran == 128


@pytest.mark.parametrize(("name", "size", "check"), [("g1", 48, bls.check_one), ("g2", 96, bls.check_two)])
def test_the_published_encodings_are_read(name, size, check):
    """g1_compressed_valid_test_vectors and those of G2: the multiples of the generator from 0 to 999."""
    raw = (external.folder() / "bls12-381" / "zkcrypto" / f"{name}_compressed_valid_test_vectors.dat").read_bytes()
    points = [raw[at : at + size] for at in range(0, len(raw), size)]
    assert len(points) == 1000
    with pytest.raises(Forged, match="neutral"):
        check(points[0])
    assert [check(each) for each in points[1:]] == points[1:]
    if name == "g2":
        assert points[1] == bls.GENERATOR_TWO == bls.base_two(1)
        assert [bls.base_two(k) for k in range(1, 20)] == points[1:20]


@pytest.mark.parametrize(("group", "size", "check"), [("one", 48, bls.check_one), ("two", 96, bls.check_two)])
def test_bytes_that_are_no_point_are_refused_and_the_error_says_why(group, size, check):
    for raw, why in (
        (b"", "has"),
        (bytes(size - 1), "has"),
        (bytes(size), "no point"),
        (b"\xc0" + bytes(size - 1), "neutral"),
        (b"\xff" * size, "neutral|no point"),
        (OTHER_SUBGROUP[group], "no point"),
    ):
        with pytest.raises(Forged, match=why):
            check(raw)


def test_scalars_are_below_the_order_and_not_zero():
    assert bls.scalar(bls.scalar_bytes(-1)) == bls.R - 1
    for raw in (b"", bytes(32), bytes(31), bls.R.to_bytes(32, "big"), b"\xff" * 32):
        with pytest.raises(Forged, match="scalar"):
            bls.scalar(raw)


@some
@given(st.lists(st.integers(1, bls.R - 1), min_size=1, max_size=4), st.data())
def test_any_t_signatures_by_shares_give_the_signature(coefficients, data):
    t = len(coefficients)
    point = bls.hash_to_one(b"a name", ibe.SIGNED)
    chosen = data.draw(st.lists(st.integers(1, 9), min_size=t, max_size=t, unique=True))
    shares = [sum(c * i**k for k, c in enumerate(coefficients)) for i in chosen]
    parts = [bls.multiply_one(point, share) for share in shares]
    assert bls.multi_one(parts, bls.lagrange(chosen)) == bls.multiply_one(point, coefficients[0])
    commitments = tuple(map(bls.base_two, coefficients))
    for index, part in zip(chosen, parts, strict=True):
        assert bls.verifies(bls.horner_two(commitments, index), point, part)
    if t > 1:
        assert not bls.verifies(commitments[0], point, parts[0])


@some
@given(secret=st.integers(1, bls.R - 1), k=st.integers(1, bls.R - 1))
def test_a_power_of_a_pairing_is_the_pairing_of_the_multiple(secret, k):
    point, public = bls.hash_to_one(b"a name", ibe.SIGNED), bls.base_two(secret)
    for each in (k, 1, bls.R - 1, k + bls.R):
        assert bls.pair_power(point, public, each) == bls.pair(bls.multiply_one(point, each), public)
        assert bls.base_two(each) == bls._encoded("G2", bls._library().G2Point() * bls._number(each))
    for none in (0, bls.R):
        with pytest.raises(Forged, match="scalar"):
            bls.pair_power(point, public, none)
        with pytest.raises(Forged, match="neutral"):
            bls.base_two(none)


def test_interpolation_needs_distinct_indexes():
    for indexes in ((), (0, 1), (1, 1), (1, 1 + bls.R)):
        with pytest.raises(Forged, match="distinct"):
            bls.lagrange(indexes)


@some
@given(message=st.binary(min_size=8, max_size=32), secret=st.integers(1, bls.R - 1), bit=st.integers(0))
def test_only_the_signature_of_the_name_opens_and_no_changed_bit_passes(message, secret, bit):
    public, name = bls.base_two(secret), bytes(range(32))
    sealed = ibe.seal(public, name, message)
    signature = bls.multiply_one(ibe.name_point(name), secret)
    assert len(sealed) == 96 + 2 * len(message)
    assert ibe.open_(signature, sealed) == message
    changed = bytearray(sealed)
    changed[bit // 8 % len(sealed)] ^= 1 << bit % 8
    for wrong in (
        (signature, bytes(changed)),
        (bls.multiply_one(ibe.name_point(bytes(32)), secret), sealed),
        (bls.multiply_one(ibe.name_point(name), secret + 1), sealed),
    ):
        with pytest.raises(Forged):
            ibe.open_(*wrong)


def test_what_is_no_ciphertext_key_or_message_is_refused_by_name():
    public = bls.base_two(7)
    signature = bls.multiply_one(ibe.name_point(bytes(32)), 7)
    for length in (0, 96, 97, 97 + 16, 96 + 66):
        with pytest.raises(Forged, match="a ciphertext of"):
            ibe.open_(signature, bytes(length))
    with pytest.raises(Forged, match="G2"):
        ibe.open_(signature, bytes(128))
    with pytest.raises(Forged, match="G1"):
        ibe.open_(bytes(48), ibe.seal(public, bytes(32), b"16 bytes of text"))
    for wrong in (b"", bytes(96), b"\xc0" + bytes(95)):
        with pytest.raises(Forged, match="G2"):
            ibe.seal(wrong, bytes(32), b"text")
    for message in (b"", bytes(33)):
        with pytest.raises(ValueError, match="1 to 32"):
            ibe.seal(public, bytes(32), message)


def test_the_shipped_answer_is_the_published_one():
    from attacks.experiments.tlock import file_key_of, payload_of
    from escrow import vectors

    published = external.vectors("tlock/quicknet-hello.json")
    shipped = vectors.load("tlock")
    (case,) = shipped["cases"]
    assert (case["public"], case["signature"]) == (published["public_key_g2"], published["signature_g1"])
    assert (case["round"], shipped["plaintext"]) == (published["round"], published["plaintext"])
    age = bytes.fromhex(shipped["age"])
    key = file_key_of(age, lambda body: ibe.open_(bytes.fromhex(case["signature"]), body))
    assert payload_of(age, key) == b"hello world"
    with pytest.raises(Forged, match="HMAC"):
        file_key_of(age, lambda body: bytes(16))
    with pytest.raises(Forged):
        payload_of(age, bytes(16))
