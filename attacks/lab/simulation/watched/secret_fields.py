"""Which fields of a fact are secret: those whose types do not say that they are Public."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec

from escrow.codec import Fact, Public


def secrets_of(fact: Fact) -> list[bytes]:
    """Return the secret byte strings of a fact: those that its types do not call Public."""
    found: list[bytes] = []
    waiting: list[object] = [fact]
    while waiting:
        value = waiting.pop()
        if isinstance(value, msgspec.Struct):
            waiting += [getattr(value, name) for name in secret_names(type(value))]
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, bytes) and value:
            found.append(value)
    return found


def by_first_secret(facts: Iterable[Fact]) -> Iterator[tuple[bytes, Fact]]:
    """Yield the facts that may have secret bytes, each with the first of them; b"" if that does not lie in a field."""
    for fact in facts:
        for name in secret_names(type(fact))[:1]:
            value = getattr(fact, name)
            yield value if type(value) is bytes else b"", fact


def is_public(kind: type[msgspec.Struct], name: str) -> bool:
    """Return whether the type of a field says that no secret bytes lie in it, structs inside it apart."""
    return _public_fields(kind)[name]


@cache
def secret_names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the names of the fields in which secret bytes may lie."""
    return tuple(name for name in kind.__struct_fields__ if not is_public(kind, name))


@cache
def _public_fields(kind: type[msgspec.Struct]) -> dict[str, bool]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _is_public(hints[name]) for name in kind.__struct_fields__}


def _is_public(hint: Any) -> bool:
    return hint == Public or (bool(inner := get_args(hint)) and all(each is ... or _is_public(each) for each in inner))
