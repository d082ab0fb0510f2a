"""Agents accept the shares that they are dealt without a check.

SPECIMEN leaves out the check against the dealer's commitments, and so every complaint; TWIN is threshold itself.
"""

from attacks.lab.simulation.scenario import default
from attacks.specimens import OURS
from escrow.schemes import threshold
from escrow.schemes.threshold import Threshold
from escrow.sharing.committee.rounds import MemberRun
from escrow.sharing.dkg.result import first_sharing
from escrow.sharing.epochs import EpochShare
from escrow.wire import Wire


class UncheckingAgent(threshold.ThresholdAgent):
    """An agent that complains of no dealer, and holds any sum that results. It never refreshes."""

    def complain(self, wire: Wire, run: MemberRun) -> None:
        """Compare nothing, and complain of no dealer."""

    def settle(self, wire: Wire, run: MemberRun) -> None:
        """Accept every dealer and every share."""
        run.qualified = tuple(sorted(run.board.by_dealer("deal")))
        run.settled = list(run.received)

    def object(self, wire: Wire, run: MemberRun) -> None:
        """Compare nothing here either."""

    def close(self, wire: Wire, run: MemberRun) -> None:
        """Hold the sum of the shares, whatever it is, and erase the run."""
        self.outcome = self.concluded(wire, run)
        sharing = first_sharing(self.outcome)
        self.hold(sharing, EpochShare(sharing.key, 0, self.index, run.sum.raw))
        self.erase()


class UnverifiedShares(Threshold, frozen=True, kw_only=True):
    """Threshold whose agents hold unchecked shares, and never refresh."""

    name = "unverified-shares"
    title = "Specimen: shares are taken as they come"
    source = OURS
    agent = UncheckingAgent


SPECIMEN = UnverifiedShares(every=0)
TWIN = Threshold(every=0)
SCENARIO = default(users=3, groups=0, days=3, messages=12)
