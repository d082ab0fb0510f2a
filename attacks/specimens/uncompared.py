"""Clients compare heads of the key directory with nobody; in the sound twin with the auditor, each new one."""

from attacks.specimens import OURS
from attacks.specimens._listed import ListedPlain


class Uncompared(ListedPlain, frozen=True, kw_only=True):
    """Plain with a key directory, whose clients compare no heads."""

    name = "uncompared"
    title = "Specimen: clients compare no heads of the key directory"
    source = OURS
    gossip: int = 0


class HeadsCompared(ListedPlain, frozen=True, kw_only=True):
    """Plain with a key directory, whose clients compare each new head with the auditor's."""

    name = "compared"
    title = "Twin: clients compare each new head with the auditor's"
    source = OURS


SPECIMEN, TWIN = Uncompared(), HeadsCompared()
