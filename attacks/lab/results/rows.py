"""A result's structs as flat rows: dotted columns, the same for every type, so that rows can be tabled and compared.

A struct within a struct gives a column for each of its fields (`exposed.target.past`), a mapping one for each key
(`operations.agent.hmac`), and a tuple of structs one for each field, which holds a tuple of the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from attacks.lab.results.details import Detail

Value = str | int | float | bool | None | tuple[Any, ...]
Row = dict[str, Value]
NOTHING = (NoneType, msgspec.UnsetType)  # the types of what a result does not say


def row(thing: msgspec.Struct) -> Row:
    """Return a struct as one row."""
    return dict(_flat(type(thing), thing, ""))


def fixed(kind: type[msgspec.Struct]) -> list[str]:
    """Return the columns that every row of this type has, whatever its mappings hold."""
    return [name for name, _ in _flat(kind, None, "")]


def columns(kind: type[msgspec.Struct], name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the columns that every row of this type has, each with the type of its values."""
    for field, inner in _fields(kind):
        within, how = _shape(inner)
        if how == "struct":
            yield from columns(within, _dotted(name, field))
        elif how == "plain":
            yield _dotted(name, field), within


def in_order(kind: type[msgspec.Struct], rows: list[Row]) -> list[str]:
    """Return every column of these rows in the order of the type's fields; those of a mapping stand at its place."""
    found = dict.fromkeys([*fixed(kind), *(name for each in rows for name in each)])
    place = {field.encode_name: number for number, field in enumerate(msgspec.structs.fields(kind))}
    return sorted(found, key=lambda name: place[name.partition(".")[0]])


def _flat(kind: Any, value: Any, name: str) -> Iterator[tuple[str, Value]]:
    kind, within = _shape(kind)
    value = None if value is msgspec.UNSET else value
    if within == "struct":
        for field, inner in _fields(kind):
            yield from _flat(
                inner,
                None if value is None else getattr(value, field.name),
                _dotted(name, field),
            )
    elif within == "structs":
        rows = [dict(_flat(kind, each, name)) for each in value or ()]
        for column in dict.fromkeys(at for each in (dict(_flat(kind, None, name)), *rows) for at in each):
            yield column, tuple(each.get(column) for each in rows)
    elif within == "mapping":
        for key, each in (value or {}).items():
            yield from _flat(kind, each, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _dotted(name: str, field: Any) -> str:
    return f"{name}.{field.encode_name}" if name else str(field.encode_name)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[Any, Any], ...]:
    return tuple((field, field.type) for field in msgspec.structs.fields(kind) if not is_detail(field.type))


def is_detail(kind: Any) -> bool:
    """Return whether a field of this type stands in a result's JSON alone, and not in its rows."""
    if isinstance(kind, type):
        return issubclass(kind, Detail)
    return any(map(is_detail, get_args(kind)))


@cache
def _shape(kind: Any) -> tuple[Any, str]:
    """Return (the type within, and how it stands there); an optional type is treated as the type itself."""
    arguments = [each for each in get_args(kind) if each not in NOTHING]
    if len(arguments) == 1 and len(get_args(kind)) == 2 and get_origin(kind) in (Union, UnionType):
        return _shape(arguments[0])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, "struct"
    if isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Mapping):
        return arguments[1], "mapping"
    if get_origin(kind) is tuple and arguments and _shape(arguments[0])[1] == "struct":
        return _shape(arguments[0])[0], "structs"
    return kind, "plain"


__all__ = ["Row", "Value", "columns", "fixed", "in_order", "is_detail", "row"]
