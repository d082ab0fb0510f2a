"""Property: challenge and nonce of a proof are hashed from the whole statement; each is made again here, by the paper.

If prover and verifier leave the same part out, every honest proof still verifies, and some false ones do.
"""

import pytest

from escrow.primitives import group
from escrow.primitives.group import GENERATOR, SCALAR, base, commitment, hash_to_scalar, multiply, scalar, scalar_bytes
from escrow.sharing import tdh2

SECRET, CONTEXT = 7, b"context"
PUBLIC, POINT = base(SECRET), base(11)
VALUE = multiply(POINT, SECRET)


def halves(proof: bytes) -> tuple[int, int]:
    return scalar(proof[:SCALAR]), scalar(proof[SCALAR:])


def test_the_challenge_of_a_proof_of_knowledge_has_context_and_key():
    c, s = halves(group.schnorr_prove(SECRET, PUBLIC, CONTEXT))
    said = commitment(GENERATOR, s, PUBLIC, c)
    assert c == hash_to_scalar("schnorr", CONTEXT, PUBLIC, said)
    assert said == base(hash_to_scalar("schnorr nonce", scalar_bytes(SECRET), CONTEXT, PUBLIC))


def test_the_challenge_of_a_proof_of_equality_has_context_and_both_statements():
    c, s = halves(group.dleq_prove(SECRET, PUBLIC, POINT, VALUE, CONTEXT))
    said = commitment(GENERATOR, s, PUBLIC, c), commitment(POINT, s, VALUE, c)
    assert c == hash_to_scalar("dleq", CONTEXT, PUBLIC, POINT, VALUE, *said)
    nonce = hash_to_scalar("dleq nonce", scalar_bytes(SECRET), CONTEXT, PUBLIC, POINT, VALUE)
    assert said == (base(nonce), multiply(POINT, nonce))


def test_the_challenge_of_a_tdh2_ciphertext_has_key_text_and_label():
    sealed = tdh2.encrypt(PUBLIC, b"m" * 32, b"l" * 32)
    e, f = halves(sealed.proof)
    w, w_bar = commitment(GENERATOR, f, sealed.u, e), commitment(tdh2.G_BAR, f, sealed.u_bar, e)
    parts = (PUBLIC, sealed.masked, b"l" * 32, sealed.u, w, sealed.u_bar, w_bar)
    assert e == hash_to_scalar("TDH2 H2", *parts)


@pytest.mark.parametrize("context", [b"", b"a", b"b" * 100])
def test_a_proof_serves_in_its_own_context_only(context):
    proof = group.schnorr_prove(SECRET, PUBLIC, context)
    assert group.schnorr_verify(PUBLIC, proof, context)
    assert not group.schnorr_verify(PUBLIC, proof, context + b"x")
