"""For study; not for protecting anyone.

The library of the escrow lab: plain end-to-end encryption, and lawful-access schemes as deltas on it.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_MOVED = {"group", "hpke", "kem", "skipjack"}


def __getattr__(name: str) -> Any:
    if name in _MOVED:
        return import_module(f"escrow.primitives.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
