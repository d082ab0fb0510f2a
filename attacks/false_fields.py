"""Rogue senders send an access field of the right form and true labels that opens nothing: junk, or of a key of theirs.

  junk   the field of a message key that was drawn at random, beside a text under another
  own    from the attack day on, the field is sealed to a key that the rogues made, in place of each official's

A relay that looks at labels carries it. The law finds keys that open no message, or nothing that its officials can
open. Whoever makes the field again from the text's own key sees another; proofs that everybody can verify show a key
that is not the officials', and do not show which key is sealed.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 3, for rogue applications;
Kaufman, "Differential Workfactor Cryptography", Lotus, 1996, for recipients that make the field again.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Attack, Cast, Turn, first_target
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.silenced import LeftOutChecks
from escrow.crypto import random_bytes
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.policing import field_type
from escrow.e2ee.ratchet import MessageKey
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source

OWN = "one device of a target seals to a key of its own"


class FalseFields(Attack):
    """Corrupt one device of the first warrant's target: its fields hold junk, or are sealed to its own key."""

    name = "false-fields"
    title = "A rogue sender's access fields hold junk, or are sealed to its own key"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "3", "messages")
    in_pages = True
    specimen = "unread_fields"
    stops_mail = True  # the rogue's own, where somebody looks at more than the labels

    def __init__(self, strategy: str = "") -> None:
        """Name the strategy; by default it is junk."""
        self.strategy = strategy

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return junk, and a key of its own where clients have keys of officials."""
        return [FalseFields("one device of a target writes junk"), *([FalseFields(OWN)] if cast.built_in else [])]

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme's fields have labels."""
        return "" if field_type(scheme.device.access_field) else "no access field has labels"

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the device from the first day, if it writes junk; the client of another is only built otherwise."""
        return [] if self.strategy == OWN else [Turn(name, 0) for name in first_target(scenario)]

    def silenced(self, user: str, scheme: Scheme, scenario: Scenario) -> LeftOutChecks | None:
        """Return that the device seals to its own keys, if it does."""
        own = [name for each in scenario.users if each.name == user for name in each.devices]
        only = tuple(name for name in first_target(scenario) if name in own)
        return LeftOutChecks((), other_keys=True, only=only) if self.strategy == OWN and only else None

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device make the field of another key."""
        honest = type(of_kind(party, Device))

        def access_field(self: Any, key: MessageKey, context: FieldContext) -> Any:
            return honest.access_field(self, msgspec.structs.replace(key, value=random_bytes(32)), context)

        return corrupted(party, access_field=access_field)


ATTACK = FalseFields()
