"""A rogue sender: a target's client is replaced by one that leaves the access field out.

  send     mail as always, without a field beside it
  skip     devices that its user did not link, or that appeared among a peer's after the first list: no ghost reads it

It receives like any client, so its peers cannot tell. Whether such mail is carried is the relay's decision.
Source: Blaze, "Protocol Failure in the Escrowed Encryption Standard", CCS '94, section 3: a rogue application that
talks to unchanged ones without a valid access field.
"""

from collections.abc import Iterable
from typing import Any

from attacks.lab.simulation.attack import MISSED, Attack, Cast, Turn
from attacks.lab.simulation.scenario import Scenario
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.provider import Listed
from escrow.e2ee.ratchet import MessageKey
from escrow.principal import Principal, corrupted, of_kind
from escrow.scheme import Scheme, Source
from escrow.wire import Wire


class FieldStripping(Attack):
    """Corrupt the first target's first device: it sends no access field, and nothing to unexpected devices."""

    name = "field-stripping"
    title = "A rogue sender strips the access field"
    source = Source("Blaze", "Protocol Failure in the Escrowed Encryption Standard", 1994, "3", "messages")
    in_pages = True
    column = MISSED
    specimen = "unpoliced_relay"
    stops_mail = True  # the rogue's own, where the relay refuses it

    def applies(self, scheme: Scheme, cast: Cast) -> str:
        """Return a reason unless the scheme has a lawful access to evade."""
        return "no lawful access to evade" if scheme.claim.access == "none" else ""

    def corruptions(self, cast: Cast, scenario: Scenario) -> Iterable[Turn]:
        """Corrupt the first device of the first warrant's target, from the first day."""
        targets = {warrant.target for warrant in scenario.warrants[:1]}
        return [Turn(user.devices[0], 0) for user in scenario.users if user.name in targets]

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
