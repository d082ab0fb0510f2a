"""The relay carries texts of any length; in the sound twin no text has room for a ciphertext with its keys beside it.

The law believes what a recipient gave a receipt for, so that mail which the relay refuses is no evidence. A program
that hides a ciphertext among as few bytes of language as a text has would pass the twin's relay, too.
"""

from __future__ import annotations

from attacks.specimens.unreceived import Received
from escrow.e2ee.provider import Mail, Provider
from escrow.wire import Wire

ROOM = 200  # bytes of a mail: a ratchet's header, a conversation's names, a text of 32 bytes, a tag


class ShortMailRelay(Provider):
    """A relay that carries short texts only. Mail without a field carries keys, which clients make."""

    def on_mail(self, sender: str, packet: Mail, wire: Wire) -> None:
        """Refuse a text that is too long."""
        self.insist(not packet.field or len(packet.body) <= ROOM, f"{sender} sends a short text")
        super().on_mail(sender, packet, wire)


class AnyContent(Received, frozen=True, kw_only=True):
    """A box with receipts, whose relay carries any text."""

    name = "any-content"
    title = "Specimen: a text may hold anything"


class ShortContent(Received, frozen=True, kw_only=True):
    """A box with receipts, whose relay carries short texts only."""

    name = "short-content"
    title = "Twin: a text has no room for a ciphertext"
    provider = ShortMailRelay


SPECIMEN, TWIN = AnyContent(), ShortContent()
