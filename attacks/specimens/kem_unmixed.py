"""The KEM's secret is agreed on but left out of the session's key; in the sound twin, plain-pq, it goes in."""

from __future__ import annotations

from attacks.specimens import OURS
from escrow.derivation import derivation
from escrow.e2ee.pqxdh import KemShared, derive
from escrow.e2ee.ratchet import Root
from escrow.e2ee.x3dh import Classical, PqInitial
from escrow.schemes import plain_pq
from escrow.schemes.plain_pq import PlainPq


@derivation("classical.session = initial.ek_a")
def without_secret(initial: PqInitial, classical: Classical) -> Root:
    """Return SK as X3DH alone would give it."""
    return Root(initial.ek_a, initial.spk_b, derive(classical.value))


class UnmixedDevice(plain_pq.PqDevice):
    """A client that encapsulates, and then ignores the secret."""

    def mixed(self, initial: PqInitial, classical: Classical, secret: KemShared) -> Root:
        """Return SK without the KEM's secret."""
        return without_secret(initial, classical)


class KemUnmixed(PlainPq, frozen=True, kw_only=True):
    """PQXDH whose devices derive the session's key without the KEM's secret."""

    name = "kem-unmixed"
    title = "Specimen: the KEM's secret does not go into the session's key"
    source = OURS
    device = UnmixedDevice


SPECIMEN = KemUnmixed()
TWIN = PlainPq()
