"""Schemes that put a secret or a promise where it does not belong: of each the closure alone would say nothing."""

from escrow import codec
from escrow.codec import Public
from escrow.e2ee import device
from escrow.errors import Forged
from escrow.schemes import envelope, plain
from escrow.warrant import Request


class Stern(envelope.EnvelopeAgent):
    """An agent that takes the court's signature for mathematics."""

    def on_request(self, sender: str, request: Request, wire):
        if not request.warrant.signed_by(self.key.court):
            raise Forged("the court did not sign this")
        return super().on_request(sender, request, wire)


class SternScheme(envelope.EnvelopeScheme, frozen=True, kw_only=True):
    name = "stern"

    def cast(self, users, court):
        for party in super().cast(users, court):
            yield Stern(party.name, party.key) if isinstance(party, envelope.EnvelopeAgent) else party


class Hoarder(device.Device):
    """A device that keeps the keys of what it sends, and calls them public bytes."""

    used: list[Public] = []

    def access_field(self, key, context):
        self.used.append(codec.encode((context.day, key.value)))


class HoarderScheme(plain.Plain, frozen=True, kw_only=True):
    name = "hoarder"
    device = Hoarder


class Blurter(device.Device):
    """A device that puts the message key beside the message, and calls it public bytes."""

    def access_field(self, key, context):
        return envelope.Envelope(key.chain, key.n, context.people, context.day, b"", b"", key.value)


class BlurterScheme(plain.Plain, frozen=True, kw_only=True):
    name = "blurter"
    device = Blurter
