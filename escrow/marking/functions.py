"""Read a module's text as functions: what each calls, returns, imports, and gives to names and fields.

All functions count: methods, properties, nested ones, lambdas, and those whose names begin with an underscore.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from importlib.util import resolve_name
from types import ModuleType
from typing import Any

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
PUTTING = {"append", "add", "extend", "insert", "appendleft"}


@dataclass(eq=False)
class Function:
    """One function of a module's text: its node, the functions and the class around it, and what its names mean."""

    node: Any
    module: ModuleType
    name: str
    outer: Function | None
    owner: str
    values: dict[str, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    imported: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def parameters(self) -> set[str]:
        """The names of its parameters."""
        given = self.node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        return {each.arg for each in every if each is not None}

    @cached_property
    def hints(self) -> dict[str, ast.expr]:
        """The annotations of its parameters, and of local variables that have one."""
        given = self.node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        local = (each for each in ast.walk(self.node) if isinstance(each, ast.AnnAssign))
        hints = {each.target.id: each.annotation for each in local if isinstance(each.target, ast.Name)}
        return hints | {each.arg: each.annotation for each in every if each.annotation is not None}

    @cached_property
    def defaults(self) -> dict[str, ast.expr]:
        """The values that its parameters have where a call gives none."""
        given = self.node.args
        placed = [*given.posonlyargs, *given.args][-len(given.defaults) :] if given.defaults else []
        named = zip(given.kwonlyargs, given.kw_defaults, strict=True)
        pairs = [*zip(placed, given.defaults, strict=True), *named]
        return {parameter.arg: value for parameter, value in pairs if value is not None}


class ModuleText:
    """A module's text, as functions, with the names that each mentions."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.functions: list[Function] = []
        self.calls: list[tuple[Function | None, ast.Call]] = []
        self.mentions: list[tuple[ast.Name | ast.Attribute, Function | None]] = []
        self.called: set[ast.expr] = set()
        self.returns: dict[Function, list[ast.expr]] = defaultdict(list)
        self.assigned: dict[str, list[tuple[Function, ast.expr]]] = defaultdict(list)
        self.fields: set[str] = set()
        self._visit(ast.parse(inspect.getsource(module)), None, "", "")

    def _visit(self, node: ast.AST, within: Function | None, owner: str, named: str) -> None:
        if isinstance(node, FUNCTIONS):
            name = getattr(node, "name", named)
            for each in getattr(node, "decorator_list", ()):
                self._visit(each, Function(node, self.module, name, within, owner), owner, "")
            for each in (*node.args.defaults, *node.args.kw_defaults):
                if each is not None:
                    self._visit(each, within, owner, "")
            made = Function(node, self.module, name, within, owner)
            self.functions.append(made)
            if isinstance(node, ast.Lambda):
                self.returns[made].append(node.body)
            for each in node.body if isinstance(node.body, list) else [node.body]:
                self._visit(each, made, owner, "")
            return
        if isinstance(node, ast.ClassDef):
            owner = node.name
        if isinstance(node, ast.Name | ast.Attribute):
            self.mentions.append((node, within))
        elif isinstance(node, ast.Call):
            self.calls.append((within, node))
            self.called.add(node.func)
        elif isinstance(node, ast.AnnAssign) and within is None and owner and isinstance(node.target, ast.Name):
            self.fields.add(node.target.id)
        if within is not None:
            self._note(node, within)
        named = _target(node)
        for each in ast.iter_child_nodes(node):
            self._visit(each, within, owner, named)

    def _note(self, node: ast.AST, within: Function) -> None:
        """Note what a statement inside a function gives to a name, imports, or returns."""
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value is not None:
            self.returns[within].append(node.value)
        elif isinstance(node, ast.Assign):
            for each in node.targets:
                self._give(within, each, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._give(within, node.target, node.value)
        elif isinstance(node, ast.AugAssign):
            self._give(within, node.target, ast.BinOp(node.target, node.op, node.value))
        elif isinstance(node, ast.For | ast.comprehension):
            for target, value in _pairs(node.target, node.iter):
                self._give(within, target, value)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._give(within, node.optional_vars, node.context_expr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            within.imported |= dict(imported(node, self.module))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PUTTING:
            for each in node.args:
                self._give(within, node.func.value, each)

    def _give(self, within: Function, target: ast.AST, value: ast.expr) -> None:
        """Note that a value goes to the names and fields in a target."""
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            within.values[target.id].append(value)
        elif isinstance(target, ast.Attribute):
            self.assigned[target.attr].append((within, value))
        elif isinstance(target, ast.Tuple | ast.List | ast.Starred):
            for each in [target.value] if isinstance(target, ast.Starred) else target.elts:
                self._give(within, each, value)


def _pairs(target: ast.expr, over: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return what of an iteration goes to which target: the arguments of zip to one each, that of enumerate second."""
    if isinstance(target, ast.Tuple) and isinstance(over, ast.Call) and isinstance(over.func, ast.Name):
        if over.func.id == "zip" and len(target.elts) == len(over.args):
            return [*zip(target.elts, over.args, strict=True)]
        if over.func.id == "enumerate" and len(target.elts) == 2:
            return [(target.elts[1], over.args[0])]
    return [(target, over)]


def _target(node: ast.AST) -> str:
    """Return the one name that a statement assigns to, for a lambda in it."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return node.target.id if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else ""


def imported(node: ast.Import | ast.ImportFrom, module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Run an import statement that stands in a module's function, and yield (name, what it means) for each name."""
    package = getattr(module, "__package__", None) or module.__name__
    homes = [resolve_name("." * node.level + (node.module or ""), package)] if isinstance(node, ast.ImportFrom) else []
    with suppress(ImportError):  # then the function fails, too
        for home in homes or [each.name for each in node.names]:
            import_module(home)
    for each in node.names:
        if homes:
            value = getattr(sys.modules.get(homes[0]), each.name, None) or sys.modules.get(f"{homes[0]}.{each.name}")
        else:
            value = sys.modules.get(each.name if each.asname else each.name.split(".")[0])
        yield each.asname or each.name.split(".")[0], value


@cache
def text_of(module: ModuleType) -> ModuleText:
    """Return the text of a module, read once."""
    return ModuleText(module)


def imported_inside(module: ModuleType) -> dict[str, Any]:
    """Return what the functions of a module import, by the names that they give it; nothing if it has no text.

    An installed module whose text does not say `escrow` is not read: it is no part of a scheme.
    """
    try:
        if "-packages" in str(module.__file__) and "escrow" not in inspect.getsource(module):
            return {}
        return {name: value for each in text_of(module).functions for name, value in each.imported.items()}
    except (AttributeError, OSError, TypeError, SyntaxError):
        return {}
