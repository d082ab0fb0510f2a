"""Skipjack gives NSA's and NIST's known answers, is a permutation under each key, and refuses other lengths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escrow import vectors
from escrow.primitives import skipjack
from escrow.primitives.skipjack import decrypt, encrypt, encrypt_each
from escrow.run import Run, running

CASES = vectors.load("skipjack")["cases"]
keys, blocks = st.binary(min_size=10, max_size=10), st.binary(min_size=8, max_size=8)


def test_the_answer_of_the_specification():
    assert encrypt(bytes.fromhex("00998877665544332211"), bytes.fromhex("33221100ddccbbaa")).hex() == "2587cae27a12d300"


def test_there_are_81_cases_and_no_two_alike():
    assert len({(case["key"], case["plaintext"]) for case in CASES}) == len(CASES) == 81
    assert sum(bytes.fromhex(case["key"]).hex().count("0") == 19 for case in CASES) == 80  # one bit of each key is set


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_known_answers_both_ways(case):
    key, plaintext, ciphertext = (bytes.fromhex(case[name]) for name in ("key", "plaintext", "ciphertext"))
    assert encrypt(key, plaintext) == ciphertext
    assert decrypt(key, ciphertext) == plaintext


@given(keys, blocks)
def test_decrypt_undoes_encrypt_and_the_other_way_round(key, block):
    assert decrypt(key, encrypt(key, block)) == block == encrypt(key, decrypt(key, block))


@given(keys, blocks, st.integers(0, 79))
def test_every_bit_of_the_key_counts(key, block, bit):
    other = (int.from_bytes(key, "big") ^ 1 << bit).to_bytes(10, "big")
    assert encrypt(other, block) != encrypt(key, block)


@given(st.lists(keys, min_size=1, max_size=9), blocks)
def test_under_many_keys_at_once_a_block_is_what_it_is_under_each(several, block):
    lanes = [bytes([byte]) * len(several) for byte in block]
    made = encrypt_each(
        [bytes(column) for column in zip(*several, strict=True)], [*zip(lanes[::2], lanes[1::2], strict=True)]
    )
    assert [bytes(row) for row in zip(*(byte for word in made for byte in word), strict=True)] == [
        encrypt(key, block) for key in several
    ]


def test_the_observer_is_told_of_many_keys_at_once_as_one_call():
    """A search makes hundreds of calls over 65,536 keys each: what is inside would fill the record of the door."""
    told = []
    lanes, several = [bytes([byte]) * 3 for byte in b"plaintxt"], [bytes([byte]) * 3 for byte in b"ten bytes!"]
    with running(Run(bytes(32), told.append)):
        encrypt_each(several, [*zip(lanes[::2], lanes[1::2], strict=True)])
    assert [(call.operation, call.inputs, call.outputs) for call in told] == [("skipjack-each", (), ())]


def test_the_table_is_a_permutation_of_bytes():
    assert sorted(skipjack.F) == list(range(256))


@pytest.mark.parametrize("cipher", [encrypt, decrypt])
@pytest.mark.parametrize(("key", "block"), [(9, 8), (11, 8), (10, 7), (10, 16), (0, 8), (10, 0)])
def test_other_lengths_are_refused_by_name(cipher, key, block):
    with pytest.raises(ValueError, match=f"not {key}" if key != 10 else f"not {block}"):
        cipher(bytes(key), bytes(block))
