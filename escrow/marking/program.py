"""The functions of several modules together, what their names mean, and which facts hold secrets."""

from __future__ import annotations

import ast
import builtins
import inspect
import typing
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any

from escrow.codec import Fact, Public
from escrow.marking.functions import Function, ModuleText, text_of

DOOR = ("escrow.crypto", "escrow.primitives.")  # what these modules compute is recorded, call by call


class Program:
    """The texts of modules, without the door's. `named` has every function by name, `fields` the fields of classes."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self.texts = [text_of(each) for each in modules if not each.__name__.startswith(DOOR)]
        self.named: dict[str, list[Function]] = defaultdict(list)
        self.returns: dict[Function, list[ast.expr]] = {}
        self.fields = {name for text in self.texts for name in text.fields}
        for text in self.texts:
            self.returns |= text.returns
            for function in text.functions:
                self.named[function.name].append(function)
        facts = (each for text in self.texts for each in vars(text.module).values() if isinstance(each, type))
        self.secrets = {name for each in facts if issubclass(each, Fact) for name in secret_fields(each)}
        self.hinted: dict[str, list[Any]] = defaultdict(list)  # the annotations of fields, by the field's name
        for each in {each for text in self.texts for each in vars(text.module).values() if isinstance(each, type)}:
            if each.__module__ in {text.module.__name__ for text in self.texts}:
                for name, hint in typing.get_type_hints(each, include_extras=True).items():
                    self.hinted[name].append(hint)

    def meant(self, node: ast.expr, within: Function | ModuleType) -> Any:
        """Return what an expression names at the top of a module or in an import; None for what runs decide."""
        if isinstance(node, ast.Attribute):
            held = self.meant(node.value, within)
            return getattr(held, node.attr, None) if isinstance(held, ModuleType | type) else None
        if not isinstance(node, ast.Name):
            return None
        function = None if isinstance(within, ModuleType) else within
        while function is not None:
            if node.id in function.imported:
                return function.imported[node.id]
            if node.id in function.parameters:
                default = function.defaults.get(node.id)
                return None if default is None else self.meant(default, function.outer or function.module)
            if values := function.values.get(node.id):  # another name for one thing, or what runs decide
                other = values[0] if len(values) == 1 else None
                named = isinstance(other, ast.Attribute) or (isinstance(other, ast.Name) and other.id != node.id)
                return self.meant(other, function) if other is not None and named else None
            function = function.outer
        module = within if isinstance(within, ModuleType) else within.module
        return vars(module).get(node.id, getattr(builtins, node.id, None))

    def mentioned(self, node: ast.Name | ast.Attribute, text: ModuleText, within: Function | None) -> list[Function]:
        """Return the functions that a name in a text may mean."""
        name = node.id if isinstance(node, ast.Name) else node.attr
        found = self.named.get(name, [])
        if not found or (isinstance(node, ast.Name) and self.is_value(name, within)):
            return []
        if inspect.isfunction(meant := self.meant(node, within or text.module)):
            return [each for each in found if each.module.__name__ == meant.__module__]
        if isinstance(node, ast.Name):
            return [each for each in found if each.module is text.module and not each.owner]
        if node not in text.called and name in self.fields:
            return []  # a field, more likely
        return [each for each in found if each.owner and (each.module is text.module or not name.startswith("_"))]

    def field_hints(self, node: ast.Attribute, within: Function) -> list[Any]:
        """Return the annotations that a field may have: of `self`, that of its class; else those of its name."""
        owner = vars(within.module).get(within.owner)
        of_self = isinstance(node.value, ast.Name) and node.value.id == "self" and isinstance(owner, type)
        hint = typing.get_type_hints(owner, include_extras=True).get(node.attr) if of_self else None
        return self.hinted.get(node.attr, []) if hint is None else [hint]

    def is_value(self, name: str, within: Function | None) -> bool:
        """Return whether a name is a parameter or a local variable where it stands."""
        while within is not None:
            if name in within.parameters or name in within.values:
                return True
            within = within.outer
        return False


@cache
def secret_fields(kind: type[Fact], around: frozenset[type[Fact]] = frozenset()) -> tuple[str, ...]:
    """Return the fields of a kind of fact that hold bytes which are not Public, themselves or inside other facts.

    `around` are kinds in which it lies: a fact may hold facts of its own kind, as a tree does.
    """
    if any(each.__name__ == "RequestSubject" for each in kind.__mro__):
        return ()  # access fields and subjects of requests travel in the clear
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(name for name in kind.__struct_fields__ if _is_secret(hints[name], around | {kind}))


def _is_secret(hint: Any, around: frozenset[type[Fact]]) -> bool:
    if hint is bytes or isinstance(hint, typing.TypeVar):
        return True
    if hint == Public or hint in around:
        return False
    if isinstance(hint, type) and typing.get_origin(hint) is None:
        return issubclass(hint, Fact) and bool(secret_fields(hint, around))
    return any(_is_secret(each, around) for each in typing.get_args(hint))


def facts_in(held: Any) -> set[type[Fact]]:
    """Return the kinds of fact in an annotation, or in a container of classes."""
    if isinstance(held, type) and typing.get_origin(held) is None:
        return {held} if issubclass(held, Fact) else set()
    parts = [*held.values()] if isinstance(held, dict) else held if isinstance(held, list | tuple | set) else ()
    return set().union(*map(facts_in, parts or typing.get_args(held)))


def has_mark(function: Any) -> bool:
    """Return whether a function is a rule, a service, or honest-only."""
    return any(hasattr(function, mark) for mark in ("__rule__", "__service__", "__honest_only__"))


def is_marked(function: Function) -> bool:
    """Return whether a function's text says what it is to the adversary."""
    for each in getattr(function.node, "decorator_list", ()):
        called = each.func if isinstance(each, ast.Call) else each
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in ("derivation", "threshold", "service", "honest_only"):
            return True
    return False
