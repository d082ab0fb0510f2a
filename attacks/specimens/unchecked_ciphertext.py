"""Agents of a threshold key that do not check who made a ciphertext: plain threshold ElGamal with a label beside it.

SPECIMEN leaves out that check; TWIN is threshold itself.
"""

from attacks.lab.simulation.scenario import default
from attacks.specimens import OURS
from escrow.derivation import Checks, service
from escrow.schemes import threshold
from escrow.schemes.threshold import AgentShare, Threshold, ThresholdField
from escrow.sharing import tdh2
from escrow.warrant import Warrant, promises


@service(tdh2.partial, holder="share", given="ciphertext = field.ciphertext")
def credulous_checks(share: AgentShare, warrant: Warrant, field: ThresholdField) -> Checks:
    """Yield all of the agent's promises but the one about the ciphertext."""
    yield from promises(share.court, warrant, field.people, field.day)
    yield "the label is of this message", field.label == field.ciphertext.label


class CredulousAgent(threshold.ThresholdAgent):
    """An agent that does not check who made a ciphertext."""

    promise = credulous_checks


class UncheckedCiphertext(Threshold, frozen=True, kw_only=True):
    """Threshold decryption without TDH2's check of the ciphertext."""

    name = "unchecked-ciphertext"
    title = "Specimen: agents answer about whatever has a label"
    source = OURS
    agent = CredulousAgent


SPECIMEN = UncheckedCiphertext()
TWIN = Threshold()
SCENARIO = default(users=3, groups=0, days=3, messages=12)
