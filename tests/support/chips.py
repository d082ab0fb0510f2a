"""Chips and keys that the tests of Clipper share."""

import pytest

from escrow.schemes.clipper.chip import Chip, FamilyKey, UnitKey
from escrow.schemes.clipper.leaf import Make

KF, KU, KS = bytes(range(10)), bytes(range(10, 20)), bytes(range(20, 30))
TRANSCRIPT = b"a to b.."
MAKES = [
    Make(),
    Make(width=8),
    Make(width=32),
    Make(width=64),
    Make(width=32, partial=True),
    Make(binds=("iv", "ks", "uid", "wk", "peer")),
    Make(mode="cbc"),
    Make(mode="aead"),
]
by_make = pytest.mark.parametrize("make", MAKES, ids=lambda make: f"{make.mode}-{make.width}-{make.size}")


def chip_of(make=Make(), **repairs):  # noqa: B008 (a constant)
    return Chip(FamilyKey(make, KF), UnitKey(b"unit", KU), **repairs)


def flipped(data, first=0):
    """The data with each single bit from byte `first` on inverted."""
    for bit in range(8 * first, 8 * len(data)):
        yield (int.from_bytes(data, "big") ^ 1 << 8 * len(data) - 1 - bit).to_bytes(len(data), "big")
