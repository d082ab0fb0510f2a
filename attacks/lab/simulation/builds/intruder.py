"""Whoever changed the source of the clients, as a principal after the play, with the keys that were built in.

Source: Checkoway et al., "A Systematic Analysis of the Juniper Dual EC Incident", CCS 2016: a constant of a product was
changed in 2012 to one whose secret the intruder had, and nobody saw it for three years.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from attacks.lab.simulation.attack import Apparatus
from attacks.lab.simulation.builds.other_keys import (
    built_in,
    exchanged,
    intruders_key,
    official_keys,
    other_key,
    own_fields,
)
from attacks.lab.simulation.quantum import with_keys
from escrow.codec import Fact, walk
from escrow.crypto import Private
from escrow.e2ee.device import Device
from escrow.principal import Principal
from escrow.sharing.elgamal import EscrowGroup, EscrowKey
from escrow.sharing.epochs import Sharing, WholeKey
from escrow.wire import Heard

INTRUDER = "intruder"  # stands where a principal's name does


class Intruder(Principal):
    """Whoever changed the clients' source; what it has is added as a field `keys`, of the kinds of key of the play."""


class IntruderApparatus(Apparatus):
    """Looks for the officials' public keys in the clients, and becomes the intruder with the keys that replace them."""

    def finished(self, packets: Iterable[Heard], parties: Iterable[Principal]) -> Intruder:
        """Return the intruder, with a key in place of each that clients have."""
        parties = list(parties)
        devices = [party for party in parties if isinstance(party, Device)]
        known = frozenset[bytes]().union(*(built_in(device, parties) for device in devices))
        there = {public: other_key(public) for public in known}
        found: dict[Fact, None] = {}
        for fact in official_keys(parties):
            if fact.public in known and isinstance(made := intruders_key(fact.public), Private):
                found[msgspec.structs.replace(exchanged(fact, there), raw=made.raw)] = None
        for device in devices:
            for name in own_fields(device):
                for group in walk(getattr(device, name), Fact):
                    if isinstance(group, EscrowGroup | Sharing) and isinstance(made := intruders_key(group.key), tuple):
                        other = exchanged(group, there)
                        key = EscrowKey(other.name, made[1]) if isinstance(group, EscrowGroup) else None
                        found[key or WholeKey(other.key, made[1])] = None
        return with_keys(Intruder, INTRUDER, list(found))
