"""Steal every set of officials' secrets, one evening at a time, and read what the archive gives.

  take     the state of each official, on each evening and at set-up, in every combination
  read     the archive of all packets, earlier ones too

Mass retrospective decryption, the loss that Abelson et al. put first, is a query on the result: the texts sent before
the evening of the theft, and how many more secrets each further text needs.
Source: Abelson et al., "Keys Under Doormats", MIT-CSAIL-TR-2015-026, 2015, section 3.
"""

from collections.abc import Iterable

from attacks.lab.simulation.attack import Attack, Cast, Column, Seize
from attacks.lab.simulation.scenario import Scenario
from escrow.scheme import SET_UP, Source


class AuthorityTheft(Attack):
    """Seize every official on every evening, set-up among them, in every combination."""

    name = "authority-theft"
    title = "Officials' secrets are stolen"
    source = Source("Abelson et al.", "Keys Under Doormats", 2015, "3")
    in_pages = True
    column = Column(
        4, "officials' keys", "exposed.total", by_whom=True, meaning="a thief of officials' keys reads them"
    )
    specimen = "spare_key"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        """Seize each official at set-up and on each evening."""
        return [Seize(official, day) for official in cast.officials for day in range(SET_UP, scenario.days)]


ATTACK = AuthorityTheft()
