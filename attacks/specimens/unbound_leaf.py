"""The checksum does not cover the two users, as in Clipper; in the sound twin it covers the session's transcript."""

from attacks.specimens import OURS
from escrow.schemes.clipper.scheme import Clipper


class UnboundLeaf(Clipper, frozen=True, kw_only=True):
    """Clipper's own checksum, which does not cover the two peers."""

    name = "unbound-leaf"
    title = "Specimen: LEAFs fit any session with the same key and IV"
    source = OURS


class BoundLeaf(Clipper, frozen=True, kw_only=True):
    """Clipper with a checksum that covers the session's transcript."""

    name = "bound-leaf"
    title = "Twin: LEAFs fit the session that they were made for"
    source = OURS
    binds: str = "iv ks uid wk peer"


SPECIMEN, TWIN = UnboundLeaf(), BoundLeaf()
