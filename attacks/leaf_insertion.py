"""Leaves are put into groups of MLS, with and without the service that attests keys.

  list       the provider lists a device among a user's, and the credential service attests its key to the user:
             clients add it as any new device's; from a day on, or before there is any group
  external   the provider joins by external commits, one for each group of the user, and again whenever it is removed
  propose    the provider proposes the leaf to whoever writes next, as an external sender, if groups list it as one

The provider alone adds nobody whom a client believes. What a leaf changes is in every member's tree: which client tells
its user, and which refuses, is the scheme's.
Source: Barnes and others, "The Messaging Layer Security (MLS) Protocol", RFC 9420, 2023, sections
12.1.8, 12.4.3.2 and 16.10.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from attacks.ghost_insertion import GhostInsertion, bystander, keeping_ghosts
from attacks.lab.simulation.attack import Attack, Cast, Turn, entry_of
from attacks.lab.simulation.scenario import Scenario
from escrow.crypto import new_signing_key
from escrow.mls.conversations.attesting import SERVICE, AttestationService
from escrow.mls.conversations.delivery import HandshakeTaken, HandshakeTold, TreeProvider
from escrow.mls.conversations.outsiders import ProposerKey, is_member, propose
from escrow.mls.conversations.tree_device import joined_by_itself
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source
from escrow.wire import Wire


class LeafInsertion(GhostInsertion):
    """Corrupt the provider, and the credential service unless it is spared: a leaf for each victim.

    `day` is the day of the corruption (-1: the attack day); leaves are listed, join by themselves, or are proposed.
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
        way: Literal["list", "external", "propose"] = "list",
        alone: bool = False,
    ) -> None:
        """Name the strategy, its victims and how it goes on, or leave all to `strategies`."""
        super().__init__(strategy, victims)
        self.day, self.way, self.alone = day, way, alone

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless conversations are groups of MLS."""
        return "" if issubclass(scheme.provider, TreeProvider) else "conversations are no groups of MLS"

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return leaves of the provider alone, then with the service: by each way, and listed from the start."""
        one, every = [bystander(scenario).name], [user.name for user in scenario.users]
        return [
            LeafInsertion("external commits by the provider alone", one, way="external", alone=True),
            LeafInsertion("external commits under an attested key", one, way="external"),
            LeafInsertion("a proposal of the provider under an attested key", one, way="propose"),
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
        if self.way == "list":
            return super().corrupt(party, scheme, cast, scenario)
        honest = type(of_kind(party, TreeProvider))

        def on_handshake_told(self: Any, sender: str, packet: HandshakeTold, wire: Wire) -> HandshakeTaken:
            taken: HandshakeTaken = honest.on_handshake_told(self, sender, packet, wire)
            people = self.people_of(packet.conversation)
            for ghost in self.ghosts:
                if ghost.user in people and not is_member(packet, ghost.identity.public):
                    told = joined_by_itself(ghost, packet, wire.day)
                    honest.on_handshake_told(self, ghost.name, told, wire)
            return taken

        key = getattr(party, "proposer", None) or new_signing_key(ProposerKey)

        def proposed(self: Any, newest: HandshakeTold) -> tuple[bytes, ...]:
            people = self.people_of(newest.conversation)
            return tuple(
                proposal
                for ghost in self.ghosts
                if ghost.user in people
                for proposal in propose(key, newest, ghost.client_of(ghost.prekeys[-1].key).package)
            )

        methods: dict[str, Any] = {"on_handshake_told": on_handshake_told}
        if self.way == "propose":
            methods = {"proposed": proposed}
        provider, ghosts = keeping_ghosts(party, self.victims, scheme, scenario, **methods)
        for ghost in ghosts:
            provider.add(ghost.name, entry_of(ghost, scheme.provider))  # so that clients hide it, if its word is enough
            del provider.directory[ghost.name]
        return provider


ATTACK = LeafInsertion()
