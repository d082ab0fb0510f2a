"""The rules over what a key generation might have left behind."""

import itertools

import pytest
from key_generation import SESSION, fields

from escrow import codec
from escrow.errors import Forged, Malformed
from escrow.sharing.blame import Blamed
from escrow.sharing.dkg import gjkr, result
from escrow.sharing.dkg.gjkr import Commitments, SubShare
from escrow.sharing.dkg.in_process import LocalMember, run
from escrow.vocabulary import vocabulary

# --- the rules over what might have been kept ---


@pytest.fixture(scope="module")
def made():
    setting = gjkr.gjkr(SESSION, 2, 3)
    members = [LocalMember(setting, i) for i in setting.members]
    return run(members), members


def test_a_members_sum_is_recomputed_from_what_it_was_sent(made):
    ran, members = made
    for member in members:
        assert result.combine(ran.outcome, tuple(member.settled.values())) == ran.shares[member.index]
    short = tuple(members[0].settled.values())[:2]
    with pytest.raises(Blamed) as caught:
        result.combine(ran.outcome, short)
    assert caught.value.culprits == (3,)
    mixed = (*short, members[1].settled[3])
    with pytest.raises(Blamed):
        result.combine(ran.outcome, mixed)
    for field, value in (("value", b"\xff" * 32), ("dealer", 1), ("member", 2), ("session", b"")):
        wrong = SubShare(**fields(members[0].settled[3]) | {field: value})
        assert not result.share_dealt(ran.outcome, wrong)
        with pytest.raises(Blamed):
            result.combine(ran.outcome, (*short, wrong))


def test_any_t_sums_give_all_the_others(made):
    ran, _ = made
    sums = tuple(ran.shares.values())
    for chosen in itertools.permutations(sums, 2):
        assert set(result.complete(ran.outcome, chosen)) == set(sums)
    for few in ((sums[0],), (sums[0], sums[0]), (sums[0], result.Summed(SESSION, 2, sums[0].raw))):
        with pytest.raises(Forged):
            result.complete(ran.outcome, few)


def test_a_sum_of_another_run_is_no_share(made):
    ran, _ = made
    right = ran.shares[1]
    for field, value in (("raw", bytes(32)), ("raw", b""), ("member", 2), ("member", 9), ("session", b"other")):
        with pytest.raises(Forged):
            result.first_share(ran.outcome, result.Summed(**fields(right) | {field: value}))


def test_an_outcome_is_dealings_of_one_degree(made):
    dealings = made[0].outcome.dealings
    short = Commitments(SESSION, 1, dealings[0].points[:1])
    for wrong in ((), (short, dealings[1]), (Commitments(SESSION, 1, ()),)):
        with pytest.raises(ValueError, match="one degree"):
            result.Outcome(SESSION, (1, 2, 3), wrong)
        with pytest.raises(Malformed):
            codec.decode(codec.encode(["Outcome", SESSION, [1, 2, 3], wrong]), result.Outcome)
    with pytest.raises(ValueError, match="members 1"):
        result.first_sharing(result.Outcome(SESSION, (1, 3), dealings))


def test_a_share_that_no_complaint_asked_for_is_missed():
    setting = gjkr.gjkr(SESSION, 2, 3)
    broadcast = {i: gjkr.deal(setting, i)[1] for i in setting.members}
    with pytest.raises(Forged, match="neither a share nor an answer"):
        gjkr.settle(setting, 1, (1, 2), broadcast, {}, ())


@pytest.mark.parametrize(("t", "members"), [(0, (1, 2)), (3, (1, 2)), (1, (1, 1)), (1, (0, 1))])
def test_settings_that_cannot_be_are_a_callers_error(t, members):
    with pytest.raises(ValueError, match="it must be 1 <= t"):
        gjkr.Setting(SESSION, t, members, 0, hiding=True)


def test_what_a_run_leaves_behind_is_rules_for_who_finds_it():
    found = {rule.function.__name__ for rule in vocabulary(result).rules}
    assert found == {"combine", "complete", "first_share", "pool"}
