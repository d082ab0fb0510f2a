"""What goes over the pipe between the laboratory and an adversary in another process: frames, bytes and names.

Classes and functions travel as `module:name` and are looked up again at the other end; masks and evenings as bytes.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import IO, Annotated, Any, Union, get_args, get_origin

import msgspec

from attacks.lab.adversary.demands.refusal import Refusal
from escrow import codec
from escrow.errors import Malformed
from escrow.principal import Principal
from escrow.wire import Heard

LENGTH = 8  # bytes before each frame
LONGEST = 1 << 30  # bytes of a frame


class Nameless(TypeError):
    """A class or function that no other process could find by its name."""


class Form(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A type by name (`module:class`), and the types that it is applied to."""

    name: str
    of: tuple[Form, ...] = ()


class PartyClass(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A party's class: one that a module defines, and the fields that an attack added to it."""

    name: str
    added: tuple[tuple[str, Form], ...] = ()


class Charge(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """All that the child is told: a view, and the places of types and rules."""

    plugins: tuple[str, ...]
    scheme: str
    attacks: tuple[str, ...]
    rules: tuple[str, ...]
    days: int
    heard: tuple[Heard, ...]
    states: dict[str, tuple[bytes, ...]]
    kinds: dict[str, tuple[PartyClass, ...]]
    warrants: tuple[bytes, ...]
    guessable: tuple[bytes, ...]
    set_up: dict[str, tuple[bytes, ...]]
    set_up_kinds: dict[str, PartyClass]


class Labelled(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Of one pass: what each bit of a mask is, the sets of masks that occur, and which set each text has.

    `atoms` are principals with evenings as bits, `symbols` thresholds of sets; masks are big-endian.
    """

    atoms: tuple[tuple[str, bytes], ...]
    symbols: tuple[tuple[int, tuple[int, ...]], ...]
    sets: tuple[tuple[bytes, ...], ...]
    labels: tuple[int, ...]


class Findings(msgspec.Struct, frozen=True, tag=True, array_like=True, forbid_unknown_fields=True):
    """What the child answers: the bytes of every text that anyone derives, and who derives them in each pass."""

    texts: tuple[bytes, ...]
    fired: dict[str, int]
    officials: tuple[str, ...]
    passes: dict[str, Labelled]
    refusals: tuple[Refusal, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag=True, array_like=True, forbid_unknown_fields=True):
    """Why there is no answer."""

    reason: str


def send(pipe: IO[bytes], value: object) -> None:
    """Write one frame: the length in eight bytes, and the canonical encoding."""
    frame = codec.encode(value)
    pipe.write(len(frame).to_bytes(LENGTH, "big") + frame)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes:
    """Return the next frame. Raise Malformed if it is cut off or longer than a frame may be."""
    length = int.from_bytes(pipe.read(LENGTH), "big")
    if length > LONGEST:
        raise Malformed(f"a frame of {length} bytes")
    frame = pipe.read(length)
    if not length or len(frame) < length:
        raise Malformed("a frame is cut off")
    return frame


# --- names of types and functions ---


def named(name: str, find: Callable[[str], Any]) -> Any:
    """Return the thing called `module:name`, where `find` gives modules; None if there is none."""
    module, _, path = name.partition(":")
    thing: Any = find(module)
    for part in path.split("."):
        thing = getattr(thing, part, None)
    return thing


def type_of(form: Form) -> Any:
    """Return the type of that form."""
    found = named(form.name, importlib.import_module)
    arguments = tuple(map(type_of, form.of))
    if form.name == "typing:Union":
        return Union[arguments]  # noqa: UP007 (built)
    return found[arguments] if arguments else found


def class_of(kind: PartyClass) -> type[Principal]:
    """Return a class that reads the states of that kind."""
    base: type[Principal] = named(kind.name, importlib.import_module)
    if not kind.added:
        return base
    fields: list[Any] = [(name, type_of(form), msgspec.field(default_factory=list)) for name, form in kind.added]
    made: Any = msgspec.defstruct(base.__name__, fields, bases=(base,), module=base.__module__, tag=base.__name__)
    return made  # type: ignore[no-any-return]  # a subclass of `base`, made here


def name_of(thing: Any) -> str:
    """Return `module:name` of a class or function. Raise Nameless if it cannot be found under that name."""
    name = f"{thing.__module__}:{thing.__qualname__}"
    if named(name, sys.modules.get) is not thing:
        raise Nameless(f"{name} cannot be found by its name in another process; define it in its module")
    return name


@cache
def kind_of(kind: type[Principal]) -> PartyClass:
    """Return a class as the nearest one that a module defines, and the fields that were added to that."""
    base = next(each for each in kind.__mro__ if _is_defined(each))
    known = {field.name for field in msgspec.structs.fields(base)}
    fields = (field for field in msgspec.structs.fields(kind) if field.name not in known)
    return PartyClass(name_of(base), tuple((field.name, form_of(field.type)) for field in fields))


def _is_defined(kind: type) -> bool:
    return named(f"{kind.__module__}:{kind.__qualname__}", sys.modules.get) is kind


def form_of(hint: Any) -> Form:
    """Return a type as its name and its arguments; annotations are left out."""
    origin = get_origin(hint)
    if origin is Annotated:
        return form_of(get_args(hint)[0])
    if origin in (Union, UnionType):
        return Form("typing:Union", tuple(map(form_of, get_args(hint))))
    if hint in (..., NoneType):
        return Form("builtins:Ellipsis" if hint is ... else "types:NoneType")
    return Form(name_of(origin or hint), tuple(map(form_of, get_args(hint))))


# --- numbers of any size ---


def unsigned(mask: int) -> bytes:
    """Return a mask, big-endian, in as few bytes as possible."""
    return mask.to_bytes((mask.bit_length() + 7) // 8, "big")


def signed(evenings: int) -> bytes:
    """Return evenings as bits, big-endian; -1 stands for all of them."""
    return evenings.to_bytes(evenings.bit_length() // 8 + 1, "big", signed=True)
