"""The officials' public keys in a client, and the intruder's that take their places.

A key is known by its public half: 32 bytes are an X25519 key, 33 a point of P-256, the first commitment of a group of
holders. The intruder's is drawn from it, so that all clients and the intruder have the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from escrow import crypto
from escrow.codec import Fact, walk
from escrow.crypto import Private, new_private, sha256
from escrow.e2ee.device import Device
from escrow.primitives import group as p256
from escrow.principal import Principal
from escrow.sharing.elgamal import EscrowGroup, escrow_group
from escrow.sharing.epochs import Sharing


def own_fields(device: Device) -> tuple[str, ...]:
    """Return the fields that a scheme adds to a device."""
    return tuple(name for name in device.__struct_fields__ if name not in Device.__struct_fields__)


def official_keys(parties: Iterable[Principal]) -> Iterator[Private]:
    """Yield the X25519 key pairs of all parties that are no devices."""
    for party in parties:
        if not isinstance(party, Device):
            yield from (fact for fact in walk(party, Fact) if isinstance(fact, Private))


def group_keys(device: Device) -> Iterator[bytes]:
    """Yield the public keys (33 bytes) of the groups of holders that a client knows."""
    for name in own_fields(device):
        yield from (fact.key for fact in walk(getattr(device, name), Fact) if isinstance(fact, EscrowGroup | Sharing))


def built_in(device: Device, parties: Iterable[Principal]) -> frozenset[bytes]:
    """Return the public keys of officials that a client has among what its scheme adds to a device."""
    officials = {found.public for found in official_keys(parties)}
    found = frozenset(each for name in own_fields(device) for each in _bytes_in(getattr(device, name)))
    return frozenset({*(officials & found), *group_keys(device)})


def _bytes_in(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _bytes_in(getattr(value, name))
    elif isinstance(value, tuple | list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _bytes_in(each)


def intruders_key(public: bytes) -> Private | tuple[bytes, bytes]:
    """Return the intruder's key in place of a public one: an X25519 pair, or a point and its scalar (33, 32 bytes)."""
    with crypto.drawing_from(sha256(b"escrow-lab key in a build", public)):
        if len(public) == 32:
            return new_private()
        scalar = p256.random_scalar()
        return p256.base(scalar), p256.scalar_bytes(scalar)


def other_key(public: bytes) -> bytes:
    """Return the public half of the intruder's key in place of a public one."""
    made = intruders_key(public)
    return made.public if isinstance(made, Private) else made[0]


def exchanged(value: Any, keys: Mapping[bytes, bytes]) -> Any:
    """Return a value in which each public key of `keys` is another; the value itself if there is none."""
    if isinstance(value, bytes):
        return keys.get(value, value)
    if isinstance(value, EscrowGroup):
        return value if value.key not in keys else escrow_group(value.n, exchanged(value.commitments, keys))
    if isinstance(value, msgspec.Struct):
        old = {name: getattr(value, name) for name in value.__struct_fields__}
        new = {name: exchanged(each, keys) for name, each in old.items()}
        same = all(new[name] is old[name] for name in old)
        return value if same else type(value)(**new)
    if isinstance(value, tuple | list):
        made = [exchanged(each, keys) for each in value]
        same = all(one is other for one, other in zip(made, value, strict=True))
        return value if same else type(value)(made)
    if isinstance(value, dict):
        return {name: exchanged(each, keys) for name, each in value.items()}
    return value
