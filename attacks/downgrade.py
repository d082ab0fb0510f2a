"""The provider strips negotiation: clients are told that their peers read no access field, and make none.

  ask     sender's client: which mode does this recipient's client speak?
  strip   the provider says of the targets' devices, or of all, that they do not escrow, with no signature
  send    the text without a field; nobody else was asked

Only schemes that negotiate can be talked out of it (`--set envelope.modes=offered`). Where a client believes only what
the recipient's identity key signed (`modes=signed`), it makes the field all the same, and gives alarm.
Source: Bhargavan et al., "Downgrade Resilience in Key-Exchange Protocols", IEEE S&P 2016: what is negotiated must be
bound to a key of the peer. The negotiation here is ours.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.listing.modes import AskMode, SpokenMode
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source
from escrow.wire import Wire


class Downgrade(Attack):
    """Corrupt the provider, which denies that devices of some users, by default all, speak the escrowed mode."""

    name = "downgrade"
    title = "The provider talks clients out of the escrowed mode"
    source = Source("Bhargavan et al.", "Downgrade Resilience in Key-Exchange Protocols", 2016, "II", "messages")
    in_pages = True
    specimen = "offered_modes"
    escrowed = False  # what the provider says of the mode of these devices

    def __init__(self, strategy: str = "", users: Sequence[str] = ()) -> None:
        """Name the strategy and the users about whose devices the provider lies, or leave both to `strategies`."""
        self.strategy, self.users = strategy, tuple(users)

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return the lie about the targets' devices, and about all."""
        return [
            *([type(self)("to the targets", scenario.targets)] if scenario.targets else []),
            type(self)("to everybody", [user.name for user in scenario.users]),
        ]

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return "", or that nothing is negotiated."""
        offered = getattr(scheme, "modes", "all") in ("offered", "signed")
        return "" if offered else "nothing is negotiated: no client asks for a mode"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the provider from the first day."""
        return [Turn("provider", 0)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the provider lie; others behave as always."""
        if party.name != "provider":
            return corrupted(party)
        about = scenario.devices_of(self.users)
        honest: Any = type(party)
        escrowed = self.escrowed

        def on_ask_mode(self: Any, sender: str, packet: AskMode, wire: Wire) -> SpokenMode:
            """Lie about these devices, and be honest about others."""
            if packet.device in about:
                return SpokenMode(packet.device, escrowed, wire.day)
            told: SpokenMode = honest.on_ask_mode(self, sender, packet, wire)
            return told

        return corrupted(party, on_ask_mode=on_ask_mode)


ATTACK = Downgrade()
