"""Publicly verifiable sharing: what a deterministic nonce must follow from, so that no two proofs share one."""

import pytest

from escrow.primitives import group
from escrow.sharing import pvss

SECRET = 7
POINTS = [group.base(number) for number in range(2, 8)]
STATEMENT = (*POINTS[:4], b"context")
OTHER = (POINTS[4], POINTS[5], POINTS[4], POINTS[5], b"another")


def nonce_of(statement):
    """The nonce of a proof, which whoever knows the secret finds: s = nonce + c secret."""
    proof = pvss._prove(SECRET, *statement)
    c, s = (int.from_bytes(half, "big") for half in (proof[:32], proof[32:]))
    return (s - c * SECRET) % group.Q


@pytest.mark.parametrize("at", range(5))
def test_a_proof_of_another_statement_has_another_nonce(at):
    """Two proofs with one nonce and different challenges tell the secret."""
    other = [*STATEMENT[:at], OTHER[at], *STATEMENT[at + 1 :]]
    assert nonce_of(STATEMENT) == nonce_of(STATEMENT) != nonce_of(other)
