"""Refresh and recovery: the key stays, the epochs do not mix, and what was not erased undoes it."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.lab.adversary.closure import Closure
from escrow import codec
from escrow.errors import Forged, Malformed
from escrow.primitives import group
from escrow.primitives.group import scalar, scalar_bytes
from escrow.sharing import epochs, shamir
from escrow.sharing.blame import Blamed
from escrow.sharing.dkg import gjkr, result
from escrow.sharing.dkg.gjkr import PublicShare, Setting
from escrow.sharing.dkg.in_process import LocalMember, RunResult, run
from escrow.sharing.epochs import EpochShare, Sharing, WholeKey
from escrow.sharing.proactive import recovery, refresh
from escrow.sharing.proactive.refresh import Renewal
from escrow.vocabulary import vocabulary

T_OF_N = st.integers(2, 5).flatmap(lambda n: st.tuples(st.integers(2, n), st.just(n)))
hidings = pytest.mark.parametrize("hiding", [False, True], ids=["joint Feldman", "GJKR"])


def hold(setting: Setting, **lying: type[LocalMember]) -> RunResult:
    return run(lying.get(f"p{i}", LocalMember)(setting, i) for i in setting.members)


def begin(t: int, n: int) -> tuple[Sharing, list[EpochShare]]:
    made = hold((gjkr.gjkr if n >= 2 * t - 1 else gjkr.joint_feldman)(b"begin", t, n))
    return result.first_sharing(made.outcome), [
        result.first_share(made.outcome, made.shares[i]) for i in range(1, n + 1)
    ]


def refreshed(of: Sharing, shares, hiding=True, **lying) -> tuple[Sharing, list[EpochShare], Renewal, RunResult]:
    made = hold(refresh.setting(of, b"refresh %d" % of.epoch, hiding), **lying)
    following, renewal = refresh.renewed(of, made.outcome)
    return following, [refresh.renew(share, renewal, made.shares[share.index]) for share in shares], renewal, made


def changed(fact, **values):
    return type(fact)(**{name: getattr(fact, name) for name in fact.__struct_fields__} | values)


# --- refresh ---


@settings(max_examples=8, deadline=None)
@given(T_OF_N, st.booleans(), st.data())
def test_the_key_stays_and_all_shares_change(t_of_n, hiding, data):
    t, n = t_of_n
    sharing, shares = begin(t, n)
    if n < 2 * t - 2:
        with pytest.raises(ValueError, match="GJKR needs"):
            refresh.setting(sharing, b"", hiding=True)
        hiding = False
    key = epochs.pool(sharing, tuple(shares))
    for epoch in (1, 2):
        sharing, new, _, made = refreshed(sharing, shares, hiding)
        assert (sharing.epoch, sharing.t, sharing.n, sharing.key) == (epoch, t, n, key.key)
        assert made.blames == ()
        assert all(epochs.share_fits(sharing, share) for share in new)
        assert all(share.raw != old.raw and share.epoch == epoch for share, old in zip(new, shares, strict=True))
        assert epochs.pool(sharing, tuple(data.draw(st.permutations(new))[:t])) == key
        shares = new


def test_shares_of_two_epochs_are_refused_and_named_and_would_give_garbage():
    sharing, old = begin(3, 5)
    following, new, _, _ = refreshed(sharing, old)
    key = epochs.pool(sharing, tuple(old))
    for split in (1, 2):
        mixed = (*old[:split], *new[split:3])
        with pytest.raises(Blamed, match="of epoch 0, not of epoch 1") as caught:
            epochs.pool(following, mixed)
        assert caught.value.culprits == tuple(range(1, split + 1))
        with pytest.raises(Blamed, match="of epoch 1, not of epoch 0"):
            epochs.pool(sharing, mixed)
        assert shamir.combine({share.index: scalar(share.raw) for share in mixed}) != scalar(key.raw)
    relabelled = [changed(share, epoch=1) for share in old[:2]]
    with pytest.raises(Blamed, match="does not fit") as caught:
        epochs.pool(following, (*relabelled, new[2]))
    assert caught.value.culprits == (1, 2)
    assert epochs.pool(following, (*old, *relabelled, *new[2:])) == key


@hidings
def test_no_dealer_can_move_the_key(hiding):
    """A constant term has no commitment that it could be checked against, and so no place to hide."""

    class Mover(LocalMember):
        """Deals δ(z) + 1: each share is larger than it should be by what 1 is at its index."""

        def share_to(self, member):
            share = self.subshares[member]
            return changed(share, value=scalar_bytes(scalar(share.value) + pow(member, -1, group.Q)))

        def answer(self, record):
            return [
                changed(each, value=scalar_bytes(scalar(each.value) + pow(each.member, -1, group.Q)))
                for each in super().answer(record)
            ]

    sharing, shares = begin(2, 3)
    following, new, _, made = refreshed(sharing, shares, hiding, p2=Mover)
    assert [blame.culprit for blame in made.blames] == [2]
    assert made.record.qualified == (1, 3)
    assert following.key == sharing.key
    assert epochs.pool(following, tuple(new)) == epochs.pool(sharing, tuple(shares))


def test_a_dealer_that_falls_silent_after_the_others_revealed_moves_nothing():
    """GJKR's remedy: its part is pooled, so that dropping out is no choice between two polynomials."""

    class Silent(LocalMember):
        rushing = True

        def reveal(self, record):
            assert len(record.revealed) == 4

    sharing, shares = begin(3, 5)
    following, new, _, made = refreshed(sharing, shares, True, p3=Silent)
    assert made.record.qualified == (1, 2, 3, 4, 5)
    assert {blame.culprit for blame in made.blames} == {3}
    assert epochs.pool(following, tuple(new[2:])) == epochs.pool(sharing, tuple(shares))


@hidings
def test_joint_feldman_shows_the_new_polynomial_before_the_answers_and_gjkr_does_not(hiding):
    seen = []

    class Watching(LocalMember):
        rushing = True

        def answer(self, record):
            seen.append(tuple(map(group.add, *(each.points for each in record.commitments.values()))))
            return super().answer(record)

    sharing, shares = begin(3, 4)
    made = refreshed(sharing, shares, hiding, p3=Watching)[3]
    assert (seen.pop() == result.commitments(made.outcome)) is not hiding


def test_pieces_of_two_runs_do_not_fit():
    sharing, shares = begin(3, 4)
    _, new, renewal, made = refreshed(sharing, shares)
    part = made.shares[1]
    assert refresh.unrenew(new[0], renewal, part) == shares[0]
    for share, step, piece in (
        (new[0], renewal, part),
        (changed(shares[0], key=group.GENERATOR), renewal, part),
        (shares[1], renewal, part),
        (shares[0], changed(renewal, session=b"other"), part),
        (shares[0], renewal, made.shares[2]),
        (shares[0], renewal, changed(part, raw=b"\xff" * 32)),
    ):
        with pytest.raises(Forged):
            refresh.renew(share, step, piece)
    with pytest.raises(Forged):
        refresh.unrenew(shares[0], renewal, part)
    with pytest.raises(Forged, match="another sharing"):
        refresh.renewed(begin(2, 4)[0], made.outcome)
    with pytest.raises(Forged, match="another sharing"):
        refresh.renewed(begin(3, 3)[0], made.outcome)


def test_one_needed_share_is_the_key_and_cannot_be_refreshed():
    with pytest.raises(ValueError, match="every share is the key"):
        refresh.setting(begin(1, 2)[0], b"")


def test_a_sharing_has_between_one_commitment_and_one_a_member():
    point = group.GENERATOR
    for epoch, n, commitments in ((0, 2, ()), (0, 1, (point, point)), (-1, 1, (point,))):
        with pytest.raises(ValueError, match="commitments for"):
            Sharing(epoch, n, commitments)
        with pytest.raises(Malformed):
            codec.decode(codec.encode(["Sharing", epoch, n, commitments]), Sharing)


def test_every_malformed_share_is_refused_and_its_holder_named():
    sharing, shares = begin(2, 3)
    for field, value in (
        ("raw", bytes(32)),
        ("raw", b"\xff" * 32),
        ("raw", b""),
        ("raw", shares[1].raw),
        ("epoch", 1),
        ("epoch", -1),
        ("key", group.GENERATOR),
        ("key", b""),
    ):
        wrong = changed(shares[0], **{field: value})
        assert not epochs.share_fits(sharing, wrong)
        with pytest.raises(Blamed) as caught:
            epochs.pool(sharing, (wrong, shares[2]))
        assert caught.value.culprits == (1,)
        assert epochs.pool(sharing, (wrong, *shares)) == epochs.pool(sharing, tuple(shares))
    for index in (0, -1, 4, 2**70):
        with pytest.raises(Blamed, match="no member"):
            epochs.pool(sharing, (changed(shares[0], index=index), shares[2]))
        with pytest.raises(Forged):
            sharing.share_key(index)


# --- recovery ---


@settings(max_examples=6, deadline=None)
@given(st.sampled_from([(2, 3), (2, 5), (3, 4), (3, 5)]), st.booleans(), st.data())
def test_any_t_helpers_give_the_owner_its_share(t_of_n, hiding, data):
    t, n = t_of_n
    sharing, shares = begin(t, n)
    lost = data.draw(st.integers(1, n))
    others = [i for i in range(1, n + 1) if i != lost]
    helpers = data.draw(st.permutations(others))[: data.draw(st.integers(t, n - 1))]
    made = hold(recovery.setting(sharing, b"recovery", lost, helpers, hiding))
    public = recovery.recovery(sharing, made.outcome, lost)
    values = [recovery.blind(shares[i - 1], public, made.shares[i]) for i in helpers]
    assert all(recovery.value_fits(sharing, public, value) for value in values)
    for chosen in itertools.combinations(values, t):
        assert recovery.recover(sharing, public, chosen) == shares[lost - 1]


@pytest.fixture(scope="module")
def recovering():
    sharing, shares = begin(3, 5)
    made = hold(recovery.setting(sharing, b"recovery", 2, (1, 3, 4, 5)))
    public = recovery.recovery(sharing, made.outcome, 2)
    return sharing, shares, public, made, [recovery.blind(shares[i - 1], public, made.shares[i]) for i in (1, 3, 4, 5)]


def test_a_lying_helper_is_named_and_passed_over(recovering):
    sharing, shares, public, _, values = recovering
    wrongs = [
        changed(values[0], raw=scalar_bytes(scalar(values[0].raw) + 1)),
        changed(values[0], raw=shares[0].raw),  # the share itself, not blinded
        changed(values[0], raw=b"\xff" * 32),
        changed(values[0], raw=b""),
        changed(values[0], raw=bytes(32)),
        changed(values[0], session=b"other"),
        changed(values[1], index=1),
    ]
    for wrong in wrongs:
        assert not recovery.value_fits(sharing, public, wrong)
        assert recovery.recover(sharing, public, (wrong, *values[1:])) == shares[1]
        with pytest.raises(Blamed) as caught:
            recovery.recover(sharing, public, (wrong, *values[2:]))
        assert caught.value.culprits == (1,)
    assert not any(recovery.value_fits(sharing, public, changed(values[0], index=index)) for index in (0, 2, 6, -1))
    assert not recovery.value_fits(changed(sharing, epoch=sharing.epoch + 1), public, values[0])  # with the same keys


def test_the_owner_learns_its_share_and_no_other(recovering):
    """All that it gets fits every sharing that gives it its own share: each has one blinding to go with it."""
    _, shares, _, _, values = recovering
    other = shamir.split(1234, 3, 5)
    gap = (scalar(shares[1].raw) - other[1]) * pow(2, -1, group.Q)
    other = [value + gap * i for i, value in enumerate(other, 1)]  # of the same degree, and member 2's share the same
    blindings = {
        value.index: (scalar(value.raw) - other[value.index - 1]) * pow(value.index - 2, -1, group.Q) % group.Q
        for value in values
    }
    explained = shamir.interpolate({i: blindings[i] for i in (1, 3)})
    assert len(explained) == 2  # t − 2 is the degree that a blinding has
    assert shamir.evaluate(explained, (4, 5)) == [blindings[4], blindings[5]]


def test_values_without_their_blinding_are_shares_again(recovering):
    """A helper that kept its blinding, and a thief of both it and the value: the blinding must be erased."""
    _, shares, public, made, values = recovering
    for value in values:
        assert recovery.unblind(value, public, made.shares[value.index]) == shares[value.index - 1]
    with pytest.raises(Forged):
        recovery.unblind(values[0], public, made.shares[3])
    with pytest.raises(Forged):
        recovery.unblind(changed(values[0], session=b"other"), public, made.shares[1])


def test_a_share_of_another_epoch_helps_nobody(recovering):
    sharing, shares, public, made, _ = recovering
    for share in (changed(shares[0], epoch=1), changed(shares[0], key=group.GENERATOR), shares[2]):
        with pytest.raises(Forged):
            recovery.blind(share, public, made.shares[1])
    with pytest.raises(Forged, match="another recovery"):
        recovery.recovery(sharing, made.outcome, 3)
    with pytest.raises(Forged, match="another recovery"):
        recovery.recovery(begin(2, 5)[0], made.outcome, 2)


def test_a_dealer_of_bad_blinding_is_put_out_by_the_helpers():
    class Bad(LocalMember):
        def share_to(self, member):
            return changed(self.subshares[member], value=scalar_bytes(5)) if member == 1 else self.subshares[member]

        def answer(self, record):
            return [
                PublicShare(each.session, 5, 5, each.member, scalar_bytes(5), each.blinding)
                for each in super().answer(record)
            ]

    sharing, shares = begin(3, 5)
    made = hold(recovery.setting(sharing, b"recovery", 2, (1, 3, 4, 5)), p5=Bad)
    assert [blame.culprit for blame in made.blames] == [5]
    public = recovery.recovery(sharing, made.outcome, 2)
    values = tuple(recovery.blind(shares[i - 1], public, made.shares[i]) for i in (1, 3, 5))
    assert recovery.recover(sharing, public, values) == shares[1]


@pytest.mark.parametrize(
    ("lost", "helpers"), [(2, (1, 3)), (2, (1, 2, 3)), (6, (1, 2, 3)), (2, (1, 3, 6)), (0, (1, 2, 3))]
)
def test_helpers_that_cannot_help_are_a_callers_error(lost, helpers):
    with pytest.raises(ValueError, match="cannot recover"):
        recovery.setting(Sharing(0, 5, (group.GENERATOR,) * 3), b"", lost, helpers)
    with pytest.raises(ValueError, match="cannot recover"):
        recovery.setting(Sharing(0, 5, (group.GENERATOR,)), b"", 1, (2, 3))


# --- as the closure sees it ---


@pytest.fixture(scope="module")
def world():
    """Two refreshes of 3 of 5, with all that the members had in their hands in between."""
    sharing, shares = begin(3, 5)
    epochs, public, sums, dealt = [shares], [sharing], [], []
    for epoch in range(2):
        setting = refresh.setting(sharing, b"refresh %d" % epoch)
        members = [LocalMember(setting, i) for i in setting.members]
        made = run(members)
        sharing, renewal = refresh.renewed(sharing, made.outcome)
        epochs.append([refresh.renew(share, renewal, made.shares[share.index]) for share in epochs[-1]])
        public += [sharing, renewal, made.outcome]
        sums.append(made.shares)
        dealt.append({member.index: tuple(member.settled.values()) for member in members})
    return epochs, public, sums, dealt


RULES = vocabulary(refresh).rules


def opens(public, *known) -> bool:
    """Whether the whole key follows from these facts."""
    closure = Closure(RULES)
    for fact in (*public, *known):
        closure.learn(fact)
    closure.run()
    return any(isinstance(fact, WholeKey) for fact in closure.facts)


def test_t_shares_of_one_epoch_open_and_of_several_do_not(world):
    epochs, public, _, _ = world
    for held in itertools.combinations([(epoch, i) for epoch in range(3) for i in range(4)], 3):
        one_epoch = len({epoch for epoch, _ in held}) == 1
        assert opens(public, *(epochs[epoch][i] for epoch, i in held)) is one_epoch
    assert not opens(public, *epochs[0][:2], *epochs[1][2:4], *epochs[2][3:])


def test_a_sum_that_was_not_erased_joins_two_epochs(world):
    """Both ways: an old share becomes a new one, and a new one an old one."""
    epochs, public, sums, _ = world
    assert opens(public, *epochs[0][:2], epochs[1][2], sums[0][3])
    assert opens(public, epochs[0][0], *epochs[1][1:3], sums[0][1])
    assert not opens(public, *epochs[0][:2], epochs[1][2], sums[0][4], sums[1][3])
    assert opens(public, *epochs[0][:2], epochs[2][2], sums[0][3], sums[1][3])


def test_recorded_shares_of_a_refresh_are_a_members_sum(world):
    """So the keys under which they travelled must be erased with it; all of them are needed."""
    epochs, public, _, dealt = world
    assert opens(public, *epochs[0][:2], epochs[1][2], *dealt[0][3])
    assert not opens(public, *epochs[0][:2], epochs[1][2], *dealt[0][3][1:])


def test_t_minus_1_members_corrupted_during_the_refresh_know_all_of_it(world):
    """They count in both epochs: one further share of the old epoch is then one of the new."""
    epochs, public, sums, _ = world
    assert opens(public, *epochs[1][:2], epochs[0][4], sums[0][1], sums[0][2])
    assert not opens(public, *epochs[1][:2], epochs[0][4], sums[0][1])


def test_the_recovery_of_a_share_is_a_rule_of_the_closure(recovering):
    sharing, _, public, made, values = recovering

    def gets(*known):
        closure = Closure(vocabulary(recovery).rules)
        for fact in (sharing, public, made.outcome, *known):
            closure.learn(fact)
        closure.run()
        return {fact.index for fact in closure.facts if isinstance(fact, EpochShare) and fact.key == sharing.key}

    assert gets(*values[:3]) == {2}
    assert gets(*values[:2]) == set()
    assert gets(*values[:2], made.shares[1]) == {1}
    assert gets(values[0], *list(made.shares.values())[:2]) == {1}
