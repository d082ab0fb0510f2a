"""A party is its fields: what `state()` encodes is exactly what a thief gets."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from escrow import codec, crypto
from escrow.errors import Malformed, Refused

if TYPE_CHECKING:
    from escrow.wire import Wire

P = TypeVar("P", bound="Principal")


class Principal(msgspec.Struct, tag=True, array_like=True, forbid_unknown_fields=True):
    """Base of every party. A method `on_…(self, sender, packet, wire)` answers the packet type in its annotation."""

    name: str

    def insist(self, condition: bool, reason: str) -> None:
        """A promise: an honest party refuses where the condition fails; a corrupted one shrugs and goes on."""
        if not condition:
            raise Refused(self.name, reason)

    def insist_all(self, checks: Iterable[tuple[str, bool]]) -> None:
        """Insist on each of an official's checks, in order; the first that fails is the reason."""
        for check, holds in checks:
            self.insist(holds, check)

    def answer(self, sender: str, request: bytes, wire: Wire) -> bytes:
        """The encoded answer to an encoded packet. Raises one of the four errors of escrow.errors."""
        handlers = _handlers(type(self))
        if not handlers:
            raise Malformed(f"{self.name} answers no packets")
        packet = codec.decode_any(request, frozenset(handlers))
        with crypto.acting(self.name):
            return codec.encode(handlers[type(packet)](self, sender, packet, wire))

    def state(self) -> bytes:
        """All that this party keeps, canonical, ending in its SHA-256: exactly what a thief gets."""
        return codec.seal_bytes(codec.encode(self))


def revive(state: bytes, kind: type[P]) -> P:
    """The party of `kind` whose state this is. Raises Malformed."""
    return codec.decode(codec.unseal_bytes(state, f"state of a {kind.__name__}"), kind)


def corrupted(party: P) -> P:
    """The same data with its promises off: it computes whatever it can and insists on nothing."""
    values = {field: getattr(party, field) for field in party.__struct_fields__}
    return _promises_off(type(party))(**values)  # type: ignore[no-any-return]  # a subclass of type(party), made here


@cache
def _promises_off(kind: type[Principal]) -> Any:
    def insist(self: Principal, condition: bool, reason: str) -> None:
        """A corrupted party shrugs."""

    def insist_all(self: Principal, checks: Iterable[tuple[str, bool]]) -> None:
        """It does not even look: a check that raised would be mathematics, and no promise."""

    return msgspec.defstruct(
        kind.__name__,
        [],
        bases=(kind,),
        namespace={"insist": insist, "insist_all": insist_all},
        module=kind.__module__,
        tag=kind.__name__,
    )


@cache
def _handlers(kind: type[Principal]) -> dict[type, Callable[..., Any]]:
    handlers: dict[type, Callable[..., Any]] = {}
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if name.startswith("on_"):
            packet = list(inspect.signature(method).parameters)[2]
            handlers[typing.get_type_hints(method)[packet]] = method
    return handlers
