"""The relay is shown each field before the text is sent, and looks at no key; in the sound twin it knows the agent's.

A client sends no text whose field was refused, so that nobody hears the ciphertext. The law believes what a recipient
gave a receipt for. An intruder that changes more of a client than the key could have it send all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attacks.specimens.unreceived import ReceiptingDevice, Received
from escrow import codec
from escrow.codec import Packet, Public
from escrow.e2ee import ratchet, sessions
from escrow.e2ee.device import FieldContext
from escrow.e2ee.provider import Listed, Mail, Provider
from escrow.principal import Principal
from escrow.scheme import User
from escrow.schemes.envelope import Envelope, EnvelopeDevice
from escrow.wire import Wire


class ShownField(Packet, frozen=True):
    """The access field of a text that a client is about to send."""

    field: Public


class ShowingDevice(ReceiptingDevice):
    """A client that shows the relay the field of a text, and sends the text if the relay takes the field."""

    def mail_to(self, wire: Wire, to: Listed, body: bytes, people: tuple[str, ...] | None) -> None:
        """Send one pairwise ciphertext, as every client does, after its field was shown."""
        conversing = sessions.current(self, wire, to)
        message, key = ratchet.encrypt(conversing.session, body, self.committing)
        field = b""
        if people:
            field = self._field(key, FieldContext(people, wire.day, message.associated + ratchet.header(message)))
            wire.ask(self.name, self.provider, ShownField(field), type(None))
        mail = Mail(self.name, (to.device,), "", conversing.initial, ratchet.pack(message), field)
        wire.tell(self.name, self.provider, mail)


class ShownRelay(Provider):
    """A relay that takes whatever field it is shown."""

    def on_shown(self, sender: str, packet: ShownField, wire: Wire) -> None:
        """Take it."""


class KnowingRelay(ShownRelay):
    """A relay that compares the key of each field with `agent` (32 bytes)."""

    agent: Public = b""

    def on_shown(self, sender: str, packet: ShownField, wire: Wire) -> None:
        """Refuse a field that was made for another agent."""
        self.insist(codec.decode(packet.field, Envelope).agent == self.agent, f"{sender} seals to the agent")


class OtherAgent(Received, frozen=True, kw_only=True):
    """A box with receipts, whose relay looks at no key."""

    name = "other-agent"
    title = "Specimen: the relay looks at no key of a field"
    device = ShowingDevice
    provider = ShownRelay


class KnownAgent(OtherAgent, frozen=True, kw_only=True):
    """A box with receipts, whose relay takes only fields for the agent."""

    name = "known-agent"
    title = "Twin: the relay knows the agent's key"
    provider = KnowingRelay

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of the box, and tell the relay the agent's key."""
        parties = list(super().cast(users, court))
        key = next(party.agent for party in parties if isinstance(party, EnvelopeDevice))
        for party in parties:
            if isinstance(party, KnowingRelay):
                party.agent = key
        yield from parties


SPECIMEN, TWIN = OtherAgent(), KnownAgent()
