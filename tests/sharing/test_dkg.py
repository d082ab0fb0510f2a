"""Distributed key generation: what comes out, and who is blamed for each way of lying."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from key_generation import MAKES, SESSION, both, fields, holds, other, play

from escrow import crypto
from escrow.primitives import group
from escrow.primitives.group import scalar
from escrow.sharing.blame import Assumption, Blamed
from escrow.sharing.dkg import gjkr, result
from escrow.sharing.dkg.gjkr import Commitments, Complaint, PublicShare
from escrow.sharing.dkg.in_process import LocalMember, run

T_OF_N = st.integers(1, 5).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n)))


# --- honest ---


@settings(max_examples=12, deadline=None)
@given(T_OF_N, st.sampled_from(MAKES))
def test_any_t_shares_of_an_honest_run_give_the_key_that_was_published(t_of_n, make):
    t, n = t_of_n
    if make is gjkr.gjkr and n < 2 * t - 1:
        with pytest.raises(ValueError, match="n >= 2t - 1"):
            make(SESSION, t, n)
        return
    ran = play(make, t, n)
    assert ran.blames == ()
    assert ran.record.qualified == tuple(range(1, n + 1))
    holds(ran, t)


@both
def test_the_key_is_the_sum_of_what_each_dealer_chose(make):
    setting = make(SESSION, 2, 3)
    members = [LocalMember(setting, i) for i in setting.members]
    key = holds(run(members), 2)
    assert group.base(sum(scalar(member.polynomials.values[0]) for member in members)) == key


@both
def test_one_seed_makes_one_key(make):
    def seeded():
        with crypto.running(crypto.Run(b"seed")):
            return play(make, 2, 3).outcome

    assert seeded() == seeded() != play(make, 2, 3).outcome


# --- a lying dealer, and why it is out or stays ---


class Unfit(LocalMember):
    """Deals member 1 a bad share, and answers its complaint with the right one."""

    def share_to(self, member):
        return other(self.subshares[member]) if member == 1 else self.subshares[member]


class Miser(LocalMember):
    """Sends member 1 no share, and answers its complaint."""

    def share_to(self, member):
        return None if member == 1 else self.subshares[member]


class Stubborn(Unfit):
    def answer(self, record):
        return ()


class Repeating(Unfit):
    """Answers with the bad share."""

    def answer(self, record):
        return [other(each) for each in super().answer(record)]


class Twofold(Unfit):
    """Answers once right and once wrong: whoever keeps the first answer only would disagree with who keeps the last."""

    def answer(self, record):
        return [each for right in super().answer(record) for each in (right, other(right))]


class Substitute(Unfit):
    """Answers with the share of another dealer under its own name."""

    def answer(self, record):
        stolen = self.received[1]
        return [
            PublicShare(each.session, self.index, self.index, each.member, stolen.value, stolen.blinding)
            for each in super().answer(record)
        ]


class UnfitToMost(LocalMember):
    """Deals bad shares to more members than may lie, and answers them all."""

    def share_to(self, member):
        return self.subshares[member] if member == self.index else other(self.subshares[member])


class Absent(LocalMember):
    def commitments_to(self, member):
        return None

    def share_to(self, member):
        return None

    def answer(self, record):
        return ()


def committing(change) -> type[LocalMember]:
    """A dealer that broadcasts its commitments changed."""

    class Malforming(LocalMember):
        def commitments_to(self, member):
            return Commitments(**fields(self.commitments) | change(self.commitments))

    return Malforming


MALFORMED = {  # after the blame vectors of ChillDKG: a wrong prefix, off the curve, infinity, too few, another's
    "prefix": lambda mine: {"points": (b"\x05" + mine.points[0][1:], *mine.points[1:])},
    "off the curve": lambda mine: {"points": (b"\x02" + b"\xff" * 32, *mine.points[1:])},
    "infinity": lambda mine: {"points": (bytes(33), *mine.points[1:])},
    "empty": lambda mine: {"points": ()},
    "one too few": lambda mine: {"points": mine.points[:-1]},
    "one too many": lambda mine: {"points": (*mine.points, group.GENERATOR)},
    "of another session": lambda mine: {"session": b"another"},
    "under another name": lambda mine: {"dealer": 1},
}


@both
@pytest.mark.parametrize("kind", [Unfit, Miser])
def test_a_dealer_that_answers_rightly_stays_in(make, kind):
    """It cannot be told from a victim of a false complaint, so nobody is blamed, and the answer serves as the share."""
    ran = play(make, 2, 3, p3=kind)
    assert ran.blames == ()
    assert ran.record.qualified == (1, 2, 3)
    assert [(each.accuser, each.dealer) for each in ran.record.complaints] == [(1, 3)]
    holds(ran, 2)


@both
@pytest.mark.parametrize(
    ("kind", "fault", "assumption"),
    [
        (Stubborn, "without an answer", Assumption.RECORD),
        (Repeating, "a share that does not fit", Assumption.RECORD),
        (Twofold, "a share that does not fit", Assumption.RECORD),
        (Substitute, "a share that does not fit", Assumption.RECORD),
        (UnfitToMost, "2 members complain", Assumption.FEW_LIARS),
        (Absent, "missing or malformed", Assumption.RECORD),
        *((committing(change), "missing or malformed", Assumption.RECORD) for change in MALFORMED.values()),
    ],
    ids=["Stubborn", "Repeating", "Twofold", "Substitute", "UnfitToMost", "Absent", *MALFORMED],
)
def test_a_lying_dealer_is_named_and_out_and_the_others_go_on(make, kind, fault, assumption):
    ran = play(make, 2, 3, p3=kind)
    (blame,) = ran.blames
    assert (blame.culprit, blame.assumption) == (3, assumption)
    assert fault in blame.fault
    assert ran.record.qualified == (1, 2)
    holds(ran, 2)


@both
def test_false_complaints_put_no_honest_dealer_out(make):
    class Slanderer(LocalMember):
        def complain(self, record):
            return [Complaint(SESSION, self.index, i) for i in self.setting.members]

    ran = play(make, 3, 5, p1=Slanderer, p2=Slanderer)
    assert ran.blames == ()
    assert ran.record.qualified == (1, 2, 3, 4, 5)
    holds(ran, 3)


@both
def test_complaints_that_nobody_could_make_are_passed_over(make):
    """Of another session, of strangers, of oneself, and the same one many times."""

    class Noisy(LocalMember):
        def complain(self, record):
            mine = Complaint(SESSION, 3, 1)
            return [mine] * 9 + [Complaint(b"old", 2, 1), Complaint(SESSION, 9, 1), Complaint(SESSION, 2, 2)]

    ran = play(make, 2, 3, p3=Noisy)
    assert ran.blames == ()
    assert [(each.dealer, each.member) for each in ran.record.answers] == [(1, 3)]
    holds(ran, 2)


@both
def test_an_answer_given_by_somebody_else_is_none(make):
    class Meddler(LocalMember):
        """Answers in the place of the stubborn dealer, with the share it was dealt itself."""

        def answer(self, record):
            share = self.received[3]
            return [PublicShare(SESSION, 2, 3, 1, share.value, share.blinding)]

    assert [each.culprit for each in play(make, 2, 3, p2=Meddler, p3=Stubborn).blames] == [3]


@both
def test_nobody_can_put_an_honest_dealer_out_by_answering_for_it(make):
    """A wrong answer under another's name is none, or one liar could choose between two keys in GJKR too."""

    class AnswersForAnother(LocalMember):
        rushing = True

        def complain(self, record):
            return [Complaint(SESSION, 3, 1)]

        def answer(self, record):
            right = [each for each in record.answers if each.dealer == 1]
            return [PublicShare(**fields(other(each)) | {"by": 3}) for each in right]

    ran = play(make, 2, 3, p3=AnswersForAnother)
    assert len(ran.record.answers) == 2
    assert ran.blames == ()
    assert ran.record.qualified == (1, 2, 3)
    holds(ran, 2)


@both
def test_a_share_for_somebody_else_is_none(make):
    """It fits the dealer's commitments, at another index; nor does one of another session or dealer fit."""
    setting = make(SESSION, 2, 3)
    dealt = {i: gjkr.deal(setting, i) for i in setting.members}
    broadcast = {i: commitments for i, (_, commitments, _) in dealt.items()}
    right = {i: shares[0] for i, (_, _, shares) in dealt.items()}
    assert gjkr.complaints(setting, 1, broadcast, right) == ()
    stray = dealt[3][2][1]
    assert gjkr.fits(setting, broadcast[3], stray)
    assert gjkr.complaints(setting, 1, broadcast, right | {3: stray}) == (Complaint(SESSION, 1, 3),)
    answered = gjkr.answers(setting, dealt[3][0], [Complaint(SESSION, 1, 3)])
    assert gjkr.settle(setting, 1, (3,), broadcast, {3: stray}, answered) == {3: right[3]}
    for wrong in (type(right[3])(**fields(right[3]) | each) for each in ({"session": b"old"}, {"dealer": 2})):
        assert not gjkr.fits(setting, broadcast[3], wrong)
        assert not gjkr.fits_feldman(setting, broadcast[3], wrong)
    assert [each.dealer for each in gjkr.complaints(setting, 1, {}, {})] == [2, 3]  # nobody complains of itself


@both
def test_who_is_in_is_a_function_of_what_was_broadcast(make):
    """Whatever the order in which it is heard."""
    setting = make(SESSION, 2, 3)
    record = play(make, 2, 3, p3=Repeating).record
    heard = record.complaints, record.answers
    expected = gjkr.qualify(setting, record.commitments, *heard)
    assert expected[0] == (1, 2)
    for complaints in itertools.permutations(heard[0]):
        for answered in itertools.permutations(heard[1]):
            shuffled = dict(reversed(record.commitments.items()))
            assert gjkr.qualify(setting, shuffled, complaints, answered) == expected


@pytest.mark.parametrize(("t", "n"), [(2, 2), (3, 3), (3, 4), (4, 6), (5, 5)])
def test_gjkr_is_refused_where_the_honest_could_not_rebuild_and_joint_feldman_is_not(t, n):
    """One that falls silent once it sees the key would end each run whose key it does not want."""
    with pytest.raises(ValueError, match="n >= 2t - 1"):
        gjkr.gjkr(SESSION, t, n)
    assert gjkr.joint_feldman(SESSION, t, n).least == n - t + 1
    assert gjkr.gjkr(SESSION, t, 2 * t - 1).least == t


@both
@pytest.mark.parametrize(("t", "n"), [(2, 3), (3, 5)])
def test_a_qual_of_fewer_than_n_minus_t_plus_1_ends_the_run_with_names(make, t, n):
    absent = {f"p{i}": Absent for i in range(1, t)}
    assert play(make, t, n, **absent).record.qualified == tuple(range(t, n + 1))
    with pytest.raises(Blamed, match=f"QUAL has {n - t} members of the {n - t + 1}") as caught:
        play(make, t, n, **absent, **{f"p{n}": Absent})
    assert caught.value.culprits == (*range(1, t), n)
    setting = make(SESSION, t, n)
    dealt = {i: gjkr.deal(setting, i)[1] for i in setting.members}
    with pytest.raises(Blamed, match=f"QUAL has 1 members of the {n - t + 1}"):
        result.conclude(setting, (1,), dealt)


@both
def test_a_member_that_lacks_a_share_and_does_not_complain_has_none_and_stops_nobody(make):
    class Stingy(LocalMember):
        def share_to(self, member):
            return None if member == 2 else super().share_to(member)

    class Uncomplaining(LocalMember):
        def complain(self, record):
            return ()

    ran = play(make, 3, 5, p1=Stingy, p2=Uncomplaining)
    assert ran.record.qualified == (1, 2, 3, 4, 5) and set(ran.shares) == {1, 3, 4, 5}
    assert all(result.sum_fits(ran.outcome, share) for share in ran.shares.values())


def test_no_key_comes_out_where_no_dealer_is_left():
    with pytest.raises(Blamed) as caught:
        play(gjkr.gjkr, 1, 1, p1=Absent)
    assert "QUAL has 0 members of the 1 that it needs" in str(caught.value)
