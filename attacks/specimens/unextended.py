"""Clients take any head that is signed; in the sound twin only one that extends the last. Neither compares heads."""

from attacks.specimens import OURS
from attacks.specimens._listed import ListedPlain, without
from escrow.e2ee.listing.proved import EXTENDS


class Unextended(ListedPlain, frozen=True, kw_only=True):
    """Plain with a key directory, whose clients hold no head against the last one."""

    name = "unextended"
    title = "Specimen: clients hold no head against the last one"
    source = OURS
    device = without(EXTENDS)
    gossip: int = 0


class Extended(ListedPlain, frozen=True, kw_only=True):
    """Plain with a key directory, whose clients take a head only if it extends the last one."""

    name = "extended"
    title = "Twin: clients take a head only if it extends the last one"
    source = OURS
    gossip: int = 0


SPECIMEN, TWIN = Unextended(), Extended()
