"""Rogue senders: a target's client, or everybody's, is replaced by one that leaves the access field out.

  send     mail as always, without a field beside it
  skip     devices that its user did not link, or that appeared among a peer's after the first list: no ghost reads it

A rogue receives like any client, so its peers cannot tell. Whether such mail is carried is the relay's decision, and
whether it is shown the recipients': `escrow-lab reproduce policing-levels` counts what is missed at each level.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 3: a rogue application that
talks to unchanged ones without a valid access field.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from attacks.lab.simulation.attack import MISSED, Attack, Cast, Turn, first_target
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.provider import Listed
from escrow.e2ee.ratchet import MessageKey
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source
from escrow.wire import Wire


class FieldStripping(Attack):
    """Corrupt users' devices, `rogues`: they send no access field, and nothing to unexpected devices."""

    name = "field-stripping"
    title = "Rogue senders strip the access field"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "3", "messages")
    in_pages = True
    column = MISSED
    specimen = "unpoliced_relay"
    stops_mail = True  # the rogue's own, where the relay refuses it

    def __init__(self, strategy: str = "", rogues: Sequence[str] = ()) -> None:
        """Name the strategy and its rogue devices, or leave both to `strategies`."""
        self.strategy, self.rogues = strategy, tuple(rogues)

    def strategies(self, cast: Cast, scenario: Scenario) -> Sequence[Attack]:
        """Return one device of one target, all devices of all targets, all devices."""
        named = {
            "by one device of one target": first_target(scenario),
            "by all devices of the targets": list(scenario.devices_of(scenario.targets)),
            "by all clients": list(scenario.devices),
        }
        different = {tuple(rogues): name for name, rogues in reversed(named.items())}
        return [FieldStripping(name, rogues) for rogues, name in reversed(different.items())]

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme has a lawful access to evade."""
        return "no lawful access to evade" if scheme.claim.access == "none" else ""

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt these devices, by default the first of the first warrant's target, from the first day."""
        return [Turn(name, 0) for name in self.rogues or first_target(scenario)]

    def corrupt(self, party: Principal, scheme: Scheme, cast: Cast, scenario: Scenario) -> Principal:
        """Let the device leave out the access field, and skip devices that it has no reason to trust."""
        honest = type(of_kind(party, Device))

        def access_field(self: Any, key: MessageKey, context: FieldContext) -> None:
            """Send no field beside the ciphertext."""

        def look_up(self: Any, wire: Wire, user: str) -> list[Listed]:
            known = self.contacts.get(user)
            listed = honest.look_up(self, wire, user)
            if user == self.user:
                listed = [device for device in listed if device.identity in self.linked]
            elif known is not None:
                listed = [device for device in listed if device in known]
            self.contacts[user] = listed
            return listed

        return corrupted(party, access_field=access_field, look_up=look_up)


ATTACK = FieldStripping()
