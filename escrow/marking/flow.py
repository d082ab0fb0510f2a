"""Tell what an expression only passes on from what it computes, by its text."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from escrow.codec import Fact, Public, decode, decode_any
from escrow.marking.functions import Function, text_of
from escrow.marking.program import DOOR, Program, has_mark, is_marked, secret_fields

COPYING = {"get", "pop", "popitem", "items", "values", "keys", "setdefault", "copy", "to_bytes", "from_bytes"}
PASSING = {"tuple", "list", "dict", "set", "frozenset", "sorted", "reversed", "next", "iter", "zip", "enumerate"}
PASSING |= {"bytes", "getattr", "range", "len", "str", "int", "min", "max", "isinstance", "type", "filter"}
PASSING |= {"random_bytes", "scalar_bytes", "scalar"}  # the last two write a number as bytes, and read it
PASSING_MODULES = ("escrow.codec", "itertools", "msgspec.structs", "copy", "typing")
PUBLIC = ("seal", "sign", "encrypt")  # what these give is made to be seen
DRAWING = ("random_", "new_private", "new_signing_key", "new_kem_private")


class Flow(Program):
    """What the expressions of some modules give."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        super().__init__(modules)
        self._passes: dict[Function, bool] = {}
        self._busy: set[tuple[Any, ast.expr]] = set()

    # --- what is passed on, and what is computed ---

    def passed(self, node: ast.expr | None, within: Function) -> bool:
        """Return whether an expression gives only what was there before: copies, random bytes, results of rules."""
        match node:
            case None | ast.Constant() | ast.Compare() | ast.Lambda():
                return True
            case ast.Name():
                return self._local(node.id, within)
            case ast.Attribute():
                found = [each for each in self._called(node.attr, within) if _is_property(each)]
                return self.passed(node.value, within) and all(map(self._gives, found)) and self._put(node.attr, within)
            case ast.Subscript():
                return self.passed(node.value, within) and not isinstance(node.slice, ast.Slice)
            case ast.Starred() | ast.Await() | ast.YieldFrom() | ast.NamedExpr() | ast.FormattedValue():
                return self.passed(node.value, within)
            case ast.IfExp():
                return self.passed(node.body, within) and self.passed(node.orelse, within)
            case ast.BoolOp(values=parts) | ast.JoinedStr(values=parts):
                return all(self.passed(each, within) for each in parts)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return all(self.passed(each, within) for each in parts)
            case ast.Dict():
                return all(self.passed(each, within) for each in node.values)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.passed(node.elt, within)
            case ast.DictComp():
                return self.passed(node.value, within)
            case ast.Call():
                return self._call(node, within)
        return False

    def _called(self, name: str, within: Function) -> list[Function]:
        """Return the functions that an attribute may be: of the same module, or of others if no field is called so."""
        here = [each for each in self.named.get(name, ()) if each.module is within.module]
        return here or ([] if name in self.fields else self.named.get(name, []))

    def _put(self, name: str, within: Function) -> bool:
        """Return whether all that this module assigns to fields of a name was there before."""
        return all(self._once((within.module, name), value, at) for at, value in text_of(within.module).assigned[name])

    def _once(self, key: Any, value: ast.expr, within: Function) -> bool:
        """Return whether a value was there before; while that is asked, it is taken to have been."""
        if (key, value) in self._busy:
            return True
        self._busy.add((key, value))
        try:
            return self.passed(value, within)
        finally:
            self._busy.discard((key, value))

    def _local(self, name: str, within: Function) -> bool:
        function: Function | None = within
        while function is not None:
            if name in function.values:
                return all(self._once(function, each, function) for each in function.values[name])
            if name in function.parameters or name in function.imported:
                return True
            function = function.outer
        return True

    def _call(self, node: ast.Call, within: Function) -> bool:
        """Return whether a call gives only what was there before."""
        given = [*node.args, *(key.value for key in node.keywords)]
        target = self.meant(node.func, within)
        if target is map and given and isinstance(given[0], ast.Name | ast.Attribute):
            return self._call(ast.Call(given[0], given[1:], []), within)
        target = inspect.unwrap(target) if callable(target) else None
        if ast.unparse(node.func).startswith("type(") or getattr(node.func, "attr", "") == "__class__":
            return all(self.passed(each, within) for each in given)
        if not isinstance(node.func, ast.Name | ast.Attribute):
            return not any(self._depends(each, within) for each in given)  # what is called is found when it runs
        if target is None:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if isinstance(node.func, ast.Attribute) and name in COPYING:
                return all(self.passed(each, within) for each in (node.func.value, *given))
            if name.startswith(PUBLIC):
                return True
            local = isinstance(node.func, ast.Name) and self.is_value(name, within)
            found = self._called(name, within)
            if local:  # a lambda by its name, or what is called is found when it runs
                found = [each for each in found if each.outer is not None and each.module is within.module]
            if not found and (local or isinstance(node.func, ast.Attribute)):
                return not any(self._depends(each, within) for each in given) if local else False
        else:
            home, name = getattr(target, "__module__", None) or "", getattr(target, "__name__", "")
            if target in (decode, decode_any) or (home.startswith(DOOR) and name.startswith(PUBLIC)):
                return True  # read from bytes, or made to be seen
            if has_mark(target) or (isinstance(target, type) and issubclass(target, Fact)):
                return True  # the arguments of a fact are looked at where it is made
            passing = home in PASSING_MODULES or name in PASSING or (isinstance(target, type) and home != "builtins")
            found = [] if home.startswith(DOOR) else self.named.get(name, [])
            found = [each for each in found if each.module.__name__ == home]
            if not (passing or found):
                return not any(self._depends(each, within) for each in given)  # constant, or drawn
        return all(map(self._gives, found)) and all(self.passed(each, within) for each in given)

    def _gives(self, function: Function) -> bool:
        """Return whether a function only returns what was there before, or is marked."""
        if is_marked(function):
            return True
        if function not in self._passes:
            self._passes[function] = True  # while it is looked at: it may call itself
            gives = self.returns.get(function, ())
            self._passes[function] = all(self.passed(each, function) or self.is_fresh(each, function) for each in gives)
        return self._passes[function]

    def _depends(self, node: ast.expr, within: Function) -> bool:
        """Return whether an expression depends on what a run decides: on a parameter or a local variable."""
        return any(isinstance(each, ast.Name) and self.meant(each, within) is None for each in ast.walk(node))

    # --- what is made of fresh randomness alone ---

    def is_fresh(self, node: ast.expr, within: Function) -> bool:
        """Return whether an expression depends on something drawn here, and on no secret that was there before."""
        found = set(self._origins([node], within, set()))
        return "drawn" in found and "secret" not in found

    def _origins(self, nodes: list[ast.AST], within: Function, seen: set[tuple[Function, str]]) -> Iterator[str]:
        """Yield "drawn" or "secret" for what expressions depend on."""
        waiting = [*nodes]
        while waiting:
            each = waiting.pop()
            if isinstance(each, ast.Call):
                name = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
                target = self.meant(each.func, within)
                if name.startswith(DRAWING):
                    yield "drawn"
                    continue
                if inspect.isfunction(target) and _draws(target):
                    yield "drawn"
            elif isinstance(each, ast.Attribute) and self._is_open(each, within):
                continue
            elif isinstance(each, ast.Name):
                function: Function | None = within
                while function is not None and not (each.id in function.values or each.id in function.parameters):
                    function = function.outer
                if function is None or (function, each.id) in seen:
                    continue
                seen.add((function, each.id))
                yield from self._origins([*function.values.get(each.id, ())], function, seen)
                if each.id in function.parameters and not self._is_plain(each.id, function):
                    yield "secret"
            waiting += ast.iter_child_nodes(each)

    def _is_open(self, node: ast.Attribute, within: Function) -> bool:
        """Return whether a field holds a number, a name or public bytes, by its annotation."""
        hints = self.field_hints(node, within) if isinstance(node.value, ast.Name) else []
        return bool(hints) and all(map(_is_open, hints))

    def _is_plain(self, name: str, function: Function) -> bool:
        """Return whether a parameter holds no secret: a number, a name, a fact of public fields, or a scheme."""
        held = vars(function.module).get(function.owner)
        if name == "self" and isinstance(held, type):
            kind: Any = held
        else:
            given = function.node.args
            every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            hint = next((each.annotation for each in every if each.arg == name), None)
            kind = None if hint is None else self.meant(hint, function)
        if not isinstance(kind, type) or kind is bytes:
            return False
        if issubclass(kind, Fact):
            return not secret_fields(kind)
        return all(each.__name__ != "Principal" for each in kind.__mro__)  # a party has secrets


@cache
def _draws(function: Any) -> bool:
    """Return whether a function's text draws at random."""
    return any(name in inspect.getsource(function) for name in DRAWING)


def _is_open(hint: Any) -> bool:
    return hint in (int, str, bool, Public) or (bool(parts := typing.get_args(hint)) and all(map(_is_open, parts)))


def _is_property(function: Function) -> bool:
    marks = {ast.unparse(each).rsplit(".", 1)[-1] for each in getattr(function.node, "decorator_list", ())}
    return bool(marks & {"property", "cached_property"})
