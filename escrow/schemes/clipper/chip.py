"""The Clipper chip, its keys, and how it is programmed.

  program   R_i = E_S1(D_S2(E_S1(N_i))), i = 1, 2, 3       S1, S2: the two agents' seeds for one programming session
            K1 = R[0:10], K2 = R[10:20], KU = K1 ⊕ K2      agent 1 files (uid, K1), agent 2 files (uid, K2)
  generate  IV ‖ LEAF for the session key loaded           applications cannot choose an IV
  load      IV ‖ LEAF from outside: accepted or not        without a valid one the chip does not decrypt

A chip holds KF and KU. The standard trusts that no one can read them out of it; nothing here relies on that.
*Modelled*: N_i is the unit identifier and i, four bytes each. The seeds open every unit of their session.

Source: FIPS PUB 185 (1994); Denning, "The Clipper Chip: A Technical Summary", 19 April 1993, on programming; Blaze,
CCS '94, sections 1 to 4, on what applications can ask of a device.
"""

from __future__ import annotations

import msgspec

from escrow.codec import Fact, Public
from escrow.crypto import random_bytes, xor_bytes
from escrow.derivation import Guard, derivation
from escrow.errors import Forged
from escrow.primitives.skipjack import KEY, decrypt, encrypt
from escrow.schemes.clipper import leaf
from escrow.schemes.clipper.leaf import IV, Leaf, Make


class FamilyKey(Fact, frozen=True):
    """The key (10 bytes) that all chips of a family share, and how they make their LEAFs."""

    make: Make
    raw: bytes


class Seed(Fact, frozen=True):
    """The seed (10 bytes) that agent 1 or 2 brought to a programming session."""

    session: int
    agent: int
    raw: bytes


class Serial(Fact, frozen=True):
    """A unit (identifier of 4 bytes) was programmed in a session: public bookkeeping."""

    session: int
    uid: Public


class UnitHalf(Fact, frozen=True):
    """Agent 1's or 2's half (10 bytes) of a unit key."""

    uid: Public
    agent: int
    raw: bytes


class UnitKey(Fact, frozen=True):
    """The key (10 bytes) of one unit: it opens every LEAF that the unit makes, past and future."""

    uid: Public
    raw: bytes


@derivation("one.uid = other.uid")
def combine(one: UnitHalf, other: UnitHalf) -> UnitKey:
    """Return KU = K1 ⊕ K2. Raise Forged unless the first half is agent 1's and the other agent 2's, of one unit."""
    if one.uid != other.uid:
        raise Forged("the agents gave halves of two units")
    if (one.agent, other.agent) != (1, 2):
        raise Forged("two halves of a unit key are agent 1's and agent 2's")
    return UnitKey(one.uid, xor_bytes(one.raw, other.raw))


@derivation("one.session = other.session, serial.session = one.session")
def program(one: Seed, other: Seed, serial: Guard[Serial]) -> tuple[UnitHalf, UnitHalf]:
    """Return both halves of a unit key, from the seeds of its session.

    Raise Forged unless they are agent 1's and 2's.
    """
    if (one.agent, other.agent) != (1, 2):
        raise Forged("the seeds of a programming session are agent 1's and agent 2's")
    numbers = (serial.uid + i.to_bytes(4, "big") for i in (1, 2, 3))
    made = b"".join(encrypt(one.raw, decrypt(other.raw, encrypt(one.raw, each))) for each in numbers)
    return UnitHalf(serial.uid, 1, made[:KEY]), UnitHalf(serial.uid, 2, made[KEY : 2 * KEY])


class Chip(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """One unit.

    `bad` counts the invalid LEAFs that were loaded; after `most_bad` of them the chip accepts no more (0: no limit). If
    `refuses_own`, it accepts no LEAF of its own. Blaze discusses both repairs.
    """

    family: FamilyKey
    unit: UnitKey
    most_bad: int = 0
    refuses_own: bool = False
    bad: int = 0

    def generate_iv(self, ks: bytes, transcript: bytes = b"") -> bytes:
        """Return a fresh IV (8 bytes) ‖ LEAF for a session key of 10 bytes: 24 bytes in the standard's make."""
        make, iv = self.family.make, random_bytes(IV)
        wk = leaf.wrap(make, self.unit.raw, ks)
        ea = leaf.checksum(make, ks, iv, self.unit.uid, wk, transcript)
        return iv + leaf.seal_leaf(make, self.family.raw, iv, Leaf(self.unit.uid, wk, ea))

    def load_iv(self, ks: bytes, field: bytes, transcript: bytes = b"") -> bool:
        """Return whether IV ‖ LEAF is valid for this session key; if not, the chip does not decrypt."""
        if self.most_bad and self.bad >= self.most_bad:
            return False
        valid = self._is_valid(ks, field, transcript)
        self.bad += not valid
        return valid

    def _is_valid(self, ks: bytes, field: bytes, transcript: bytes) -> bool:
        iv, sealed = field[:IV], field[IV:]
        try:
            opened = leaf.open_leaf(self.family.make, self.family.raw, iv, sealed)
        except Forged:
            return False
        own = self.refuses_own and opened.uid == self.unit.uid
        return leaf.holds(self.family.make, ks, iv, opened, transcript) and not own
