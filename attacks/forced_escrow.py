"""The provider forces clients into the escrowed mode: it says that their peers ask for access fields.

  ask     sender's client: does this recipient's client ask for an access field?
  claim   the provider says so of the targets' devices, or of all, with no signature
  open    officials who would have had nothing open these fields

The other half of `downgrade`. It applies to schemes in which a text has a field only on request. Where a client
believes only a request that the recipient's identity key signed, it makes no field, and gives alarm.
Source: Bhargavan et al., "Downgrade Resilience in Key-Exchange Protocols", IEEE S&P 2016: what is negotiated must be
bound to a key of the peer. The negotiation here is ours.
"""

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.listing.modes import Asked, AskMode, SpokenMode
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source
from escrow.wire import Wire


class ForcedEscrow(Attack):
    """Corrupt all officials; the provider says that devices of some users, by default all, ask for fields."""

    name = "forced-escrow"
    title = "The provider forces clients into the escrowed mode"
    source = Source("Bhargavan et al.", "Downgrade Resilience in Key-Exchange Protocols", 2016, "II", "messages")
    in_pages = True
    specimen = "asked_modes"

    def __init__(self, strategy: str = "", users: Sequence[str] = ()) -> None:
        """Name the strategy and the users whose devices are said to ask, or leave both to `strategies`."""
        self.strategy, self.users = strategy, tuple(users)

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return the lie about the targets' devices, and about all."""
        targets = dict.fromkeys(warrant.target for warrant in scenario.warrants)
        return [
            *([ForcedEscrow("to the targets", list(targets))] if targets else []),
            ForcedEscrow("to everybody", [user.name for user in scenario.users]),
        ]

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return "", or that no text goes without a field by what clients agree on."""
        asked = getattr(scheme, "asking", "") in get_args(Asked)
        return "" if asked else "no client asks for a field: texts have one, or are never meant to"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the provider, which lies, and the other officials, which open what they can, from the first day."""
        return [Turn(name, 0) for name in cast.officials]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the provider lie; the others behave as always."""
        if party.name != "provider":
            return corrupted(party)
        asking = {name for user in scenario.users if user.name in self.users for name in user.devices}
        honest: Any = type(party)

        def on_ask_mode(self: Any, sender: str, packet: AskMode, wire: Wire) -> SpokenMode:
            """Say that these devices ask, and be honest about others."""
            if packet.device in asking:
                return SpokenMode(packet.device, True, wire.day)
            told: SpokenMode = honest.on_ask_mode(self, sender, packet, wire)
            return told

        return corrupted(party, on_ask_mode=on_ask_mode)


ATTACK = ForcedEscrow()
