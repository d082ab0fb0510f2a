"""A chip accepts LEAFs that it made itself, as Clipper's did; in the sound twin it refuses them."""

from attacks.specimens import OURS
from escrow.schemes.clipper.scheme import Clipper


class OwnLeaf(Clipper, frozen=True, kw_only=True):
    """Clipper with chips that accept their own LEAFs."""

    name = "own-leaf"
    title = "Specimen: chips accept LEAFs of their own making"
    source = OURS


class OwnLeafRefused(Clipper, frozen=True, kw_only=True):
    """Clipper with chips that remember their own LEAFs and refuse them."""

    name = "own-leaf-refused"
    title = "Twin: chips refuse LEAFs of their own making"
    source = OURS
    refuses_own: bool = True


SPECIMEN, TWIN = OwnLeaf(), OwnLeafRefused()
