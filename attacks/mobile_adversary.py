"""The mobile adversary: every evening another agent, never two on one evening.

  take     agent 1 on the first evening, agent 2 on the second, and so on round; every set of these
  read     the archive of all packets, those of the refreshes too

Against shares that stay as they were dealt, t evenings are enough, whoever holds them. Against shares that are replaced
in between, and whose making is erased, what was taken on different evenings is of different polynomials.
Source: Ostrovsky and Yung, "How to withstand mobile virus attacks", PODC '91; Herzberg, Jarecki, Krawczyk, Yung,
"Proactive secret sharing", CRYPTO '95.
"""

from collections.abc import Iterable

from attacks.lab.attack import Attack, Cast, Seize
from attacks.lab.scenario import Scenario
from escrow.scheme import Scheme, Source


class MobileAdversary(Attack):
    name = "mobile-adversary"
    title = "One holder of a share after another is robbed, one an evening"
    source = Source("Ostrovsky and Yung", "How to Withstand Mobile Virus Attacks", 1991, "all")
    specimen = "unerased"

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        return "" if len(_holders(cast)) > 1 else "no two hold shares of one key"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        holders = _holders(cast)
        return [Seize(holders[day % len(holders)], day) for day in range(scenario.days)]


def _holders(cast: Cast) -> list[str]:
    """Officials of whom there are several: their names end in a number."""
    return [name for name in cast.officials if name.rpartition("-")[2].isdigit()]


ATTACK = MobileAdversary()
