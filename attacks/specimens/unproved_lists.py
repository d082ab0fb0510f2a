"""Clients go on where the directory does not answer; in the sound twin they keep to the devices that they know."""

from attacks.specimens import OURS
from attacks.specimens._listed import ListedPlain, without
from escrow.e2ee.listing.proved import PROVED


class UnprovedLists(ListedPlain, frozen=True, kw_only=True):
    """Plain with a key directory, whose clients use lists without a proof where none comes."""

    name = "unproved-lists"
    title = "Specimen: clients use lists without a proof if none comes"
    source = OURS
    device = without(PROVED)


class ProvedLists(ListedPlain, frozen=True, kw_only=True):
    """Plain with a key directory, whose clients use no list without a proof."""

    name = "proved-lists"
    title = "Twin: clients use no list without a proof"
    source = OURS


SPECIMEN, TWIN = UnprovedLists(), ProvedLists()
