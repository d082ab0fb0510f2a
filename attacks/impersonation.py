"""Two users' phones, or everybody's, are copied once; then the provider sits between the owners with their own keys.

  take     the states of both users' devices, on one evening
  relay    A -> B: the copy of B's device opens the mail, that of A's seals its content to the true B; next morning on
  list     new sessions begin with the copies' prekeys, under the true identity keys

No key changes, so that no client notices, and safety numbers agree. After a theft a passive listener is shaken off as
soon as both sides have made new keys; this attacker makes them with both. What a copy cannot open is passed on as it
came.
Source: Marlinspike and Perrin, "The X3DH Key Agreement Protocol", revision 1, 2016, section 4.6 (key compromise).
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from attacks.lab.simulation.attack import Attack, Cast, Corruption, Turn, Use
from attacks.lab.simulation.scenario import Scenario
from attacks.prekey_substitution import PrekeySubstitution
from escrow.e2ee.provider import Provider
from escrow.principal import Principal
from escrow.scheme import Scheme, Source


class Impersonation(PrekeySubstitution):
    """Seize the devices of users on one evening, and let the provider use them from the next day on."""

    name = "impersonation"
    title = "Stolen phones are played with, by the provider in the middle"
    source = Source("Marlinspike and Perrin", "The X3DH Key Agreement Protocol", 2016, "4.6", "messages")
    in_pages = True
    column = None
    specimen = "lasting_keys"

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return "": every scheme has devices and a provider."""
        return ""

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return the phones of one pair, and of everybody."""
        every = list(combinations([user.name for user in scenario.users], 2))
        named = {"the phones of one pair": self.sits_between(scenario), "everybody's phones": every}
        return [Impersonation(name, pairs) for name, pairs in named.items()]

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Corruption]:
        """Take these users' devices on one evening, and corrupt the provider on the next morning if there is one."""
        evening = theft(scenario)
        owners = {name for pair in self.sits_between(scenario) for name in pair}
        stolen = [Use(name, evening) for name in scenario.devices_of(owners)]
        return [*stolen, *(Turn("provider", day) for day in (evening + 1,) if day < scenario.days)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the provider relay as in the middle; the copies of devices do nothing by themselves."""
        if not isinstance(party, Provider):
            return Attack.corrupt(self, party, scheme, cast, scenario)
        provider: Any = super().corrupt(party, scheme, cast, scenario)
        provider.puppets = []
        return provider  # type: ignore[no-any-return]  # what `corrupted` made of the provider

    def receive(self, party: Any, stolen: Sequence[Principal], scheme: Scheme) -> None:
        """Give the provider the copies, which take the place of the puppets."""
        party.puppets = list(stolen)


def theft(scenario: Scenario) -> int:
    """Return the evening of the theft: the attack day, but early enough that a day is left."""
    return max(0, min(scenario.attack_day, scenario.days - 2))


ATTACK = Impersonation()
