"""Equivocation, and the extraction of the key: a liar in it stays in QUAL, and is exposed."""

import msgspec
import pytest
from committee_faults import hollow
from key_generation import MAKES, SESSION, both, fields, holds, other, play

from escrow.errors import Forged
from escrow.primitives import group
from escrow.primitives.group import scalar
from escrow.sharing.blame import Assumption, Blame, Blamed
from escrow.sharing.dkg import extraction, gjkr, result
from escrow.sharing.dkg.gjkr import Commitments, PublicShare
from escrow.sharing.dkg.in_process import LocalMember, run

# --- equivocation ---


@both
def test_a_dealer_that_broadcasts_two_things_is_named(make):
    class Equivocator(LocalMember):
        def deal(self, record):
            super().deal(record)
            self.other = gjkr.deal(self.setting, self.index)[1]

        def commitments_to(self, member):
            return self.other if member < 3 else self.commitments

    with pytest.raises(Blamed) as caught:
        play(make, 2, 5, p5=Equivocator)
    assert caught.value.blames == (Blame(5, "it broadcast 2 different commitments", Assumption.FEW_LIARS),)
    assert caught.value.culprits == (5,)
    assert isinstance(caught.value, Forged)


def test_one_echo_alone_convicts_only_if_it_is_true():
    """A single member that repeats a dealer falsely puts that dealer under suspicion, and the verdict says as much."""
    setting = gjkr.gjkr(SESSION, 2, 3)
    broadcast = {i: gjkr.deal(setting, i)[1] for i in setting.members}
    echoes = [gjkr.echo(setting, i, broadcast) for i in setting.members]
    assert gjkr.equivocators(setting, echoes) == ()
    lie = gjkr.Echo(SESSION, 3, (bytes(32), *echoes[2].digests[1:]))
    (blame,) = gjkr.equivocators(setting, [*echoes[:2], lie])
    assert (blame.culprit, blame.assumption) == (1, Assumption.HONEST_ECHO)
    for void in (gjkr.Echo(b"old", 3, lie.digests), gjkr.Echo(SESSION, 3, lie.digests[:1])):
        assert gjkr.equivocators(setting, [*echoes[:2], void]) == ()
    silent = gjkr.echo(setting, 3, {i: broadcast[i] for i in (1, 2)})
    assert [each.culprit for each in gjkr.equivocators(setting, [*echoes[:2], silent])] == [3]
    of_old = msgspec.structs.replace(broadcast[2], session=b"old")  # the same points, in a run before
    heard = gjkr.echo(setting, 3, broadcast | {2: of_old})
    assert [each.culprit for each in gjkr.equivocators(setting, [*echoes[:2], heard])] == [2]


# --- extraction: a liar stays in QUAL, and is exposed ---


class Silent(LocalMember):
    def reveal(self, record):
        return None


class Swapped(LocalMember):
    """Reveals commitments to another polynomial."""

    def reveal(self, record):
        return Commitments(SESSION, self.index, tuple(map(group.base, group.random_scalars(self.setting.t))))


class Garbled(LocalMember):
    def reveal(self, record):
        return Commitments(SESSION, self.index, (bytes(33),) * self.setting.t)


class Hollow(Silent):
    """Deals a polynomial of which one coefficient is 0: it has no Feldman commitment that could be revealed."""

    at = 0

    def deal(self, record):
        self.polynomials, self.commitments, sent = hollow(self.at, self.setting, self.index)
        self.subshares = {share.member: share for share in sent}


class HollowInside(Hollow):
    at = 1


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (Silent, "no Feldman"),
        (Hollow, "no Feldman"),
        (HollowInside, "no Feldman"),
        (Garbled, "malformed"),
        (Swapped, "of another polynomial"),
    ],
)
def test_a_dealer_that_lies_in_the_extraction_is_exposed_and_stays(kind, fault):
    """The key is what it was before the dealer lied: otherwise lying would be a choice between two keys."""
    setting = gjkr.gjkr(SESSION, 2, 3)
    members = [LocalMember(setting, 1), LocalMember(setting, 2), kind(setting, 3)]
    ran = run(members)
    assert {blame.culprit for blame in ran.blames} == {3}
    assert all(fault in blame.fault and blame.assumption is Assumption.RECORD for blame in ran.blames)
    assert ran.record.qualified == (1, 2, 3)
    assert ran.record.exposed == (3,)
    assert holds(ran, 2) == group.base(sum(scalar(member.polynomials.values[0]) for member in members))
    sent = [share for member in members for share in member.subshares.values()]
    assert all(result.share_dealt(ran.outcome, share) for share in sent)
    assert not any(result.share_dealt(ran.outcome, other(share)) for share in sent)


def test_void_evidence_is_blamed_on_who_brought_it():
    class Slanderer(LocalMember):
        def object(self, record):
            return extraction.opened(self.setting, self.index, (1,), self.settled)

    class Forger(LocalMember):
        def object(self, record):
            return [other(each) for each in extraction.opened(self.setting, self.index, (1,), self.settled)]

    for kind in (Slanderer, Forger):
        ran = play(gjkr.gjkr, 2, 3, p3=kind)
        assert [(blame.culprit, "void" in blame.fault) for blame in ran.blames] == [(3, True)]
        assert ran.record.exposed == ()
        holds(ran, 2)


def test_what_one_member_says_of_anothers_share_is_passed_over():
    """Neither evidence nor a share for the pool, be it right or wrong: there is nobody to blame for it."""
    setting = gjkr.gjkr(SESSION, 2, 3)
    members = [LocalMember(setting, 1), LocalMember(setting, 2), Swapped(setting, 3)]
    record = run(members).record
    said = extraction.opened(setting, 1, (3,), members[0].settled)
    hearsay = [PublicShare(**fields(each) | {"by": 2}) for each in (*said, *map(other, said))]
    revealed = record.revealed | {3: Swapped(setting, 3).reveal(record)}
    public = record.qualified, record.commitments, revealed
    assert extraction.exposed(setting, *public, hearsay) == ((), ())
    assert extraction.exposed(setting, *public, said)[0] == (3,)
    with pytest.raises(Blamed) as caught:
        extraction.rebuild(setting, 3, record.commitments[3], hearsay)
    assert caught.value.culprits == ()


def test_a_wrong_share_in_the_pool_is_passed_over_and_blamed():
    class Spoiler(LocalMember):
        def pool(self, record):
            return [other(each) for each in super().pool(record)]

    ran = play(gjkr.gjkr, 2, 4, p1=Spoiler, p4=Silent)
    assert {blame.culprit for blame in ran.blames} == {1, 4}
    holds(ran, 2)


def test_too_few_shares_to_expose_a_dealer_end_the_run_with_names():
    class Quiet(LocalMember):
        def pool(self, record):
            return ()

    with pytest.raises(Blamed, match="member 5"):  # three liars, where 3 of 5 tolerates two
        play(gjkr.gjkr, 3, 5, p1=Quiet, p2=Quiet, p5=Silent)


def test_a_rushing_dealer_sees_every_key_part_in_joint_feldman_and_none_in_gjkr():
    """What makes the bias: at the time of the answers the parts A_i0 of the key are public, or only the C_i0 are."""
    seen = []

    class Watching(LocalMember):
        rushing = True

        def answer(self, record):
            parts = [each.points[0] for each in record.commitments.values()]
            seen.append(group.add(*parts))
            return super().answer(record)

    for make in MAKES:
        key = holds(play(make, 2, 3, p3=Watching), 2)
        assert (seen.pop() == key) is (make is gjkr.joint_feldman)
