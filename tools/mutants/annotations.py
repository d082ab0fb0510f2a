"""Which fields the library's classes have, and what a function is told, as far as annotations say so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TOLD = {"Packet", "Fact"}  # what travels


class Shape(NamedTuple):
    """A class: the names of its bases, and its fields with their annotations."""

    bases: tuple[str, ...]
    fields: dict[str, ast.expr]


@cache
def shapes() -> dict[str, Shape]:
    """Return every class of the library by name: a public name stands once."""
    found: dict[str, Shape] = {}
    for path in sorted((ROOT / "escrow").glob("**/*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                made = [each for each in node.body if isinstance(each, ast.AnnAssign)]
                fields = {each.target.id: each.annotation for each in made if isinstance(each.target, ast.Name)}
                bases = tuple(ast.unparse(each).rpartition(".")[2] for each in node.bases)
                found.setdefault(node.name, Shape(bases, fields))
    return found


def fields_of(name: str) -> dict[str, ast.expr]:
    """Return a class's fields and those of its bases, with their annotations."""
    shape = shapes().get(name, Shape((), {}))
    inherited = {field: hint for base in shape.bases for field, hint in fields_of(base).items()}
    return inherited | shape.fields


def travels(name: str) -> bool:
    """Return whether values of this class are packets or facts."""
    return name in TOLD or any(travels(base) for base in shapes().get(name, Shape((), {})).bases)


def classes_in(hint: ast.expr | None) -> list[str]:
    """Return the classes of the library that an annotation names, alone or in a union."""
    if isinstance(hint, ast.BinOp):
        return classes_in(hint.left) + classes_in(hint.right)
    name = getattr(hint, "attr", getattr(hint, "id", ""))
    return [name] if name in shapes() else []


class Received(NamedTuple):
    """What a function is told, and what it has: names with their classes."""

    told: dict[str, str]
    own: dict[str, list[str]]

    def of(self, node: ast.Attribute) -> Iterator[str]:
        """Yield the paths in what the function is told that have the same field as this one of its own."""
        if not isinstance(node.value, ast.Name) or node.value.id not in self.own:
            return
        kinds = self.own[node.value.id]
        if kinds and not any(node.attr in fields_of(kind) for kind in kinds):
            return
        for name, kind in self.told.items():
            for field, hint in fields_of(kind).items():
                if field == node.attr:
                    yield f"{name}.{field}"
                elif any(travels(inner) and node.attr in fields_of(inner) for inner in classes_in(hint)):
                    yield f"{name}.{field}.{node.attr}"


def received(function: ast.FunctionDef) -> Received:
    """Return what a function is told: packets and facts in its arguments, and those that it decodes or asks for."""
    told: dict[str, str] = {}
    own: dict[str, list[str]] = {}
    for argument in function.args.args:
        kinds = classes_in(argument.annotation)
        if any(map(travels, kinds)):
            told[argument.arg] = kinds[0]
        elif argument.arg == "self" or kinds:
            own[argument.arg] = kinds
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            named = getattr(node.value.func, "attr", "")
            if named in {"decode", "ask"} and node.value.args and (kinds := classes_in(node.value.args[-1])):
                told[node.targets[0].id] = kinds[0]
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            for kind in _elements(node.iter, told):
                told[node.target.id] = kind
    return Received(told, own)


def _elements(node: ast.expr, told: dict[str, str]) -> list[str]:
    """Return the classes of what is in a field of something told, if the field is a sequence of facts."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in told:
        hint = fields_of(told[node.value.id]).get(node.attr)
        if isinstance(hint, ast.Subscript):
            first = hint.slice.elts[0] if isinstance(hint.slice, ast.Tuple) else hint.slice
            return [each for each in classes_in(first) if travels(each)]
    return []


@cache
def _mappings() -> frozenset[str]:
    """Return the names of fields that are annotated as dictionaries, in any class of the library."""
    every = (item for shape in shapes().values() for item in shape.fields.items())
    return frozenset(name for name, hint in every if ast.unparse(hint).startswith(("dict[", "Mapping[")))


def is_mapping(node: ast.expr, within: ast.FunctionDef | None) -> bool:
    """Return whether an expression is a dictionary, by its field's name or by what the function makes or is given."""
    if isinstance(node, ast.Attribute):
        return node.attr in _mappings()
    if not isinstance(node, ast.Name) or within is None:
        return False
    return any(_makes_mapping(each, node.id) for each in ast.walk(within))


def _makes_mapping(node: ast.AST, name: str) -> bool:
    """Return whether an argument, an annotation or an assignment says that the local `name` is a dictionary."""
    if isinstance(node, ast.Assign):
        named = any(isinstance(each, ast.Name) and each.id == name for each in node.targets)
        return named and isinstance(node.value, ast.Dict | ast.DictComp)
    if isinstance(node, ast.arg) or (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
        same = name == (node.arg if isinstance(node, ast.arg) else getattr(node.target, "id", ""))
        return same and node.annotation is not None and ast.unparse(node.annotation).startswith(("dict[", "Mapping["))
    return False
