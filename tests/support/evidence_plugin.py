"""A plug-in for the tests of evidence: a thief who only takes the court's key, and a scheme that is not seedable."""

from __future__ import annotations

from collections.abc import Iterable

from attacks.lab.simulation.attack import Attack, Cast, Seize
from attacks.lab.simulation.scenario import Scenario
from escrow.scheme import Source
from escrow.schemes.plain import Plain

SOURCE = Source("nobody", "a plug-in for tests", 2026, "all", "all of it")


class QuietThief(Attack):
    """Takes the court's key and does nothing yet: officials would answer whatever it signs."""

    name, title, source = "quiet-thief", "The court's key is taken and not yet used", SOURCE
    specimen = "any_authority"
    served = True

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        return [Seize("court", day) for day in range(scenario.days)]


class Unseeded(Plain, frozen=True, kw_only=True):
    name, title, source = "unseeded", "Plain, said to draw bytes of its own", SOURCE
    seedable = "it says so"


ATTACK = QuietThief()
SCHEME = Unseeded()
