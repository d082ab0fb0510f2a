"""The labels of a field are what its sender says; in the sound twin the relay looks at the day, recipients at the rest.

The twin's recipients give the authority a receipt for mail whose labels are true, and it believes no other.
"""

from __future__ import annotations

import msgspec

from attacks.lab.simulation.scenario import Scenario
from attacks.specimens import control_scenario
from attacks.specimens._box import BoxScheme
from attacks.specimens.unreceived import Receipt, ReceiptingDevice, Received
from escrow import codec
from escrow.crypto import sha256
from escrow.e2ee.content import Conversation, Direct
from escrow.e2ee.provider import Mail, Provider
from escrow.errors import Malformed
from escrow.schemes.envelope import Envelope, EnvelopeDevice
from escrow.wire import Wire


class ComparingDevice(ReceiptingDevice):
    """A client that gives receipts for mail whose labels are those of the conversation."""

    opening: Mail | None = None

    def receive(self, wire: Wire, mail: Mail) -> None:
        """Open one mail as always."""
        self.opening = mail
        EnvelopeDevice.receive(self, wire, mail)

    def read(self, wire: Wire, author: str, conversation: Conversation, body: bytes) -> None:
        """Show a text, and give a receipt if the field beside it has the author and the people of its conversation."""
        super().read(wire, author, conversation, body)
        if (mail := self.opening) is None:
            return
        try:
            people = codec.decode(mail.field, Envelope).people
        except Malformed:
            return
        if isinstance(conversation, Direct):
            true = {conversation.one, conversation.other}
        else:
            true = set(self.known_groups[conversation.group].members)
        if people[:1] == (author,) and set(people) == true:
            wire.tell(self.name, "authority", Receipt(sha256(mail.body)))


class PunctualRelay(Provider):
    """A relay that carries mail whose field has today as its day."""

    def on_mail(self, sender: str, packet: Mail, wire: Wire) -> None:
        """Refuse mail of another day; what is no field the relay refuses otherwise."""
        if packet.field:
            day = codec.decode(packet.field, Envelope).day
            self.insist(day == wire.day, f"the access field of {sender} is of today")
        super().on_mail(sender, packet, wire)


class BelievedLabels(BoxScheme, frozen=True, kw_only=True):
    """A box whose authority believes the labels of every field."""

    name = "believed-labels"
    title = "Specimen: labels are what the sender says"


class ComparedLabels(Received, frozen=True, kw_only=True):
    """A box whose labels are compared before the authority believes them."""

    name = "compared-labels"
    title = "Twin: labels count if relay and recipient find them true"
    device = ComparingDevice
    provider = PunctualRelay


SPECIMEN, TWIN = BelievedLabels(), ComparedLabels()
SCENARIO: Scenario = msgspec.structs.replace(control_scenario(), late_percent=0)  # late mail is not of today
