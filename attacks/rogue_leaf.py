"""A rogue sender beside honest receivers: it loads random LEAFs into its own chip until one is valid, and sends that.

  splice   one byte of its own LEAF changed: does the checksum cover that byte?
  search   random LEAFs for one KS and IV: 2^w trials on average for w bits
  send     KS, IV and LEAF go out with every message; receivers' chips accept them

A valid random LEAF names a random unit, which the agents do not know. The rogue has the chip, not the keys in it. It
gives up a search that is hopeless or would spoil the chip, and sends the chip's own LEAF.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 3.2.
"""

from collections.abc import Iterable
from typing import Any

from attacks.kernels.leaf_search import search
from attacks.lab.simulation.attack import MISSED, Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.codec import Fact, Public
from escrow.e2ee.ratchet import MessageKey
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import AccessField, Scheme, Source
from escrow.schemes.clipper.chip import Chip
from escrow.schemes.clipper.field import ClipperField, make_field
from escrow.schemes.clipper.leaf import IV
from escrow.schemes.clipper.phone import ClipperDevice

PATIENCE = 1 << 20
HOPELESS = 1 << 12  # trials where even 2^20 would be too few


class RogueLeaf(Fact, frozen=True):
    """A session key (10 bytes) with an IV ‖ LEAF that chips accept for it, and the number of trials; 0: none found."""

    ks: bytes
    field: Public
    trials: int


def forge(chip: Chip, ks: bytes, transcript: bytes) -> RogueLeaf:
    """Return an IV ‖ LEAF for a session key (10 bytes) that hides the unit.

    Without a field if the search was given up.
    """
    make = chip.family.make
    limit = PATIENCE if make.width <= 17 and make.mode != "aead" else HOPELESS
    limit = min(limit, chip.most_bad - chip.bad - 1) if chip.most_bad else limit
    own = chip.generate_iv(ks, transcript)
    spliced = own[:IV] + bytes([own[IV] ^ 1]) + own[IV + 1 :]
    if limit > 0 and chip.load_iv(ks, spliced, transcript):
        return RogueLeaf(ks, spliced, 1)
    found = search(chip, ks, max(0, limit - 1), transcript)
    chip.bad += found.trials - 1 if found else max(0, limit - 1)
    return RogueLeaf(ks, found.field, found.trials + 1) if found else RogueLeaf(ks, b"", max(0, limit))


def target_devices(scenario: Scenario) -> tuple[str, ...]:
    """Return the devices of the user that the first warrant names; none without a warrant."""
    return scenario.devices_of(scenario.targets[:1])


def no_leaf(scheme: Scheme) -> str:
    """Return why an attack on LEAFs does not apply to a scheme, or "" if it does."""
    return "" if issubclass(scheme.device, ClipperDevice) else "no LEAF goes along"


class RogueSender(Attack):
    """Base of attacks by a target's device that sends other LEAFs than its chip makes."""

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme sends LEAFs."""
        return no_leaf(scheme)

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the first device of the first warrant's target, from the first day."""
        return [Turn(name, 0) for name in target_devices(scenario)[:1]]


class RogueLeafSearch(RogueSender):
    """Corrupt a target's device: it searches for a valid LEAF that names no unit of its own."""

    name = "rogue-leaf"
    title = "A rogue sender finds a LEAF that names nobody"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "3.2", "checksum and mode")
    in_pages = True
    column = MISSED
    specimen = "naive_leaf"

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device send a forged LEAF with each message."""
        honest = type(of_kind(party, ClipperDevice))

        def field_for(self: Any, key: MessageKey, labels: AccessField, transcript: bytes, ks: bytes) -> ClipperField:
            for_all = not self.derives and "peer" not in self.unit.family.make.binds
            if not (self.forged and for_all):
                self.forged.append(forge(self.unit, ks, transcript))
            rogue: RogueLeaf = self.forged[-1]
            if not rogue.field:
                return honest.field_for(self, key, labels, transcript, ks)
            return make_field(key, labels, transcript, rogue.ks, rogue.field)

        return corrupted(party, {"forged": list[RogueLeaf]}, field_for=field_for)

    def trials(self, party: Any) -> int:
        """Return the number of LEAFs that the rogue tried."""
        return sum(each.trials for each in party.forged)


ATTACK = RogueLeafSearch()
