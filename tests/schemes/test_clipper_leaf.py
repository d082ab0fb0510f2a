"""The LEAF as it was observed on prototypes, the chip, and how its keys are made."""

import msgspec
import pytest
from chips import KF, KS, KU, TRANSCRIPT, by_make, chip_of, flipped
from hypothesis import given
from hypothesis import strategies as st

from escrow.crypto import Run, running
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Forged
from escrow.primitives.skipjack import decrypt, encrypt
from escrow.scheme import AccessField
from escrow.schemes.clipper import leaf
from escrow.schemes.clipper.chip import Chip, FamilyKey, Seed, Serial, UnitHalf, UnitKey, combine, program
from escrow.schemes.clipper.field import make_field, open_field, read_leaf, unwrap_key
from escrow.schemes.clipper.leaf import Leaf, Make
from escrow.schemes.clipper.scheme import Clipper


@pytest.fixture(autouse=True)
def seeded():
    """One bit flip in 65,536 passes a checksum by chance: here the same ones each time."""
    with running(Run(b"tests of clipper".ljust(32, b"\0"))):
        yield


def differing(a, b):
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


# --- the LEAF ---


def test_a_leaf_is_the_wide_block_of_the_model_step_by_step():
    """Computed here from Skipjack alone."""
    iv, uid = b"12345678", b"unit"
    y = encrypt(KU, KS[:8])
    wk = y[:2] + encrypt(KU, y[2:] + KS[8:])
    xor = lambda a, b: bytes(x ^ y for x, y in zip(a, b, strict=True))  # noqa: E731 (as the formula has it)
    s = encrypt(KS, xor(iv, uid + wk[:4]))
    ea = encrypt(KS, encrypt(KS, xor(s, wk[4:] + bytes(2))))[:2]
    b1, b2 = uid + wk[:4], wk[4:] + ea
    c1 = encrypt(KF, b1)
    c2 = encrypt(KF, xor(b2, c1))
    d2 = encrypt(KF, c2)
    d1 = encrypt(KF, xor(c1, d2))
    made = Leaf(uid, leaf.wrap(Make(), KU, KS), leaf.checksum(Make(), KS, iv, uid, wk))
    assert (made.wk, made.ea) == (wk, ea)
    assert leaf.seal_leaf(Make(), KF, iv, made) == d1 + d2
    assert leaf.open_leaf(Make(), KF, iv, d1 + d2) == made


@by_make
@given(ks=st.binary(min_size=10, max_size=10))
def test_what_a_chip_makes_it_accepts_and_the_unit_key_opens(make, ks):
    chip = chip_of(make)
    made = chip.generate_iv(ks, TRANSCRIPT)
    assert len(made) == 8 + make.size
    assert chip.load_iv(ks, made, TRANSCRIPT)
    opened = leaf.open_leaf(make, KF, made[:8], made[8:])
    assert opened.uid == b"unit"
    assert leaf.unwrap(make, KU, opened.wk) == ks[: make.key_size]


def test_the_standards_field_is_24_bytes():
    assert (Make().size, len(chip_of().generate_iv(KS))) == (16, 24)


@by_make
def test_every_single_bit_flip_of_a_leaf_fails(make):
    """Blaze's fourth observation. At 8 bits one flip in 256 passes by chance; in plain CBC, bound to all, none does."""
    made = chip_of(make).generate_iv(KS, TRANSCRIPT)
    passed = sum(chip_of(make).load_iv(KS, each, TRANSCRIPT) for each in flipped(made, 8))
    assert passed == 0 if make.width > 8 else passed < 6


def test_in_the_naive_model_48_of_128_flips_pass():
    make = Make(mode="cbc", binds=("iv", "ks"))
    made = chip_of(make).generate_iv(KS)
    assert sum(chip_of(make).load_iv(KS, each) for each in flipped(made, 8)) == 48


def test_another_iv_or_an_old_session_key_is_refused():
    made, chip = chip_of().generate_iv(KS), chip_of()
    assert not any(chip.load_iv(KS, each[:8] + made[8:]) for each in flipped(made[:8]))
    assert not any(chip.load_iv(key, made) for key in flipped(KS))


def test_a_new_iv_changes_the_whole_leaf():
    """Blaze's fifth observation: bits all over, about half of each block's 64."""
    pairs = [(chip_of().generate_iv(KS), chip_of().generate_iv(KS)) for _ in range(200)]
    for block in (slice(8, 16), slice(16, 24)):
        mean = sum(differing(a[block], b[block]) for a, b in pairs) / len(pairs)
        assert abs(mean - 32) < 4 * 4 / len(pairs) ** 0.5  # 64 fair bits: a standard deviation of 4
    naive = Make(mode="cbc", binds=("iv", "ks"))
    assert len({chip_of(naive).generate_iv(KS)[8:16] for _ in range(10)}) == 1


@pytest.mark.parametrize("name", ["iv", "ks", "uid", "wk", "peer"])
def test_a_checksum_covers_what_it_binds_and_nothing_else(name):
    values = {"ks": KS, "iv": b"12345678", "uid": b"unit", "wk": b"wrapped-ks", "transcript": TRANSCRIPT}
    field = "transcript" if name == "peer" else name
    others = values | {field: bytes(len(values[field]))}
    every = ("iv", "ks", "uid", "wk", "peer")
    rest = Make(width=64, binds=tuple(each for each in every if each != name))
    assert leaf.checksum(Make(width=64, binds=every), **values) != leaf.checksum(Make(width=64, binds=every), **others)
    assert leaf.checksum(rest, **values) == leaf.checksum(rest, **others)


@pytest.mark.parametrize(("width", "fitting"), [(32, 1), (8, 256)])
def test_where_64_bits_are_escrowed_the_rest_is_found_by_search(width, fitting):
    """Also where the checksum is short: of the keys that fit it, the one that opens the field is taken."""
    make, ks, key = Make(width=width, partial=True), KS[:8] + b"\x00\x30", MessageKey(b"chain", 7, b"k" * 32)
    made = chip_of(make).generate_iv(ks, TRANSCRIPT)
    beside = make_field(key, AccessField(b"chain", 7, ("a", "b"), 0), TRANSCRIPT, ks, made)
    identity = read_leaf(beside, FamilyKey(make, KF))
    opened = Leaf(identity.uid, identity.wk, identity.ea)
    assert leaf.unwrap(make, KU, identity.wk) == ks[:8]
    found = leaf.completed(make, ks[:8], identity.iv, opened, TRANSCRIPT)
    assert abs(len(found) - fitting) < 5 * fitting**0.5
    unit = UnitKey(identity.uid, KU)
    assert unwrap_key(identity, unit, beside).raw == ks
    assert open_field(beside, unwrap_key(identity, unit, beside)) == key
    with pytest.raises(Forged, match="no session key fits the checksum and opens the field"):
        unwrap_key(identity, unit, msgspec.structs.replace(beside, wrapped=beside.wrapped[::-1]))


@pytest.mark.parametrize(
    ("width", "binds"), [(3, "iv ks uid wk"), (9, "iv ks uid wk peer"), (4, "ks"), (16, "iv ks"), (64, "ks wk peer")]
)
def test_the_search_finds_the_very_keys_that_the_checksum_fits(width, binds):
    """All at once, and one by one over the first 500."""
    make = Make(width=width, binds=tuple(binds.split()), partial=True)
    ks = KS[:8] + b"\x01\x02"
    made = chip_of(make).generate_iv(ks, TRANSCRIPT)
    opened = leaf.open_leaf(make, KF, made[:8], made[8:])
    found = list(leaf.completions(make, KS[:8], made[:8], opened, TRANSCRIPT))
    tails = [KS[:8] + tail.to_bytes(2, "big") for tail in range(500)]
    assert ks in found and ks in tails
    assert [key for key in found if key <= tails[-1]] == [
        key for key in tails if leaf.holds(make, key, made[:8], opened, TRANSCRIPT)
    ]
    expected = 65536 / 2**width
    assert abs(len(found) - 1 - expected) < 5 * expected**0.5 + 1


@pytest.mark.parametrize("make", [Make(partial=True, mode="aead"), Make(partial=True, width=8, binds=("iv",))], ids=str)
def test_the_search_goes_one_by_one_where_the_checksum_is_another(make):
    ks = KS[:8] + b"\0\7"
    made = chip_of(make).generate_iv(ks, TRANSCRIPT)
    opened = leaf.open_leaf(make, KF, made[:8], made[8:])
    first = next(leaf.completions(make, KS[:8], made[:8], opened, TRANSCRIPT))
    assert first == (ks if make.mode == "aead" else KS[:8] + b"\0\0")  # a checksum without the key fits any


@pytest.mark.parametrize("size", [0, 8, 15, 17, 24])
def test_a_leaf_of_another_length_is_refused_by_name(size):
    with pytest.raises(Forged, match=f"a LEAF is 16 bytes, not {size}"):
        leaf.open_leaf(Make(), KF, bytes(8), bytes(size))
    assert not chip_of().load_iv(KS, bytes(8 + size))


@by_make
@pytest.mark.parametrize("part", ["iv", "transcript", "leaf", "agreed", "wrapped"])
def test_a_field_with_a_part_of_another_length_opens_for_nobody(make, part):
    key, chip = MessageKey(b"c" * 12, 0, bytes(32)), chip_of(make)
    labels = AccessField(key.chain, key.n, ("a", "b"), 0)
    made = make_field(key, labels, TRANSCRIPT, KS, chip.generate_iv(KS, TRANSCRIPT))
    for size in {0, 1, 7, 8, 9, 15, 16, 17} - {len(getattr(made, part))}:
        said = msgspec.structs.replace(made, **{part: bytes(size)})
        with pytest.raises(Forged):
            open_field(said, unwrap_key(read_leaf(said, chip.family), chip.unit, said))


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"width": 0}, "1 to 64"),
        ({"width": 65}, "1 to 64"),
        ({"mode": "ofb"}, "wide, cbc, aead"),
        ({"binds": "iv moon"}, "'moon'"),
        ({"most_bad": -1}, "0 or more"),
    ],
)
def test_parameters_that_make_no_clipper_are_refused_by_name(parameters, why):
    with pytest.raises(ValueError, match=why):
        Clipper(**parameters)


# --- the chip and its keys ---


def test_a_chip_stops_after_so_many_bad_leafs():
    chip, good = chip_of(most_bad=2), chip_of().generate_iv(KS)
    assert [chip.load_iv(KS, each) for each in (good, bytes(24), good, bytes(24), good)] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_a_chip_that_refuses_its_own_leafs_takes_another_units():
    other = Chip(FamilyKey(Make(), KF), UnitKey(b"peer", KU))
    chip = chip_of(refuses_own=True)
    assert not chip.load_iv(KS, chip.generate_iv(KS))
    assert chip.load_iv(KS, other.generate_iv(KS))


def test_unit_keys_are_made_of_both_seeds_as_denning_describes():
    s1, s2 = KF, KU
    numbers = [b"unit" + i.to_bytes(4, "big") for i in (1, 2, 3)]
    r = b"".join(encrypt(s1, decrypt(s2, encrypt(s1, each))) for each in numbers)
    one, other = program(Seed(1, 1, s1), Seed(1, 2, s2), Serial(1, b"unit"))
    assert (one.raw, other.raw) == (r[:10], r[10:20])
    assert combine(one, other).raw == bytes(a ^ b for a, b in zip(r[:10], r[10:20], strict=True))


def test_halves_and_seeds_are_one_of_each_agent():
    half, seed = UnitHalf(b"unit", 1, KF), Seed(1, 1, KF)
    with pytest.raises(Forged, match="agent 1's and agent 2's"):
        combine(half, half)
    with pytest.raises(Forged, match="agent 1's and agent 2's"):
        program(Seed(1, 2, KU), seed, Serial(1, b"unit"))
