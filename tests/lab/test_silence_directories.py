"""Key transparency in silence sets: the ghost's own line, or a second log that nobody compares."""

import pytest
from msgspec.structs import replace

from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.silence.sets import DEVICE, IN_DIRECTORIES, SECOND_LOG, WAYS, SilenceSearch, silences
from escrow.schemes.ghost import GhostScheme
from escrow.schemes.ghost_directory import GhostDirectory

SCENARIO = default(users=3, groups=0, days=4, messages=16)
WATCHED = GhostDirectory(epoch=1, gossip=100, pending="waits")
OPEN, SECOND = WAYS[0], IN_DIRECTORIES[0]


def sets(scheme, way):
    search = SilenceSearch(scheme, SCENARIO)
    return {name: search.sets(way, goal) for name, goal in search.goals(way).items()}


def checks(scheme, way):
    return {lie for found in sets(scheme, way).values() for off in found for lie in off}


def test_a_ghost_that_is_published_needs_a_lie_on_the_targets_own_devices():
    assert ("own line", "target") in checks(WATCHED, OPEN)
    assert ("own line", "target") not in checks(GhostScheme(), OPEN)


def test_a_ghost_in_a_second_log_needs_that_nobody_compares():
    found = checks(WATCHED, SECOND)
    assert ("heads compared", "others") in found
    assert not {lie for lie in found if lie[0] == "own line"}
    assert not {lie for lie in checks(replace(WATCHED, gossip=0), SECOND) if lie[0] == "heads compared"}


@pytest.mark.parametrize("way", [OPEN, SECOND], ids=[DEVICE, SECOND_LOG])
def test_each_set_is_silent_and_with_one_of_its_checks_it_is_not(way):
    search = SilenceSearch(WATCHED, SCENARIO)
    for goal in search.goals(way).values():
        for off in search.sets(way, goal):
            told = search.told(way, off)
            assert goal <= told.reads
            assert not told.alarms
            for lie in off:
                kept = search.told(way, off - {lie})
                assert kept.alarms or not goal <= kept.reads


def test_the_second_log_is_tried_where_there_is_a_directory():
    assert SECOND_LOG in {row.adds for row in silences(WATCHED, SCENARIO, ways=()).ways}
    assert silences(GhostScheme(), SCENARIO, ways=()).ways == ()
