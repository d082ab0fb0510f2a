"""The provider forces clients into the escrowed mode: it says that their peers ask for access fields.

  ask     sender's client: does this recipient's client ask for an access field?
  claim   the provider says so of the targets' devices, or of all, with no signature
  open    officials who would have had nothing open these fields

The other half of `downgrade`. It applies to schemes in which a text has a field only on request. Where a client
believes only a request that the recipient's identity key signed, it makes no field, and gives alarm.
Source: Bhargavan et al., "Downgrade Resilience in Key-Exchange Protocols", IEEE S&P 2016: what is negotiated must be
bound to a key of the peer. The negotiation here is ours.
"""

from collections.abc import Iterable
from typing import get_args

from attacks.downgrade import Downgrade
from attacks.lab.simulation.attack import Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.listing.modes import Asked
from escrow.scheme import Scheme


class ForcedEscrow(Downgrade):
    """Corrupt all officials; the provider says that devices of some users, by default all, ask for fields."""

    name = "forced-escrow"
    title = "The provider forces clients into the escrowed mode"
    in_pages = True
    specimen = "asked_modes"
    escrowed = True

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return "", or that no text goes without a field by what clients agree on."""
        asked = getattr(scheme, "asking", "") in get_args(Asked)
        return "" if asked else "no client asks for a field: texts have one, or are never meant to"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the provider, which lies, and the other officials, which open what they can, from the first day."""
        return [Turn(name, 0) for name in cast.officials]


ATTACK = ForcedEscrow()
