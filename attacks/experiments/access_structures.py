"""The access structure of t of n agents, read off the bytes: t of them open every text, t − 1 of them none.

  small    (2,3) to (5,9): every minimal coalition of officials, one by one; there are C(n, t)
  large    (67,100) and (334,1000): one gate "any t of n", asked with t agents and with t − 1

Source: Desmedt and Frankel, "Threshold cryptosystems", CRYPTO '89. The sizes of the large ones are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

from attacks.lab.adversary.coalitions import AccessStructure, Seizure
from attacks.lab.runs.experiment import Experiment, Figure, Progress
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.analysis import Analysis
from escrow.scheme import Source, User
from escrow.schemes.split_key import SplitKey

SMALL = ((2, 3), (3, 5), (4, 7), (5, 9))
LARGE = ((67, 100), (334, 1000))
SHORT = Scenario(days=1, messages=2, users=(User("alice", ("alice-phone",)), User("bob", ("bob-phone",))), attack_day=0)


class AccessStructures(Experiment):
    """Count the minimal coalitions of agents that open a text under a split key."""

    name = "access-structures"
    title = "Who opens what under a split key: all minimal coalitions"
    source = Source("Desmedt and Frankel", "Threshold cryptosystems", 1989, "the threshold property")
    in_pages = True

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the number of minimal coalitions, and the texts that t and t − 1 agents open."""
        sizes = (*SMALL, *LARGE)
        for done, (t, n) in enumerate(sizes):
            progress(done, len(sizes), f"{t} of {n}")
            scheme = SplitKey(t=t, n=n)
            structure = _structure(scheme)
            if (t, n) in SMALL:
                coalitions = list(structure.table(scheme.agents))
                yield Figure(
                    quantity=f"{t} of {n}: minimal coalitions of agents",
                    measured=len(coalitions),
                    expected=comb(n, t),
                    formula="C(n, t) coalitions",
                    note="Real shares and texts, two a play.",
                )
            for count, expected in ((t, 2), (t - 1, 0)):
                opened = structure.opened(structure.mask(map(Seizure, scheme.agents[-count:])))
                yield Figure(
                    quantity=f"{t} of {n}: texts opened by {count}",
                    measured=len(opened),
                    expected=expected,
                    formula="all texts for t agents, none for t - 1",
                )


def _structure(scheme: SplitKey) -> AccessStructure:
    return Analysis(scheme, play(scheme, SHORT), ()).structure()


EXPERIMENT = AccessStructures()
