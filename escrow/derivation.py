"""The adversary's rules are the library's own functions: every holder of the arguments can compute the result.

  @derivation("message.chain = key.chain, message.n = key.n")
  def open_message(message: Message, key: MessageKey) -> Plaintext: ...

Annotations say which facts a function takes and gives; the string says on which fields the arguments belong together,
so that a closure can join them instead of trying all pairs. An argument that stands in no equality must be named by
`any`. A function raises Forged if its arguments do not fit. Three kinds of premise:

  T             needed: without it the result cannot be computed
  Guard[T]      public bookkeeping that only bounds the search (which message numbers exist)
  Witness[T]    bytes on which the result is verified; without them the result can be computed, but not verified

`@threshold` marks a function of any t out of several members. `@service` marks the checks that an honest official makes
before it answers with a derivation: its promise. `@honest_only` marks a public function over facts that is no rule.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from escrow.codec import Fact

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_GUARD, _WITNESS = "guard", "witness"
Guard = Annotated[T, _GUARD]
Witness = Annotated[T, _WITNESS]

Checks = Iterator[tuple[str, bool]]


class RuleError(TypeError):
    """A function's marking and its signature do not fit, or a module's rules cannot be told; the message says where."""


@dataclass(frozen=True, slots=True)
class Equality:
    """Argument number `left`, at the dotted path `left_path`, equals argument number `right` at `right_path`."""

    left: int
    left_path: str
    right: int
    right_path: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A derivation as the closure sees it. `takes[i]` is a Fact type; `needed[i]` is False for guards and witnesses."""

    function: Callable[..., Any]
    takes: tuple[type[Fact], ...]
    needed: tuple[bool, ...]
    equalities: tuple[Equality, ...]
    gives: tuple[type[Fact], ...]

    @property
    def name(self) -> str:
        """The function's module and name."""
        return f"{self.function.__module__}.{self.function.__qualname__}"


@dataclass(frozen=True, slots=True)
class Gate(Rule):
    """A threshold rule: the last argument is a tuple of members, and any t members of one `by` give the same result.

    t(arguments before the members, one member) is the number needed; `index` and `by` read one member; `verify`
    takes the arguments before the members and one member.
    """

    t: Callable[..., int]
    index: Callable[[Fact], Any]
    by: Callable[[Fact], Any]
    verify: Callable[..., bool]


@dataclass(frozen=True, slots=True)
class Service:
    """An official's answer: `rule` run with its own `holder` secret, once `checks` have passed.

    `checks(holder secret, warrant, request facts…)` yields (check, whether it holds). `given` tells where the rule's
    other arguments lie within the request facts: rule argument -> (checks argument, dotted path or ""). `final` are
    checks that refuse every order which an attacker can write, each with the reason.
    """

    rule: Rule
    checks: Callable[..., Checks]
    holder: str
    takes: tuple[type[Fact], ...]
    given: dict[str, tuple[str, str]]
    final: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    @property
    def name(self) -> str:
        """The module and name of the function that yields the checks."""
        return f"{self.checks.__module__}.{self.checks.__qualname__}"

    def answer(self, *asked: Fact) -> Any:
        """Return what the rule gives, with the same arguments as the checks."""
        known = dict(zip(inspect.signature(self.checks).parameters, asked, strict=True))
        given = {name: attrgetter(path)(known[of]) if path else known[of] for name, (of, path) in self.given.items()}
        return self.rule.function(**{self.holder: known[self.holder]}, **given)


def derivation(on: str = "") -> Callable[[F], F]:
    """Mark a public typed function as a rule of the adversary.

    Args:
        on: the equalities between fields of the arguments, comma-separated, and `any NAME` for each argument that
            stands in none: "message.chain = key.chain, any group".

    Returns:
        A decorator that returns the function itself, with its `Rule` in `__rule__`.

    Raises:
        RuleError: an annotation is not a fact, or `on` does not fit the signature.
    """

    def mark(function: F) -> F:
        names, takes, needed, gives = _signature(function)
        equalities = _parse(function, on, names, takes)
        function.__rule__ = Rule(function, takes, needed, equalities, gives)  # type: ignore[attr-defined]
        return function

    return mark


def threshold(on: str = "", *, t: str, member: str, by: str, verify: Callable[..., bool]) -> Callable[[F], F]:
    """Mark a function whose last argument is a tuple of members, any t of which give the same result.

    Args:
        on: as for `derivation`, over all arguments.
        t: dotted path to the number of members needed, from an argument's name: "group.t".
        member: dotted path to a member's index: "shares.index".
        by: the fields of a member, comma-separated, on which all members of one gate agree.
        verify: verify(earlier arguments…, member) says whether a member is valid.

    Raises:
        RuleError: the marking and the signature do not fit.
    """

    def mark(function: F) -> F:
        names, takes, needed, gives = _signature(function)
        equalities = _parse(function, on, names, takes)
        t_name, t_path = t.split(".", 1)
        position = names.index(t_name)
        read = attrgetter(t_path)
        function.__rule__ = Gate(  # type: ignore[attr-defined]
            function,
            takes,
            needed,
            equalities,
            gives,
            t=lambda *arguments: int(read(arguments[position])),
            index=attrgetter(member.split(".", 1)[1]),
            by=attrgetter(*(name.strip() for name in by.split(","))),
            verify=verify,
        )
        return function

    return mark


def service(
    answer: Callable[..., Any], *, holder: str, given: str = "", final: Mapping[str, str] | None = None
) -> Callable[[F], F]:
    """Mark the checks that an official makes before it answers with the derivation `answer`.

    The first argument of the checks is the official's secret, named like the answer's argument `holder`. Then come the
    warrant and the other facts of the request.

    Args:
        answer: a function marked `@derivation`.
        holder: the name of the answer's argument that is the official's secret.
        given: where the answer's other arguments lie in the request, for those that are not arguments of the checks
            themselves: "capsule = field.capsule". Guards and witnesses of the answer need not lie anywhere in it.
        final: checks that refuse every order that a thief of the court's key can write, each with the reason. Without
            it, a check that refuses all orders that the lab tries makes what it computes inconclusive.

    Raises:
        RuleError: the request does not give all arguments that the answer needs.
    """

    def mark(function: F) -> F:
        rule: Rule = answer.__rule__  # type: ignore[attr-defined]
        if isinstance(rule, Gate):
            raise RuleError(f"{function.__qualname__}: an official answers with a derivation, not a threshold rule")
        names, takes, _, _ = _signature(function, gives=False)
        asked = zip(inspect.signature(answer).parameters, rule.needed, strict=True)
        where = {name: (name, "") for name, needed in asked if name != holder and (needed or name in names)}
        for part in filter(None, (part.strip() for part in given.split(","))):
            left, right = (side.strip() for side in part.split("="))
            argument, _, path = right.partition(".")
            where[left] = (argument, path)
        if names[0] != holder or any(argument not in names for argument, _ in where.values()):
            raise RuleError(f"{function.__qualname__}: its arguments do not give those of {rule.name}")
        function.__service__ = Service(rule, function, holder, takes, where, final=final or {})  # type: ignore[attr-defined]
        return function

    return mark


def honest_only(why: str) -> Callable[[F], F]:
    """Mark a public function over facts that is no rule of the adversary, and say why."""

    def mark(function: F) -> F:
        function.__honest_only__ = why  # type: ignore[attr-defined]
        return function

    return mark


def where(function: Callable[..., Any]) -> str:
    """Return the file and line of a function, as "envelope.py:91"."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{code.co_firstlineno}"


# --- reading signatures ---


def _signature(
    function: Callable[..., Any], gives: bool = True
) -> tuple[list[str], tuple[type[Fact], ...], tuple[bool, ...], tuple[type[Fact], ...]]:
    hints = typing.get_type_hints(function, include_extras=True)
    names = list(inspect.signature(function).parameters)
    takes, needed = [], []
    for name in names:
        kind, free = _strip(hints[name])
        if not (isinstance(kind, type) and issubclass(kind, Fact)):
            raise RuleError(f"{function.__qualname__}: argument {name} is not a fact but {kind}")
        takes.append(kind)
        needed.append(not free)
    results = facts_of(hints.get("return"))
    if gives and not results:
        raise RuleError(f"{function.__qualname__}: it returns no fact")
    return names, tuple(takes), tuple(needed), results


def facts_of(hint: Any) -> tuple[type[Fact], ...]:
    """Return the fact types inside an annotation."""
    if isinstance(hint, type) and get_origin(hint) is None:
        return (hint,) if issubclass(hint, Fact) else ()
    if get_origin(hint) is type:
        return ()  # a class is no fact of that class
    return tuple(fact for inner in get_args(hint) for fact in facts_of(inner))


def _strip(hint: Any) -> tuple[Any, bool]:
    """Return the fact type of an argument, without Guard, Witness, Optional and tuple; and whether it is free."""
    free = False
    while True:
        if get_origin(hint) is Annotated:
            free = free or bool({_GUARD, _WITNESS} & set(hint.__metadata__))
            hint = hint.__origin__
        elif get_origin(hint) in (Union, UnionType):
            hint = next(inner for inner in get_args(hint) if inner is not NoneType)
        elif get_origin(hint) is tuple:
            hint = get_args(hint)[0]
        else:
            return hint, free


def _parse(
    function: Callable[..., Any], on: str, names: list[str], takes: tuple[type[Fact], ...]
) -> tuple[Equality, ...]:
    equalities: list[Equality] = []
    placed: set[str] = set()
    for part in filter(None, (part.strip() for part in on.split(","))):
        if part.startswith("any "):
            placed.add(part.removeprefix("any ").strip())
            continue
        try:
            (left, left_path), (right, right_path) = (side.strip().split(".", 1) for side in part.split("="))
            equalities.append(Equality(names.index(left), left_path, names.index(right), right_path))
        except ValueError:
            raise RuleError(
                f"{function.__qualname__}: cannot read {part!r} as 'argument.field = argument.field'"
            ) from None
        placed |= {left, right}
        _check(function, names, takes, equalities[-1])
    if len(names) > 1 and (loose := [name for name in names if name not in placed]):
        raise RuleError(
            f"{function.__qualname__}: no equality names {', '.join(loose)}; write 'any NAME' if that is meant"
        )
    return tuple(equalities)


def _check(function: Callable[..., Any], names: list[str], takes: tuple[type[Fact], ...], tie: Equality) -> None:
    """Raise RuleError for an equality between two fields of one argument, or with a field that its argument lacks."""
    if tie.left == tie.right:
        raise RuleError(f"{function.__qualname__}: {names[tie.left]} is compared with itself; do that in the function")
    for position, path in ((tie.left, tie.left_path), (tie.right, tie.right_path)):
        if not hasattr(takes[position], path.split(".", 1)[0]):
            raise RuleError(f"{function.__qualname__}: {takes[position].__name__} has no field {path}")
