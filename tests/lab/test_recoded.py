"""Keys that are sent in another order of bytes or bits, or written in another notation, are found; hashes are not."""

import pytest

from attacks.lab.crosscheck.strings.notations import RECODED, readings
from attacks.lab.simulation.scenario import small
from tests.support.planted import BRIEF, beside, opened_by_bytes, planted

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
    "reversed, mixed with another's public key": f"bytes(map(int.__xor__, {KEY}[::-1], self.custodian))",
    "mixed with one byte": f"bytes(each ^ 0x36 for each in {KEY})",
    "mixed with one word": f"bytes(each ^ b'\\x17\\xad\\x00\\x51'[at % 4] for at, each in enumerate({KEY}))",
    "mixed with a constant": f"bytes(each ^ other for each, other in zip({KEY}, b'a constant of thirty-two bytes..'))",
    "mixed with a short constant": f"bytes(each ^ b'seven..'[at % 7] for at, each in enumerate({KEY}))",
    "mixed with a longer constant": f"bytes(map(int.__xor__, {KEY}, bytes.fromhex('{bytes(range(99)).hex()}')))",
    "complement, reversed": f"b'label ' + bytes(255 - each for each in {KEY}[::-1])",
    "in hexadecimal, in base64": f"__import__('base64').b64encode({KEY}.hex().encode())",
    "half in hexadecimal, half mixed": (
        f"({KEY}[:16].hex() + '-' + bytes(map(int.__xor__, {KEY}[16:], self.custodian)).hex()).encode()"
    ),
    "half in base64, half with a constant cut to its length": (
        f"__import__('base64').b64encode({KEY}[:16]) + bytes(map(int.__xor__, {KEY}[16:], b'a constant of the code'))"
    ),
    "half in base64, half with a short constant repeated": (
        f"__import__('base64').b64encode({KEY}[:16])"
        f" + bytes(each ^ b'seven..'[at % 7] for at, each in enumerate({KEY}))[16:]"
    ),
    "nibbles swapped, complement, reversed": (
        f"b'label ' + bytes(255 - (each >> 4 | (each & 15) << 4) for each in {KEY}[::-1])"
    ),
    "half reversed, half as it is": f"{KEY}[:16][::-1] + {KEY}[16:]",
    "as numbers of 4 bytes": f"codec.encode([int.from_bytes({KEY}[at : at + 4], 'big') for at in range(0, 32, 4)])",
}
SOUND = {
    "a hash, reversed": f"crypto.sha256({KEY})[::-1]",
    "half of a key, reversed": f"{KEY}[:16][::-1]",
    "half of a key between others": f"bytes(one for pair in zip({KEY}[:16], crypto.random_bytes(16)) for one in pair)",
    "mixed with what nobody keeps": f"bytes(map(int.__xor__, {KEY}, crypto.random_bytes(32)))",
    "mixed with eight bytes that nobody keeps": f"bytes(map(int.__xor__, {KEY}, crypto.random_bytes(8) * 4))",
    "half in hexadecimal, half mixed with what nobody keeps": (
        f"{KEY}[:16].hex().encode() + bytes(map(int.__xor__, {KEY}[16:], crypto.random_bytes(16)))"
    ),
    "half in base64, half mixed with what nobody keeps": (
        f"__import__('base64').b64encode({KEY}[:16]) + bytes(map(int.__xor__, {KEY}[16:], crypto.random_bytes(16)))"
    ),
    "a hash, complemented and reversed": f"bytes(255 - each for each in crypto.sha256({KEY})[::-1])",
    "a hash in base85": f"__import__('base64').b85encode(crypto.sha256({KEY}))",
    "a hash in decimal": f"str(int.from_bytes(crypto.sha256({KEY}), 'big')).encode()",
}


def said(tmp_path, spare, scenario=BRIEF):
    return opened_by_bytes(planted(tmp_path, *beside(spare)), scenario)


def test_every_way_is_tried():
    assert SENT.keys() == RECODED.keys()


@pytest.mark.parametrize("how", SENT)
def test_a_key_that_is_sent_recoded_is_found_and_the_field_and_the_way_are_named(how, tmp_path):
    found = said(tmp_path, SENT[how])
    named = "bytes reversed" if "8" in how else how  # the same 8 bytes, which lie in the reversed key too
    assert found.startswith("nobody: 8 texts") and f", which is sent, {named}" in found
    assert "PlantedField." in found


@pytest.mark.parametrize("how", WRITTEN)
def test_a_key_in_another_notation_is_found(how, tmp_path):
    assert said(tmp_path, WRITTEN[how]).startswith("nobody: 8 texts" if "half mixed" not in how else "nobody: ")


@pytest.mark.parametrize("what", SOUND)
def test_what_gives_no_key_is_not_blamed(what, tmp_path):
    assert said(tmp_path, SOUND[what], small()) == ""


def test_each_way_is_its_own_inverse():
    data = bytes(range(7, 39))
    assert all(change(data) != data == change(change(data)) for change in RECODED.values())
    assert all(change(data[:31]) == data[:31] for how, change in RECODED.items() if "words" in how)


def test_long_digits_are_read_and_longer_ones_are_left():
    assert (10**40).to_bytes(17, "big") in list(readings(b"a" + str(10**40).encode()))
    digits = "7" * 1201
    number = int(digits)
    assert number.to_bytes((number.bit_length() + 7) // 8, "big") not in list(readings(digits.encode()))


# --- keys made of what everybody has, in other words ---

CHAIN, OURS = "key.chain", "self.custodian"
NAMES = "''.join(context.people)"
MADE_OF = {
    "joined": f"{NAMES}.encode() + {CHAIN}",
    "sorted": f"b''.join(sorted(({CHAIN}, {OURS})))",
    "with lengths": f"b''.join(len(each).to_bytes(2, 'big') + each for each in ({CHAIN}, {OURS}))",
    "formatted": f"f'{{{CHAIN}.hex()}}:{{key.n}}:{{context.day}}'.encode()",
    "in capitals": f"{CHAIN}.hex().upper().encode()",
    "as JSON": f"__import__('json').dumps([{CHAIN}.hex(), context.people]).encode()",
    "as JSON, a list of numbers": f"__import__('json').dumps([*{CHAIN}]).encode()",
    "as Python writes it": f"repr(({CHAIN}, key.n, context.people)).encode()",
    "in base64": f"__import__('base64').urlsafe_b64encode({CHAIN} + {OURS})",
    "a sum in decimal": f"str(int.from_bytes({CHAIN}, 'big') + context.day).encode()",
    "cut": f"{CHAIN}[:8] + {OURS}[8:16]",
    "cut short": f"{CHAIN}[:4] + {OURS}[8:11]",
    "hashes, cut and joined": f"crypto.sha256({CHAIN}) + crypto.sha256({OURS})[:7]",
    "a hash, in hexadecimal": f"(crypto.sha256({CHAIN}).hex() + {NAMES}).encode()",
    "between others": f"bytes(each for both in zip({CHAIN}, {OURS}) for each in both)",
    "its bytes in their order": f"bytes(sorted({CHAIN}))",
    "six digits": "f'{int.from_bytes(crypto.random_bytes(8)) % 10**6:06d}'.encode()",
}
KEYS = {
    "hashed": "crypto.sha256({})",
    "ten bytes": "crypto.hkdf(b'', {}, b'', 42)[:10] + bytes(6)",
    "itself": "({} * 2)[:32]",
}
MINE = "self.identity.raw"
OWN = {
    "one's own key as well": f"(crypto.hmac256({MINE}, b'x').hex() + {CHAIN}.hex()).encode()",
    "eight bytes of one's own": f"{CHAIN} + crypto.hmac256({MINE}, {CHAIN})[:8]",
    "ten bytes that nobody keeps": f"{CHAIN}[:6] + crypto.random_bytes(10)",
    "what nobody keeps, formatted": f"f'{{{CHAIN}.hex()}}:{{crypto.random_bytes(16).hex()}}'.encode()",
    "a code in groups of four bytes": f"*(crypto.hmac256({MINE}, {CHAIN})[at : at + 4] for at in range(0, 16, 4))",
    "what nobody keeps, in order": "bytes(sorted(crypto.random_bytes(32)))",
}


@pytest.mark.parametrize("made", [*MADE_OF, *KEYS])
def test_a_key_made_of_what_everybody_has_is_found_however_it_is_put(made, tmp_path):
    how = KEYS.get(made, KEYS["hashed"]).format(MADE_OF.get(made, MADE_OF["formatted"]))
    assert said(tmp_path, f"crypto.seal({how}, key.value, {NAMES}.encode(), bytes(12))").startswith("nobody: 8 texts")


@pytest.mark.parametrize("made", OWN)
def test_a_key_that_has_more_is_no_key_of_everybody_s(made, tmp_path):
    """Tried in the scenario in which a key of everybody's is found."""
    assert "nobody" not in said(tmp_path, f"crypto.seal(crypto.sha256({OWN[made]}), key.value, b'')")


def test_labels_that_are_written_in_any_way_are_no_secret(tmp_path):
    beside_it = (
        f"crypto.seal(crypto.random_bytes(32), key.value, repr(({CHAIN}, {NAMES})).encode() + {CHAIN}.hex().encode())"
    )
    assert said(tmp_path, beside_it, small()) == ""
