"""The library's functions by their names, and one step of a proof executed. No name from a file is ever imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from attacks.lab.adversary.view import words_of
from attacks.lab.evidence.folder import one_line
from attacks.lab.simulation.attack import Attack
from attacks.lab.verdict.analysis import rules_of
from escrow import codec
from escrow.codec import Fact
from escrow.derivation import Gate, Rule
from escrow.errors import Malformed
from escrow.scheme import Scheme
from escrow.warrant import AuthorityKey, Warrant


def full_name(kind: type[Fact]) -> str:
    """Return a type's name with its module, because types of two modules may have the same name."""
    return f"{kind.__module__}.{kind.__qualname__}"


class Library:
    """The rules, services and types of a scheme's cells, by full name. All errors are Malformed."""

    def __init__(self, scheme: Scheme, attacks: Iterable[Attack]) -> None:
        attacks = list(attacks)
        types = frozenset[type]().union(*(words_of(each).types for each in (scheme, *attacks))) - {Fact}
        self._types: dict[str, type[Fact]] = {full_name(kind): kind for kind in types if issubclass(kind, Fact)}
        self._rules = {rule.name: rule for rule in rules_of(scheme, attacks)}
        self._services = {service.name: service for service in words_of(scheme).services}

    def fact(self, kind: str, encoding: str) -> Fact:
        """Return the fact of a type's full name that these hexadecimal digits encode."""
        if kind not in self._types:
            raise Malformed(f"no fact is of the type {kind!a}")
        try:
            data = bytes.fromhex(encoding)
        except ValueError:
            data = b""
        if data.hex() != encoding:
            raise Malformed("its encoding is not in lower-case hexadecimal digits")
        try:
            return codec.decode(data, self._types[kind])
        except Malformed as error:
            raise Malformed(one_line(error)) from None

    def paid(self, name: str, count: int) -> tuple[bool, ...]:
        """Return for each of `count` premises whether the rule or service needs it: all but guards and witnesses."""
        if name in self._services:
            return (True,) * count
        rule = self._rule(name)
        given = len(rule.takes) - isinstance(rule, Gate)
        if count < given or (count > given and not isinstance(rule, Gate)):
            raise Malformed(f"{name} takes {given} premises, not {count}")
        return rule.needed[:given] + (True,) * (count - given)

    def guessed(self, name: str, premises: Sequence[int]) -> dict[int, float]:
        """Return which of these premises a rule takes as guesses, with the bits of each: 2^bits trials find it."""
        rule = self._rules.get(name)
        return {premises[at]: bits for at, bits in rule.guesses.items()} if rule is not None else {}

    def run(self, name: str, premises: Sequence[Fact]) -> tuple[Fact, ...]:
        """Return the rule's results, after a check of types and equalities; `paid` has counted the premises."""
        rule = self._rule(name)
        last = len(rule.takes) - isinstance(rule, Gate)
        groups = [(each,) for each in premises[:last]] + ([tuple(premises[last:])] if isinstance(rule, Gate) else [])
        for kind, group in zip(rule.takes, groups, strict=True):
            if not all(isinstance(each, kind) for each in group):
                raise Malformed(f"{name} takes a {kind.__name__}, not {_kinds(group)}")
        arguments = [*premises[:last], *groups[last:]]
        try:
            if not _tied(rule, groups):
                raise Malformed(f"these premises of {name} do not belong together")
            result = rule.apply(*arguments)
        except Malformed:
            raise
        except Exception as error:  # hostile bytes of the right type may make a function raise anything
            raise Malformed(f"{name}: {type(error).__name__}: {one_line(error)}") from error
        return result if isinstance(result, tuple) else (result,)

    def check_answer(self, name: str, premises: Sequence[Fact], given: Fact) -> None:
        """Raise Malformed unless an official may give this fact as an answer to what is shown."""
        service = self._services[name]
        wanted: tuple[type[Fact], ...] = (*service.takes[2:], service.takes[1], AuthorityKey)
        if len(premises) != len(wanted) or not all(map(isinstance, premises, wanted)):
            raise Malformed(f"{name} is not asked with {_kinds(premises)}")
        warrant, key = premises[-2:]
        if not (isinstance(warrant, Warrant) and isinstance(key, AuthorityKey) and _signs(key, warrant)):
            raise Malformed(f"{name}: the key that is shown is not the one that the warrant names")
        if not isinstance(given, service.rule.gives):
            raise Malformed(f"{name} does not answer with a {type(given).__name__}")

    def is_service(self, name: str) -> bool:
        """Return whether a name is that of an official's service."""
        return name in self._services

    def _rule(self, name: str) -> Rule:
        if name not in self._rules:
            raise Malformed(f"{name!a} is no rule of this scheme or of these attacks")
        return self._rules[name]


def _tied(rule: Rule, groups: Sequence[tuple[Fact, ...]]) -> bool:
    """Return whether the fields that the rule's marking calls equal are equal."""
    return all(
        attrgetter(tie.left_path)(left) == attrgetter(tie.right_path)(right)
        for tie in rule.equalities
        for left in groups[tie.left]
        for right in groups[tie.right]
    )


def _signs(key: AuthorityKey, warrant: Warrant) -> bool:
    """Return whether the key is the one that the warrant names, in both halves."""
    try:
        true_half = key.live.public_key().public_bytes_raw()
    except ValueError:
        return False
    return key.public == true_half == warrant.order.authority


def _kinds(facts: Iterable[Fact]) -> str:
    return ", ".join(type(each).__name__ for each in facts) or "nothing"
