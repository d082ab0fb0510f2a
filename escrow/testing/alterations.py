"""What the properties ask of packets and states: values changed in one place, and an authority that lies."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from escrow import codec
from escrow.codec import Fact, Public
from escrow.errors import Malformed
from escrow.principal import corrupted
from escrow.scheme import AccessField, Intercept, Scheme
from escrow.vocabulary import vocabulary
from escrow.warrant import Authority, Request, Warrant

FEW = 3  # fields that are told with both values; if more differ, by name alone


def altered(value: Any) -> Iterator[Any]:
    """Yield values that differ from this one in one place: a bit of a byte, a number by one, a name, one item less."""
    match value:
        case int():
            yield from (value - 1, value + 1)
        case str():
            yield value + "'"
        case bytes():
            yield value + b"\0"
            if value:
                yield value[:-1]
            yield from (value[:at] + bytes([byte ^ 1 << at % 8]) + value[at + 1 :] for at, byte in enumerate(value))
        case tuple():
            inner = ((*value[:at], other, *value[at + 1 :]) for at, each in enumerate(value) for other in altered(each))
            yield from (other for other in (value[::-1], value[:-1], *inner) if other != value)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                for other in altered(getattr(value, name)):
                    try:
                        yield msgspec.structs.replace(value, **{name: other})
                    except ValueError:  # a fact that cannot be made cannot be sent either
                        continue


def leaves(value: Any) -> Iterator[Any]:
    """Yield every name, number and string of bytes in a fact or a tuple, in order."""
    if isinstance(value, msgspec.Struct):
        value = tuple(getattr(value, name) for name in value.__struct_fields__)
    if isinstance(value, tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def rewritten(value: Any, old: object, new: object) -> Iterator[Any]:
    """Yield the value with one of the leaves that equal `old` replaced by `new`, for each of them in turn."""
    match value:
        case tuple():
            for at, each in enumerate(value):
                yield from ((*value[:at], other, *value[at + 1 :]) for other in rewritten(each, old, new))
        case msgspec.Struct():
            for name in value.__struct_fields__:
                for other in rewritten(getattr(value, name), old, new):
                    with suppress(ValueError):  # a fact that cannot be made cannot be sent either
                        yield msgspec.structs.replace(value, **{name: other})
        case _ if type(value) is type(old) and value == old:
            yield new


def told(changed: Any, true: Any) -> str:
    """Return in words in which fields a value differs from the true one, and where its type is defined."""
    kind: Any = type(changed)
    parts = [f"`{path}` {said}" for path, said in _differing(changed, true, "")]
    many = len(parts) > FEW
    said = f"{', '.join(part.split()[0] for part in parts)} of another message" if many else ", ".join(parts)
    line = _line_of(kind) if getattr(kind, "__module__", "") in sys.modules else 0
    file = str(getattr(sys.modules.get(kind.__module__), "__file__", "")).rsplit("/", 1)[-1]
    return f"{kind.__name__} ({file}, line {line}) with {said}"


@cache
def _line_of(kind: type) -> int:
    """Return the line in which a type is defined. To find it parses the file: longer than the property that asks."""
    return inspect.getsourcelines(kind)[1]


def _differing(changed: Any, true: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each field in which two values differ, and what it is in both."""
    if changed == true:
        return
    if isinstance(changed, msgspec.Struct) and type(changed) is type(true):
        for name in changed.__struct_fields__:
            yield from _differing(getattr(changed, name), getattr(true, name), f"{path}.{name}".strip("."))
    elif isinstance(changed, bytes) and isinstance(true, bytes):
        pairs = enumerate(zip(changed, true, strict=False))
        first = next((at for at, (a, b) in pairs if a != b), min(len(changed), len(true)))
        sizes = f"of {len(changed)} bytes, not {len(true)}" if len(changed) != len(true) else f"of {len(true)} bytes"
        yield path, f"{sizes}, changed from byte {first} on"
    else:
        yield path, f"{_short(changed)}, not {_short(true)}"


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:59]}…"


def replaced(value: Any, old: object, new: object) -> Any:
    """Return the packet with the fact `old` inside it replaced by `new`."""
    if value == old or not isinstance(value, msgspec.Struct):
        return new if value == old else value
    parts = {name: replaced(getattr(value, name), old, new) for name in value.__struct_fields__}
    return msgspec.structs.replace(value, **parts)


def types_of(scheme: Scheme, base: type) -> frozenset[type]:
    """Return the subclasses of `base` in the modules that the scheme draws on."""
    return frozenset(each for each in vocabulary(module_of(scheme), (base,)).types if each is not base)


def module_of(scheme: Scheme) -> ModuleType:
    """Return the module in which the scheme's class stands."""
    return sys.modules[type(scheme).__module__]


def field_of(scheme: Scheme, intercept: Intercept) -> AccessField | None:
    """Return the access field of an intercepted message, or None if it carries none that decodes."""
    kinds = types_of(scheme, AccessField)
    try:
        return codec.decode_any(intercept.mail.field, kinds) if kinds else None
    except Malformed:
        return None


def with_field(intercept: Intercept, field: bytes) -> Intercept:
    """Return the intercepted message with these bytes as its access field."""
    return msgspec.structs.replace(intercept, mail=msgspec.structs.replace(intercept.mail, field=field))


def loose(hint: Any, where: str, seen: set[Any]) -> Iterator[tuple[str, str]]:
    """Yield (field, type) of every field that is not a fact, a name, a number, public bytes or a container of these."""
    if get_origin(hint) is Literal:
        return  # one of a few names
    if get_origin(hint) in {list, tuple, dict, set, frozenset, Union, UnionType}:
        for inner in get_args(hint):
            yield from loose(inner, where, seen)
    elif not isinstance(hint, type):
        if hint not in (Public, Ellipsis):
            yield where, str(hint)
    elif issubclass(hint, msgspec.Struct) and not issubclass(hint, Fact):
        hints = typing.get_type_hints(hint, include_extras=True)
        for name in () if hint in seen else hint.__struct_fields__:
            seen.add(hint)
            yield from loose(hints[name], f"{hint.__name__}.{name}", seen)
    elif not issubclass(hint, Fact | str | int | float | NoneType):
        yield where, hint.__name__


class Lie:
    """An authority's lie: `false` gives what it asks about in place of a fact, or nothing for the fact itself.

    It does not lie in facts that a rule makes of others of their kind: the lab counts what such a rule opens. `told` is
    the last lie, in words, and empty if there was none.
    """

    def __init__(self, scheme: Scheme, false: Callable[[Any], Any]) -> None:
        self.false, self.told = false, ""
        words = vocabulary(module_of(scheme), (Fact,))
        told_anew = {kind for rule in words.rules for kind in rule.gives if kind in rule.takes}
        self.facts = words.types - told_anew

    def told_by(self, authority: Authority) -> Authority:
        """Return an authority with the same data that keeps no promise and tells the lie."""
        honest = type(authority).request

        def request(own: Authority, warrant: Warrant, subject: bytes) -> Request:
            return honest(own, warrant, self.instead(subject))

        return corrupted(authority, request=request)

    def instead(self, subject: bytes) -> bytes:
        """Return what is asked about, encoded, with the lie in it: as it was if there is none."""
        try:
            true = codec.decode_any(subject, self.facts)
        except Malformed:
            return subject
        found = self.false(true)
        if found is None or found == true:
            return subject
        self.told = told(found, true)
        return codec.encode(found)
