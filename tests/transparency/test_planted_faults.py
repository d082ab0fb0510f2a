"""Faults planted in the key directory's design, each seen by a property of readers which holds without it."""

import hashlib

import pytest
from msgspec.structs import replace

from escrow.errors import Forged
from escrow.transparency import directory, merkle
from escrow.transparency.directory import VRF, Follower, KeyDirectory, value_in

ALICE, LATE = b"alice", 1_000


def refused(act) -> bool:
    try:
        act()
    except Forged:
        return True
    return False


# --- properties ---


def an_inner_node_is_no_entry() -> bool:
    """A log of two entries has another root than a log whose one entry is their hashes."""
    two, one = merkle.Log(), merkle.Log()
    for each in (b"a", b"b"):
        two.append(each)
    one.append(merkle.leaf_hash(b"a") + merkle.leaf_hash(b"b"))
    return two.root() != one.root()


def a_head_is_signed() -> bool:
    head = KeyDirectory().publish({ALICE: b"1"}, 0)
    follower = Follower(KeyDirectory().key, LATE)
    return refused(lambda: follower.follow(head, (), 0))


def a_log_goes_on_from_what_it_was() -> bool:
    own = KeyDirectory()
    follower = Follower(own.key, LATE)
    follower.follow(own.publish({ALICE: b"1"}, 0), (), 0)
    forked = own.fork(0)
    forked.publish({ALICE: b"2"}, 0)
    later = forked.publish({}, 5)
    return refused(lambda: follower.follow(later, forked.consistency(1), 5))


def a_value_is_the_one_committed_to() -> bool:
    own = KeyDirectory()
    head, told = own.publish({ALICE: b"1"}, 0), own.answer(ALICE)
    return refused(lambda: value_in(head, own.vrf, ALICE, replace(told, value=b"2")))


def the_newest_value_is_told() -> bool:
    own = KeyDirectory()
    for at in range(3):
        own.publish({ALICE: b"%d" % at}, at)
    return value_in(own.head(), own.vrf, ALICE, own.answer(ALICE)) == (2, b"2")


# --- faults ---


def hashes_without_a_mark(patch):
    """RFC 9162 puts 0x00 before an entry, and 0x01 before two hashes."""
    patch.setattr(merkle, "leaf_hash", lambda entry: hashlib.sha256(entry).digest())
    patch.setattr(merkle, "node_hash", lambda left, right: hashlib.sha256(left + right).digest())


def ignores_the_signature(patch):
    patch.setattr(directory, "check_head", lambda key, head: None)


def ignores_consistency(patch):
    patch.setattr(merkle, "check_consistency", lambda *told: None)


def commits_to_nothing(patch):
    patch.setattr(directory, "commitment", lambda opening, label, version, value: bytes(32))


def takes_the_first_version(patch):
    patch.setattr(directory, "newest", lambda holds: 0 if holds(0) else None)


FAULTS = (
    (hashes_without_a_mark, an_inner_node_is_no_entry),
    (ignores_the_signature, a_head_is_signed),
    (ignores_consistency, a_log_goes_on_from_what_it_was),
    (commits_to_nothing, a_value_is_the_one_committed_to),
    (takes_the_first_version, the_newest_value_is_told),
)


@pytest.mark.parametrize(("fault", "holds"), FAULTS, ids=lambda each: each.__name__)
def test_a_property_holds_and_sees_the_fault_that_breaks_it(fault, holds, monkeypatch):
    assert holds()
    fault(monkeypatch)
    assert not holds()


def test_a_vrf_proof_is_of_one_input():
    secret = bytes(31) + b"\x07"
    proof = VRF.prove(secret, b"one")[1]
    assert refused(lambda: VRF.verify(VRF.public(secret), b"another", proof))
