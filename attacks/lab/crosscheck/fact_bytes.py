"""The strings of bytes inside a fact, and which of them its types call public."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Sequence
from functools import cache

import msgspec

from escrow.codec import Public


def fields_of(thing: msgspec.Struct, path: str = "") -> Iterator[tuple[str, bytes, bool]]:
    """Yield (name, bytes, whether they are Public) of every string inside a fact, those of inner facts too."""
    path = path or type(thing).__name__
    for name, public in _fields(type(thing)):
        for value in _leaves(getattr(thing, name)):
            if isinstance(value, bytes):
                if value:
                    yield f"{path}.{name}", value, public
            else:
                yield from fields_of(value, f"{path}.{name}")


@cache
def _fields(kind: type[msgspec.Struct]) -> Sequence[tuple[str, bool]]:
    """Return the fields of a type that may hold bytes, and whether they hold public ones."""
    hints = typing.get_type_hints(kind, include_extras=True)
    holds = [(name, set(_bytes_in(hints[name]))) for name in kind.__struct_fields__]
    return [(name, bytes not in found) for name, found in holds if found]


def _bytes_in(hint: object) -> Iterator[object]:
    """Yield what holds bytes in an annotation: `bytes`, `Public`, types of structs."""
    if hint in (bytes, Public) or (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        yield hint
    else:
        for inner in typing.get_args(hint):
            yield from _bytes_in(inner)


def _leaves(value: object) -> Iterator[bytes | msgspec.Struct]:
    if isinstance(value, bytes | msgspec.Struct):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
