"""Clients believe the relay that a peer asks for an access field; in the sound twin, only what the peer signed."""

from attacks.specimens._box import BoxScheme
from escrow.e2ee.listing.modes import Asked, negotiating
from escrow.grants import Claim
from escrow.principal import Principal
from escrow.schemes.plain import SCHEME as PLAIN


class AskedModes(BoxScheme, frozen=True, kw_only=True):
    """A box in which a text has a field if its recipient asks for one, by the relay's word. No client asks."""

    name = "asked-modes"
    title = "Specimen: whether a peer asks for a field is the relay's word"
    asking: Asked = "asked"

    @property
    def claim(self) -> Claim:
        """What plain claims, since nobody asks."""
        return PLAIN.claim

    def equipped(self, party: Principal) -> Principal:
        """Return a device or the provider as one that negotiates."""
        return negotiating(party, self.asking)


class AskedSignedModes(AskedModes, frozen=True, kw_only=True):
    """A box in which a text has a field if its recipient's key signed that it asks for one."""

    name = "asked-signed-modes"
    title = "Twin: a peer's request for a field is signed"
    asking: Asked = "asked-signed"


SPECIMEN, TWIN = AskedModes(), AskedSignedModes()
