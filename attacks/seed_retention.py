"""A thief of kept seeds makes every unit key of that programming session again, without asking an agent.

  take     the programmer's state, on each evening after the session's day
  make     K1, K2 of every unit out of S1, S2 and its number; the agents' files and logs show nothing

On the session's own day the seeds exist in any case: authority-theft counts that day.
Source: Denning, "The Clipper Chip: A Technical Summary", 19 April 1993, on how unit keys are made of two seeds; that
they need only be kept was said on sci.crypt in April 1994.
"""

from collections.abc import Iterable

from attacks.lab.simulation.attack import Attack, Cast, Seize
from attacks.lab.simulation.scenario import Scenario
from escrow.scheme import Scheme, Source

PROGRAMMER = "programmer"


class SeedRetention(Attack):
    """Seize the programmer of chips on every evening after the programming session."""

    name = "seed-retention"
    title = "The seeds of a programming session were kept"
    source = Source("Denning", "The Clipper Chip: A Technical Summary", 1993, "on unit keys", "messages")
    in_pages = True
    specimen = "kept_seeds"

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless unit keys are made of seeds."""
        return "" if PROGRAMMER in cast.officials else "no unit keys are made of seeds"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        """Seize the programmer on each evening but the first."""
        return [Seize(PROGRAMMER, day) for day in range(1, scenario.days) if PROGRAMMER in cast.officials]


ATTACK = SeedRetention()
