"""Somebody breaks into the vendor's house, and the clients are built with another escrow key than the officials'.

  update   from the attack day on the clients of one user, or of everybody, make access fields to the intruder's keys,
           each in place of one of the officials'; in all else they are as they were
  read     the intruder opens these fields, with no warrant and no official; the officials open none of them

Plain's clients have no such key. There the same break-in makes clients send each message key to the intruder in a place
that packets have and leave empty: it opens the same texts, and nobody is told either. So what is opened counts as in
plain, and what counts against an escrow is what its own law misses. That a changed key leaves packets as they were, and
a leak does not, is no part of the verdict.

No client tells: the build is the vendor's word. A relay that knows the true key sees another in the field; so does a
recipient whose own client was not changed, where recipients make fields again.
Source: Checkoway et al., "A Systematic Analysis of the Juniper Dual EC Incident", CCS 2016: one constant was changed in
2012 and found in 2015. That what is changed is an escrow's key, and the keys' places, are ours.
"""

from collections.abc import Iterable, Sequence

from attacks.ghost_insertion import bystander
from attacks.lab.simulation.attack import Attack, Cast, Seize
from attacks.lab.simulation.builds.intruder import INTRUDER, IntruderApparatus
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.silenced import LeftOutChecks
from escrow.scheme import Scheme, Source
from escrow.schemes.envelope import open_field


class KeyInBuild(Attack):
    """Have clients of some users, by default all, seal to an intruder's keys in place of the officials'."""

    name = "key-in-build"
    title = "Clients are built with an intruder's key in place of the escrow's"
    source = Source("Checkoway et al.", "A Systematic Analysis of the Juniper Dual EC Incident", 2016, "3", "messages")
    in_pages = True
    specimen = "other_agent"
    apparatus = IntruderApparatus
    derivations = (open_field,)  # what LeakInBuild needs in plain
    stops_mail = True  # the changed clients', where somebody looks at the key

    def __init__(self, strategy: str = "", users: Sequence[str] = ()) -> None:
        """Name the strategy and the users whose clients are changed, or leave both to `strategies`."""
        self.strategy, self.users = strategy, tuple(users)

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return a changed build for the clients of one user whom no warrant names, and one for all."""
        one = bystander(scenario).name
        return [
            KeyInBuild("in the clients of one user", [one]),
            KeyInBuild("in all clients", [user.name for user in scenario.users]),
        ]

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return "", or that clients have no such key of an official."""
        return "" if cast.built_in else "clients have no public key of an official that could be another"

    def in_plain(self) -> Attack | None:
        """Return the same break-in where clients have no such key."""
        return LeakInBuild(self.strategy, self.users)

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Seize]:
        """Take the intruder's keys on the last evening; corrupt no party."""
        return [Seize(INTRUDER, scenario.days - 1)]

    def silenced(self, user: str, scheme: Scheme, scenario: Scenario) -> LeftOutChecks | None:
        """Return that clients seal to other keys, where they are changed."""
        return LeftOutChecks((), other_keys=True) if not self.users or user in self.users else None


class LeakInBuild(KeyInBuild):
    """Have clients of some users send their message keys to an intruder, where a scheme has no access field."""

    name = "leak-in-build"
    title = "Clients are built to send their keys to an intruder"

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return ""; it stands for KeyInBuild in plain."""
        return ""

    def in_plain(self) -> Attack | None:
        """Return nothing: it is the attack in plain."""
        return None

    def silenced(self, user: str, scheme: Scheme, scenario: Scenario) -> LeftOutChecks | None:
        """Return that clients leak, where they are changed."""
        return LeftOutChecks((), leaks=True) if not self.users or user in self.users else None


ATTACK = KeyInBuild()
