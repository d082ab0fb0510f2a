"""Published results on envelopes: their arithmetic, and that a planted error does not agree with the figure."""

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.experiments import anamorphic, jurisdictions, many_keys, pvss, tlock
from attacks.kernels import many_keys as kernel
from attacks.kernels import two_keys
from attacks.lab.runs.experiment import experiments, reproduce
from escrow.crypto import new_private, open_sealed, sha256
from escrow.errors import Forged
from escrow.primitives import bls12_381, group
from escrow.sharing import pvss as shares
from escrow.sharing.blame import Blamed


class ShortManyKeys(many_keys.ManyKeys):
    bits = (3, 5)


class ShortAnamorphic(anamorphic.Anamorphic):
    messages = {3: 60, 5: 40}
    samples = 6_000


class ShortJurisdictions(jurisdictions.Jurisdictions):
    times = 400


def figures(experiment):
    (found,) = reproduce([experiment], 2019, False, lambda *_: None).experiments
    return found


SHORT = {
    "many-keys": ShortManyKeys,
    "anamorphic": ShortAnamorphic,
    "jurisdictions": ShortJurisdictions,
    "pvss": pvss.PublicShares,
    "tlock": tlock.Tlock,
}


@pytest.mark.parametrize("name", SHORT)
def test_the_figures_agree(name):
    found = figures(SHORT[name]())
    assert found.disagree == () and len(found.figures) >= 5


def test_the_commands_take_the_sizes_that_are_promised():
    found = experiments()
    assert found["many-keys"].bits[-1] == 10
    assert found["anamorphic"].samples // 2 >= 20_000 and set(found["anamorphic"].messages) == {4, 8, 10}
    assert (jurisdictions.NUMBERS, jurisdictions.RATE) == ((1, 3, 10, 27), 0.02)
    risks = [round(100 * jurisdictions.robbed(0.02, 1, n), 1) for n in jurisdictions.NUMBERS]
    assert risks == [2.0, 5.9, 18.3, 42.0]


PLANTED = {  # experiment -> module, what is replaced, by what, a part of the figure that then disagrees
    "many-keys": (many_keys, "opened_by_all", lambda keys: kernel.opened_by_all(list(keys)[1:]), "8 keys: those"),
    "anamorphic": (anamorphic, "read", lambda dk, bits, enc: enc[0] & 1, "keys drawn"),
    "jurisdictions": (jurisdictions, "_stolen", lambda chance: secrets.randbelow(10) < 3, "stolen in a year"),
    "pvss": (shares, "share_fits", lambda *_: True, "wrong opened shares"),
    "tlock": (tlock, "opens", lambda *_: True, "one bit of U"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_does_not_agree(name, monkeypatch):
    module, what, fault, named = PLANTED[name]
    monkeypatch.setattr(module, what, fault)
    if name == "anamorphic":
        monkeypatch.setattr(anamorphic, "covert", lambda dk, bits, wanted: anamorphic.Covert(new_private(), 1))
    assert any(named in each for each in figures(SHORT[name]()).disagree)


def test_without_the_extra_tlock_says_so_and_does_not_agree(monkeypatch):
    monkeypatch.setattr(bls12_381, "PACKAGE", "no_such_package")
    (said,) = figures(tlock.Tlock()).disagree
    assert "the extra `pairing` is not installed" in said


# --- many keys ---

blocks = st.binary(min_size=16, max_size=16)


@given(blocks, blocks)
def test_products_and_inverses_are_those_of_gcm(one, other):
    product = two_keys._times(int.from_bytes(one, "big"), int.from_bytes(other, "big")).to_bytes(16, "big")
    assert kernel.packed(kernel.times(kernel.spread(one), kernel.spread(other))) == product
    if any(one):
        inverse = kernel.inverse(kernel.spread(one))
        assert kernel.packed(kernel.times(inverse, kernel.spread(one))) == b"\x80" + bytes(15)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 7, 16])
def test_a_ciphertext_of_k_keys_opens_under_these_and_no_other(k):
    keys = [secrets.token_bytes(16 + 16 * (k % 2)) for _ in range(k)]
    sealed = kernel.opened_by_all(keys)
    assert len(sealed) == 16 * (k + 1)
    assert len({open_sealed(key, sealed, b"") for key in keys}) == k
    with pytest.raises(Forged):
        open_sealed(secrets.token_bytes(32), sealed, b"")


def test_the_long_run_also_searches_4096_keys_and_a_million_is_labelled_an_extrapolation(monkeypatch):
    asked = []

    def searched(candidates, oracle):
        asked.append(len(set(candidates)))
        return candidates[0], 0

    monkeypatch.setattr(many_keys, "searched", searched)
    found = list(many_keys.EXPERIMENT.run(True, lambda *_: None))
    assert asked == [16, 256, 1024, 4096]
    assert found[-1].measured == found[-1].published == 20
    assert "10^6 candidates" in found[-1].quantity and "extrapolation" in found[-1].note


# --- the anamorphic test ---


def test_the_test_of_the_authority_finds_a_bias_and_not_its_absence():
    fair, again = ([sha256(b"%d %d" % (side, n)) for n in range(8_000)] for side in (1, 2))  # by no chance
    biased = [bytes([each[0], each[1] | 4 * (each[31] % 8 == 0), *each[2:]]) for each in again]
    none, some = anamorphic.advantage(fair, again), anamorphic.advantage(fair, biased)
    assert abs(none.value) < 5 * none.error
    assert abs(some.value - 1 / 16) < 5 * some.error < 1 / 16


# --- publicly verifiable shares ---


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 4), st.data())
def test_any_t_shares_give_the_secret_and_fewer_give_nothing(t, data):
    n = data.draw(st.integers(t, 5))
    privates = group.random_scalars(n)
    keys = [group.base(each) for each in privates]
    secret, dealing = shares.deal(t, keys)
    assert shares.faults(dealing, keys) == ()
    opened = [shares.open_share(dealing, index, each) for index, each in enumerate(privates, 1)]
    chosen = data.draw(st.permutations(opened))
    assert shares.combine(dealing, keys, chosen) == shares.combine(dealing, keys, chosen[:t]) == secret
    with pytest.raises(Blamed, match="needed"):
        shares.combine(dealing, keys, chosen[: t - 1])


def test_what_is_no_dealing_is_refused():
    keys = [group.base(each) for each in (5, 6, 7)]
    _, dealing = shares.deal(2, keys)
    with pytest.raises(Forged, match="shares with"):
        shares.faults(dealing, keys[:2])
    for field in ("sealed", "proofs"):
        for index in range(3):
            wrong = list(getattr(dealing, field))
            wrong[index] = bytes(len(wrong[index]))
            assert shares.faults(shares.PublicDealing(**{**fields(dealing), field: tuple(wrong)}), keys) == (index + 1,)
    assert shares.faults(shares.PublicDealing(**{**fields(dealing), "commitments": (bytes(33),)}), keys) == (1, 2, 3)
    with pytest.raises(ValueError, match="t <= n"):
        shares.deal(4, keys)


def fields(dealing):
    return {name: getattr(dealing, name) for name in dealing.__struct_fields__}
