"""The LEAF is enciphered by plain CBC and the checksum covers session key and IV only: one trial forges.

In the sound twin an AEAD stands in place of mode and checksum, and nobody without the family key makes a LEAF.
"""

from attacks.specimens import OURS
from escrow.schemes.clipper.scheme import Clipper


class NaiveLeaf(Clipper, frozen=True, kw_only=True):
    name = "naive-leaf"
    title = "Specimen: LEAFs in plain CBC, the checksum over session key and IV"
    source = OURS
    mode: str = "cbc"
    binds: str = "iv ks"


class SealedLeaf(Clipper, frozen=True, kw_only=True):
    name = "sealed-leaf"
    title = "Twin: LEAFs under an AEAD"
    source = OURS
    mode: str = "aead"


SPECIMEN, TWIN = NaiveLeaf(), SealedLeaf()
