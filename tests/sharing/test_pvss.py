"""Publicly verifiable sharing: no two proofs share a nonce; a list cut short, or a false index, is an error."""

import pytest
from msgspec.structs import replace

from escrow.errors import Forged
from escrow.primitives import group
from escrow.sharing import pvss
from escrow.sharing.blame import Blamed

SECRET = 7
POINTS = [group.base(number) for number in range(2, 8)]
STATEMENT = (*POINTS[:4], b"context")
OTHER = (POINTS[4], POINTS[5], POINTS[4], POINTS[5], b"another")


def nonce_of(statement, secret=SECRET):
    """The nonce of a proof, which whoever knows the secret finds: s = nonce + c secret."""
    proof = pvss._prove(secret, *statement)
    c, s = (int.from_bytes(half, "big") for half in (proof[:32], proof[32:]))
    return (s - c * secret) % group.Q


def test_a_nonce_follows_from_the_secret_which_whoever_knows_it_could_compute():
    assert nonce_of(STATEMENT, SECRET + 1) != nonce_of(STATEMENT)


@pytest.mark.parametrize("at", range(5))
def test_a_proof_of_another_statement_has_another_nonce(at):
    """Two proofs with one nonce and different challenges tell the secret."""
    other = [*STATEMENT[:at], OTHER[at], *STATEMENT[at + 1 :]]
    assert nonce_of(STATEMENT) == nonce_of(STATEMENT) != nonce_of(other)


def test_a_proof_holds_only_if_the_secret_is_the_logarithm_of_both_points():
    one, other = POINTS[:2]
    public, value = group.multiply(one, SECRET), group.multiply(other, SECRET)
    for claimed, holds in (((public, value), True), ((POINTS[2], value), False), ((public, POINTS[3]), False)):
        statement = (one, claimed[0], other, claimed[1], b"context")
        assert pvss._proven(pvss._prove(SECRET, *statement), *statement) == holds


def test_a_holder_for_whom_nothing_is_sealed_has_no_share_and_proves_none():
    secrets = [3, 4, 5]
    keys = [group.base(each) for each in secrets]
    _, dealing = pvss.deal(2, keys)
    short = replace(dealing, sealed=dealing.sealed[:2])
    shares = [pvss.open_share(dealing, index, each) for index, each in enumerate(secrets, 1)]
    for number in (-1, 0, 3, 1 << 63):
        with pytest.raises(Forged, match="no share"):
            pvss.open_share(short, number, secrets[2])
        assert not pvss.share_fits(short, keys, replace(shares[2], index=number))
    with pytest.raises(Blamed) as error:
        pvss.combine(short, keys, shares[1:])
    assert error.value.culprits == (3,)
