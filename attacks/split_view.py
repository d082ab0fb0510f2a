"""The provider keeps two logs: those who write to a victim see the second, in which a device of the insider stands.

  list     g is listed among the victim's devices, to everybody but the victim's own devices
  second   a directory with the same keys and past, and g in the victim's list from the next epoch on
  show     heads and proofs of the second log to everybody but the victim, who finds nothing strange in the first
  read     g's keys open what the network heard

Each log is consistent in itself. Only clients that compare their head with one of the other log notice; the auditor
sees the first log, or the second, by strategy.
Source: Melara and others, "CONIKS: Bringing Key Transparency to End Users", USENIX Security 2015, section 4.3, on
equivocation.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from attacks.ghost_insertion import bystander
from attacks.lab.simulation.attack import Attack, Cast, Turn, attacker_device, entry_of
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.listing.deceiving import (
    FIELDS,
    Deceives,
    Methods,
    forked,
    listing_to_some,
    publishing_without,
    showing_two_logs,
)
from escrow.e2ee.listing.published import ListingProvider
from escrow.principal import Principal, corrupted
from escrow.scheme import Scheme, Source
from escrow.transparency.directory import Kept

AUDITOR = "auditor"


class DirectoryLie(Attack):
    """Base of attacks by a provider that lists a device of its own, and lies about the directory to hide it.

    It lies to everybody but the victim's devices, and to the auditor if `audited`. By itself it only lists the device,
    to the same: that is what the others are in plain, where there is no directory.
    """

    name = "device-listed-to-others"
    title = "The provider lists a device to everybody but its owner"
    source = Source("Melara and others", "CONIKS: Bringing Key Transparency to End Users", 2015, "4", "messages")
    stops_mail = True  # a client that found a lie writes to nobody whose devices it did not know before

    def __init__(self, strategy: str = "", audited: bool = False) -> None:
        """Name the strategy, and say whether the auditor is deceived too."""
        self.strategy, self.audited = strategy, audited

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return "", or that there is no directory to lie about."""
        if type(self) is DirectoryLie or issubclass(scheme.provider, ListingProvider):
            return ""
        return "its provider publishes no key directory"

    def in_plain(self) -> Attack:
        """Return the attack that lists the device, and no more."""
        return DirectoryLie(self.strategy, self.audited)

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the provider from the attack day on."""
        return [Turn("provider", scenario.attack_day)]

    def lies(self, honest: Any, deceives: Deceives) -> Methods:
        """Return the methods of the provider that lie about the directory; `honest` is its class."""
        return {}

    def second(self, kept: Kept) -> list[Kept]:
        """Return the second directory, if there is one."""
        return []

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """List the insider's device to the deceived, and put it into no list that the others see."""
        honest: Any = type(party)
        victim, audited, listing = bystander(scenario).name, self.audited, isinstance(party, ListingProvider)

        def deceives(self: Any, asker: str) -> bool:
            return audited if asker == AUDITOR else self.accounts.get(asker) != victim

        methods = listing_to_some(honest, deceives)
        if listing:
            methods |= {**publishing_without(honest), **self.lies(honest, deceives)}
        fields = {"ghosts": list[scheme.device], **FIELDS}  # type: ignore[name-defined]  # the scheme's own class
        provider: Any = corrupted(party, fields, **methods)
        name = scenario.unused(f"{victim}-tablet")
        ghost = attacker_device(name, victim, scheme.device, scheme.committing)
        provider.ghosts.append(ghost)
        provider.hidden.append(ghost.name)
        provider.add(ghost.name, entry_of(ghost, scheme.provider))
        provider.second = self.second(provider.publishing.kept) if listing else []
        return provider  # type: ignore[no-any-return]  # what `corrupted` made of the provider


class SplitViewAttack(DirectoryLie):
    """Corrupt the provider: it has a second log for those who write to the victim."""

    name = "split-view"
    title = "The provider shows a victim and the writers two logs"
    specimen = "uncompared"

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return the auditor in the first log; and in the second, if there is one."""
        first, second = "the auditor sees the victim's log", "the auditor sees the second log"
        if AUDITOR not in cast.officials:
            return (self,)
        return SplitViewAttack(first), SplitViewAttack(second, audited=True)

    def lies(self, honest: Any, deceives: Deceives) -> Methods:
        """Return the methods that keep and show the second log."""
        return showing_two_logs(honest, deceives)

    def second(self, kept: Kept) -> list[Kept]:
        """Return a directory that goes on from the first."""
        return [forked(kept)]


ATTACK = SplitViewAttack()
