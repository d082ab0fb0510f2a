"""An insider at the provider adds devices of their own to those of users, without any warrant.

  insert   the directory lists g, with the insider's keys, among the devices of a user; as the provider lists a device
           under a warrant, if it has a way to do that
  send     others' clients encrypt to g as to any device: all that the user receives from then on
  read     g never answers and collects nothing: its keys open what the network heard

The victims are one user that no warrant names, all such users, or everybody. An honest client that shows new devices
gives its user a notice; only one that was built to keep quiet does not.
Source: Prevelakis and Spinellis, "The Athens Affair", IEEE Spectrum 44(7), 2007: a provider's own means of
interception, used by an insider against people who were not suspects; Levy and Robinson (2018) for the means.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from attacks.lab.simulation.attack import PROVIDER, Attack, Cast, Column, Turn, attacker_device, drawn, entry_of
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Provider
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source, User


class GhostInsertion(Attack):
    """Corrupt the provider: it lists a device of the insider among those of each victim."""

    name = "ghost-insertion"
    title = "A provider's insider adds silent devices, without a warrant"
    source = Source("Prevelakis and Spinellis", "The Athens Affair", 2007, "all", "messages")
    in_pages = True
    column: ClassVar[Column | tuple[Column, ...] | None] = PROVIDER
    specimen = "trusting"

    def __init__(self, strategy: str = "", victims: Sequence[str] = ()) -> None:
        """Name the strategy and its victims, or leave both to `strategies`."""
        self.strategy, self.victims = strategy, tuple(victims)

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return a device for one bystander, for every bystander, for everybody."""
        bystanders, everybody = [user.name for user in bystanders_of(scenario)], [user.name for user in scenario.users]
        wide = {"one ghost device": [bystander(scenario).name]}
        if 1 < len(bystanders) < len(everybody):
            wide["ghost devices for all bystanders"] = bystanders
        wide["ghost devices for everybody"] = everybody
        return [GhostInsertion(name, victims) for name, victims in wide.items()]

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the provider from the attack day on."""
        return [Turn("provider", scenario.attack_day)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Add the insider's devices to the directory and keep their keys in the provider's state."""
        provider, ghosts = keeping_ghosts(party, self.victims, scheme, scenario)
        for ghost in ghosts:
            provider.add(ghost.name, entry_of(ghost, scheme.provider))
        return provider


def keeping_ghosts(
    party: Principal, victims: Iterable[str], scheme: Scheme, scenario: Scenario, **methods: Callable[..., Any]
) -> tuple[Provider, list[Device]]:
    """Return a corrupted provider that keeps a device for each victim, and these devices, which nobody knows yet."""
    kind = list[scheme.device]  # type: ignore[name-defined]  # the scheme's own class
    provider: Any = corrupted(of_kind(party, Provider), {"ghosts": kind}, **methods)
    for each in victims:
        name = scenario.unused(f"{each}-tablet")
        provider.ghosts.append(attacker_device(name, each, scheme.device, scheme.committing))
    return provider, provider.ghosts


def bystander(scenario: Scenario) -> User:
    """Return one of the users that no warrant names, drawn by the seed; if all are named, one of all."""
    return drawn(scenario, bystanders_of(scenario))


def bystanders_of(scenario: Scenario) -> list[User]:
    """Return the users that no warrant names; if every user is named, all."""
    return [user for user in scenario.users if user.name not in scenario.targets] or list(scenario.users)


ATTACK = GhostInsertion()
