"""The officials' public keys in a client, and the intruder's that take their places.

A key is known by its public half: 32 bytes are an X25519 key, 33 a point of P-256, 65 the same uncompressed, 96 a point
of BLS12-381, 1216 an X-Wing key; points are also the first commitments of groups of holders. The intruder's is drawn
from it, so that all clients and the intruder have the same one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from escrow import crypto
from escrow.codec import Fact, walk
from escrow.crypto import Private, new_private, sha256
from escrow.e2ee.device import Device
from escrow.primitives import bls12_381, xwing
from escrow.primitives import group as p256
from escrow.primitives.hpke import PrivateP256, new_private_p256
from escrow.primitives.xwing import XWingPrivate
from escrow.principal import Principal
from escrow.sharing.epochs import Sharing
from escrow.sharing.named_group import NamedGroup

KeyPair = Private | PrivateP256 | XWingPrivate
NOBODYS = bytes(32)  # in place of this key the intruder has its own, where no client has a key of officials


class OtherKey(NamedTuple):
    """A public key of the intruder, and its private half: a scalar or a seed of 32 bytes."""

    public: bytes
    raw: bytes


def own_fields(device: Device) -> tuple[str, ...]:
    """Return the fields that a scheme adds to a device."""
    return tuple(name for name in device.__struct_fields__ if name not in Device.__struct_fields__)


def official_keys(parties: Iterable[Principal]) -> Iterator[KeyPair]:
    """Yield the key pairs of all parties that are no devices."""
    for party in parties:
        if not isinstance(party, Device):
            yield from (fact for fact in walk(party, Fact) if isinstance(fact, KeyPair))


def groups_in(device: Device) -> Iterator[NamedGroup | Sharing]:
    """Yield the groups of holders that a client knows."""
    for name in own_fields(device):
        yield from (fact for fact in walk(getattr(device, name), Fact) if isinstance(fact, NamedGroup | Sharing))


def built_in(device: Device, parties: Iterable[Principal]) -> frozenset[bytes]:
    """Return the public keys of officials that a client has among what its scheme adds to a device."""
    officials = {found.public for found in official_keys(parties)}
    found = frozenset(each for name in own_fields(device) for each in _bytes_in(getattr(device, name)))
    return frozenset({*(officials & found), *(group.key for group in groups_in(device))})


def _bytes_in(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _bytes_in(getattr(value, name))
    elif isinstance(value, tuple | list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _bytes_in(each)


def other_key(public: bytes) -> OtherKey:
    """Return the intruder's key in place of a public one, of the same kind. Raise ValueError for another length."""
    with crypto.drawing_from(sha256(b"escrow-lab key in a build", public)):
        match len(public):
            case 32:
                return _halves(new_private())
            case 65:
                return _halves(new_private_p256())
            case xwing.PUBLIC:
                return _halves(xwing.new_private())
            case 33:
                scalar = p256.random_scalar()
                return OtherKey(p256.base(scalar), p256.scalar_bytes(scalar))
            case bls12_381.G2:
                (scalar,) = bls12_381.random_scalars(1)
                return OtherKey(bls12_381.base_two(scalar), bls12_381.scalar_bytes(scalar))
    raise ValueError(f"a public key of {len(public)} bytes is of no kind that is known here")


def _halves(made: KeyPair) -> OtherKey:
    return OtherKey(made.public, made.raw)


def exchanged(value: Any, keys: Mapping[bytes, bytes]) -> Any:
    """Return a value in which each public key of `keys` is another; the value itself if there is none."""
    if isinstance(value, bytes):
        return keys.get(value, value)
    if isinstance(value, NamedGroup):
        return value if value.key not in keys else type(value).under(value.n, exchanged(value.commitments, keys))
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
