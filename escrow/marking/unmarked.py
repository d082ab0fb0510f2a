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
from escrow.marking.program import DOOR, has_mark, is_marked, secret_fields

_REPLACING = (msgspec.structs.replace, dataclasses.replace)


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
        target, given = self.meant(call.func, within), call.args
        if given and getattr(target, "__name__", "") in ("map", "starmap", "partial"):
            target, given = self.meant(given[0], within), given[1:]
        elif isinstance(target, partial):
            target = target.func
        if ast.unparse(call.func) in ("cls", "type(self)", "self.__class__"):
            target = vars(within.module).get(within.owner, target)
        if target in _REPLACING:
            for key in call.keywords:
                if key.arg in self.secrets:
                    yield f"fact with another {key.arg}", key.value
        if isinstance(target, type) and issubclass(target, Fact) and (secret := secret_fields(target)):
            names = target.__struct_fields__
            for name, each in zip(names, given, strict=False):
                if name in secret or isinstance(each, ast.Starred):
                    yield target.__name__, each
            for key in call.keywords:
                if key.arg in secret or key.arg is None:
                    yield target.__name__, key.value
        elif inspect.isfunction(target) and target.__module__.startswith(DOOR) and (made := _fact_of(target)):
            yield made, call


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
