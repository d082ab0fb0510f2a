"""The seeds of the programming session are kept; in the sound twin they are destroyed when it ends."""

from attacks.specimens import OURS
from escrow.schemes.clipper.scheme import Clipper


class KeptSeeds(Clipper, frozen=True, kw_only=True):
    name = "kept-seeds"
    title = "Specimen: the seeds of the programming session are kept"
    source = OURS
    keeps_seeds: bool = True


class DestroyedSeeds(Clipper, frozen=True, kw_only=True):
    name = "destroyed-seeds"
    title = "Twin: the seeds of the programming session are destroyed"
    source = OURS


SPECIMEN, TWIN = KeptSeeds(), DestroyedSeeds()
