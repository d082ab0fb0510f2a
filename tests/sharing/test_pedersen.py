"""Pedersen's sharing: right pairs verify, wrong ones are caught, and the commitments fit every secret."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import Q
from escrow.sharing import pedersen, shamir
from escrow.sharing.pedersen import P256, H

SECRET = st.integers(1, Q - 1)
T_OF_N = st.integers(1, 6).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))
some = settings(max_examples=30, deadline=None)


@some
@given(SECRET, T_OF_N, st.integers(1, Q - 1), st.sampled_from((0, 1)))
def test_every_right_pair_verifies_and_every_wrong_one_is_caught(secret, t_of_n, error, half):
    t, n = t_of_n
    pairs, commitments = pedersen.deal(secret, t, n)
    right = dict(enumerate(pairs, 1))
    assert len(commitments) == t
    assert pedersen.verify_shares(commitments, right)
    for index, pair in right.items():
        wrong = tuple((value + error * (at == half)) % Q for at, value in enumerate(pair))
        assert pedersen.verify_share(commitments, index, pair)
        assert not pedersen.verify_share(commitments, index, wrong)
        assert not pedersen.verify_shares(commitments, right | {index: wrong})
    assert shamir.combine({index: right[index][0] for index in range(1, t + 1)}) == secret


def test_errors_that_cancel_out_do_not_pass_as_a_batch():
    pairs, commitments = pedersen.deal(7, 2, 3)
    (a, x), (b, y), last = pairs
    for wrong in ([(a + 1, x), (b - 1, y), last], [(a, x + 1), (b, y - 1), last], [(b, y), (a, x), last]):
        assert not pedersen.verify_shares(commitments, dict(enumerate(wrong, 1)))


def test_a_pair_of_another_member_or_dealer_or_malformed_commitments_is_caught():
    pairs, commitments = pedersen.deal(7, 3, 5)
    for index in (0, -1, 2, 6, Q + 1):
        assert not pedersen.verify_share(commitments, index, pairs[0])
        assert not pedersen.verify_shares(commitments, {index: pairs[0]})
    for other in (pedersen.deal(7, 3, 5)[1], [bytes(33), *commitments[1:]], [commitments[0][:-1], *commitments[1:]]):
        assert not pedersen.verify_share(other, 1, pairs[0])
        assert not pedersen.verify_shares(other, {1: pairs[0]})


def test_commitments_fit_every_secret():
    """Perfect hiding, shown with an H whose logarithm is known: the same commitments open to any other secret."""
    log = 7**90 % Q
    over = pedersen.Bases(group, group.base(log))
    pairs, commitments = pedersen.deal(5, 1, 1, over)
    (value, blinding), other = pairs[0], 1234
    moved = (blinding + (value - other) * pow(log, -1, Q)) % Q
    assert value == 5
    assert pedersen.verify_share(commitments, 1, (other, moved), over)
    assert not pedersen.verify_share(commitments, 1, (other, blinding), over)


def test_a_commitment_is_the_sum_of_both_multiples():
    assert P256.commit(3, 4) == group.multi([group.GENERATOR, H], [3, 4])


def test_zero_cannot_be_dealt():
    """[0]G has no encoding."""
    with pytest.raises(Forged):
        pedersen.deal(0, 2, 3)


def test_shares_that_cannot_be_needed_are_a_callers_error():
    for t, n in ((0, 3), (4, 3), (1, 0)):
        with pytest.raises(ValueError, match="it must be 1 <= t"):
            pedersen.deal(1, t, n)
