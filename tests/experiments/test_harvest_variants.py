"""Recorded today, decrypted later: which variants keep what, and by which keys the rest is lost."""

from functools import cache

from attacks.experiments.harvest import EXPERIMENT, variants
from attacks.specimens import kem_unmixed
from escrow import registry

SCHEMES = registry.schemes()


@cache
def opened(scheme):
    """Return by which keys how many texts in a hundred are opened."""
    return {figure.quantity.partition(": by ")[2]: figure.measured for figure in EXPERIMENT.opened("it", scheme)}


def test_what_a_kem_protects_stays_closed_unless_its_secret_is_left_out():
    assert opened(SCHEMES["plain"]) == {"all keys": 100}
    assert opened(SCHEMES["plain-pq"]) == {"all keys": 0}
    assert opened(kem_unmixed.SPECIMEN) == {"all keys": 100}


def test_fields_to_curves_are_lost_by_the_escrows_keys_alone_and_others_are_not():
    for name in ("envelope", "layered", "threshold", "fair-keys", "split-key"):
        assert opened(SCHEMES[name]) == {"all keys": 100, "the escrow's keys": 100}
    for scheme in (SCHEMES["envelope"].replaced(kem="xwing"), SCHEMES["clipper"]):
        assert opened(scheme) == {"all keys": 100, "the escrow's keys": 0}


def test_variants_change_one_word_at_a_time_and_leave_out_what_does_not_go():
    found = dict(variants(SCHEMES["envelope"]))
    assert {"envelope", "envelope, kem=xwing", "envelope, per=epoch", "envelope, policing=recipient"} <= found.keys()
    assert "key-table, policing=recipient" not in dict(variants(SCHEMES["key-table"]))
