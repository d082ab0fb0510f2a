"""Fair keys whose centre certifies 32 bytes of the user's choice beside the key, as much as fits a 2048-bit modulus.

SPECIMEN leaves out the check that there are none; TWIN is fair-keys itself.
"""

from attacks.lab.simulation.scenario import default
from attacks.specimens import OURS
from escrow.schemes.fair_keys import registration
from escrow.schemes.fair_keys.scheme import FairKeys


class RoomyCentre(registration.Centre):
    """A centre that accepts a remark in the certificate."""

    def takes(self, remark: bytes) -> bool:
        """Accept a remark of up to 32 bytes."""
        return len(remark) <= 32


class RoomyCertificates(FairKeys, frozen=True, kw_only=True):
    """Fair keys with 32 bytes of the user's choice in every certificate."""

    name = "roomy-certificates"
    title = "Specimen: certificates have room for what a user chooses"
    source = OURS
    centre = RoomyCentre


SPECIMEN = RoomyCertificates()
TWIN = FairKeys()
SCENARIO = default(users=2, groups=0, days=3, messages=8)
