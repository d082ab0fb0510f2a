"""Read the signature of a marked function: facts, plain arguments, and the equalities that tie them together."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from escrow.codec import Fact

T = TypeVar("T")

_GUARD, _WITNESS = "guard", "witness"
DAY = "day"  # the argument of an official's checks that is no fact
Guard = Annotated[T, _GUARD]
Witness = Annotated[T, _WITNESS]


class RuleError(TypeError):
    """A function's marking and its signature do not fit, or a module's rules cannot be told; the message says where."""


MOST_BITS = 512  # of a guess: beyond any limit

if TYPE_CHECKING:
    Guess = Annotated
else:

    class Guess:
        """`Guess[T, bits]`: a premise that 2^bits trials replace, since the rule verifies it."""

        def __class_getitem__(cls, of: tuple[Any, float]) -> Any:
            """Return the annotation. Raise RuleError unless it names a type and a number of bits above 0."""
            bits = of[1] if isinstance(of, tuple) and len(of) == 2 else None
            if not (isinstance(bits, int | float) and 0 < bits <= MOST_BITS):
                raise RuleError(f"write Guess[T, bits], with bits above 0 and up to {MOST_BITS}, not Guess[{of}]")
            return Annotated[of[0], _Bits(float(bits))]


class _Bits(NamedTuple):
    """The work of a guess: 2^bits trials."""

    bits: float


@dataclass(frozen=True, slots=True)
class Equality:
    """Argument number `left`, at the dotted path `left_path`, equals argument number `right` at `right_path`."""

    left: int
    left_path: str
    right: int
    right_path: str


def where(function: Callable[..., Any]) -> str:
    """Return the file and line of a function, as "envelope.py:91"."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}"


@dataclass
class Signature:
    """A function's signature as facts and plain arguments; `sources` says where the values of the plain ones lie."""

    function: Callable[..., Any]
    names: list[str]
    takes: list[type[Fact]]
    needed: list[bool]
    guesses: dict[int, float]
    plain: list[str]
    gives: tuple[type[Fact], ...]
    shown: int
    sources: dict[str, tuple[int, str]] = field(default_factory=dict)

    def places(self) -> dict[str, tuple[int, str]]:
        """Return for each parameter the number of a fact, and the field of it that is meant, if one is."""
        every = inspect.signature(self.function).parameters
        return {name: self.sources.get(name) or (self.names.index(name), "") for name in every if self.is_given(name)}

    def is_given(self, name: str) -> bool:
        """Return whether a parameter gets a value from facts, and not its default."""
        return name in self.sources or name not in self.plain

    def side(self, text: str) -> tuple[int, str] | str:
        """Return one side of an equality: a fact's number and a field, or the name of a plain argument.

        Raise ValueError if it is neither. The name of a kind of fact stands for one more fact, which is a guard.
        """
        if text in self.plain:
            return text
        name, path = text.split(".", 1)
        if name not in self.names:
            kind = self.function.__globals__.get(name)
            if not (isinstance(kind, type) and issubclass(kind, Fact)):
                raise ValueError(text)
            self.names.append(name)
            self.takes.append(kind)
            self.needed.append(False)
        return self.names.index(name), path


def signature_of(function: Callable[..., Any], rule: bool = True) -> Signature:
    """Return the signature of a rule, or of an official's checks, which take facts and perhaps the day."""
    hints = typing.get_type_hints(function, include_extras=True)
    found = Signature(function, [], [], [], {}, [], facts_of(hints.get("return")), 0)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, free, bits = _strip(hints.get(name, parameter.annotation))
        if isinstance(kind, type) and issubclass(kind, Fact):
            if bits:
                found.guesses[len(found.names)] = bits
            found.names.append(name)
            found.takes.append(kind)
            found.needed.append(not (free or bits))
        elif kind in _PLAIN if rule else (name, kind) == (DAY, int):
            found.plain.append(name)
        else:
            raise RuleError(f"{function.__qualname__}: argument {name} {_described(kind)}")
    if rule and not found.gives:
        raise RuleError(f"{function.__qualname__}: it returns no fact")
    found.shown = len(found.names)
    return found


def _described(kind: Any) -> str:
    if kind is inspect.Parameter.empty:
        return "has no annotation: say which fact it is"
    return f"is not a fact but {getattr(kind, '__name__', kind)}"


_PLAIN = (int, str, bool, bytes, tuple[str, ...])  # what may be given by a field of a fact


def facts_of(hint: Any) -> tuple[type[Fact], ...]:
    """Return the fact types inside an annotation."""
    if isinstance(hint, type) and get_origin(hint) is None:
        return (hint,) if issubclass(hint, Fact) else ()
    if get_origin(hint) is type:
        return ()  # a class is no fact of that class
    return tuple(fact for inner in get_args(hint) for fact in facts_of(inner))


def _strip(hint: Any) -> tuple[Any, bool, float]:
    """Return an argument's type without Guard, Witness, Guess, Optional and tuple; whether it is free; its bits."""
    free, bits = False, 0.0
    while hint not in _PLAIN:
        if get_origin(hint) is Annotated:
            free = free or bool({_GUARD, _WITNESS} & {each for each in hint.__metadata__ if isinstance(each, str)})
            bits = next((each.bits for each in hint.__metadata__ if isinstance(each, _Bits)), bits)
            hint = hint.__origin__
        elif get_origin(hint) in (Union, UnionType):
            hint = next(inner for inner in get_args(hint) if inner is not NoneType)
        elif get_origin(hint) is tuple:
            hint = get_args(hint)[0]
        else:
            break
    return hint, free, bits


def parse(found: Signature, on: str) -> tuple[Equality, ...]:
    """Return the equalities between facts that `on` names; those with plain arguments go to `found.sources`."""
    function, equalities, placed = found.function, list[Equality](), set[str]()
    for part in filter(None, (part.strip() for part in on.split(","))):
        if part.startswith("any "):
            placed.add(part.removeprefix("any ").strip())
            continue
        try:
            left, right = (found.side(side.strip()) for side in part.split("="))
        except ValueError:
            raise RuleError(
                f"{function.__qualname__}: cannot read {part!r} as 'argument.field = argument.field', or as 'argument ="
                " KindOfFact.field' with a class that stands above in the module"
            ) from None
        if isinstance(left, str):
            left, right = right, left
        if isinstance(left, str):
            raise RuleError(f"{function.__qualname__}: neither side of {part!r} is a field of a fact")
        if isinstance(right, str) and right not in found.sources:
            found.sources[right] = left
            _check(found, left)
        else:
            other = found.sources[right] if isinstance(right, str) else right
            equalities.append(Equality(*left, *other))
            if left[0] == other[0]:
                name = found.names[left[0]]
                raise RuleError(f"{function.__qualname__}: {name} is compared with itself; do that in the function")
            _check(found, left)
            _check(found, other)
        placed |= {found.names[side[0]] for side in (left, right) if not isinstance(side, str)}
    if found.shown > 1 and (loose := [name for name in found.names if name not in placed]):
        raise RuleError(
            f"{function.__qualname__}: no equality names {', '.join(loose)}; write 'any NAME' if that is meant"
        )
    defaults = {name for name, each in inspect.signature(function).parameters.items() if each.default is not each.empty}
    if unbounded := [name for name in found.plain if name not in found.sources and name not in defaults]:
        raise RuleError(
            f"{function.__qualname__} ({where(function)}): argument {unbounded[0]} is no fact, and nothing bounds it: "
            f"say whose field it equals, as in '{unbounded[0]} = KindOfFact.{unbounded[0]}'"
        )
    return tuple(equalities)


def _check(found: Signature, side: tuple[int, str]) -> None:
    """Raise RuleError for an equality with a field that its fact lacks."""
    kind, path = found.takes[side[0]], side[1]
    if not hasattr(kind, path.split(".", 1)[0]):
        raise RuleError(f"{found.function.__qualname__}: {kind.__name__} has no field {path}")
