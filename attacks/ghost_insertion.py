"""An insider at the provider adds their own device to those of a bystander, without any warrant.

  insert   the directory lists g, with the insider's keys, among the devices of a user that no warrant names
  send     others' clients encrypt to g as to any device: all that the user receives from then on
  read     g never answers and collects nothing: its keys open what the network heard

An honest client that shows new devices gives its user a notice; only one that was built to keep quiet does not.
Source: Prevelakis and Spinellis, "The Athens Affair", IEEE Spectrum 44(7), 2007: a provider's own means of
interception, used by an insider against people who were not suspects; Levy and Robinson (2018) for the means.
"""

from collections.abc import Iterable
from typing import Any

from attacks.lab.simulation.attack import Attack, Cast, Column, Turn, attacker_device, entry_of
from attacks.lab.simulation.scenario import Scenario
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source, User


class GhostInsertion(Attack):
    """Corrupt the provider: it lists a device of the insider among those of a user without a warrant."""

    name = "ghost-insertion"
    title = "A provider's insider adds a silent device, without a warrant"
    source = Source("Prevelakis and Spinellis", "The Athens Affair", 2007, "all", "messages")
    in_pages = True
    column = Column(5, "insider", "exposed.total")
    specimen = "trusting"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the provider from the attack day on."""
        return [Turn("provider", scenario.attack_day)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Add the insider's device to the directory and keep its keys in the provider's state."""
        victim = bystander(scenario)
        ghost = attacker_device(f"{victim.name}-tablet", victim.name, scheme.device, scheme.committing)
        ghosts = list[scheme.device]  # type: ignore[name-defined]  # the scheme's own class
        provider: Any = corrupted(party, {"ghosts": ghosts})
        provider.ghosts.append(ghost)
        provider.accounts[ghost.name] = victim.name
        provider.directory[ghost.name] = entry_of(ghost, scheme.provider)
        return provider  # type: ignore[no-any-return]  # what `corrupted` made of the provider


def bystander(scenario: Scenario) -> User:
    """Return the first user that no warrant names; if every user is named, the first."""
    targets = {warrant.target for warrant in scenario.warrants}
    return next((user for user in scenario.users if user.name not in targets), scenario.users[0])


ATTACK = GhostInsertion()
