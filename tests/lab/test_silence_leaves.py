"""Silence sets where conversations are groups of MLS: what the two services can add, alone and together."""

import pytest

from attacks.lab.results.silences import KeptCheck, LeftOut, SilenceSet, SilentWay
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.silence.sets import DEVICE, LEAF, PROPOSED_LEAF, PROVIDER, SERVICE, SilenceSearch, WayIn
from escrow.registry import with_parameters
from escrow.schemes import ghost_mls

SCENARIO = default(users=3, groups=0, days=3, messages=16)
OWN_COMMIT = frozenset(
    (check, side) for check in ("external commits", "leaves listed", "leaves shown") for side in ("target", "others")
)
TO_TARGET = "direct, of others"


@pytest.fixture(scope="module")
def search():
    return SilenceSearch(ghost_mls.SCHEME, SCENARIO)


def test_the_service_spares_the_provider_one_lie(search):
    both, alone = WayIn(DEVICE, (PROVIDER, SERVICE)), WayIn(DEVICE, (PROVIDER,))
    (needed,) = search.sets(both, search.goals(both)[TO_TARGET])
    assert {("devices shown", "target"), ("safety number", "others")} <= needed
    assert search.sets(alone, search.goals(alone)[TO_TARGET]) == [needed | {("credentials", "others")}]


def test_a_leaf_by_its_own_commits_needs_three_lies_on_each_side(search):
    """The set is confirmed by the play without its checks, and by plays in which one of them is made."""
    way = WayIn(LEAF, (PROVIDER, SERVICE))
    silent = search.told(way, OWN_COMMIT)
    assert silent.reads == search.told(way, search.everything()).reads != frozenset()
    assert not silent.alarms
    for lie in OWN_COMMIT:
        told = search.told(way, OWN_COMMIT - {lie})
        assert told.alarms or not silent.reads <= told.reads, lie
    alone = search.told(WayIn(LEAF, (PROVIDER,)), OWN_COMMIT)
    assert not alone.reads


def test_refusing_checks_leave_the_ghost_nothing_to_read(search):
    """With every check made, an external commit raises no notice and gives nothing; a listed device is noticed."""
    refused, noticed = (search.told(WayIn(adds, (PROVIDER, SERVICE)), frozenset()) for adds in (LEAF, DEVICE))
    assert (refused.reads, refused.alarms) == (frozenset(), ())
    assert noticed.reads
    assert noticed.alarms


def test_a_leaf_that_an_outsider_proposes_needs_that_nobody_shows_it(search):
    """Without its checks nobody is told; where one of them is made, somebody is, or the ghost reads less."""
    way = WayIn(PROPOSED_LEAF, (PROVIDER, SERVICE))
    assert search.told(way, search.everything()).reads == frozenset()  # these groups list no outsider
    listed = SilenceSearch(with_parameters(ghost_mls.SCHEME, ["ghost-mls.proposals=provider"]), SCENARIO)
    (row,) = listed.rows(way)
    (silent,) = row.sets
    off = {(each.check, each.on) for each in silent.off}
    shown = {(check, side) for check in ("proposals shown", "leaves shown") for side in ("target", "others")}
    assert off == shown | {("leaves listed", "others")}
    assert not any(each.check == "epoch authenticator" for each in silent.off)


@pytest.mark.parametrize(("reads", "alarms"), [(4, ()), (3, ()), (4, ("bob-phone: devices shown",))])
def test_a_set_is_written_only_if_its_plays_confirm_it(reads, alarms):
    lie = LeftOut(check="devices shown", on="target")
    kept = KeptCheck(lie=lie, reads=reads, alarms=alarms)

    def way(kept):
        found = SilenceSet(off=(lie,), principals=(), kept=kept)
        return SilentWay(adds=DEVICE, by=(PROVIDER,), texts=("direct, of others",), count=4, sets=(found,), plays=3)

    with pytest.raises(ValueError, match="has a play in which it is made"):
        way(())
    if reads == 4 and not alarms:
        with pytest.raises(ValueError, match="the ghost is silent though devices shown is made"):
            way((kept,))
    else:
        assert way((kept,)).sets
