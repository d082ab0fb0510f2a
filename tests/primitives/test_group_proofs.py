"""Proofs of knowledge and of equal logarithms in the group."""

import pytest
from curve import SCALAR, openssl_base, some
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.lab.costs.counts import units
from escrow import crypto
from escrow.errors import Forged
from escrow.primitives import group, p256_pycryptodome
from escrow.primitives.group import GENERATOR, Q

pytestmark = pytest.mark.usefixtures("arithmetic")

# --- proofs ---


@settings(max_examples=20, deadline=None)
@given(SCALAR, SCALAR, st.binary(max_size=40))
def test_a_true_dleq_statement_is_proven_the_same_way_each_time(x, r, context):
    public, point = group.base(x), group.base(r)
    value = group.multiply(point, x)
    proof = group.dleq_prove(x, public, point, value, context)
    assert len(proof) == 64
    assert proof == group.dleq_prove(x, public, point, value, context)
    assert group.dleq_verify(public, point, value, proof, context)
    # complete only for the statement: a false one has no proof by the same procedure
    false = group.add(value, GENERATOR) if x * r % Q != Q - 1 else value
    assert not group.dleq_verify(public, point, false, group.dleq_prove(x, public, point, false, context), context)


def test_a_dleq_proof_holds_for_nothing_else():
    """Every part of the statement is bound, the base point and the public key included, and so is the context."""
    x, r = group.random_scalars(2)
    public, point, value = group.base(x), group.base(r), group.base(x * r)
    proof = group.dleq_prove(x, public, point, value, b"context")
    statement = [public, point, value]
    for place in range(3):
        for other in (GENERATOR, group.negate(statement[place]), group.add(statement[place], GENERATOR), bytes(33)):
            assert not group.dleq_verify(
                *(other if i == place else old for i, old in enumerate(statement)), proof, b"context"
            )
    for context in (b"", b"contex", b"context\x00"):
        assert not group.dleq_verify(*statement, proof, context)


def test_the_point_of_a_dleq_proof_cannot_be_chosen_afterwards():
    """Both equations hold for a point solved from them once the challenge is known; hashing the point stops that."""
    x, nonce, b, d, guessed = group.random_scalars(5)
    public, value, at_g, at_point = (group.base(k) for k in (x, d, nonce, b))
    c = group.hash_to_scalar("dleq", b"", public, group.base(guessed), value, at_g, at_point)
    s = (nonce + c * x) % Q
    solved = group.base((b + c * d) * pow(s, -1, Q))
    assert group.multi([GENERATOR, public], [s, -c]) == at_g
    assert group.multi([solved, value], [s, -c]) == at_point
    proof = group.scalar_bytes(c) + group.scalar_bytes(s)
    assert not group.dleq_verify(public, solved, value, proof, b"")


@some
@given(SCALAR, SCALAR, SCALAR, SCALAR, st.booleans())
def test_a_commitment_is_the_nonce_that_the_prover_hid(a, b, s, c, leaking):
    """Also where the library underneath knows no public scalars."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(p256_pycryptodome, "_LEAKS", p256_pycryptodome._LEAKS and leaking)
        if (a * s - b * c) % Q:
            assert group.commitment(group.base(a), s, group.base(b), c) == openssl_base((a * s - b * c) % Q)
    with pytest.raises(Forged):
        group.commitment(group.base(a), b, group.base(b), a)


def test_a_commitment_by_a_zero_scalar_is_the_other_term():
    point, public = group.base(3), group.base(5)
    assert group.commitment(point, 2, public, 0) == group.base(6)
    assert group.commitment(point, 0, public, 2) == group.negate(group.base(10))
    with pytest.raises(Forged):
        group.commitment(point, 0, public, 0)


@pytest.mark.parametrize("bit", range(0, 512, 7))
def test_no_flipped_bit_of_a_proof_verifies(bit):
    public, point, value = group.base(5), group.base(7), group.base(35)
    for proof, verify in (
        (group.dleq_prove(5, public, point, value, b""), lambda p: group.dleq_verify(public, point, value, p, b"")),
        (group.schnorr_prove(5, public, b""), lambda p: group.schnorr_verify(public, p, b"")),
    ):
        assert verify(proof)
        flipped = bytearray(proof)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not verify(bytes(flipped))


def test_a_proof_has_one_encoding():
    """s + Q fits 32 bytes where s is small: such a second encoding, and any other length, is refused."""
    public = group.base(5)
    proof = group.schnorr_prove(5, public, b"")
    for wrong in (b"", proof[:-1], proof + b"\x00", proof[:32] + b"\xff" * 32, Q.to_bytes(32, "big") + proof[32:]):
        assert not group.schnorr_verify(public, wrong, b"")


@settings(max_examples=20, deadline=None)
@given(SCALAR, st.binary(max_size=40), st.binary(max_size=40))
def test_knowledge_is_proven_for_one_point_and_one_context(r, context, other):
    enc = group.base(r)
    proof = group.schnorr_prove(r, enc, context)
    assert len(proof) == 64
    assert group.schnorr_verify(enc, proof, context)
    assert group.schnorr_verify(enc, proof, other) == (other == context)
    assert not group.schnorr_verify(group.negate(enc), proof, context)
    assert not group.schnorr_verify(bytes(33), proof, context)
    assert not group.schnorr_verify(enc, group.schnorr_prove(r + 1, enc, context), context)


def test_the_door_hears_of_every_full_multiplication():
    heard: list[str] = []
    public, point, value = group.base(5), group.base(7), group.base(35)
    proof = group.dleq_prove(5, public, point, value, b"")

    def count(work) -> int:
        heard.clear()
        with crypto.running(crypto.Run(None, lambda call: heard.extend(units(call)))):
            work()
        return heard.count("p256-mult")

    assert count(lambda: group.base(3)) == count(lambda: group.multiply(point, 3)) == 1
    assert count(lambda: group.schnorr_prove(5, public, b"")) == 1
    assert count(lambda: group.dleq_prove(5, public, point, value, b"")) == 2
    assert count(lambda: group.schnorr_verify(public, proof, b"")) == 2
    assert count(lambda: group.dleq_verify(public, point, value, proof, b"")) == 4
    assert count(lambda: group.add(point, value)) == count(lambda: group.horner([point, value], 9)) == 0
    assert count(lambda: group.multi([point, value], [9, 9])) == 0
    assert heard == ["p256-term"] * 2
