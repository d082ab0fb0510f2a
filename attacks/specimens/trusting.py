"""Clients accept any keys that the directory lists; in the sound twin only those exchanged when the users met.

The twin's users give each other cards with the identity key and a signed prekey of every device, and its clients never
ask the directory for either. A lying directory then has no effect, and no mail is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attacks.specimens import OURS
from escrow import crypto
from escrow.crypto import new_private
from escrow.e2ee import device
from escrow.e2ee.device import Prekey
from escrow.e2ee.provider import Listed
from escrow.e2ee.x3dh import Bundle, sign_prekey
from escrow.principal import Principal
from escrow.scheme import User
from escrow.schemes.plain import Plain
from escrow.wire import Wire


class CardDevice(device.Device):
    """A client that knows its user's contacts from their cards, by device."""

    cards: dict[str, Bundle] = {}

    def each_day(self, wire: Wire) -> None:
        """Do nothing: the prekey is on the cards, so nothing rotates and nothing is published."""

    def look_up(self, wire: Wire, user: str) -> list[Listed]:
        """Return the devices on the cards."""
        return self.contacts[user]

    def bundle(self, wire: Wire, to: Listed) -> Bundle:
        """Return the keys on the card."""
        return self.cards[to.device]

    def card(self) -> Bundle:
        """Return the card that this device's user hands to others, with a prekey made now."""
        with crypto.acting(self.name):
            self.prekeys = [Prekey(new_private(), 0)]
        prekey = self.prekeys[0].key.public
        return Bundle(self.identity.public, prekey, sign_prekey(self.identity, prekey))


class Trusting(Plain, frozen=True, kw_only=True):
    """Plain, whose clients accept any keys that the directory lists."""

    name = "trusting"
    title = "Specimen: clients take the directory's word for keys"
    source = OURS


class Acquainted(Trusting, frozen=True, kw_only=True):
    """Plain, whose clients accept only keys from cards."""

    name = "acquainted"
    title = "Twin: clients take keys from cards, exchanged in person"
    device = CardDevice

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        """Make the parties of plain, and give every device the cards of all."""
        parties = list(super().cast(users, court))
        devices = [party for party in parties if isinstance(party, CardDevice)]
        exchange_cards(devices)
        return iter(parties)


def exchange_cards(devices: Sequence[CardDevice]) -> None:
    """Give every device the cards of all, in person."""
    cards = {each.name: each.card() for each in devices}
    for each in devices:
        each.cards = dict(cards)
        for other in devices:
            listed = Listed(other.user, other.name, other.identity.public)
            each.contacts.setdefault(other.user, []).append(listed)


SPECIMEN, TWIN = Trusting(), Acquainted()
