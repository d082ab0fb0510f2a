"""Leaves are put into groups of MLS, with and without the service that attests keys.

  list       the provider lists a device among a user's, and the credential service attests its key to the user:
             clients add it as any new device's; from a day on, or before there is any group
  external   the provider joins by external commits, one for each group of the user, and again whenever it is removed

The provider alone adds nobody whom a client believes. What a leaf changes is in every member's tree: which client tells
its user, and which refuses, is the scheme's.
Source: Barnes and others, "The Messaging Layer Security (MLS) Protocol", RFC 9420, 2023, sections 12.4.3.2 and 16.10.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from attacks.ghost_insertion import GhostInsertion, bystander, keeping_ghosts
from attacks.lab.simulation.attack import Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.mls.conversations.attesting import SERVICE, AttestationService
from escrow.mls.conversations.delivery import HandshakeTaken, HandshakeTold, TreeProvider
from escrow.mls.conversations.tree_device import joined_by_itself
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source
from escrow.wire import Wire


class LeafInsertion(GhostInsertion):
    """Corrupt the provider, and the credential service unless it is spared: a leaf for each victim.

    `day` is the day of the corruption (-1: the attack day); `external` leaves join by themselves.
    """

    name = "leaf-insertion"
    title = "Leaves are put into groups of MLS"
    source = Source("Barnes and others", "The Messaging Layer Security (MLS) Protocol", 2023, "16.10", "messages")
    column = None
    specimen = "unattested_leaves"
    stops_mail = True  # a client that refuses a commit leaves the group

    def __init__(
        self,
        strategy: str = "",
        victims: Sequence[str] = (),
        day: int = -1,
        external: bool = False,
        alone: bool = False,
    ) -> None:
        """Name the strategy, its victims and how it goes on, or leave all to `strategies`."""
        super().__init__(strategy, victims)
        self.day, self.external, self.alone = day, external, alone

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless conversations are groups of MLS."""
        return "" if issubclass(scheme.provider, TreeProvider) else "conversations are no groups of MLS"

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return leaves of the provider alone, then with the service: external, listed, and listed from the start."""
        one, every = [bystander(scenario).name], [user.name for user in scenario.users]
        return [
            LeafInsertion("external commits by the provider alone", one, external=True, alone=True),
            LeafInsertion("external commits under an attested key", one, external=True),
            LeafInsertion("an attested device", one),
            LeafInsertion("attested devices for everybody, from the start", every, day=0),
        ]

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the provider from that day on, and the service beside it."""
        day = scenario.attack_day if self.day < 0 else self.day
        return [Turn("provider", day), *(() if self.alone else (Turn(SERVICE, day),))]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the service attest any key to anybody, and the provider add leaves."""
        if isinstance(party, AttestationService):
            return corrupted(party, attests=lambda self, user, key: True)
        if not self.external:
            return super().corrupt(party, scheme, cast, scenario)
        honest = type(of_kind(party, TreeProvider))

        def on_handshake_told(self: Any, sender: str, packet: HandshakeTold, wire: Wire) -> HandshakeTaken:
            taken: HandshakeTaken = honest.on_handshake_told(self, sender, packet, wire)
            people = self.people_of(packet.conversation)
            for ghost in self.ghosts:
                if ghost.user in people and sender != ghost.name:
                    told = joined_by_itself(ghost, packet, wire.day)
                    honest.on_handshake_told(self, ghost.name, told, wire)
            return taken

        provider, ghosts = keeping_ghosts(party, self.victims, scheme, on_handshake_told=on_handshake_told)
        provider.accounts |= {ghost.name: ghost.user for ghost in ghosts}
        return provider


ATTACK = LeafInsertion()
