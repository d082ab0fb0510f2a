"""Clients take whatever keys the directory lists; in the sound twin users meet every morning and make new keys.

Whoever copies a phone has its keys of that day. Where these last, they can be used; where they are replaced in person,
nobody believes them on the next day.
"""

from __future__ import annotations

from attacks.lab.simulation.scenario import Scenario, WarrantSpec
from attacks.specimens.trusting import Acquainted, CardDevice, Trusting, exchange_cards
from escrow import crypto
from escrow.e2ee.x3dh import IdentityKey
from escrow.scheme import User
from escrow.wire import Wire


class LastingKeys(Trusting, frozen=True, kw_only=True):
    """Plain, whose identity keys last."""

    name = "lasting-keys"
    title = "Specimen: identity keys last"


class DailyKeys(Acquainted, frozen=True, kw_only=True):
    """Plain, whose users make all keys anew every morning, in person."""

    name = "daily-keys"
    title = "Twin: users meet every morning and make new keys"

    def each_day(self, wire: Wire, day: int) -> None:
        """Let the users make new keys, forget their sessions, and exchange cards."""
        devices = [party for party in wire.parties.values() if isinstance(party, CardDevice)] if day else []
        for each in devices:
            with crypto.acting(each.name):
                each.identity = crypto.new_signing_key(IdentityKey)
            each.sessions, each.contacts = {}, {}
        for each in devices:
            each.linked = [other.identity.public for other in devices if other.user == each.user]
        exchange_cards(devices)


SPECIMEN, TWIN = LastingKeys(), DailyKeys()
SCENARIO = Scenario(  # one device each, which write to and fro: a theft is soon healed for who only listens
    days=5,
    messages=120,
    users=tuple(User(name, (f"{name}-phone",)) for name in ("alice", "bob", "carol")),
    warrants=(WarrantSpec("bob", 0, 4, 0, 4),),
    late_percent=0,
    attack_day=1,
).check()
