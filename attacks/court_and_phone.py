"""Steal the court's key and one user's phone, and let honest officials answer the orders that the thief signs.

  take     the court's state on any evening, and the state of each device on the attack day, in every combination
  sign     any order, about anybody, for an authority of the thief's own
  ask      with what every phone holds and officials do not keep from it, as a family key: officials see good orders

Where the court's key alone opens nothing because the thief cannot read what it must ask about, a phone may be all that
it lacks. Phones are many and are lost every day.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 2: the family key is in every
chip; Abelson et al., "The Risks of Key Recovery, Key Escrow, and Trusted Third-Party Encryption", 1997, 3.1.3.
"""

from collections.abc import Iterable

from attacks.lab.simulation.attack import Attack, Cast, Seize
from attacks.lab.simulation.scenario import Scenario
from escrow.scheme import SET_UP, Scheme, Source
from escrow.warrant import COURT


class CourtAndPhone(Attack):
    """Seize the court, and every device on one evening, in every combination."""

    name = "court-and-phone"
    title = "The court's key and a phone are stolen"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "2", "messages")
    in_pages = True
    specimen = "family_key"
    served = True

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme has a lawful access that officials serve."""
        return "no lawful access to misuse" if scheme.claim.access == "none" else ""

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        """Seize the court at set-up and on each evening, and each device on the attack day."""
        taken = [Seize(COURT, day) for day in range(SET_UP, scenario.days)]
        return taken + [Seize(device, scenario.attack_day) for device in cast.devices]


ATTACK = CourtAndPhone()
