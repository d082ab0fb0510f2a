"""The seeds of the programming session are kept; in the sound twin they are destroyed when it ends."""

from attacks.specimens import OURS
from escrow.schemes.clipper.scheme import Clipper


class KeptSeeds(Clipper, frozen=True, kw_only=True):
    """Clipper whose programmer keeps the seeds in its state."""

    name = "kept-seeds"
    title = "Specimen: the seeds of the programming session are kept"
    source = OURS
    keeps_seeds: bool = True


class DestroyedSeeds(Clipper, frozen=True, kw_only=True):
    """Clipper whose programmer erases the seeds at the end of the session."""

    name = "destroyed-seeds"
    title = "Twin: the seeds of the programming session are destroyed"
    source = OURS


SPECIMEN, TWIN = KeptSeeds(), DestroyedSeeds()
