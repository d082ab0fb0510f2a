"""Property: whatever is altered in a proof, it is refused, and the error says which check failed.

Every field, every node, the order and the number of nodes, and every length is altered, one at a time.
"""

import re
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escrow.errors import Forged, Malformed
from escrow.transparency import merkle, prefix
from escrow.transparency.directory import (
    Follower,
    Head,
    KeyDirectory,
    Lookup,
    check_epoch,
    check_head,
    value_in,
)

LATE = 10_000
LABELS = [b"label %d" % number for number in range(9)]


def altered(value, path=()):
    """Yield (path, altered value) for every alteration of one place in it."""
    if isinstance(value, bytes):
        yield (*path, "longer"), value + b"\0"
        yield (*path, "other"), b"another value"
        if value:
            yield (*path, "shorter"), value[:-1]
            yield (*path, "empty"), b""
            for at in (0, len(value) // 2, len(value) - 1):
                yield (*path, f"bit {at}"), value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
    elif isinstance(value, int):
        yield from (((*path, "number"), other) for other in (value + 1, value - 1, -1, 1 << 64) if other != value)
    elif isinstance(value, tuple):
        yield from _altered_nodes(value, path)
    elif value is None:
        yield (*path, "there"), prefix.TreeLeaf(bytes(32), bytes(32))
    else:
        for field in value.__struct_fields__:
            for where, other in altered(getattr(value, field), (*path, field)):
                yield where, msgspec.structs.replace(value, **{field: other})
        if isinstance(value, prefix.TreeLeaf):
            yield (*path, "gone"), None


def _altered_nodes(nodes, path):
    for at, node in enumerate(nodes):
        yield (*path, "one less"), nodes[:at] + nodes[at + 1 :]
        yield (*path, "twice"), (*nodes[:at], node, node, *nodes[at + 1 :])
        if at and node != nodes[at - 1]:
            yield (*path, "swapped"), (*nodes[: at - 1], node, nodes[at - 1], *nodes[at + 1 :])
        for where, other in altered(node, (*path, str(at))):
            if other is not None:  # the decoder refuses that
                yield where, (*nodes[:at], other, *nodes[at + 1 :])
    if nodes and isinstance(nodes[0], bytes):
        yield (*path, "one more"), (*nodes, bytes(32))
    if len(nodes) > 1 and nodes != nodes[::-1]:
        yield (*path, "reversed"), nodes[::-1]


@cache
def directory():
    made = KeyDirectory()
    for epoch in range(7):
        made.publish({label: b"%d" % epoch for at, label in enumerate(LABELS) if at % 4 <= epoch % 4}, epoch)
    return made


TREE = "time of 63 bits|inclusion proof|hash of the tree is 32 bytes"
SEARCHES = r"search in the prefix tree|way of another index|32 bytes each|way of \d+ steps|64 bits"
CHECKS = {  # the part of an answer that is altered, and what the error says
    "time": TREE,
    "tree": TREE,
    "inclusion": TREE,
    "steps": f"proof of ECVRF|no point|not a point|point|s of a proof|{SEARCHES}|does not say whether|nobody asks for",
    "opening": "opening of a commitment|not the one committed to|says has none",
    "value": "not the one committed to|says has none",
}


@pytest.mark.parametrize("label", [LABELS[0], LABELS[3], b"nobody"])
def test_an_altered_lookup_is_refused_by_the_check_that_it_fails(label):
    log, count = directory(), 0
    head, good = log.head(), log.answer(label)
    value_in(head, log.vrf, label, good)
    for path, wrong in altered(good):
        with pytest.raises((Forged, Malformed)) as error:
            value_in(head, log.vrf, label, wrong)
        assert re.search(CHECKS[path[0]], str(error.value)), (path, str(error.value))
        count += 1
    assert count > 60


@pytest.mark.parametrize("other", [b"nobody", *LABELS[1:3]])
def test_the_proof_of_one_label_proves_nothing_of_another(other):
    log = directory()
    with pytest.raises((Forged, Malformed)):
        value_in(log.head(), log.vrf, LABELS[0], log.answer(other))


@pytest.mark.parametrize("old", range(1, 7))
def test_an_altered_consistency_proof_is_refused(old):
    log = directory()
    first, head, good = log.head(old), log.head(), log.consistency(old)
    for path, wrong in altered(good):
        with pytest.raises((Forged, Malformed), match=r"consistency proof|32 bytes"):
            merkle.check_consistency(first.size, first.root, head.size, head.root, wrong)
        assert path
    for at in range(1, 8):
        if at != old:
            with pytest.raises((Forged, Malformed)):
                merkle.check_consistency(at, first.root, head.size, head.root, good)


def test_an_altered_head_is_not_signed_or_no_head():
    log = directory()
    for path, wrong in altered(log.head()):
        with pytest.raises((Forged, Malformed), match=r"not signed|a head has a root"):
            check_head(log.key, wrong)
        assert path[0] in Head.__struct_fields__


@pytest.mark.parametrize("epoch", range(1, 7))
def test_an_altered_epoch_is_refused_by_the_auditor(epoch):
    log = directory()
    head, good, before = log.head(), log.audited(epoch), prefix.hash_of(log.trees[epoch])
    assert check_epoch(before, epoch, good, head) == prefix.hash_of(log.trees[epoch + 1])
    for path, wrong in altered(good):
        with pytest.raises((Forged, Malformed)) as error:
            check_epoch(before, epoch, wrong, head)
        said = "begins with another tree|" + TREE
        said += "|of one index|another index|32 bytes|out of order" if path[0] == "change" else ""
        assert re.search(said, str(error.value)), (path, str(error.value))
    for other in range(7):
        if other != epoch:
            with pytest.raises((Forged, Malformed)):
                check_epoch(before, other, good, head)


indexes = st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


@given(indexes, st.binary(min_size=32, max_size=32), st.data())
def test_an_altered_search_is_refused_in_any_tree(held, absent, data):
    tree = prefix.tree_of(prefix.TreeLeaf(index, index[::-1]) for index in held)
    root, asked = prefix.hash_of(tree), data.draw(st.sampled_from([*sorted(held), absent]))
    good = prefix.search(tree, asked)
    prefix.committed(root, asked, good)
    _, wrong = data.draw(st.sampled_from(list(altered(good))))
    with pytest.raises((Forged, Malformed), match=SEARCHES):
        prefix.committed(root, asked, wrong)


def test_a_follower_says_which_check_a_head_fails():
    log = directory()
    follower = Follower(log.key, LATE)
    follower.follow(log.head(3), (), 0)
    for head, proof, now, said in (
        (log.head(2), (), 0, "went back"),
        (log.head(7), (), 0, "does not fit sizes"),
        (log.head(7), log.consistency(2), 0, "consistency proof"),
        (log.head(7), log.consistency(3), LATE + 7, "ms old"),
        (msgspec.structs.replace(log.head(7), signature=bytes(64)), log.consistency(3), 0, "not signed"),
        (msgspec.structs.replace(log.head(7), root=b""), log.consistency(3), 0, "a head has a root"),
    ):
        with pytest.raises((Forged, Malformed), match=said):
            follower.follow(head, proof, now)
    follower.follow(log.head(7), log.consistency(3), 7)


def test_the_alterations_are_those_named_above():
    """Were `altered` to leave a kind out, nothing would fail: so its kinds are counted."""
    kinds = {path[-1].split(" ")[0] for path, _ in altered(directory().answer(LABELS[0]))}
    assert kinds >= {"longer", "shorter", "empty", "other", "bit", "number", "one", "twice", "swapped", "reversed"}
    fields = {path[0] for path, _ in altered(directory().answer(LABELS[0]))}
    assert fields == set(Lookup.__struct_fields__)
