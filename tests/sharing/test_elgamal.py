"""Threshold ElGamal: any t agents open a capsule, wrong parts are blamed."""

import itertools

import pytest

from attacks.lab.costs.counts import units
from escrow import codec, crypto
from escrow.errors import Forged, Malformed
from escrow.primitives import group
from escrow.sharing import elgamal
from escrow.sharing.elgamal import Capsule, EscrowGroup, KeyShare, Partial
from escrow.vocabulary import vocabulary

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
        with pytest.raises(ValueError, match="commitments"):
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
