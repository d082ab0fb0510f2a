"""Shamir, Feldman and threshold ElGamal: what t shares give, what fewer do not, and who is to blame."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.lab.costs.counts import units
from escrow import codec, crypto, vectors
from escrow.errors import Forged, Malformed
from escrow.primitives import group
from escrow.primitives.group import Q
from escrow.sharing import elgamal, feldman, pedersen, shamir
from escrow.sharing.elgamal import Capsule, EscrowGroup, KeyShare, Partial
from escrow.vocabulary import vocabulary

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


# --- threshold ElGamal ---


def made(t: int, n: int):
    dealt, shares = elgamal.deal(t, n)
    capsule, r, shared = elgamal.encapsulate(dealt)
    assert capsule.point == group.base(group.scalar(r))
    return dealt, shares, capsule, shared


@pytest.mark.parametrize(("t", "n"), [(1, 1), (1, 3), (2, 3), (3, 5)])
def test_any_t_agents_open_a_capsule_and_pooling_opens_the_same(t, n):
    dealt, shares, capsule, shared = made(t, n)
    partials = [elgamal.partial(share, capsule) for share in shares]
    keys, opened = set(), set()
    for count in range(t, n + 1):
        for chosen in itertools.permutations(range(n), count) if n < 4 else itertools.combinations(range(n), count):
            opened.add(elgamal.combine_partials(dealt, tuple(partials[i] for i in chosen)))
            keys.add(elgamal.combine_shares(dealt, tuple(shares[i] for i in chosen)))
    (key,), (result,) = keys, opened
    assert group.base(group.scalar(key.raw)) == dealt.key
    assert result.value == shared
    assert elgamal.decapsulate(key, capsule) == result


def test_fewer_than_t_are_forged_also_when_one_is_counted_twice():
    dealt, shares, capsule, _ = made(3, 5)
    partials = [elgamal.partial(share, capsule) for share in shares]
    for few in ((), (0,), (0, 1), (0, 1, 1, 0)):
        with pytest.raises(Forged):
            elgamal.combine_shares(dealt, tuple(shares[i] for i in few))
        with pytest.raises(Forged):
            elgamal.combine_partials(dealt, tuple(partials[i] for i in few))


def again(fact):
    """The fact as it comes over a wire: no verdict is remembered beside it."""
    return codec.decode(codec.encode(fact), type(fact))


def altered(right: Partial, other: Partial) -> list[Partial]:
    """Partials that do not fit, each in one field."""
    fields = {name: getattr(right, name) for name in right.__struct_fields__}
    wrong = {
        "value": [other.value, group.negate(right.value), group.GENERATOR, bytes(33), right.value[:-1], b""],
        "proof": [other.proof, bytes(64), right.proof[:-1], b"", right.proof[:-1] + bytes([right.proof[-1] ^ 1])],
        "index": [other.index, 0, -1, 4, 2**40],
        "group": [bytes(32)],
    }
    return [Partial(**(fields | {name: value})) for name, values in wrong.items() for value in values]


def test_a_wrong_partial_is_passed_over_and_blamed_on_its_maker():
    dealt, shares, capsule, shared = made(2, 3)
    one, two, three = (elgamal.partial(share, capsule) for share in shares)
    assert elgamal.culprits(dealt, [one, two, three]) == []
    for wrong in altered(one, two):
        assert elgamal.culprits(dealt, [again(two), wrong, again(three)]) == [wrong.index]
        for order in itertools.permutations((wrong, two, three)):
            assert elgamal.combine_partials(dealt, tuple(map(again, order))).value == shared
        with pytest.raises(Forged):
            elgamal.combine_partials(dealt, (wrong, two))


def test_a_right_partial_after_a_wrong_one_of_the_same_index_still_counts():
    dealt, shares, capsule, shared = made(2, 3)
    one, two, _ = (elgamal.partial(share, capsule) for share in shares)
    lie = Partial(one.group, one.point, one.index, two.value, two.proof)
    assert elgamal.combine_partials(dealt, (lie, one, two)).value == shared
    assert elgamal.combine_shares(dealt, (KeyShare(dealt.name, 1, shares[1].raw), *shares[:2])).raw


def test_a_wrong_share_is_passed_over():
    dealt, shares, _, _ = made(2, 3)
    key = elgamal.combine_shares(dealt, shares)
    strangers = elgamal.deal(2, 3)[1]
    for raw in (shares[1].raw, strangers[0].raw, bytes(32), b"\xff" * 32, b""):
        wrong = KeyShare(dealt.name, 1, raw)
        assert elgamal.combine_shares(dealt, (wrong, *shares[1:])) == key
        with pytest.raises(Forged):
            elgamal.combine_shares(dealt, (wrong, shares[1]))
    with pytest.raises(Forged):
        elgamal.combine_shares(dealt, strangers)


def test_partials_of_two_capsules_do_not_mix():
    dealt, shares, capsule, _ = made(2, 3)
    other = elgamal.encapsulate(dealt)[0]
    with pytest.raises(Forged):
        elgamal.combine_partials(dealt, (elgamal.partial(shares[0], capsule), elgamal.partial(shares[1], other)))


def test_nothing_is_computed_across_groups():
    dealt, shares, _, _ = made(2, 3)
    _, strangers, foreign, _ = made(2, 3)
    key = elgamal.combine_shares(dealt, shares)
    with pytest.raises(Forged):
        elgamal.decapsulate(key, foreign)
    with pytest.raises(Forged):
        elgamal.partial(shares[0], foreign)
    partials = tuple(elgamal.partial(share, foreign) for share in strangers)
    with pytest.raises(Forged):
        elgamal.combine_partials(dealt, partials)


@pytest.mark.parametrize("point", [b"", bytes(33), b"\x02" + b"\xff" * 32, b"\x05" + group.GENERATOR[1:]])
def test_a_capsule_that_is_no_point_is_forged(point):
    dealt, shares, _, _ = made(1, 1)
    capsule = Capsule(dealt.name, point)
    with pytest.raises(Forged):
        elgamal.partial(shares[0], capsule)
    with pytest.raises(Forged):
        elgamal.decapsulate(elgamal.combine_shares(dealt, shares), capsule)


def test_a_partial_is_the_same_bytes_each_time_and_proves_itself():
    dealt, shares, capsule, _ = made(2, 3)
    first, second = (codec.encode(elgamal.partial(share, capsule)) for share in (shares[0], again(shares[0])))
    assert first == second
    part = codec.decode(first, Partial)
    assert (len(part.value), len(part.proof)) == (33, 64)
    key = dealt.share_key(1)
    assert key == group.base(group.scalar(shares[0].raw))
    assert group.dleq_verify(key, capsule.point, part.value, part.proof, dealt.name)


def test_the_plain_scheme_is_malleable_as_its_docstring_warns():
    """Who may ask for partials on R + [ρ]G opens R: the weak point that a scheme must close."""
    dealt, shares, capsule, shared = made(2, 3)
    rho = group.random_scalar()
    mauled = Capsule(dealt.name, group.add(capsule.point, group.base(rho)))
    opened = elgamal.combine_partials(dealt, tuple(elgamal.partial(share, mauled) for share in shares))
    assert group.add(opened.value, group.negate(group.multiply(dealt.key, rho))) == shared


def test_a_group_is_what_its_name_hashes():
    dealt = elgamal.deal(2, 3)[0]
    assert again(dealt) == dealt
    for field, value in (("name", bytes(32)), ("t", 1), ("n", 4), ("n", 1), ("commitments", dealt.commitments[::-1])):
        fields = {name: getattr(dealt, name) for name in dealt.__struct_fields__} | {field: value}
        with pytest.raises(ValueError, match=r"escrow group|commitments"):
            EscrowGroup(**fields)
        encoded = codec.encode(["EscrowGroup", *(fields[name] for name in dealt.__struct_fields__)])
        with pytest.raises(Malformed):
            codec.decode(encoded, EscrowGroup)


def test_no_agent_outside_the_group_has_a_key():
    dealt = elgamal.deal(2, 3)[0]
    for index in (0, -1, 4, 2**70):
        with pytest.raises(Forged):
            dealt.share_key(index)


def test_the_gates_admit_what_verifies_and_nothing_else():
    found = {rule.function.__name__: rule for rule in vocabulary(elgamal).rules}
    assert set(found) == {"combine_shares", "combine_partials", "decapsulate", "partial"}
    dealt, shares, capsule, _ = made(2, 3)
    part = elgamal.partial(shares[0], capsule)
    gate = found["combine_partials"]
    assert (gate.t(dealt, part), gate.index(part), gate.by(part)) == (2, 1, (dealt.name, capsule.point))
    assert gate.verify(dealt, part)
    assert not any(gate.verify(dealt, wrong) for wrong in altered(part, elgamal.partial(shares[1], capsule)))
    pool = found["combine_shares"]
    assert (pool.t(dealt, shares[2]), pool.index(shares[2]), pool.by(shares[2])) == (2, 3, dealt.name)
    assert pool.verify(dealt, shares[2])
    assert not pool.verify(dealt, KeyShare(dealt.name, 1, shares[2].raw))
    assert not pool.verify(elgamal.deal(2, 3)[0], shares[2])


def test_a_verdict_is_remembered_for_its_group_only_and_costs_no_second_proof():
    dealt, shares, capsule, _ = made(2, 3)
    other = elgamal.deal(2, 3)[0]
    own = elgamal.partial(shares[0], capsule)
    part = codec.decode(codec.encode(own), Partial)  # as others get it, who know nothing of how it was made
    verify = elgamal.combine_partials.__rule__.verify
    heard: list[str] = []
    with crypto.running(crypto.Run(None, lambda call: heard.extend(units(call)))):
        assert [verify(dealt, part), verify(dealt, part), verify(other, part), verify(dealt, part)] == [1, 1, 0, 1]
    assert heard.count("p256-mult") == 4  # the other group is dismissed by its name


def test_a_part_just_made_is_proven_to_its_maker_and_nothing_else_is():
    dealt, shares, capsule, _ = made(2, 3)
    own = elgamal.partial(shares[0], capsule)
    verify = elgamal.combine_partials.__rule__.verify
    heard: list[str] = []
    with crypto.running(crypto.Run(None, lambda call: heard.extend(units(call)))):
        assert verify(dealt, own)
    assert "p256-mult" not in heard
    lie = KeyShare(dealt.name, 1, shares[1].raw)
    assert not verify(dealt, elgamal.partial(lie, capsule))
    assert not any(verify(dealt, wrong) for wrong in altered(own, elgamal.partial(shares[1], capsule)))
    assert verify(dealt, codec.decode(codec.encode(own), Partial))


def test_one_seed_deals_and_opens_the_same():
    def play():
        with crypto.running(crypto.Run(b"seed")):
            dealt, shares = elgamal.deal(2, 3)
            return dealt, shares, elgamal.encapsulate(dealt)

    assert play() == play()


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
