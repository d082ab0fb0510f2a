"""Fair keys whose centre certifies 32 bytes of the user's choice beside the key, as a 2048-bit modulus has room for.

SPECIMEN leaves out the check that there are none; TWIN is fair-keys itself.
"""

from attacks.lab.simulation.scenario import default
from attacks.specimens import OURS
from escrow.schemes.fair_keys import registration
from escrow.schemes.fair_keys.scheme import FairKeys


class RoomyCentre(registration.Centre):
    """A centre that does not look."""

    def takes(self, remark: bytes) -> bool:
        return len(remark) <= 32


class RoomyCertificates(FairKeys, frozen=True, kw_only=True):
    name = "roomy-certificates"
    title = "Specimen: certificates have room for what a user chooses"
    source = OURS
    centre = RoomyCentre


SPECIMEN = RoomyCertificates()
TWIN = FairKeys()
SCENARIO = default(users=2, groups=0, days=3, messages=8)
