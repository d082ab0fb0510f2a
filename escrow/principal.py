"""A party is its fields: what `state()` encodes is exactly what a thief gets."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import msgspec

from escrow import codec, crypto
from escrow.errors import Malformed, Refused

P = TypeVar("P", bound="Principal")
_ALIKE = "__alike__"  # of a class that was made of another and is written alike: that one, which has a decoder
H = TypeVar("H", bound=Callable[..., Any])


class ReceivingKey(crypto.Private, frozen=True, dict=True):
    """The X25519 key pair with which a party opens what is sealed to it."""


class _Called(msgspec.Struct, tag=True, array_like=True, forbid_unknown_fields=True):
    """The first field of every party: in a class of its own, because the second one is given by keyword only."""

    name: str


class Principal(_Called, kw_only=True):
    """Base of every party. A method `on_…(self, sender, packet, wire)` answers the packet type in its annotation.

    `receiving_key` is the last field, and only authorities and officials have one (escrow.warrant.introduce). It stands
    here because msgspec allows a class only one base that adds fields, and some officials are providers or holders too.
    """

    receiving_key: ReceivingKey | None = None

    def insist(self, condition: bool, reason: str) -> None:
        """Raise Refused if the condition fails: a promise, which a corrupted party does not keep."""
        if not condition and self.keeps(reason):
            raise Refused(self.name, reason)

    def keeps(self, promise: str) -> bool:
        """Return whether this party keeps a promise that fails just now: all of them, unless it lies (`lying`)."""
        return True

    def insist_all(self, checks: Iterable[tuple[str, bool]]) -> None:
        """Insist on each of an official's checks, in order. Raise Refused, naming the first that fails."""
        for check, holds in checks:
            self.insist(holds, check)

    def answer(self, sender: str, request: bytes, wire: object) -> bytes:
        """Return the encoded answer to an encoded packet. Raise one of the four errors of escrow.errors."""
        handlers, kinds = _answering(type(self))
        if not handlers:
            raise Malformed(f"{self.name} answers no packets")
        packet = codec.decode_told(request, kinds)
        with crypto.acting(self.name):
            return codec.encode(handlers[type(packet)](self, sender, packet, wire))

    def state(self) -> bytes:
        """Return all that this party keeps, canonical, ending in its SHA-256: exactly what a thief gets.

        Raise Malformed, naming the field, if one holds what has no encoding.
        """
        try:
            return codec.seal_bytes(codec.encode(self))
        except (OverflowError, TypeError) as error:
            raise Malformed(f"{self.name}: {self._unwritable()} cannot be written as bytes: {error}") from None

    def _unwritable(self) -> str:
        for field in self.__struct_fields__:
            try:
                codec.encode(getattr(self, field))
            except (OverflowError, TypeError):
                return f"its field {field}"
        return "its state"


class MaySend(NamedTuple):
    """Why others than the sender may send a packet: all of the sender's kind, or anybody."""

    reason: str
    anybody: bool


def shared(reason: str, *, anybody: bool = False) -> Callable[[H], H]:
    """Declare beside a handler that every party of the sender's kind, or anybody, may send its packet, and say why."""

    def mark(handler: H) -> H:
        handler.__shared__ = MaySend(reason, anybody)  # type: ignore[attr-defined]  # a function takes attributes
        return handler

    return mark


def handler_of(party: Principal, request: bytes) -> Callable[..., Any]:
    """Return the method with which a party answers an encoded packet. Raise Malformed if there is none."""
    if not (handlers := handlers_of(type(party))):
        raise Malformed(f"{party.name} answers no packets")
    return handlers[type(codec.decode_any(request, frozenset(handlers)))]


def revive(state: bytes, kind: type[P]) -> P:
    """Return the party of `kind` whose state this is. Raise Malformed, naming the field, if it is not one."""
    alike: type[P] = vars(kind).get(_ALIKE, kind)
    try:
        party = codec.decode(codec.unseal_bytes(state, f"state of a {kind.__name__}"), alike)
        return party if alike is kind else _as(kind, party)
    except Malformed as error:
        raise Malformed(re.sub(r"\$\[(\d+)\]", partial(_field_of, kind), str(error))) from None


def _field_of(kind: type[Principal], place: re.Match[str]) -> str:
    """Return the field at a place of an encoded party, whose first element is its class's name."""
    return kind.__struct_fields__[int(place[1]) - 1] if int(place[1]) else place[0]


def of_kind(party: Principal, kind: type[P]) -> P:
    """Return the party itself. Raise TypeError if it is not of `kind`: a defect of the scheme's cast, not a refusal."""
    if not isinstance(party, kind):
        raise TypeError(f"{party.name} is a {type(party).__name__}, not a {kind.__name__}")
    return party


def corrupted(party: P, fields: dict[str, Any] | None = None, **methods: Callable[..., Any]) -> P:
    """Return a party with the same data that keeps no promise: it computes whatever it can and insists on nothing.

    `methods` replace its own. `fields` (name -> list type) are added to its state, begin as empty lists, and hold what
    an attacker makes. What `insist_all` is given is not even evaluated, so that no check can stop the party by raising
    an error. Raise TypeError if a method is to be replaced that the party does not have: it would never be called.
    """
    if unknown := [name for name in methods if not hasattr(party, name)]:
        raise TypeError(f"{type(party).__name__} has no method {unknown[0]} that could be replaced")
    kind = _corrupt_kind(type(party), tuple((fields or {}).items()), tuple(methods.items()))
    return _as(kind, party)  # type: ignore[no-any-return]  # a subclass of type(party), made here


def lying(party: P, **methods: Callable[..., Any]) -> P:
    """Return a party with the same data and behaviour, but for these methods: `keeps` says which promises it keeps."""
    return _as(_remade(type(party), (), tuple(methods.items())), party)  # type: ignore[no-any-return]  # a subclass


def _as(kind: Any, party: Principal) -> Any:
    """Return a party of this kind with the data of another, which has the same fields or fewer."""
    return kind(**{field: getattr(party, field) for field in party.__struct_fields__})


@lru_cache(maxsize=256)
def _corrupt_kind(
    kind: type[Principal], fields: tuple[tuple[str, Any], ...], methods: tuple[tuple[str, Any], ...]
) -> Any:
    def insist(self: Principal, condition: bool, reason: str) -> None:
        """Go on, whether or not the condition holds."""

    def insist_all(self: Principal, checks: Iterable[tuple[str, bool]]) -> None:
        """Go on, and evaluate no check."""

    return _remade(kind, fields, (("insist", insist), ("insist_all", insist_all), *methods))


def _remade(kind: type[Principal], fields: tuple[tuple[str, Any], ...], methods: tuple[tuple[str, Any], ...]) -> Any:
    written_alike = not fields and kind.__struct_config__.tag == kind.__name__ and not hasattr(kind, "__post_init__")
    alike = {_ALIKE: vars(kind).get(_ALIKE, kind)} if written_alike else {}
    return msgspec.defstruct(
        kind.__name__,
        [(name, of, msgspec.field(default_factory=list)) for name, of in fields],
        bases=(kind,),
        namespace={**dict(methods), **alike},
        module=kind.__module__,
        tag=kind.__name__,
    )


@cache
def handlers_of(kind: type[Principal]) -> dict[type, Callable[..., Any]]:
    """Return the methods with which parties of a kind answer, by the type of packet."""
    handlers: dict[type, Callable[..., Any]] = {}
    for name in dir(kind):
        if name.startswith("on_") and inspect.isfunction(method := getattr(kind, name)):
            handlers[_packet_of(kind, name)] = method
    return handlers


@cache
def _answering(kind: type[Principal]) -> tuple[dict[type, Callable[..., Any]], frozenset[type]]:
    """Return the same, and the types of packet as one object, which is quickly looked up."""
    return (handlers := handlers_of(kind)), frozenset(handlers)


def _packet_of(kind: type[Principal], name: str) -> type:
    """Return the type of packet that a method answers: by its own annotation, or that of the method it replaces."""
    for base in kind.__mro__:
        if inspect.isfunction(method := vars(base).get(name)) and (packet := _third_argument(method)) is not None:
            return packet
    raise Malformed(f"{kind.__name__}.{name} does not say which packet it answers: annotate its third argument")


@cache
def _third_argument(method: Callable[..., Any]) -> type | None:
    """Return how the third argument of a function is annotated; None if it is not."""
    name = [*inspect.signature(method).parameters, "", "", ""][2]
    return typing.get_type_hints(method).get(name)
