"""Two devices with post-quantum prekeys, and the provider between them."""

from __future__ import annotations

from Crypto.PublicKey import MLKEM

from escrow.e2ee.device import new_devices
from escrow.e2ee.pqxdh import PqBundle
from escrow.primitives.kem import KemPrivate
from escrow.schemes.plain_pq import PqDevice, PqProvider
from escrow.wire import Wire


def theirs(key: KemPrivate) -> MLKEM.MLKEMKey:
    """The same key in another implementation."""
    return MLKEM.construct(param_set=MLKEM.ML_KEM_768, seed=key.raw)


# --- the agreement ---


def met(stock: int = 1) -> tuple[Wire, PqDevice, PqDevice, PqProvider]:
    """Two devices that published their keys."""
    (alice,), (bob,) = new_devices(PqDevice, "alice", ["a"]), new_devices(PqDevice, "bob", ["b"], stock=stock)
    provider = PqProvider(name="provider", accounts={"a": "alice", "b": "bob"})
    wire = Wire([alice, bob, provider])
    for device in (alice, bob):
        device.each_day(wire)
    return wire, alice, bob, provider


def bundle_of(provider: PqProvider) -> PqBundle:
    return provider.handed_out(provider.directory["b"])
