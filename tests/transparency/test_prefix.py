"""Prefix trees: what is in them, what is not, and that one extends another; nothing changed passes."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escrow.errors import Forged, Malformed
from escrow.transparency import prefix
from escrow.transparency.prefix import BITS, EMPTY, NewLeaves, NodeChange, SameTree, TreeLeaf, TreeSearch

indexes = st.sets(
    st.one_of(st.binary(min_size=32, max_size=32), st.integers(0, 7).map(lambda low: bytes(31) + bytes([low]))),
    max_size=24,
)


def leaf(index):
    return TreeLeaf(index, hashlib.sha256(index).digest())


def defined(leaves, depth=0):
    """The root of a set of leaves, written a second time."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return hashlib.sha256(b"\x02" + leaves[0].index + leaves[0].commitment).digest()
    side = ([], [])
    for each in leaves:
        side[int(f"{int.from_bytes(each.index, 'big'):0{BITS}b}"[depth])].append(each)
    return hashlib.sha256(b"\x03" + defined(side[0], depth + 1) + defined(side[1], depth + 1)).digest()


@given(indexes)
def test_one_set_of_leaves_has_one_root_in_whatever_order_they_come(found):
    leaves = [leaf(each) for each in found]
    tree = None
    for each in leaves:
        tree = prefix.extended(tree, [each])
    assert prefix.hash_of(tree) == prefix.hash_of(prefix.tree_of(leaves)) == defined(leaves)


@given(indexes, indexes, st.data())
def test_a_search_shows_what_is_in_a_tree_and_what_is_not(found, others, data):
    tree = prefix.tree_of(map(leaf, found))
    root = prefix.hash_of(tree)
    for index in found | others:
        told = prefix.search(tree, index)
        assert prefix.committed(root, index, told) == (leaf(index).commitment if index in found else None)
        with pytest.raises(Forged):
            prefix.committed(hashlib.sha256(root).digest(), index, told)
        if told.beside:
            at = data.draw(st.integers(0, len(told.beside) - 1))
            for wrong in (
                (*told.beside[:at], bytes([told.beside[at][0] ^ 1]) + told.beside[at][1:], *told.beside[at + 1 :]),
                told.beside[:-1],
            ):
                with pytest.raises(Forged):
                    prefix.committed(root, index, TreeSearch(told.found, wrong))
        if told.found:  # to hide what is there, or to show what is not
            for wrong in (None, leaf(index) if told.found.index != index else TreeLeaf(index, bytes(32))):
                with pytest.raises(Forged):
                    prefix.committed(root, index, TreeSearch(wrong, told.beside))


@given(indexes, indexes)
def test_a_change_leads_from_a_tree_to_a_later_one(found, more):
    old = prefix.tree_of(map(leaf, found))
    new = old
    for each in sorted(more - found):
        new = prefix.extended(new, [leaf(each)])
    told = prefix.change(old, new)
    assert prefix.roots(told) == (prefix.hash_of(old), prefix.hash_of(new))
    assert prefix.added(told) == {each: leaf(each).commitment for each in more - found}


def test_a_change_that_takes_out_or_moves_a_leaf_does_not_compute():
    low, high, new = leaf(bytes(32)), leaf(b"\xff" * 32), leaf(b"\x7f" * 32)
    old = prefix.tree_of([low, high])
    replaced = prefix.tree_of([new, high])
    told = NodeChange(NewLeaves(low, (new,)), SameTree(high.hash))
    before, after = prefix.roots(told)
    assert before == prefix.hash_of(old)
    assert after == prefix.hash_of(prefix.tree_of([low, high, new]))
    assert after != prefix.hash_of(replaced)
    with pytest.raises(Malformed, match="another index"):
        prefix.roots(NodeChange(NewLeaves(low, (high,)), SameTree(high.hash)))
    with pytest.raises(Malformed, match="one index"):
        prefix.roots(NewLeaves(low, (TreeLeaf(low.index, bytes(32)),)))


def test_bytes_of_other_lengths_are_refused():
    root = prefix.hash_of(prefix.tree_of([leaf(bytes(32))]))
    for index, told in (
        (bytes(31), TreeSearch(None, ())),
        (bytes(32), TreeSearch(None, (bytes(33),))),
        (bytes(32), TreeSearch(TreeLeaf(bytes(5), bytes(32)), ())),
        (bytes(32), TreeSearch(None, (bytes(32),) * (BITS + 1))),
    ):
        with pytest.raises(Malformed):
            prefix.committed(root, index, told)
    for told in (SameTree(b""), NewLeaves(None, (TreeLeaf(b"", b""),))):
        with pytest.raises(Malformed):
            prefix.roots(told)
