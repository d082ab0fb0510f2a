"""Key directories: what each reader is told, and who notices which lie of the directory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from escrow.crypto import random_bytes
from escrow.errors import Forged, Malformed
from escrow.transparency import prefix
from escrow.transparency.directory import Follower, Head, KeyDirectory, check_epoch, newest, value_in

LATE = 1_000
ALICE, BOB = b"alice", b"bob"


def told(directory, label, head=None):
    return value_in(head or directory.head(), directory.vrf, label, directory.answer(label))


@given(st.integers(0, 300))
def test_the_search_finds_the_newest_version(count):
    assert newest(lambda version: version < count) == (count - 1 if count else None)


@given(st.sets(st.integers(0, 40)))
def test_no_two_readers_of_one_tree_find_two_newest_versions(held):
    """Even of a tree that skips versions, which an honest directory does not have."""
    assert newest(held.__contains__) == newest(held.__contains__)


def test_a_reader_is_told_the_newest_value_and_that_there_is_none():
    directory = KeyDirectory()
    directory.publish({ALICE: b"first"}, 0)
    assert told(directory, ALICE) == (0, b"first")
    assert told(directory, BOB) is None
    for version in range(1, 6):
        directory.publish({ALICE: b"%d" % version, BOB: b"one"}, version)
        assert told(directory, ALICE) == (version, b"%d" % version)


def test_each_part_of_an_answer_is_bound():
    directory = KeyDirectory()
    for at in range(4):
        directory.publish({ALICE: b"%d" % at, b"%d" % at: b""}, at)
    head, good = directory.head(), directory.answer(ALICE)
    other, step = directory.answer(BOB), good.steps[0]
    wrong = {
        "time": replace(good, time=0),
        "tree": replace(good, tree=bytes(32)),
        "log": replace(good, inclusion=other.inclusion[:-1]),
        "value": replace(good, value=b"another"),
        "opening": replace(good, opening=bytes(16)),
        "opening's length": replace(good, opening=b""),
        "proof": replace(good, steps=(replace(step, proof=bytes(81)), *good.steps[1:])),
        "another label's steps": replace(good, steps=other.steps),
        "nothing there": replace(
            good, steps=(replace(step, search=prefix.TreeSearch(None, step.search.beside)), *good.steps[1:])
        ),
        "too few steps": replace(good, steps=good.steps[:-1]),
        "too many steps": replace(good, steps=(*good.steps, step)),
    }
    for changed in wrong.values():
        with pytest.raises((Forged, Malformed)):
            value_in(head, directory.vrf, ALICE, changed)
    assert value_in(head, directory.vrf, ALICE, good) == (3, b"3")


def test_a_follower_refuses_what_went_back_is_late_forked_or_not_signed():
    directory = KeyDirectory()
    first = directory.publish({ALICE: b"1"}, 0)
    fork = directory.fork()
    follower = Follower(directory.key, LATE)
    follower.follow(first, (), 0)
    second = directory.publish({BOB: b"1"}, 10)
    follower.follow(second, directory.consistency(1), 10)
    with pytest.raises(Forged, match="went back"):
        follower.follow(replace(first), (), 10)
    third = directory.publish({}, 20)
    with pytest.raises(Forged, match="old"):
        follower.follow(third, directory.consistency(2), 20 + LATE + 1)
    with pytest.raises(Forged, match="not signed"):
        follower.follow(replace(third, time=21), directory.consistency(2), 21)
    fork.publish({BOB: b"ghost"}, 10)
    forked = fork.publish({}, 20)
    with pytest.raises(Forged, match="root"):
        follower.follow(forked, fork.consistency(2), 20)
    with pytest.raises(Malformed):
        follower.follow(Head(0, b"", 0, b""), (), 0)
    assert follower.head == second


def test_two_who_compare_heads_see_a_split_view_and_nothing_else():
    directory = KeyDirectory()
    directory.publish({ALICE: b"1"}, 0)
    fork = directory.fork()
    mine, theirs = Follower(directory.key, LATE), Follower(directory.key, LATE)
    mine.follow(directory.publish({}, 5), (), 5)
    theirs.follow(fork.publish({ALICE: b"ghost"}, 5), (), 5)
    with pytest.raises(Forged):
        mine.compare(theirs.head, ())
    later = fork.publish({}, 9)
    with pytest.raises(Forged):
        mine.compare(later, fork.consistency(2))
    mine.compare(directory.publish({}, 9), directory.consistency(2))


def test_an_auditor_follows_each_epoch_and_refuses_one_that_takes_a_leaf_out():
    directory = KeyDirectory()
    for at in range(5):
        head = directory.publish({ALICE: b"%d" % at, random_bytes(4): b""}, at)
    tree = prefix.EMPTY
    for epoch in range(5):
        with pytest.raises(Forged):
            check_epoch(bytes([tree[0] ^ 1]) + tree[1:], epoch, directory.audited(epoch), head)
        tree = check_epoch(tree, epoch, directory.audited(epoch), head)
    hidden = KeyDirectory()
    hidden.publish({ALICE: b"1"}, 0)
    before = prefix.hash_of(hidden.trees[-1])
    hidden.trees[-1] = None  # the directory forgets what it published
    head = hidden.publish({BOB: b"1"}, 1)
    with pytest.raises(Forged, match="another tree"):
        check_epoch(before, 1, hidden.audited(1), head)
