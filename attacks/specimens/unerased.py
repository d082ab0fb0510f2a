"""Agents refresh their shares but keep the data that made the new ones: to a thief all epochs are one.

SPECIMEN leaves out the erasure at the end of a run; TWIN is threshold itself.
"""

from attacks.lab.simulation.scenario import default
from attacks.specimens import OURS
from escrow.schemes import threshold
from escrow.schemes.threshold import Threshold
from escrow.sharing.committee.rounds import MemberRun


class HoardingAgent(threshold.ThresholdAgent):
    """An agent that keeps every run."""

    runs: list[MemberRun] = []

    def erase(self) -> None:
        """Keep the run's state, and then end the run."""
        if self.run is not None:
            self.runs.append(self.run)
        super().erase()


class Unerased(Threshold, frozen=True, kw_only=True):
    """Threshold whose agents keep the polynomials and sub-shares of every refresh."""

    name = "unerased"
    title = "Specimen: what made the new shares is kept"
    source = OURS
    agent = HoardingAgent


SPECIMEN = Unerased()
TWIN = Threshold()
SCENARIO = default(users=3, groups=0, days=3, messages=12)
