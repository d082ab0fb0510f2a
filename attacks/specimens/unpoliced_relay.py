"""The relay forwards mail without an access field; in the sound twin it refuses such mail."""

from attacks.specimens._box import BoxScheme
from escrow.e2ee.policing import Policing


class UnpolicedRelay(BoxScheme, frozen=True, kw_only=True):
    """A box whose relay accepts any mail."""

    name = "unpoliced-relay"
    title = "Specimen: the relay forwards mail without an access field"


class PolicedRelay(BoxScheme, frozen=True, kw_only=True):
    """A box whose relay refuses mail without an access field."""

    name = "policed-relay"
    title = "Twin: the relay refuses mail without an access field"
    policing: Policing = "relay"


SPECIMEN, TWIN = UnpolicedRelay(), PolicedRelay()
