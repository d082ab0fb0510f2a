"""Rogue senders write false labels into the access field: another day, or the name of somebody who is not there.

  day      dated back by as many days as mail may be late, so that no recipient can tell; or a day that never comes
  people   the name of a warrant's target beside those who write and read: the law opens texts of bystanders

Each field is sealed for its false labels, as an honest one is for true ones. What a warrant covers is missed, or what
none covers is collected. A recipient that knows better tells its user, and names the sender.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 3, for rogue applications. The
labels are this project's.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Turn, drawn
from attacks.lab.simulation.scenario import LATEST, Scenario
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.policing import LATE, field_type
from escrow.e2ee.ratchet import MessageKey
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source

Lie = Callable[[FieldContext, Sequence[str]], FieldContext]


def dated_back(true: FieldContext, targets: Sequence[str]) -> FieldContext:
    """Return the labels with a day that is too early, and not too early to be believed."""
    return msgspec.structs.replace(true, day=max(0, true.day - LATE))


def never(true: FieldContext, targets: Sequence[str]) -> FieldContext:
    """Return the labels with a day that never comes."""
    return msgspec.structs.replace(true, day=LATEST)


def with_target(true: FieldContext, targets: Sequence[str]) -> FieldContext:
    """Return the labels with the name of a warrant's target, unless the conversation is with one."""
    if not targets or not set(targets).isdisjoint(true.people):
        return true
    return msgspec.structs.replace(true, people=(*true.people, targets[0]))


class Mislabelling(Attack):
    """Corrupt devices, `rogues`: in their access fields they write what `lie` makes of the true labels."""

    name = "mislabelling"
    title = "Rogue senders write false labels into the access field"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "3", "messages")
    in_pages = True
    specimen = "believed_labels"
    stops_mail = True  # the rogue's own, where somebody compares the labels

    def __init__(self, strategy: str = "", rogues: Sequence[str] = (), lie: Lie = dated_back) -> None:
        """Name the strategy, its rogue devices and what they write, or leave all to `strategies`."""
        self.strategy, self.rogues, self.lie = strategy, tuple(rogues), lie

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme's fields have labels."""
        return "" if field_type(scheme.device.access_field) else "no access field has labels"

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return mail dated back, then a target's name in bystanders' mail, then a day that never comes in all mail."""
        targets = scenario.targets
        of_targets = scenario.devices_of(targets)
        bystanders = [user.devices for user in scenario.users if user.name not in targets]
        found = [Mislabelling("one device of a target dates back", of_targets[:1])] if targets else []
        if len(of_targets) > 1:
            found.append(Mislabelling("all devices of the targets date back", of_targets))
        if targets and bystanders:
            found.append(Mislabelling("a bystander adds a target's name", drawn(scenario, bystanders), with_target))
        if targets and len(bystanders) > 1:
            every = [name for names in bystanders for name in names]
            found.append(Mislabelling("all bystanders add a target's name", every, with_target))
        return [*found, Mislabelling("all clients write a day that never comes", scenario.devices, never)]

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt these devices, by default those of the narrowest strategy, from the first day."""
        first = scenario.devices_of(scenario.targets)[:1]
        return [Turn(name, 0) for name in self.rogues or first or scenario.devices]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device make its fields for false labels."""
        honest, lie = type(of_kind(party, Device)), self.lie
        targets = [warrant.target for warrant in scenario.warrants]

        def access_field(self: Any, key: MessageKey, context: FieldContext) -> Any:
            return honest.access_field(self, key, lie(context, targets))

        return corrupted(party, access_field=access_field)


ATTACK = Mislabelling()
