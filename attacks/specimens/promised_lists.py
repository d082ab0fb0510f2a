"""Clients use devices that are not published yet, and never look whether they were; in the sound twin those wait."""

from attacks.specimens import OURS
from attacks.specimens._listed import ListedPlain, without
from escrow.e2ee.listing.proved import PUBLISHED
from escrow.schemes.ghost_directory import Unpublished


class PromisedLists(ListedPlain, frozen=True, kw_only=True):
    """Plain with a key directory, whose clients take the provider's word that a device will be published."""

    name = "promised-lists"
    title = "Specimen: clients use devices that are never published"
    source = OURS
    device = without(PUBLISHED)
    pending: Unpublished = "used"


class PublishedLists(ListedPlain, frozen=True, kw_only=True):
    """Plain with a key directory, whose clients use no device before it is published."""

    name = "published-lists"
    title = "Twin: clients use no device before it is published"
    source = OURS


SPECIMEN, TWIN = PromisedLists(), PublishedLists()
