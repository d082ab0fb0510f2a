"""The safety number: what changes it, what does not, and libsignal's known answer."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escrow.e2ee.fingerprint import safety_number
from escrow.errors import Malformed

KEY = st.binary(min_size=32, max_size=32)
KEYS = st.lists(KEY, min_size=1, max_size=3, unique=True)
ALICE = bytes.fromhex("06863bc66d02b40d27b8d49ca7c09e9239236f9d7d25d6fcca5ce13c7064d868")
BOB = bytes.fromhex("f781b6fb32fed9ba1cf2de978d4d5da28dc34046ae814402b5c0dbd96fda907b")


def test_the_known_answer_of_libsignal():
    expected = "300354477692869396892869876765458257569162576843440918079131"
    assert safety_number("+14152222222", [ALICE], "+14153333333", [BOB]) == expected


def test_two_devices_are_hashed_as_their_sorted_keys():
    low, high = sorted((ALICE, BOB))
    keys = b"\x05" + low + b"\x05" + high
    digest = hashlib.sha512(bytes(2) + keys + b"alice" + keys).digest()
    for _ in range(5199):
        digest = hashlib.sha512(digest + keys).digest()
    half = "".join(str(int(digest[i : i + 5].hex(), 16))[-5:].zfill(5) for i in range(0, 30, 5))
    number = safety_number("alice", [high, low], "bob", [BOB])
    assert half in (number[:30], number[30:])


@settings(max_examples=25, deadline=None)
@given(KEYS, KEYS)
def test_both_sides_see_the_same_sixty_digits_in_any_order_of_keys(mine, theirs):
    number = safety_number("alice", mine, "bob", theirs)
    assert len(number) == 60
    assert set(number) <= set("0123456789")
    assert number == safety_number("bob", theirs[::-1], "alice", mine[::-1])


@settings(max_examples=25, deadline=None)
@given(KEYS, KEY, st.data())
def test_a_key_added_removed_or_exchanged_changes_the_number(theirs, other, data):
    number = safety_number("alice", [ALICE], "bob", theirs)
    at = data.draw(st.integers(0, len(theirs) - 1))
    if other not in theirs:
        assert safety_number("alice", [ALICE], "bob", [*theirs, other]) != number
        assert safety_number("alice", [ALICE], "bob", [*theirs[:at], other, *theirs[at + 1 :]]) != number
    assert safety_number("alice", [ALICE], "bob", theirs[:at] + theirs[at + 1 :]) != number


def test_the_name_is_in_the_number():
    assert safety_number("alice", [ALICE], "bob", [BOB]) != safety_number("alice", [ALICE], "rob", [BOB])


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_malformed(length):
    with pytest.raises(Malformed):
        safety_number("alice", [ALICE], "bob", [BOB, bytes(length)])
