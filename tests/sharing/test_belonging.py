"""Property: facts that do not belong together give nothing: of another group, key, run, dealer, epoch or ciphertext."""

import pytest
from msgspec.structs import replace

from escrow.errors import Forged
from escrow.primitives import group
from escrow.schemes.clipper.chip import UnitHalf, combine
from escrow.sharing import elgamal, tdh2
from escrow.sharing.bls import BlsGroup
from escrow.sharing.dkg import gjkr, result
from escrow.sharing.dkg.in_process import LocalMember, run
from escrow.sharing.epochs import misplaced, pool
from escrow.sharing.proactive import recovery

MADE, SHARES = elgamal.deal(2, 3)
OTHER, _ = elgamal.deal(2, 3)
CAPSULE = elgamal.encapsulate(MADE)[0]
WHOLE = elgamal.combine_shares(MADE, SHARES[:2])


@pytest.mark.parametrize(
    "rule", [lambda each: elgamal.partial(SHARES[0], each), lambda each: elgamal.decapsulate(WHOLE, each)]
)
def test_a_capsule_of_another_group_is_not_opened(rule):
    assert rule(CAPSULE).point == CAPSULE.point
    with pytest.raises(Forged, match="another group"):
        rule(replace(CAPSULE, group=OTHER.name))


def test_holders_on_one_curve_have_not_the_name_of_holders_on_another():
    assert elgamal.EscrowGroup.under(3, MADE.commitments).name != BlsGroup.under(3, MADE.commitments).name


@pytest.mark.parametrize("change", [{"session": b"another run"}, {"points": (group.GENERATOR,) * 2}])
def test_a_dealer_that_tells_some_members_a_deal_of_another_run_or_of_other_points_told_two_things(change):
    setting = gjkr.gjkr(b"run", 2, 5)
    _, told, _ = gjkr.deal(setting, 1)
    heard = {index: told if index < 4 else replace(told, **change) for index in setting.members}
    echoes = [gjkr.echo(setting, index, {1: each}) for index, each in heard.items()]
    assert [blame.culprit for blame in gjkr.equivocators(setting, echoes)] == [1]
    assert gjkr.equivocators(setting, echoes[:3]) == ()


def test_halves_of_two_units_make_no_unit_key():
    one, other = UnitHalf(b"unit", 1, b"1" * 10), UnitHalf(b"unit", 2, b"2" * 10)
    assert combine(one, other).uid == b"unit"
    with pytest.raises(Forged, match="two units"):
        combine(one, replace(other, uid=b"else"))


# --- what one run of key generation made, and a share of it ---

SETTINGS = {"GJKR": gjkr.gjkr(b"run", 2, 3), "joint Feldman": gjkr.joint_feldman(b"run", 2, 3)}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_share_of_another_run_or_dealer_does_not_fit(name):
    setting = SETTINGS[name]
    _, dealing, shares = gjkr.deal(setting, 1)
    assert gjkr.fits(setting, dealing, shares[1])
    assert not gjkr.fits(setting, dealing, replace(shares[1], session=b"else"))
    assert not gjkr.fits(setting, dealing, replace(shares[1], dealer=2))


def test_commitments_of_another_run_or_dealer_are_not_well_formed():
    setting = SETTINGS["GJKR"]
    _, dealing, _ = gjkr.deal(setting, 1)
    assert gjkr.well_formed(setting, dealing, 1)
    for wrong in (replace(dealing, session=b"else"), replace(dealing, dealer=2), replace(dealing, points=())):
        assert not gjkr.well_formed(setting, wrong, 1)


RAN = run(LocalMember(SETTINGS["GJKR"], index) for index in (1, 2, 3))
SHARING = result.first_sharing(RAN.outcome)
SHARE = result.first_share(RAN.outcome, RAN.shares[1])
SEALED = tdh2.encrypt(SHARING.key, b"m" * 32, b"l" * 32)
ELSEWHERE = group.base(5)


def test_a_sum_of_another_run_does_not_fit():
    assert result.sum_fits(RAN.outcome, RAN.shares[1])
    assert not result.sum_fits(RAN.outcome, replace(RAN.shares[1], session=b"else"))
    assert not result.sum_fits(RAN.outcome, replace(RAN.shares[1], member=2))


def test_a_dealt_share_of_another_run_or_dealer_does_not_fit():
    setting = SETTINGS["joint Feldman"]
    dealt = {index: gjkr.deal(setting, index) for index in setting.members}
    outcome = result.conclude(setting, setting.members, {index: each[1] for index, each in dealt.items()})
    share = dealt[1][2][1]
    assert result.share_dealt(outcome, share)
    assert not result.share_dealt(outcome, replace(share, session=b"else"))
    assert not result.share_dealt(outcome, replace(share, dealer=2))


def test_a_share_of_another_key_or_epoch_is_misplaced():
    assert misplaced(SHARING, SHARE) == ""
    assert misplaced(SHARING, replace(SHARE, key=ELSEWHERE)) == "it belongs to another key"
    assert misplaced(SHARING, replace(SHARE, epoch=1)) == "it is of epoch 1, not of epoch 0"


# --- TDH2 ---


def test_a_share_of_another_key_or_epoch_is_lent_to_no_recovery():
    made = run(LocalMember(recovery.setting(SHARING, b"recovery", 2, (1, 3)), index) for index in (1, 3))
    told = recovery.recovery(SHARING, made.outcome, 2)
    assert recovery.blind(SHARE, told, made.shares[1]).index == 1
    for wrong in (replace(SHARE, key=ELSEWHERE), replace(SHARE, epoch=1)):
        with pytest.raises(Forged, match="a share of another epoch or key"):
            recovery.blind(wrong, told, made.shares[1])
    for part in (replace(made.shares[1], session=b"else"), made.shares[3]):
        with pytest.raises(Forged, match="a sum of another run or member"):
            recovery.blind(SHARE, told, part)


def test_a_ciphertext_under_another_key_gives_no_part_and_no_point():
    whole = whole_key()
    other = tdh2.encrypt(ELSEWHERE, b"m" * 32, b"l" * 32)
    assert tdh2.decapsulate(whole, SEALED).u == SEALED.u
    assert tdh2.partial(SHARE, SEALED).u == SEALED.u
    for rule, held in ((tdh2.decapsulate, whole), (tdh2.partial, SHARE)):
        with pytest.raises(Forged, match="another key"):
            rule(held, other)


def test_a_point_of_another_ciphertext_or_key_unmasks_nothing():
    point = tdh2.decapsulate(whole_key(), SEALED)
    assert tdh2.unmask(SEALED, point).value == b"m" * 32
    for wrong in (replace(point, u=ELSEWHERE), replace(point, key=ELSEWHERE)):
        with pytest.raises(Forged, match="another ciphertext"):
            tdh2.unmask(SEALED, wrong)


def test_a_part_of_another_ciphertext_is_its_makers_fault():
    part = tdh2.partial(SHARE, SEALED)
    again = tdh2.encrypt(SHARING.key, b"m" * 32, b"l" * 32)
    assert tdh2.culprits(SHARING, SEALED, [part]) == ()
    for wrong in (tdh2.partial(SHARE, again), replace(part, u=ELSEWHERE), replace(part, context=b"else")):
        assert [each.fault for each in tdh2.culprits(SHARING, SEALED, [wrong])] == ["it is of another ciphertext"]


def whole_key():
    return pool(SHARING, (SHARE, result.first_share(RAN.outcome, RAN.shares[2])))
