"""Officials erase nothing: whatever one of them ever drew, made or received, the adversary has.

  from     its birth on, the set-up included: who deals shares, who makes keys, who forgets yesterday's key
  behave   honestly in everything, so that nobody can notice
  take     all that it had, of each official and of every coalition of them

A state that is seized in the evening has only what was not erased. What the claim owes to erasure is counted here: it
is a promise of whoever erases, and nobody can check it.
Source: Herzberg, Jarecki, Krawczyk and Yung, "Proactive secret sharing", CRYPTO '95: that old shares are erased is a
condition of what it promises.
"""

from collections.abc import Iterable

from attacks.lab.simulation.attack import Attack, Cast, Keep
from attacks.lab.simulation.scenario import Scenario
from escrow.scheme import Source


class KeepsEverything(Attack):
    """Corrupt every official from its birth on: each is honest and erases nothing."""

    name = "keeps-everything"
    title = "Officials are honest and erase nothing"
    source = Source("Herzberg et al.", "Proactive Secret Sharing", 1995, "erased shares", "messages")
    in_pages = True
    specimen = "erased_key"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Keep]:
        """Let each official keep everything from the first day on; they are tried in every coalition."""
        return [Keep(official) for official in cast.officials]


ATTACK = KeepsEverything()
