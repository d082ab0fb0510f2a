"""Whoever changed the source of the clients, as a principal after the play, with the keys that were built in.

Source: Checkoway et al., "A Systematic Analysis of the Juniper Dual EC Incident", CCS 2016: a constant of a product was
changed in 2012 to one whose secret the intruder had, and nobody saw it for three years.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Apparatus
from attacks.lab.simulation.builds.other_keys import (
    NOBODYS,
    built_in,
    exchanged,
    groups_in,
    official_keys,
    other_key,
)
from attacks.lab.simulation.quantum import with_keys
from escrow.codec import Fact
from escrow.crypto import Private
from escrow.e2ee.device import Device
from escrow.principal import Principal
from escrow.sharing.bls import BlsGroup, BlsKey
from escrow.sharing.elgamal import EscrowGroup, EscrowKey
from escrow.sharing.epochs import Sharing, WholeKey
from escrow.sharing.named_group import NamedGroup
from escrow.wire import Heard

WHOLE: dict[type[Fact], Any] = {EscrowGroup: EscrowKey, BlsGroup: BlsKey, Sharing: WholeKey}  # a group's whole key
INTRUDER = "intruder"  # stands where a principal's name does


class Intruder(Principal):
    """Whoever changed the clients' source; what it has is added as a field `keys`, of the kinds of key of the play."""


class IntruderApparatus(Apparatus):
    """Looks for the officials' public keys in the clients, and becomes the intruder with the keys that replace them."""

    def finished(self, packets: Iterable[Heard], parties: Iterable[Principal]) -> Intruder:
        """Return the intruder, with a key in place of each that clients have, or one for leaks if they have none."""
        parties = list(parties)
        devices = [party for party in parties if isinstance(party, Device)]
        known = frozenset[bytes]().union(*(built_in(device, parties) for device in devices))
        others = {public: other_key(public) for public in known}
        there = {public: other.public for public, other in others.items()}
        found: dict[Fact, None] = {}
        for fact in official_keys(parties):
            if fact.public in known:
                found[msgspec.structs.replace(exchanged(fact, there), raw=others[fact.public].raw)] = None
        for group in (each for device in devices for each in groups_in(device)):
            if kind := WHOLE.get(type(group)):
                other = exchanged(group, there)
                named = other.name if isinstance(other, NamedGroup) else other.key
                found[kind(named, others[group.key].raw)] = None
        if not known:
            found[Private(*other_key(NOBODYS))] = None
        return with_keys(Intruder, INTRUDER, list(found))
