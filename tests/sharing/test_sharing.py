"""Shamir, Feldman and threshold ElGamal: what t shares give, what fewer do not, and who is to blame."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escrow import crypto, vectors
from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import Q
from escrow.sharing import feldman, pedersen, shamir

SECRET = st.integers(0, Q - 1)
T_OF_N = st.integers(1, 6).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))
some = settings(max_examples=40, deadline=None)


# --- Shamir ---


@settings(max_examples=150, deadline=None)
@given(SECRET, T_OF_N, st.randoms(use_true_random=False))
def test_any_t_shares_give_the_secret_and_more_do_no_harm(secret, t_of_n, random):
    t, n = t_of_n
    shares = dict(enumerate(shamir.split(secret, t, n), 1))
    for count in range(t, n + 1):
        assert shamir.combine({i: shares[i] for i in random.sample(range(1, n + 1), count)}) == secret


@settings(max_examples=100, deadline=None)
@given(SECRET, SECRET, T_OF_N.filter(lambda t_of_n: t_of_n[0] > 1), st.randoms(use_true_random=False))
def test_fewer_than_t_shares_are_consistent_with_every_secret(secret, other, t_of_n, random):
    """Perfect secrecy: for each other secret there is exactly one polynomial through it and the t − 1 shares."""
    t, n = t_of_n
    shares = dict(enumerate(shamir.split(secret, t, n), 1))
    held = random.sample(range(1, n + 1), t - 1)
    weights = group.lagrange((0, *held), at=n + 1)
    # the one value at n + 1 that makes the held shares a sharing of `other`
    further = (weights[0] * other + sum(w * shares[i] for w, i in zip(weights[1:], held, strict=True))) % Q
    assert shamir.combine({n + 1: further} | {i: shares[i] for i in held}) == other


def test_one_share_of_two_is_uniform():
    """Over a small sample of dealings, a share's top bits take every value about equally often (chi-square)."""
    with crypto.running(crypto.Run(b"uniform")):
        counted = Counter(shamir.split(5, 2, 2)[0] * 16 // Q for _ in range(1600))
    assert sum((counted[bin_] - 100) ** 2 / 100 for bin_ in range(16)) < 37.7  # 0.1 % point, 15 degrees of freedom


def test_shares_that_cannot_be_needed_are_a_callers_error():
    for t, n in ((0, 3), (4, 3), (-1, 3), (1, 0)):
        with pytest.raises(ValueError, match="it must be 1 <= t"):
            shamir.split(1, t, n)
        with pytest.raises(ValueError, match="it must be 1 <= t"):
            feldman.deal(1, t, n)


def test_large_sharings():
    for t, n in ((67, 100), (334, 1000)):
        shares = shamir.split(Q - 1, t, n)
        assert shamir.combine({i: shares[i - 1] for i in range(n - t + 1, n + 1)}) == Q - 1


@some
@given(SECRET, st.integers(1, 60), st.integers(0, 5))
def test_shares_dealt_by_differences_lie_on_one_polynomial_of_degree_below_t(secret, t, more):
    """Through the places where the running sums are reduced: the coefficients found from t shares give all others."""
    shares = dict(enumerate(shamir.split(secret, t, t + more), 1))
    assert all(0 <= share < Q for share in shares.values())
    coefficients = shamir.interpolate({i: shares[i] for i in range(1, t + 1)})
    assert len(coefficients) == t
    assert coefficients[0] == secret
    assert shamir.evaluate(coefficients, shares) == list(shares.values())


@some
@given(st.lists(SECRET, min_size=1, max_size=30), st.data())
def test_interpolation_finds_every_coefficient(coefficients, data):
    indexes = data.draw(
        st.lists(st.integers(1, 2000), min_size=len(coefficients), max_size=len(coefficients), unique=True)
    )
    assert shamir.interpolate(dict(zip(indexes, shamir.evaluate(coefficients, indexes), strict=True))) == coefficients


@some
@given(st.lists(st.tuples(st.integers(0, 2**128), st.integers(1, 1000)), min_size=1, max_size=9), st.integers(1, 60))
def test_columns_are_the_factors_of_the_coefficients(terms, t):
    weights, indexes = zip(*terms, strict=True)
    expected = [sum(w * i**k for w, i in terms) % Q for k in range(t)]
    assert shamir.columns(weights, indexes, t) == expected


def test_the_dealers_polynomial_of_rfc_9591():
    (case,) = vectors.load("frost_p256")["cases"]
    secret, shares = int(case["secret"], 16), [int(share, 16) for share in case["shares"]]
    assert shamir.evaluate([secret, int(case["coefficients"][0], 16)], (1, 2, 3)) == shares
    for i, j in itertools.permutations((1, 2, 3), 2):
        assert shamir.combine({i: shares[i - 1], j: shares[j - 1]}) == secret
    assert group.base(secret).hex() == case["public"]


# --- Feldman ---


@some
@given(st.integers(1, Q - 1), T_OF_N, st.integers(1, Q - 1))
def test_every_right_share_verifies_and_every_wrong_one_is_caught(secret, t_of_n, error):
    t, n = t_of_n
    shares, commitments = feldman.deal(secret, t, n)
    assert len(commitments) == t
    right = dict(enumerate(shares, 1))
    assert feldman.verify_shares(commitments, right)
    for index, share in right.items():
        assert feldman.verify_share(commitments, index, share)
        assert not feldman.verify_share(commitments, index, (share + error) % Q)
        assert not feldman.verify_shares(commitments, right | {index: (share + error) % Q})


def test_errors_that_cancel_out_do_not_pass_as_a_batch():
    shares, commitments = feldman.deal(7, 2, 3)
    assert feldman.verify_shares(commitments, dict(enumerate(shares, 1)))
    for wrong in ([shares[0] + 1, shares[1] - 1, shares[2]], [shares[1], shares[0], shares[2]], [0, 0, 0]):
        assert not feldman.verify_shares(commitments, dict(enumerate(wrong, 1)))


def test_a_share_of_another_member_or_polynomial_is_caught():
    shares, commitments = feldman.deal(7, 3, 5)
    for index in (0, -1, 2, 6, Q + 1):
        assert not feldman.verify_share(commitments, index, shares[0])
    other = feldman.deal(7, 3, 5)[1]
    assert not feldman.verify_share(other, 1, shares[0])
    assert not feldman.verify_shares(other, {1: shares[0]})
    for malformed in ([bytes(33), *commitments[1:]], [commitments[0][:-1], *commitments[1:]]):
        assert not feldman.verify_share(malformed, 1, shares[0])
        assert not feldman.verify_shares(malformed, {1: shares[0]})


def test_the_weights_of_a_batch_depend_on_all_that_they_weigh():
    commitments = feldman.deal(7, 2, 3)[1]
    weighed = [(commitments, [1, 5]), (commitments, [5, 1]), (commitments, [1, 6]), (commitments[:1], [1, 5])]
    chosen = [tuple(feldman.weights(*each, 3)) for each in weighed]
    assert len(set(chosen)) == len(chosen)
    assert all(0 < weight < 2**128 for weights in chosen for weight in weights)


def test_no_commitments_verify_nothing():
    assert not feldman.verify_share((), 1, 5)
    assert not feldman.verify_shares((), {1: 5})


def test_zero_cannot_be_dealt():
    """Its commitment would be the neutral element."""
    with pytest.raises(Forged):
        feldman.deal(0, 1, 1)


def test_one_batch_of_a_hundred():
    shares, commitments = feldman.deal(7, 67, 100)
    right = dict(enumerate(shares, 1))
    assert feldman.verify_shares(commitments, right)
    assert not feldman.verify_shares(commitments, right | {50: right[51]})


# --- values out of range ---

ZERO = [0, Q, -Q, 2 * Q]


@pytest.mark.parametrize("join", [shamir.combine, shamir.interpolate])
def test_shares_at_no_index_at_0_or_twice_modulo_q_are_forged(join):
    first, second, _ = shamir.split(1234, 2, 3)
    wrong = [{}, *({index: 5} for index in ZERO), *({index: 5, 1: first} for index in ZERO)]
    wrong += [{1: first, 1 + step: first} for step in (Q, -Q, 3 * Q)]
    wrong += [{1: first, 2: second, 2 + Q: second}]
    for shares in wrong:
        with pytest.raises(Forged):
            join(shares)
    assert shamir.combine({1: first, 2: second}) == shamir.interpolate({1: first, 2: second})[0] == 1234


@pytest.mark.parametrize("index", [*ZERO, Q + 1, 1 - Q, 1 + 2 * Q])
def test_no_share_fits_at_an_index_that_no_member_has(index):
    shares, commitments = feldman.deal(77, 2, 3)
    share = shares[0] if index % Q else 77
    assert feldman.verify_share(commitments, 1, shares[0]) and feldman.verify_shares(commitments, {1: shares[0]})
    assert not feldman.verify_share(commitments, index, share)
    assert not feldman.verify_shares(commitments, {index: share})
    pairs, hidden = pedersen.deal(77, 2, 3)
    assert pedersen.verify_share(hidden, 1, pairs[0]) and pedersen.verify_shares(hidden, {1: pairs[0]})
    assert not pedersen.verify_share(hidden, index, pairs[0])
    assert not pedersen.verify_shares(hidden, {index: pairs[0]})


def test_no_shares_and_no_commitments_fit_nothing():
    shares, commitments = feldman.deal(77, 2, 3)
    pairs, hidden = pedersen.deal(77, 2, 3)
    assert not feldman.verify_shares(commitments, {}) and not pedersen.verify_shares(hidden, {})
    for none in ((), (bytes(33),), (b"\0",), (commitments[0], bytes(33))):
        assert not feldman.verify_share(none, 1, shares[0]) and not feldman.verify_shares(none, {1: shares[0]})
        assert not pedersen.verify_share(none, 1, pairs[0]) and not pedersen.verify_shares(none, {1: pairs[0]})
