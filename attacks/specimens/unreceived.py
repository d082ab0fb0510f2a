"""The authority takes whatever a field opens for a text; in the sound twin, only what a recipient says it was shown.

The twin's clients tell the authority the hash of each mail that they open; its relay carries no mail without a field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attacks.specimens._box import BoxScheme, SpareAuthority
from escrow.codec import Packet, Public
from escrow.crypto import sha256
from escrow.e2ee.policing import Policing
from escrow.e2ee.provider import Mail
from escrow.principal import shared
from escrow.scheme import Intercept
from escrow.schemes.envelope import EnvelopeDevice
from escrow.warrant import Authority, Warrant
from escrow.wire import Wire


class Receipt(Packet, frozen=True):
    """SHA-256 (32 bytes) of the ciphertext of a mail that the sender of this receipt opened."""

    mail: Public


class ReceiptedAuthority(SpareAuthority):
    """An authority that keeps receipts: who opened which mail."""

    receipts: list[tuple[str, Public]] = []

    @shared("every client says what it was shown")
    def on_receipt(self, sender: str, packet: Receipt, wire: Wire) -> None:
        """Keep a receipt."""
        self.receipts.append((sender, packet.mail))


class ReceiptingDevice(EnvelopeDevice):
    """A client that tells the authority which mail it opened."""

    def receive(self, wire: Wire, mail: Mail) -> None:
        """Open one mail as always, and give a receipt for it."""
        super().receive(wire, mail)
        wire.tell(self.name, "authority", Receipt(sha256(mail.body)))


class Unreceived(BoxScheme, frozen=True, kw_only=True):
    """A box whose authority believes every text that a field opens."""

    name = "unreceived"
    title = "Specimen: what a field opens counts as said"


class Received(BoxScheme, frozen=True, kw_only=True):
    """A box whose authority believes a text for which a recipient gave a receipt."""

    name = "received"
    title = "Twin: a text counts if a recipient says that it was shown"
    device = ReceiptingDevice
    authority = ReceiptedAuthority
    policing: Policing = "relay"

    def access(
        self, authority: Authority, wire: Wire, warrant: Warrant, intercepted: Sequence[Intercept]
    ) -> Iterator[bytes]:
        """Yield the texts of mail that some recipient of it opened."""
        receipts = set(getattr(authority, "receipts", ()))
        believed = [
            each
            for each in intercepted
            if any((name, sha256(each.mail.body)) in receipts for name in each.mail.recipients)
        ]
        return super().access(authority, wire, warrant, believed)


SPECIMEN, TWIN = Unreceived(), Received()
