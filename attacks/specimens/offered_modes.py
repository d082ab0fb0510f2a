"""Clients believe the relay's word on what their peers speak; in the sound twin, only a denial that the peer signed."""

from attacks.specimens._box import BoxScheme
from escrow.e2ee.listing.modes import Modes


class OfferedModes(BoxScheme, frozen=True, kw_only=True):
    """A box whose fields are negotiated by the relay's word."""

    name = "offered-modes"
    title = "Specimen: what peers speak is the relay's word"
    modes: Modes = "offered"


class SignedModes(BoxScheme, frozen=True, kw_only=True):
    """A box whose fields are negotiated by what recipients sign."""

    name = "signed-modes"
    title = "Twin: a peer's denial of the escrowed mode is signed"
    modes: Modes = "signed"


SPECIMEN, TWIN = OfferedModes(), SignedModes()
