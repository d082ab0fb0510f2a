"""One canonical binary encoding for packets, and for the state that a party keeps.

msgpack by msgspec, as arrays that begin with the type's name. msgspec accepts some inputs that it would never write
(integers longer than needed, a key twice, elements too many), so decoding is strict: the value is encoded again, and
bytes that differ are Malformed. States, results and evidence end in a SHA-256 digest of the bytes before
(`seal_bytes`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, ClassVar, TypeVar, Union

import msgspec

from escrow.errors import Malformed

T = TypeVar("T")
DIGEST = 32
_LEAVES = {bytes, int, str, bool, float, type(None)}  # nearly all that is inside a value, and nothing is inside them

Public = Annotated[bytes, msgspec.Meta(description="public bytes: no secret travels under this type")]


class Fact(msgspec.Struct, frozen=True, tag=True, array_like=True, forbid_unknown_fields=True):
    """A small immutable typed value: something a party knows, and that an adversary may come to know.

    `unchecked` names the fields that a sender may fill with another valid value, unnoticed, and says why.
    """

    unchecked: ClassVar[Mapping[str, str]] = {}


class Packet(msgspec.Struct, frozen=True, tag=True, array_like=True, forbid_unknown_fields=True):
    """Base of every value that one party sends to another. All packets are public. `unchecked` is as of a fact."""

    unchecked: ClassVar[Mapping[str, str]] = {}


def _as_base(value: Any) -> str | int | bytes:
    """Return a value of a class derived from str, int or bytes as that. Raise TypeError for any other value."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, int):
        return int(value)
    raise TypeError(f"Encoding objects of type {type(value).__name__} is unsupported")


_encoder = msgspec.msgpack.Encoder(enc_hook=_as_base, order="deterministic")
encode = _encoder.encode


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


@cache
def union(kinds: frozenset[type]) -> Any:
    """Return the union of some types, for `decode`. Their names must differ."""
    return Union[tuple(sorted(kinds, key=_full_name))]  # noqa: UP007 (built)


@cache
def apart(kinds: frozenset[type]) -> tuple[frozenset[type], ...]:
    """Return sets that hold each of these types once, of different names in each: one set, unless names clash."""
    sets: list[dict[str, type]] = []
    for kind in sorted(kinds, key=_full_name):
        free = next((each for each in sets if kind.__name__ not in each), None)
        if free is None:
            sets.append(free := {})
        free[kind.__name__] = kind
    return tuple(frozenset(each.values()) for each in sets)


@cache
def _readings(kinds: frozenset[type]) -> tuple[tuple[Any, msgspec.msgpack.Decoder[Any]], ...]:
    """Return unions of the types, each with its decoder: to look one up by a union takes long."""
    return tuple((each, _decoder(each)) for each in map(union, apart(kinds)))


def _full_name(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__


def decode(data: bytes, kind: type[T]) -> T:
    """Return the value that some bytes encode.

    Args:
        data: the encoding.
        kind: the type expected, or a union of types.

    Raises:
        Malformed: `data` is not the canonical encoding of a `kind`.
    """
    return _decoded(data, kind, _decoder(kind))  # type: ignore[no-any-return, arg-type]  # made for `kind`, which is hashable


def _decoded(data: bytes, kind: Any, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    try:
        value = decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"not a {_name(kind)}: {error}") from None
    if encode(value) != data:
        raise Malformed(f"not the canonical encoding of a {_name(kind)}")
    return value


def decode_any(data: bytes, kinds: frozenset[type]) -> Any:
    """Return the value that `data` encodes, of the type among `kinds` that its name says.

    Where types have the same name, it is the first of them, by module, that the bytes fit. Raise Malformed as `decode`.
    """
    *others, last = _readings(kinds)
    for each in others:
        with suppress(Malformed):
            return _decoded(data, *each)
    return _decoded(data, *last)


def decode_each(data: bytes, kinds: frozenset[type]) -> tuple[Any, ...]:
    """Return `data` read as each of the types among `kinds` that its name and its bytes fit: mostly one or none."""
    found = []
    for each in _readings(kinds):
        with suppress(Malformed):
            found.append(_decoded(data, *each))
    return tuple(found)


def decode_told(data: bytes, kinds: frozenset[type]) -> Any:
    """Return what `decode_any` returns: the same value to all who are told the same bytes one after the other.

    Only a value that nobody can change is shared. Raise Malformed as `decode`.
    """
    try:
        return _unchanging(data, kinds)
    except TypeError:
        return decode_any(data, kinds)


@lru_cache(maxsize=4)
def _unchanging(data: bytes, kinds: frozenset[type]) -> Any:
    """Return the value, which is then kept. Raise TypeError for one with a list, a dictionary or the like in it."""
    hash(value := decode_any(data, kinds))
    return value


def elements(data: bytes) -> tuple[bytes, ...]:
    """Return the encodings of the values in an encoded tuple; none if the data is no tuple's."""
    try:
        return tuple(map(bytes, _decoder(tuple[msgspec.Raw, ...]).decode(data)))
    except msgspec.DecodeError:
        return ()


@cache
def _name(kind: Any) -> str:
    members = kind.__args__ if isinstance(kind, UnionType) or getattr(kind, "__origin__", None) is Union else (kind,)
    return " or ".join(str(getattr(member, "__name__", member)) for member in members)


def seal_bytes(body: bytes) -> bytes:
    """Return body ‖ SHA-256(body), 32 bytes more than the body."""
    return body + hashlib.sha256(body).digest()


def unseal_bytes(data: bytes, what: str) -> bytes:
    """Return the body that `seal_bytes` sealed.

    Args:
        data: body ‖ digest (32 bytes).
        what: the name of the data, for the error message.

    Raises:
        Malformed: the digest does not fit the body.
    """
    body, digest = data[:-DIGEST], data[-DIGEST:]
    if len(data) < DIGEST or hashlib.sha256(body).digest() != digest:
        raise Malformed(f"{what}: its SHA-256 does not fit its bytes")
    return body


def varint(value: int) -> bytes:
    """Return `value` as unsigned LEB128: 7 bits a byte, lowest first; one byte below 128, three below 2^21."""
    if value < 0x80:
        return value.to_bytes(1, "big")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return (value, next offset) of the varint at offset `at`.

    Raise Malformed if it is cut off, padded or exceeds 32 bits.
    """
    value = shift = 0
    while at < len(data) and shift < 35:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            if (byte == 0 and shift > 7) or value >> 32:
                break
            return value, at
    raise Malformed("a varint is cut off, padded or too large")


def prefixed(*parts: bytes) -> bytes:
    """Return each part after its length in four bytes (big-endian): two different lists never give the same bytes."""
    out: list[bytes] = []
    for part in parts:
        out += len(part).to_bytes(4, "big"), part
    return b"".join(out)


def walk(value: object, kind: type[T]) -> Iterator[T]:
    """Yield every value of `kind` (a struct) inside a decoded value, itself included, outermost first.

    A thief of a state knows all of its facts: `walk(state, Fact)`.
    """
    waiting: list[Any] = [value]  # the next one last
    while waiting:
        found = waiting.pop()
        of: Any = type(found)
        if (inside := _inside(of)) is None:
            if not isinstance(found, msgspec.Struct):
                continue
            inside = fields_of(found.__class__)  # it stands for a struct of another class
        if isinstance(found, kind):
            yield found
        waiting += [each for each in inside(found) if type(each) not in _LEAVES][::-1]


@cache
def _inside(kind: type[Any]) -> Callable[[Any], Iterable[object]] | None:
    """Return a function that yields the values inside a value of this type; None if none is looked for there."""
    if issubclass(kind, msgspec.Struct):
        return fields_of(kind)
    return dict.values if issubclass(kind, dict) else iter if issubclass(kind, list | tuple) else None


@cache
def fields_of(kind: type[msgspec.Struct]) -> Callable[[Any], Iterable[object]]:
    """Return a function that reads the values of all fields of a struct of this class."""
    names = kind.__struct_fields__
    return attrgetter(*names) if len(names) > 1 else lambda value: [getattr(value, name) for name in names]
