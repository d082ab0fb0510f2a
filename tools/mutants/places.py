"""Syntax trees: where a node stands, and how it is replaced there."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

Edit = Callable[[], object]


class Site(NamedTuple):
    """One place where a fault fits: the function's name, the place in words, and what changes the tree."""

    function: str
    text: str
    edit: Edit


class Spot(NamedTuple):
    """A node, where it stands in its parent, and the functions and classes around it."""

    node: ast.AST
    parent: ast.AST
    field: str
    at: int | None
    scope: tuple[ast.AST, ...]

    @property
    def function(self) -> str:
        """The dotted name of the function or class around the node."""
        return ".".join(str(each.name) for each in self.scope if hasattr(each, "name"))

    @property
    def around(self) -> ast.FunctionDef | None:
        """The innermost function around the node."""
        return next((each for each in reversed(self.scope) if isinstance(each, ast.FunctionDef)), None)

    def put(self, *nodes: ast.AST) -> None:
        """Replace the node by others: several, or none, only in a list."""
        if self.at is None:
            setattr(self.parent, self.field, nodes[0])
        else:
            getattr(self.parent, self.field)[self.at : self.at + 1] = nodes


def spots(node: ast.AST, scope: tuple[ast.AST, ...] = ()) -> Iterator[Spot]:
    """Yield every node below this one, outer ones first."""
    inside = (*scope, node) if isinstance(node, ast.FunctionDef | ast.ClassDef) else scope
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.AST):
                yield Spot(child, node, field, index, inside)
                yield from spots(child, inside)


def parsed(text: str) -> ast.expr:
    """Return an expression."""
    return ast.parse(text, mode="eval").body


def unparsed(node: ast.AST) -> str:
    """Return the source of a node, in one line."""
    return " ".join(ast.unparse(node).split())


def called(node: ast.AST) -> str:
    """Return the last name of what a call calls, or an empty string."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))
