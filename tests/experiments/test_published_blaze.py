"""Blaze's figures: trials are geometric with mean 2^w, one does in the naive model, and 38 ms make 42 minutes."""

from __future__ import annotations

import os
from math import sqrt

import pytest

from attacks.experiments import blaze, blaze_modes
from attacks.experiments.blaze_modes import EncryptionCard
from attacks.lab.runs.experiment import reproduce
from escrow.crypto import Run, running, xor_bytes
from escrow.errors import Forged
from escrow.primitives.skipjack import encrypt
from escrow.schemes.clipper.leaf import Make


@pytest.fixture(autouse=True)
def seeded():
    with running(Run(b"tests of blaze".ljust(32, b"\0"))):
        yield


@pytest.fixture(scope="module")
def figures():
    found = reproduce([blaze.EXPERIMENT], 1994, False, lambda *progress: None)
    assert found.agrees
    return {figure.quantity: figure for figure in found.experiments[0].figures}


@pytest.mark.parametrize("width", [8, 10, 12])
def test_trials_are_geometric_with_mean_two_to_the_width(figures, width):
    mean = figures[f"checksum of {width} bits: mean trials of 200 forgeries"]
    assert (mean.published if width == 16 else mean.expected) == 2**width
    assert abs(mean.measured - 2**width) < 4 * 2**width / sqrt(200)
    assert figures[f"checksum of {width} bits: goodness of fit to the geometric distribution"].measured > 0.001


@pytest.mark.skipif(os.environ.get("ESCROW_LAB_PROFILE") != "long", reason="400 forgeries of 16 bits: a long run")
def test_sixteen_bits_take_65536_trials():
    trials = blaze.forgery_trials(16, 400)
    assert len(trials) == 400
    assert abs(sum(trials) / 400 - 65_536) < 4 * 65_536 / sqrt(400)
    assert blaze.goodness_of_fit(trials, 16) > 0.001


def test_the_claimed_distribution_is_told_from_others():
    """Trials of another width, of no search at all, or evenly spread are seen not to be geometric of this one."""
    trials = blaze.forgery_trials(8, 200)
    assert blaze.goodness_of_fit(trials, 9) < 1e-6
    assert blaze.goodness_of_fit([1] * 200, 8) < 1e-6
    assert blaze.goodness_of_fit([256] * 200, 8) < 1e-6
    assert blaze.goodness_of_fit([1 + 2 * i for i in range(200)], 8) < 1e-6


@pytest.mark.parametrize(("chi2", "tail"), [(16.919, 0.05), (21.666, 0.01), (8.343, 0.5)])
def test_tails_of_chi_squared_are_those_of_the_tables(chi2, tail):
    assert blaze._upper_tail(chi2, 9) == pytest.approx(tail, rel=1e-3)


def test_one_trial_forges_in_the_naive_model():
    assert blaze.naive_trials(50) == [1] * 50


def test_a_squeezed_leaf_is_accepted_unless_the_transcript_is_bound():
    bound = Make(width=32, binds=("iv", "ks", "uid", "wk", "peer"))
    assert (blaze.squeezed(Make(), 20), blaze.squeezed(bound, 20)) == (20, 0)


# --- the repairs of section 4 ---


def test_with_64_escrowed_bits_the_authority_finds_the_session_key_and_no_other():
    assert blaze.opened_by_search(Make(width=32, partial=True)) == (True, 1)
    right, fitting = blaze.opened_by_search(Make(width=8, partial=True))
    assert right and abs(fitting - 257) < 4 * sqrt(256)  # too short a checksum for so many candidates


def test_what_is_extrapolated_or_simulated_says_so(figures):
    assert figures["the same, 32 bits: a rogue's mean trials, extrapolated"].expected is None
    hours = figures["2^16 trials where a check is slowed to 2 s, simulated time"]
    assert round(hours.measured, 1) == 36.4 and "arithmetic" in hours.note


def test_a_chip_that_bears_with_k_bad_leafs_leaves_k_trials():
    """At one bit and one trial half the rogues forge; the others' chips refuse good LEAFs as well."""
    forged, stuck = blaze.forged_within(1, 1, 400)
    assert abs(forged - 200) < 4 * sqrt(100) and stuck == 400 - forged
    assert blaze.forged_within(4, 32, 50) == (0, 50)


def test_two_chips_at_one_end_get_around_the_refusal_of_own_leafs():
    assert [blaze.fed_back(10, *how) for how in ((False,), (True,), (True, 2))] == [10, 0, 10]


def test_the_arithmetic_is_printed_as_such(figures):
    assert figures["38 ms · 2^16"].measured == 2_490_368
    assert figures["the same, rounded up"].measured == 42
    assert all(figures[name].note.startswith("Arithmetic") for name in ("38 ms · 2^16", "the same, rounded up"))


def test_as_many_searches_end_as_begin():
    assert len(blaze.forgery_trials(6, 50)) == 50


# --- LEAF feedback in Clipper's modes (section 2) ---

BLOCKS = [bytes([at]) * 8 for at in range(3)]


def card_of(chip=None):
    return EncryptionCard(chip or blaze.new_chip(), b"0123456789")


@pytest.mark.parametrize("mode", ["ecb", "cbc", "cfb", "ofb"])
def test_a_card_deciphers_what_it_enciphers_and_counts_its_blocks(mode):
    card = card_of()
    assert card.decipher(mode, card.encipher(mode, BLOCKS)) == BLOCKS
    assert (card.blocks, card.calls) == (6, 2)


def test_the_modes_are_those_of_the_books():
    """The first two blocks of each, written out."""
    card, (a, b) = card_of(), BLOCKS[1:]
    e = lambda block: encrypt(card.ks, block)  # noqa: E731 (as the formula has it)
    once = e(card.iv)
    cbc = e(xor_bytes(a, card.iv))
    assert card.encipher("ecb", [a, b]) == [e(a), e(b)]
    assert card.encipher("cbc", [a, b]) == [cbc, e(xor_bytes(b, cbc))]
    assert card.encipher("cfb", [a, b]) == [xor_bytes(a, once), xor_bytes(b, e(xor_bytes(a, once)))]
    assert card.encipher("ofb", [a, b]) == [xor_bytes(a, once), xor_bytes(b, e(once))]


def test_differing_ivs_cost_two_rogues_one_block_a_call_at_the_most():
    found = reproduce([blaze_modes.EXPERIMENT], 1994, False, lambda *progress: None)
    figures = {figure.quantity: figure.measured for figure in found.experiments[0].figures}
    assert found.agrees
    assert max(extra for name, extra in figures.items() if name.endswith("extra blocks a message")) == 1
    assert blaze_modes.tried("cbc", blaze_modes.as_it_is("cbc"), 3)[0] == 3  # the trick is needed


def test_a_chip_that_refuses_its_own_leaf_gives_no_card():
    chip = blaze.new_chip()
    chip.refuses_own = True
    with pytest.raises(Forged, match="of its own making"):
        card_of(chip)
