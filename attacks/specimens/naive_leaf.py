"""The LEAF is enciphered by plain CBC and the checksum covers session key and IV only: one trial forges.

In the sound twin an AEAD replaces mode and checksum, so making a LEAF needs the family key.
"""

from attacks.specimens import OURS
from escrow.schemes.clipper.scheme import Clipper


class NaiveLeaf(Clipper, frozen=True, kw_only=True):
    """Clipper in the naive model: CBC, and a checksum over session key and IV only."""

    name = "naive-leaf"
    title = "Specimen: LEAFs in plain CBC, the checksum over session key and IV"
    source = OURS
    mode: str = "cbc"
    binds: str = "iv ks"


class SealedLeaf(Clipper, frozen=True, kw_only=True):
    """Clipper with LEAFs under an AEAD, which only the family key makes."""

    name = "sealed-leaf"
    title = "Twin: LEAFs under an AEAD"
    source = OURS
    mode: str = "aead"


SPECIMEN, TWIN = NaiveLeaf(), SealedLeaf()
