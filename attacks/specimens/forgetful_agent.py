"""The agent believes whatever head the log signed; in the sound twin, only heads that the monitor signed, too."""

from typing import Literal

from attacks.specimens import OURS
from escrow.schemes.logged.scheme import Gossip, Logged


class ForgetfulAgent(Logged, frozen=True, kw_only=True):
    """An agent that keeps no head, so that a morning's comparison finds none but the true one."""

    name = "forgetful-agent"
    title = "Specimen: the agent keeps no head of the log"
    source = OURS
    holder: Literal["hsm", "promise"] = "promise"


class WitnessedLog(Logged, frozen=True, kw_only=True):
    """An agent that takes only heads that the monitor signed, after it had read the log up to there."""

    name = "witnessed-log"
    title = "Twin: the monitor signs the heads that the agent takes"
    source = OURS
    gossip: Gossip = "witness"


SPECIMEN, TWIN = ForgetfulAgent(), WitnessedLog()
