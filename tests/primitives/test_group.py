"""P-256, by each arithmetic that it can run on: another library's results, group axioms, encodings, the two proofs."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from curve import SCALAR, openssl_base, some
from external import wycheproof
from hypothesis import given, settings
from hypothesis import strategies as st

from escrow import crypto
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import GENERATOR, Q

SMALL = st.integers(1, 2000)
P = 2**256 - 2**224 + 2**192 + 2**96 - 1


pytestmark = pytest.mark.usefixtures("arithmetic")


def openssl_x(k: int, point: bytes) -> bytes:
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    return ec.derive_private_key(k, ec.SECP256R1()).exchange(ec.ECDH(), public)


# --- against OpenSSL ---


@settings(max_examples=300, deadline=None)
@given(SCALAR | st.sampled_from([1, 2, Q - 1, Q - 2, Q // 2, 1 << 255]))
def test_base_multiplication_is_openssls(k):
    assert group.base(k) == openssl_base(k)


@settings(max_examples=150, deadline=None)
@given(SCALAR, SCALAR | st.sampled_from([1, 2, Q - 1]))
def test_multiplication_is_openssls_diffie_hellman(a, k):
    assert group.multiply(openssl_base(a), k)[1:] == openssl_x(k, openssl_base(a))


@some
@given(st.lists(st.tuples(SCALAR, SCALAR | SMALL), min_size=1, max_size=6))
def test_sums_of_multiples_are_those_of_the_exponents(terms):
    points, scalars = [group.base(a) for a, _ in terms], [k for _, k in terms]
    total = sum(a * k for a, k in terms) % Q
    if total:
        assert group.multi(points, scalars) == openssl_base(total)


@some
@given(st.lists(SCALAR, min_size=1, max_size=6), SMALL)
def test_horner_evaluates_in_the_exponent(coefficients, x):
    value = sum(a * x**j for j, a in enumerate(coefficients)) % Q
    if value:
        assert group.horner([group.base(a) for a in coefficients], x) == openssl_base(value)


@some
@given(SCALAR, SCALAR)
def test_addition_and_negation(a, b):
    one, other = group.base(a), group.base(b)
    assert group.negate(one) == openssl_base(Q - a)
    assert group.add(one, one) == openssl_base(2 * a % Q)
    if (a + b) % Q:
        assert group.add(one, other) == group.add(other, one) == openssl_base((a + b) % Q)


def test_ecdh_of_wycheproof():
    """Points uncompressed there: compressed here where both coordinates fit the curve, refused otherwise."""
    counted = {"agreed": 0, "refused": 0, "compressed": 0}
    for _, test in wycheproof("ecdh_secp256r1_ecpoint"):
        public, k = bytes.fromhex(test["public"]), int(test["private"], 16)
        try:
            point = compress(public)
        except Forged:
            assert test["result"] == "invalid"
            counted["refused"] += 1
            continue
        assert test["result"] in ("valid", "acceptable")
        assert group.multiply(point, k)[1:].hex() == test["shared"]
        counted["agreed"] += 1
        counted["compressed"] += len(public) == 33
    assert counted == {"agreed": 331, "refused": 24, "compressed": 1}


def compress(public: bytes) -> bytes:
    """SEC 1's uncompressed form as this library's 33 bytes, the y-coordinate checked by adding it up."""
    if len(public) == 33:
        return group.check(public)
    x, y = public[1:33], public[33:]
    point = group.check(bytes([2 + int.from_bytes(y, "big") % 2]) + x)
    x_, y_ = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    if public[:1] != b"\x04" or y_ >= P or (y_**2 - x_**3 + 3 * x_ - CURVE_B) % P:
        raise Forged("off the curve")
    return point


CURVE_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


# --- encodings ---


def test_what_is_no_point_is_forged():
    not_on_curve = next(x for x in range(1, 99) if pow(x**3 - 3 * x + CURVE_B, (P - 1) // 2, P) != 1)
    on_curve = next(x for x in range(99) if pow(x**3 - 3 * x + CURVE_B, (P - 1) // 2, P) == 1)
    good = b"\x02" + on_curve.to_bytes(32, "big")
    assert group.check(good) == good
    uncompressed = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), good)
    wrong = [
        b"",
        b"\x00",
        bytes(33),
        b"\x02" + not_on_curve.to_bytes(32, "big"),
        b"\x02" + (P + on_curve).to_bytes(32, "big"),  # the same x, not reduced
        *(bytes([first]) + good[1:] for first in (0, 1, 4, 5, 6, 7, 0xFF)),
        good[:-1],
        good + b"\x00",
        uncompressed.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
    ]
    for each in wrong:
        with pytest.raises(Forged):
            group.check(each)
        with pytest.raises(Forged):
            group.multiply(each, 1)


def test_a_scalar_is_32_bytes_below_the_order():
    assert group.scalar((Q - 1).to_bytes(32, "big")) == Q - 1
    assert group.scalar_bytes(Q + 5) == (5).to_bytes(32, "big")
    for wrong in (Q.to_bytes(32, "big"), b"\xff" * 32, bytes(31), bytes(33), b""):
        with pytest.raises(Forged):
            group.scalar(wrong)


def test_what_gives_the_neutral_element_is_forged():
    point = group.base(7)
    for attempt in (
        lambda: group.base(0),
        lambda: group.base(Q),
        lambda: group.multiply(point, 0),
        lambda: group.add(point, group.negate(point)),
        lambda: group.multi([point, GENERATOR], [1, Q - 7]),
        lambda: group.multi([], []),
        lambda: group.horner([group.base(Q - 14), point], 2),
        lambda: group.horner([], 2),
    ):
        with pytest.raises(Forged):
            attempt()


def test_no_operation_changes_the_points_it_is_given():
    a, b = group.base(3), group.base(5)
    group.add(a, b), group.multi([a, b], [9, Q - 9]), group.horner([a, b], 6), group.multiply(a, 4)
    proof = group.dleq_prove(3, a, b, group.base(15), b"")
    assert group.dleq_verify(a, b, group.base(15), proof, b"")
    assert (group.add(a), group.add(b)) == (openssl_base(3), openssl_base(5))
    assert GENERATOR == group.base(1) == openssl_base(1)


# --- scalars ---


@some
@given(st.lists(SCALAR, max_size=9))
def test_inverses_are_inverses(values):
    assert [a * b % Q for a, b in zip(values, group.inverses(values), strict=True)] == [1] * len(values)


@some
@given(st.lists(SMALL, min_size=1, max_size=40, unique=True), st.integers(0, 3000), st.randoms())
def test_lagrange_gives_back_every_polynomial_of_lower_degree(indexes, at, random):
    coefficients = [random.randrange(Q) for _ in indexes]

    def f(x: int) -> int:
        return sum(a * x**j for j, a in enumerate(coefficients)) % Q

    if at not in indexes:
        weights = group.lagrange(tuple(indexes), at)
        assert sum(w * f(i) for w, i in zip(weights, indexes, strict=True)) % Q == f(at)


@some
@given(st.sets(st.integers(1, 40) | st.integers(2**60, 2**60 + 40) | st.integers(1, 2**70), min_size=1, max_size=9))
def test_lagrange_takes_indexes_of_any_size(indexes):
    """Those close together are picked from a list of differences, which must not grow with the largest."""
    chosen = tuple(indexes)
    weights = group.lagrange(chosen)
    assert [sum(w * i**k for w, i in zip(weights, chosen, strict=True)) % Q for k in range(len(chosen))] == [
        1,
        *[0] * (len(chosen) - 1),
    ]


def test_interpolation_at_a_repeated_or_a_given_index_is_forged():
    repeated = (((1, 2, 1), 0), ((1, 1 + Q), 0), ((1, 1 - Q), 0), ((2, Q + 1, 1), 0))
    given = (((1, 2), 2), ((0, 1), 0), ((Q, 1), 0), ((-Q, 1), 0), ((2 * Q, 1), 0), ((1, 2), Q + 2), ((1, Q + 2), 2))
    for indexes, at in (*repeated, *given, ((), 0), ((), 1)):
        with pytest.raises(Forged):
            group.lagrange(indexes, at)


@pytest.mark.parametrize("values", [[0], [1, 0], [Q], [3, -Q], [2 * Q, 5]])
def test_zero_modulo_q_has_no_inverse(values):
    with pytest.raises(Forged):
        group.inverses(values)


@pytest.mark.parametrize("point", [b"", b"\0", bytes(33), b"\4" + bytes(64), b"\3" + b"\xff" * 32], ids=bytes.hex)
def test_no_function_takes_the_neutral_element_or_what_is_no_point(point):
    g = GENERATOR
    for use in (
        lambda: group.check(point),
        lambda: group.negate(point),
        lambda: group.multiply(point, 2),
        lambda: group.add(point),
        lambda: group.add(g, point),
        lambda: group.multi([g, point], [1, 2]),
        lambda: group.multi([g, point], [1, 0]),
        lambda: group.horner([g, point], 1),
        lambda: group.horner([point, g], 2),
        lambda: group.commitment(point, 1, g, 2),
        lambda: group.commitment(g, 1, point, 2),
    ):
        with pytest.raises(Forged):
            use()
    assert not group.schnorr_verify(point, bytes(64), b"")
    assert not group.dleq_verify(point, g, g, bytes(64), b"")


def test_sums_of_nothing_and_sums_that_are_neutral_are_forged():
    g, minus = GENERATOR, group.negate(GENERATOR)
    for use in (
        lambda: group.add(),
        lambda: group.multi([], []),
        lambda: group.multi([g], []),
        lambda: group.multi([g], [1, 2]),
        lambda: group.multi([g, g], [1, -1]),
        lambda: group.multi([g], [Q]),
        lambda: group.add(g, minus),
        lambda: group.base(Q),
        lambda: group.base(-Q),
        lambda: group.multiply(g, 0),
        lambda: group.multiply(g, 2 * Q),
        lambda: group.horner([], 1),
        lambda: group.horner([g, minus], 1),
        *(lambda x=x: group.horner([g, g], x) for x in (0, -1, Q, Q + 1, 2 * Q)),
    ):
        with pytest.raises(Forged):
            use()


def test_hashing_to_a_scalar_keeps_tags_and_parts_apart():
    inputs = [("a", b"bc"), ("ab", b"c"), ("a", b"b", b"c"), ("a", b"bc", b""), ("a",), ("", b"abc")]
    hashed = [group.hash_to_scalar(*each) for each in inputs]
    assert len(set(hashed)) == len(inputs)
    assert all(0 < value < Q for value in hashed)


def test_random_scalars_come_from_the_door():
    with crypto.running(crypto.Run(b"seed")):
        first = group.random_scalars(3)
    with crypto.running(crypto.Run(b"seed")):
        assert group.random_scalars(3) == first
    assert len(set(first)) == 3
    assert all(0 <= value < Q for value in first)
