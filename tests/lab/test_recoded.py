"""Keys that are sent in another order of bytes or bits, or written in another notation, are found; hashes are not."""

import pytest

from attacks.lab.crosscheck.overlaps import RECODED, readings
from attacks.lab.verdict.by_bytes.byte_pass import BytePass
from tests.support.planted import beside, planted

KEY = "key.value"
TURNED = "b''.join({0}[at : at + {1}][::-1] for at in range(0, 32, {1}))"
SENT = {
    "bytes reversed": f"{KEY}[::-1]",
    "complement": f"bytes(255 - each for each in {KEY})",
    "nibbles swapped": f"bytes(each >> 4 | (each & 15) << 4 for each in {KEY})",
    "bits of each byte reversed": f"bytes(int(format(each, '08b')[::-1], 2) for each in {KEY})",
    "words of 2 bytes turned": TURNED.format(KEY, 2),
    "words of 4 bytes turned": TURNED.format(KEY, 4),
    "words of 8 bytes turned": TURNED.format(KEY, 8),
}
WRITTEN = {
    "reversed, in hexadecimal": f"{KEY}[::-1].hex().encode()",
    "in base32": f"__import__('base64').b32encode({KEY})",
    "in decimal": f"str(int.from_bytes({KEY}, 'big')).encode()",
    "in decimal, the other way round": f"b'<' + str(int.from_bytes({KEY}, 'little')).encode() + b'>'",
    "in Ascii85": f"__import__('base64').a85encode({KEY})",
    "in base85": f"b'<' + __import__('base64').b85encode({KEY}) + b'>'",
    "byte by byte between others": f"bytes(each for both in zip({KEY}, crypto.random_bytes(32)) for each in both)",
    "byte by byte behind others": f"bytes(each for both in zip(crypto.random_bytes(32), {KEY}) for each in both)",
    "mixed with one byte": f"bytes(each ^ 0x36 for each in {KEY})",
    "mixed with one word": f"bytes(each ^ b'\\x17\\xad\\x00\\x51'[at % 4] for at, each in enumerate({KEY}))",
    "mixed with a constant": f"bytes(each ^ other for each, other in zip({KEY}, b'a constant of thirty-two bytes..'))",
    "mixed with a short constant": f"bytes(each ^ b'seven..'[at % 7] for at, each in enumerate({KEY}))",
    "mixed with a longer constant": f"bytes(map(int.__xor__, {KEY}, bytes.fromhex('{bytes(range(99)).hex()}')))",
    "as numbers of 4 bytes": f"codec.encode([int.from_bytes({KEY}[at : at + 4], 'big') for at in range(0, 32, 4)])",
}
SOUND = {
    "a hash, reversed": f"crypto.sha256({KEY})[::-1]",
    "half of a key, reversed": f"{KEY}[:16][::-1]",
    "half of a key between others": f"bytes(one for pair in zip({KEY}[:16], crypto.random_bytes(16)) for one in pair)",
    "mixed with what nobody keeps": f"bytes(map(int.__xor__, {KEY}, crypto.random_bytes(32)))",
    "mixed with eight bytes that nobody keeps": f"bytes(map(int.__xor__, {KEY}, crypto.random_bytes(8) * 4))",
    "a hash in base85": f"__import__('base64').b85encode(crypto.sha256({KEY}))",
    "a hash in decimal": f"str(int.from_bytes(crypto.sha256({KEY}), 'big')).encode()",
}


def said(tmp_path, spare):
    return BytePass(planted(tmp_path, *beside(spare)), ()).opens_nothing_by_bytes()


def test_every_way_is_tried():
    assert SENT.keys() == RECODED.keys()


@pytest.mark.parametrize("how", SENT)
def test_a_key_that_is_sent_recoded_is_found_and_the_field_and_the_way_are_named(how, tmp_path):
    found = said(tmp_path, SENT[how])
    named = "bytes reversed" if "8" in how else how  # the same 8 bytes, which lie in the reversed key too
    assert found.startswith("nobody: 24 texts") and f", which is sent, {named}" in found
    assert "PlantedField." in found


@pytest.mark.parametrize("how", WRITTEN)
def test_a_key_in_another_notation_is_found(how, tmp_path):
    assert said(tmp_path, WRITTEN[how]).startswith("nobody: 24 texts")


@pytest.mark.parametrize("what", SOUND)
def test_what_gives_no_key_is_not_blamed(what, tmp_path):
    assert said(tmp_path, SOUND[what]) == ""


def test_each_way_is_its_own_inverse():
    data = bytes(range(7, 39))
    assert all(change(data) != data == change(change(data)) for change in RECODED.values())
    assert all(change(data[:31]) == data[:31] for how, change in RECODED.items() if "words" in how)


def test_long_digits_are_read_and_longer_ones_are_left():
    assert (10**40).to_bytes(17, "big") in list(readings(b"a" + str(10**40).encode()))
    digits = "7" * 1201
    number = int(digits)
    assert number.to_bytes((number.bit_length() + 7) // 8, "big") not in list(readings(digits.encode()))
