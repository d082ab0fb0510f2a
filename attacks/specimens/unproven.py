"""Split escrow keys whose agents do not ask for the sender's proof: a requester can give R any labels.

SPECIMEN leaves out the proof's check, TWIN is split-key itself. One lawful warrant then opens every message ever sent.
"""

from attacks.specimens import OURS
from escrow.derivation import Checks, service
from escrow.schemes import split_key
from escrow.schemes.split_key import HeldShare, SplitField, SplitKey
from escrow.sharing import elgamal
from escrow.warrant import Warrant, promises


@service(elgamal.partial, holder="share", given="capsule = field.capsule")
def careless_checks(share: HeldShare, warrant: Warrant, field: SplitField) -> Checks:
    """Yield all of the agent's promises but the one about the sender's proof."""
    return promises(share.court, warrant, field.people, field.day)


class CarelessAgent(split_key.SplitAgent):
    """An agent that believes the labels."""

    promise = careless_checks


class Unproven(SplitKey, frozen=True, kw_only=True):
    """Split key whose agents do not check the sender's proof."""

    name = "unproven"
    title = "Split escrow key without the sender's proof"
    source = OURS
    agent = CarelessAgent


SPECIMEN = Unproven()
TWIN = SplitKey()
