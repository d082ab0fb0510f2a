"""The presentation language of TLS as MLS uses it: structs to bytes and back, from the types of their fields.

  Uint8 … Uint64   big-endian integers                   Opaque     bytes after their length
  Vector[T]        values after their length in bytes    T | None   the byte 0, or the byte 1 and the value
  Select           a number, then the struct that it chooses

A length is a varint: 1, 2 or 4 bytes, of which the first two bits say how many (00, 01, 10). Only the shortest form is
valid, so every value has one encoding. Source: RFC 9420, sections 2.1.1 and 2.1.2; RFC 8446, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple, Self, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from escrow.errors import Malformed

T = TypeVar("T")
S = TypeVar("S", bound="Tls")
LONGEST = (1 << 30) - 1  # bytes of a vector
_SHORT = 1 << 6  # bytes: shorter vectors have a length of one byte, and most are
_LENGTHS = tuple(size.to_bytes(1, "big") for size in range(_SHORT))


class Uint(NamedTuple):
    """An unsigned integer of `size` bytes."""

    size: int


@dataclass(frozen=True, eq=False)
class Select:
    """A number of `size` bytes that says which struct follows; `what` names the number in errors."""

    what: str
    size: int
    cases: Mapping[int, type[Tls]]


Uint8 = Annotated[int, Uint(1)]
Uint16 = Annotated[int, Uint(2)]
Uint32 = Annotated[int, Uint(4)]
Uint64 = Annotated[int, Uint(8)]
Opaque = bytes
Vector = tuple[T, ...]


class Tls(msgspec.Struct, frozen=True, dict=True):
    """Base of structs that have an encoding: their fields, in order."""

    def encoded(self) -> bytes:
        """Return the encoding, which is made once: a leaf is hashed and sent again in every epoch."""
        known: bytes | None = self.__dict__.get("_bytes")
        if known is None:
            known = b"".join([codec.write(getattr(self, name)) for name, codec in _fields(type(self))])
            self.__dict__["_bytes"] = known
        return known

    def without_last(self) -> bytes:
        """Return the encoding of all fields but the last, which is mostly a signature over the others."""
        return b"".join([codec.write(getattr(self, name)) for name, codec in _fields(type(self))[:-1]])

    @classmethod
    def read_from(cls, stream: Stream, what: str) -> Self:
        """Return the next struct of the stream. Raise Malformed, naming the field, if the bytes do not encode one."""
        return cls(**{name: codec.read(stream, f"{cls.__name__}.{name}") for name, codec in _fields(cls)})


class Stream:
    """Bytes that are read from the front."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int, what: str) -> bytes:
        """Return the next `size` bytes. Raise Malformed, which names `what`, if there are fewer."""
        taken = self.data[self.at : self.at + size]
        if len(taken) < size:
            raise Malformed(f"{what}: {size} bytes expected, {len(taken)} left")
        self.at += size
        return taken

    def number(self, size: int, what: str) -> int:
        """Return the next integer of `size` bytes. Raise Malformed as `take`."""
        return int.from_bytes(self.take(size, what), "big")

    def length(self, what: str) -> int:
        """Return the next varint. Raise Malformed if it is cut off, begins with the bits 11, or is not the shortest."""
        first = self.number(1, what)
        if first < _SHORT:
            return first
        if first >> 6 == 3:
            raise Malformed(f"{what}: a length begins with the bits 11")
        size = 1 << (first >> 6)
        value = (first & 0x3F) << 8 * (size - 1) | self.number(size - 1, what)
        if len(varint(value)) != size:
            raise Malformed(f"{what}: a length is not in its shortest form")
        return value

    def opaque(self, what: str) -> bytes:
        """Return the bytes after the next varint, which is their number. Raise Malformed as `length` and `take`."""
        return self.take(self.length(what), what)

    def end(self, what: str) -> None:
        """Raise Malformed if bytes are left."""
        if left := len(self.data) - self.at:
            raise Malformed(f"{what}: {left} bytes too many")


def varint(value: int) -> bytes:
    """Return a length in its shortest form: 1, 2 or 4 bytes. Raise ValueError for one above 2^30 - 1."""
    if not 0 <= value <= LONGEST:
        raise ValueError(f"a vector of {value} bytes")
    power = 0 if value < 1 << 6 else 1 if value < 1 << 14 else 2
    size = 1 << power
    return (power << 8 * size - 2 | value).to_bytes(size, "big")


def opaque(data: bytes) -> bytes:
    """Return bytes after their length."""
    return (_LENGTHS[len(data)] if len(data) < _SHORT else varint(len(data))) + data


def decode(data: bytes, kind: type[S]) -> S:
    """Return the struct that the bytes encode. Raise Malformed, which names the field, if they encode none."""
    stream = Stream(data)
    value = kind.read_from(stream, kind.__name__)
    stream.end(kind.__name__)
    return value


class _Codec(NamedTuple):
    """How values of a type are written and read; `read` gets the name of the field."""

    write: Callable[[Any], bytes]
    read: Callable[[Stream, str], Any]


@cache
def _codec(kind: Any) -> _Codec:
    """Return the codec of a type. Raise TypeError for a type that the language lacks."""
    if get_origin(kind) is Annotated:
        rule = get_args(kind)[1]
        return _integer(rule.size) if isinstance(rule, Uint) else _select(rule)
    if kind is bytes:
        return _Codec(opaque, Stream.opaque)
    if get_origin(kind) is tuple:
        return _vector(_codec(get_args(kind)[0]))
    if type(None) in get_args(kind):
        (inner,) = (each for each in get_args(kind) if each is not type(None))
        return _optional(_codec(inner))
    if isinstance(kind, type) and issubclass(kind, Tls):
        return _Codec(lambda value: value.encoded(), kind.read_from)
    raise TypeError(f"{kind} has no encoding")


def _integer(size: int) -> _Codec:
    return _Codec(lambda value: value.to_bytes(size, "big"), lambda stream, what: stream.number(size, what))


def _vector(inner: _Codec) -> _Codec:
    def read(stream: Stream, what: str) -> tuple[Any, ...]:
        inside, values = Stream(stream.opaque(what)), []
        while inside.at < len(inside.data):
            values.append(inner.read(inside, what))
        return tuple(values)

    return _Codec(lambda values: opaque(b"".join(map(inner.write, values))), read)


def _optional(inner: _Codec) -> _Codec:
    def read(stream: Stream, what: str) -> Any:
        present = stream.number(1, what)
        if present > 1:
            raise Malformed(f"{what}: the presence of an optional value is {present}, not 0 or 1")
        return inner.read(stream, what) if present else None

    return _Codec(lambda value: b"\x00" if value is None else b"\x01" + inner.write(value), read)


def _select(rule: Select) -> _Codec:
    numbers = {kind: number for number, kind in rule.cases.items()}

    def read(stream: Stream, what: str) -> Any:
        number = stream.number(rule.size, what)
        if number not in rule.cases:
            raise Malformed(f"{what}: there is no {rule.what} {number} here")
        return rule.cases[number].read_from(stream, what)

    def write(value: Tls) -> bytes:
        return numbers[type(value)].to_bytes(rule.size, "big") + value.encoded()

    return _Codec(write, read)


@cache
def _fields(kind: Any) -> list[tuple[str, _Codec]]:
    """Return the fields of a struct, each with its codec."""
    hints = get_type_hints(kind, include_extras=True)
    return [(name, _codec(hints[name])) for name in kind.__struct_fields__]
