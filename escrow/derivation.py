"""The adversary's rules are the library's own functions: every holder of the arguments can compute the result.

  @derivation("message.chain = key.chain, message.n = key.n")
  def open_message(message: Message, key: MessageKey) -> Plaintext: ...

Annotations say which facts a function takes and gives; the string says on which fields the arguments belong together,
so that a closure can join them instead of trying all pairs. An argument that stands in no equality must be named by
`any`. A function raises Forged if its arguments do not fit. Four kinds of premise:

  T               needed: without it the result cannot be computed
  Guard[T]        public bookkeeping that only bounds the search (which message numbers exist)
  Witness[T]      bytes on which the result is verified; without them the result can be computed, but not verified
  Guess[T, bits]  needed, but whoever lacks it can try 2^bits values: the function must raise Forged for a wrong one

An argument that is no fact (a day, an index, a user) takes the values of a field, of another argument or of any fact of
a kind: "day = field.day", or "day = Envelope.day" where no argument is an Envelope. A function without facts gives what
everybody has.

`@threshold` marks a function of any t out of several members. `@service` marks the checks that an honest official makes
before it answers with a derivation: its promise. `@honest_only` marks a public function over facts that is no rule.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar

from escrow.codec import Fact
from escrow.signatures import (
    Equality,
    Guard,
    Guess,
    RuleError,
    Signature,
    Witness,
    facts_of,
    parse,
    signature_of,
    where,
)

F = TypeVar("F", bound=Callable[..., Any])

Checks = Iterator[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Pooled:
    """What bounds a rule of one secret and one other fact: any t secrets give by `pool` what t of its results give.

    So results matter only beside others of their group that are not made with secrets that a thief has.
    """

    pool: Gate
    group: tuple[tuple[int, str], ...]  # fields of the arguments: equal for all results that are of use together


@dataclass(frozen=True, slots=True)
class Rule:
    """A derivation as the closure sees it.

    `takes[i]` is a Fact type; `needed[i]` is False for guards, witnesses and guesses, and `guesses` has the bits of
    each guess by its number. `places` says of each parameter which fact it is, or which field of a fact it takes its
    value from; it is empty if the parameters are the facts. Facts from number `shown` on only give values.
    """

    function: Callable[..., Any]
    takes: tuple[type[Fact], ...]
    needed: tuple[bool, ...]
    equalities: tuple[Equality, ...]
    gives: tuple[type[Fact], ...]
    places: dict[str, tuple[int, str]] = field(default_factory=dict, kw_only=True, hash=False)
    guesses: dict[int, float] = field(default_factory=dict, kw_only=True, hash=False)
    shown: int = field(default=0, kw_only=True)
    pooled: Pooled | None = field(default=None, kw_only=True, hash=False)

    @property
    def name(self) -> str:
        """The function's module and name."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    def place(self, parameter: str) -> tuple[int, str]:
        """Return which fact gives a parameter's value, and by which of its fields; "" means the fact itself."""
        return (
            self.places[parameter]
            if self.places
            else (list(inspect.signature(self.function).parameters).index(parameter), "")
        )

    @property
    def apply(self) -> Callable[..., Any]:
        """The function of the facts alone: what it gives where `takes` says which facts it takes."""
        if not self.places:
            return self.function
        function, reads = self.function, [(at, attrgetter(path) if path else None) for at, path in self.places.values()]
        return lambda *facts: function(*[facts[at] if read is None else read(facts[at]) for at, read in reads])


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

    `checks(holder secret, warrant, request facts…)` yields (check, whether it holds); `asks` are the names of these
    arguments. If `timed`, it takes the day of the request too, by the name `day`. `given` tells where the rule's other
    arguments lie within the request facts: rule argument -> (checks argument, dotted path or ""). `final` are checks
    that refuse every order which an attacker can write, each with the reason.
    """

    rule: Rule
    checks: Callable[..., Checks]
    holder: str
    takes: tuple[type[Fact], ...]
    given: dict[str, tuple[str, str]]
    asks: tuple[str, ...]
    timed: bool = False
    final: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    @property
    def name(self) -> str:
        """The module and name of the function that yields the checks."""
        return f"{self.checks.__module__}.{self.checks.__qualname__}"

    @property
    def holder_at(self) -> int:
        """Which of the rule's facts is the official's secret."""
        return self.rule.place(self.holder)[0]

    def checked(self, *asked: Fact, day: int) -> Checks:
        """Yield the checks on a request that is made on this day."""
        return self.checks(*asked, day=day) if self.timed else self.checks(*asked)

    def answer(self, *asked: Fact) -> Any:
        """Return what the rule gives, with the same facts as the checks."""
        known = dict(zip(self.asks, asked, strict=True))
        given = {name: attrgetter(path)(known[of]) if path else known[of] for name, (of, path) in self.given.items()}
        return self.rule.function(**{self.holder: known[self.holder]}, **given)


def derivation(on: str = "", *, pool: Callable[..., Any] | None = None, group: str = "") -> Callable[[F], F]:
    """Mark a public typed function as a rule of the adversary.

    Args:
        on: the equalities between fields of the arguments, comma-separated, and `any NAME` for each argument that
            stands in none: "message.chain = key.chain, any group".
        pool: a threshold rule over members like the first of the two arguments. Any t of them give by it all that a
            threshold rule of the function's own module makes of t results; so the adversary computes results only
            beside others that it gets elsewhere, such as officials' answers.
        group: with `pool`, the fields of the arguments that stand in the fields `by` of that threshold rule.

    Returns:
        A decorator that returns the function itself, with its `Rule` in `__rule__`.

    Raises:
        RuleError: an annotation is not a fact, or `on` does not fit the signature.
    """

    def mark(function: F) -> F:
        found = signature_of(function)
        equalities = parse(found, on)
        function.__rule__ = Rule(  # type: ignore[attr-defined]
            function,
            tuple(found.takes),
            tuple(found.needed),
            equalities,
            found.gives,
            places=found.places() if found.plain else {},
            guesses=found.guesses,
            shown=found.shown,
            pooled=_pooled(found, pool, group) if pool else None,
        )
        return function

    return mark


def _pooled(found: Signature, pool: Callable[..., Any], group: str) -> Pooled:
    rule = getattr(pool, "__rule__", None)
    if len(found.takes) != 2 or not isinstance(rule, Gate) or not issubclass(rule.takes[-1], found.takes[0]):
        raise RuleError(f"{found.function.__qualname__}: `pool` is a threshold rule over the first of two arguments")
    sides = [found.side(each.strip()) for each in group.split(",")]
    return Pooled(rule, tuple(side for side in sides if not isinstance(side, str)))


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
        found = signature_of(function)
        equalities = parse(found, on)
        if found.plain or found.guesses:
            raise RuleError(f"{function.__qualname__}: a threshold rule takes facts only, and none is guessed")
        t_name, t_path = t.split(".", 1)
        position = found.names.index(t_name)
        read = attrgetter(t_path)
        function.__rule__ = Gate(  # type: ignore[attr-defined]
            function,
            tuple(found.takes),
            tuple(found.needed),
            equalities,
            found.gives,
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
    warrant and the other facts of the request. An argument `day: int`, if there is one, is the day of the request: the
    official is asked on its own day, and the adversary asks for every evening.

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
        rule: Rule | Gate | None = getattr(answer, "__rule__", None)
        if rule is None or isinstance(rule, Gate):
            raise RuleError(f"{function.__qualname__}: {answer.__name__}, its answer, is not marked @derivation")
        checks = signature_of(function, rule=False)
        names, where = checks.names, {}
        for name in inspect.signature(answer).parameters:
            at, path = rule.place(name)
            if name != holder and (name in names or (rule.needed[at] and not path)):
                where[name] = name, ""
        for part in filter(None, (part.strip() for part in given.split(","))):
            left, right = (side.strip() for side in part.split("="))
            argument, _, path = right.partition(".")
            where[left] = (argument, path)
        if names[0] != holder or any(argument not in names for argument, _ in where.values()):
            raise RuleError(f"{function.__qualname__}: its arguments do not give those of {rule.name}")
        made = Service(
            rule, function, holder, tuple(checks.takes), where, tuple(names), bool(checks.plain), final=final or {}
        )
        function.__service__ = made  # type: ignore[attr-defined]
        return function

    return mark


def honest_only(why: str) -> Callable[[F], F]:
    """Mark a public function over facts that is no rule of the adversary, and say why."""

    def mark(function: F) -> F:
        function.__honest_only__ = why  # type: ignore[attr-defined]
        return function

    return mark


__all__ = ["Checks", "Equality", "Gate", "Guard", "Guess", "Pooled", "Rule", "RuleError", "Service", "Witness"]
__all__ += ["derivation", "facts_of", "honest_only", "service", "threshold", "where"]
