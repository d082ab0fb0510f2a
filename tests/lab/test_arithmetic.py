"""Keys that a party computes with Python's integers, of what everybody has, are found; what takes a secret is not."""

import re

import pytest

from attacks.lab.crosscheck.strings.arithmetic import combined
from attacks.lab.crosscheck.strings.overlaps import stretches
from tests.support.planted import BRIEF, beside, opened_by_bytes, planted

ONE, OTHER = "key.chain", "self.custodian"
P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519 = 2**252 + 27742317777372353535851937790883648493


def computed(operation, order="big", modulo=2**256, out="big", size=32, other=OTHER):
    one, two = (f"int.from_bytes({each}, '{order}')" for each in (ONE, other))
    return f"(({one} {operation} {two}) % {modulo}).to_bytes({size}, '{out}')"


LABELS = "str(context.day).encode() + ''.join(context.people).encode() * 9"
MADE_OF = {
    "a sum": computed("+"),
    "a sum, the last byte first": computed("+", "little", out="little"),
    "a sum, in mixed order": computed("+", "little"),
    "a whole sum": computed("+", modulo=2**400, size=40),
    "a difference": computed("-"),
    "a product": computed("*"),
    "a whole product": computed("*", modulo=2**512, size=64),
    "a sum modulo the order of P-256": computed("+", modulo=P256),
    "a product modulo the order of P-256": computed("*", modulo=P256),
    "a product modulo the order of Ed25519": computed("*", "little", ED25519, "little"),
    "a product modulo 2^255 - 19": computed("*", "little", 2**255 - 19, "little"),
    "ten bytes of a sum": computed("+", modulo=2**80, size=10),
    "with a counter": f"((int.from_bytes({ONE}, 'big') + 1000 * key.n + 77) % 2**256).to_bytes(32, 'big')",
    "beginnings, mixed": f"bytes(map(int.__xor__, {ONE}[:16], {OTHER}[:16]))",
    "a beginning and an end, mixed": f"bytes(map(int.__xor__, {ONE}[:16], {OTHER}[16:]))",
    "a sum between labels": f"{LABELS} + {computed('+')} + {LABELS}",
    "a product between parts": f"{ONE} + {computed('*')} + {OTHER}",
}
NEW, MINE = "crypto.random_bytes(32)", "crypto.hmac256(self.identity.raw, b'own')"
SOUND = {
    f"a {how} with what {whose}": computed(operation, modulo=modulo, other=other)
    for how, operation, modulo in (("sum", "+", 2**256), ("product", "*", 2**256), ("product modulo", "*", P256))
    for whose, other in (("nobody keeps", NEW), ("one alone has", MINE))
}


def said(tmp_path, made, scenario=BRIEF):
    sealed = f"crypto.seal(crypto.sha256({made}), key.value, b'', bytes(12))"
    return opened_by_bytes(planted(tmp_path, *beside(sealed)), scenario)


@pytest.mark.parametrize("made", MADE_OF)
def test_a_key_computed_of_what_everybody_has_is_found(made, tmp_path):
    found = said(tmp_path, MADE_OF[made])
    opened = re.match(r"nobody: (\d+) texts", found)
    assert opened and int(opened[1]) >= 7  # of 8: one that is not found is one text less, and no scheme unblamed
    assert "PlantedDevice.access_field" in found


@pytest.mark.parametrize("made", SOUND)
def test_a_key_computed_with_a_secret_is_not_everybody_s(made, tmp_path):
    """Tried in the scenario in which a key of everybody's is found."""
    assert "nobody" not in said(tmp_path, SOUND[made])


def test_what_takes_a_secret_follows_for_its_holder(tmp_path):
    found = said(tmp_path, computed("+", other="self.identity.raw"))
    assert "-laptop@" in found and "nobody" not in found


@pytest.mark.parametrize("other", [bytes(range(first, first + 32)) for first in range(60, 180, 10)])
def test_a_sum_is_found_beside_the_end_of_another(other):
    """Shorter results bring the ends of all strings in, which end as these do: neither may hide the other."""
    ones = [bytes((7 * n + 31 * at) % 256 for at in range(32)) for n in range(40)]
    sums = [(int.from_bytes(each) + int.from_bytes(other)).to_bytes(33)[1:] for each in ones]
    sought = {*sums, sums[0][16:]}
    assert {result for result, _, _ in combined(sought, [*ones, other])} == sought


def test_a_result_names_its_operands_and_chance_is_none():
    one, other = bytes(range(1, 33)), bytes(range(101, 133))
    product = int.from_bytes(one, "little") * int.from_bytes(other, "little") % P256
    found = list(combined([product.to_bytes(32, "little"), b"another string of 32 bytes......"], [one, other]))
    assert [(set(of), how) for _, of, how in found] == [({one, other}, "product modulo the order of P-256")]
    assert list(stretches([1, 2, 3, 9, 10, 13])) == [(1, 4), (9, 14)]
    assert list(stretches([])) == []
