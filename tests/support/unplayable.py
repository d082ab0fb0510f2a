"""A scheme that cannot be played, and an attack that breaks nothing, in a module that draws on little."""

from attacks.null_eavesdropper import NullEavesdropper
from escrow.derivation import derivation
from escrow.e2ee.ratchet import MessageKey, Slot
from escrow.errors import Forged
from escrow.schemes.plain import Plain


class UncastScheme(Plain, frozen=True):
    def cast(self, users, court):
        raise ZeroDivisionError("a defect")


@derivation()
def never_needed(slot: Slot) -> MessageKey:
    raise Forged("for no slot at all")


class Blunt(NullEavesdropper):
    specimen = "toy.control"
    derivations = (never_needed,)
