"""Clients take whatever keys the directory lists; in the sound twin they take those exchanged when the users met.

The twin's users hand each other cards with the identity key and a signed prekey of every device, and its clients never
ask the directory for either. A lying directory then changes nothing, and no mail is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
        """Its prekey is on the cards that were handed out: nothing rotates, nothing is published."""

    def look_up(self, wire: Wire, user: str) -> list[Listed]:
        """The devices on the cards."""
        return self.contacts[user]

    def bundle(self, wire: Wire, to: Listed) -> Bundle:
        """The keys on the card."""
        return self.cards[to.device]

    def card(self) -> Bundle:
        """What this device's user hands to others; the prekey is made now."""
        with crypto.acting(self.name):
            self.prekeys = [Prekey(new_private(), 0)]
        prekey = self.prekeys[0].key.public
        return Bundle(self.identity.public, prekey, sign_prekey(self.identity, prekey))


class Trusting(Plain, frozen=True, kw_only=True):
    name = "trusting"
    title = "Specimen: clients take the directory's word for keys"
    source = OURS


class Acquainted(Trusting, frozen=True, kw_only=True):
    name = "acquainted"
    title = "Twin: clients take keys from cards, exchanged in person"
    device = CardDevice

    def cast(self, users: Iterable[User], court: bytes) -> Iterator[Principal]:
        parties = list(super().cast(users, court))
        devices = [party for party in parties if isinstance(party, CardDevice)]
        cards = {each.name: each.card() for each in devices}
        for each in devices:
            each.cards = dict(cards)
            for other in devices:
                listed = Listed(other.user, other.name, other.identity.public)
                each.contacts.setdefault(other.user, []).append(listed)
        return iter(parties)


SPECIMEN, TWIN = Trusting(), Acquainted()
