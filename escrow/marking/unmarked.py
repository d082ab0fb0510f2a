"""Find the functions that compute secrets and have no mark."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import typing
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, partial
from types import ModuleType
from typing import Any

import msgspec

from escrow.codec import Fact
from escrow.marking.flow import Flow
from escrow.marking.functions import Function
from escrow.marking.program import DOOR, facts_in, has_mark, is_marked, secret_fields

_REPLACING = (msgspec.structs.replace, dataclasses.replace)
_SETTING = (object.__setattr__, msgspec.structs.force_setattr)


class Marking(Flow):
    """The functions of some modules, and which of them compute secrets without a mark."""

    def unmarked(self) -> Iterator[tuple[ModuleType, str]]:
        """Yield (module, who computes which secret without a mark, where, and what to do) of each computation."""
        covered = self._covered()
        for text in self.texts:
            for within, call in text.calls:
                if within is None or self.is_covered(within, covered):
                    continue
                for kind, argument in self._made(call, within):
                    if not (self.passed(argument, within) or self.is_fresh(argument, within)):
                        yield text.module, _said(within, call, kind)
                        break

    # --- functions that belong to marked ones ---

    def _covered(self) -> set[Function]:
        """Return the functions that are named in marked functions only, or in functions of this set."""
        mentions: dict[Function, list[Function | None]] = defaultdict(list)
        for text in self.texts:
            for node, within in text.mentions:
                for each in self.mentioned(node, text, within):
                    mentions[each].append(within)
        covered = {each for each in mentions if not each.name.startswith("__")}
        while True:
            lost = {
                function
                for function in covered
                if any(each is not function and not self.is_covered(each, covered) for each in mentions[function])
            }
            if not lost:
                return covered
            covered -= lost

    def is_covered(self, function: Function | None, covered: set[Function]) -> bool:
        """Return whether a function, or one around it, is marked or belongs to marked ones."""
        while function is not None:
            if function in covered or is_marked(function):
                return True
            function = function.outer
        return False

    # --- what makes a fact ---

    def _made(self, call: ast.Call, within: Function) -> Iterator[tuple[str, ast.expr]]:
        """Yield (fact, argument) for each argument of a call that fills a secret field."""
        for target, given in self._targets(call.func, call.args, within):
            if target in _REPLACING:
                for key in call.keywords:
                    if key.arg in self.secrets:
                        yield f"fact with another {key.arg}", key.value
            elif target in _SETTING and len(given) == 3 and isinstance(given[1], ast.Constant):
                if given[1].value in self.secrets:
                    yield f"fact with another {given[1].value}", given[2]
            elif isinstance(target, type) and issubclass(target, Fact) and (secret := secret_fields(target)):
                for name, each in zip(target.__struct_fields__, given, strict=False):
                    if name in secret or isinstance(each, ast.Starred):
                        yield target.__name__, each
                for key in call.keywords:
                    if key.arg in secret or key.arg is None:
                        yield target.__name__, key.value
            elif inspect.isfunction(target) and target.__module__.startswith(DOOR) and (made := _fact_of(target)):
                yield made, call

    def _targets(
        self, called: ast.expr, given: list[ast.expr], within: Function
    ) -> Iterator[tuple[Any, list[ast.expr]]]:
        """Yield (what is called, its positional arguments); several kinds of fact where only annotations tell."""
        target = self.meant(called, within)
        made = self._value(called, within) if target is None else None
        if isinstance(made, ast.Call) and made.args and ast.unparse(made.func).endswith("partial"):
            yield from self._targets(made.args[0], [*made.args[1:], *given], within)
        elif given and getattr(target, "__name__", "") in ("map", "starmap", "partial"):
            yield from self._targets(given[0], given[1:], within)
        elif isinstance(target, partial):
            yield target.func, [*map(ast.Constant, target.args), *given]
        elif ast.unparse(called) in ("cls", "type(self)", "self.__class__"):
            yield vars(within.module).get(within.owner, target), given
        elif target is None:
            found = sorted(self.kinds(called, within), key=lambda kind: kind.__name__)
            yield from ((kind, given) for kind in found)
        else:
            yield target, given

    def _value(self, name: ast.expr, within: Function) -> ast.expr | None:
        """Return the one value that a local name has, if it has one."""
        values = within.values.get(name.id, []) if isinstance(name, ast.Name) else []
        return values[0] if len(values) == 1 else None

    def kinds(self, node: ast.AST, within: Function, seen: frozenset[str] = frozenset()) -> set[type[Fact]]:
        """Return the kinds of fact that may lie in what an expression gives, by the annotations of what it names."""
        if isinstance(node, ast.Attribute) and node.attr != "__class__" and not seen:  # a method, or a field of a class
            return set().union(*(facts_in(hint) for hint in self.hinted.get(node.attr, ()) if "type[" in str(hint)))
        found: set[type[Fact]] = set()
        for each in ast.walk(node):
            if isinstance(each, ast.Attribute):
                found |= set().union(*map(facts_in, self.field_hints(each, within)))
            elif isinstance(each, ast.Name) and each.id not in seen:
                function: Function | None = within
                while function is not None and not (each.id in function.hints or each.id in function.values):
                    function = function.outer
                if function is None:
                    found |= facts_in(vars(within.module).get(each.id))
                    continue
                told = [*filter(None, [function.hints.get(each.id)])] or function.values[each.id]
                found |= set().union(*(self.kinds(part, function, seen | {each.id}) for part in told))
        return found


@cache
def _fact_of(function: Any) -> str:
    """Return the name of the fact with secret bytes that an unmarked function returns, or an empty string."""
    gives = None if has_mark(function) else typing.get_type_hints(function).get("return")
    return gives.__name__ if isinstance(gives, type) and issubclass(gives, Fact) and secret_fields(gives) else ""


def _said(within: Function, call: ast.Call, kind: str) -> str:
    file = str(within.module.__file__).rsplit("/", 1)[-1]
    name = f"{within.owner}.{within.name}" if within.owner else within.name or "a lambda"
    return (
        f"{file}:{call.lineno}: {name} makes a {kind} of bytes that it computes, and no rule says so: compute them "
        f"in a public function at the top of the module marked @derivation, or mark {within.name or 'a function'} "
        f'@honest_only("why"), or type the bytes Public if they are no secret'
    )
