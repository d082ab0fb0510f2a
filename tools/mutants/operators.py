"""The operators: each finds the places in a module where one kind of fault fits, and makes one fault there.

A fault is made in the syntax tree; no file is changed. `key` names it by module, operator, function and the text of the
place, so that it is found again when lines move.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from tools.mutants.annotations import ROOT, Received, is_mapping, received
from tools.mutants.places import Site, Spot, called, parsed, spots, unparsed

CHECKS = re.compile(r"_?(insist|admit)")  # the methods that check
YIELDS_CHECKS = re.compile(r"Checks|(Iterator|Iterable)\[tuple\[str, bool")
CONTEXTS = re.compile(r"context|body|header|label|associated|_of$")  # functions and fields whose value is a context


class Mutant(NamedTuple):
    """One fault: operator, module, function, place; `nth` counts equal places in a function from 0."""

    operator: str
    module: str
    function: str
    text: str
    nth: int

    @property
    def key(self) -> str:
        """The name under which a reason for it is kept."""
        nth = f" #{self.nth}" if self.nth else ""
        return f"{self.module} | {self.operator} | {self.function} | {self.text}{nth}"


class Operator(NamedTuple):
    """A kind of fault: its name, and the function that finds where it fits."""

    name: str
    find: Callable[[ast.Module], Iterator[Site]]

    @property
    def about(self) -> str:
        """What it does, in one sentence."""
        return (self.find.__doc__ or "").strip().splitlines()[0].removeprefix("Yield faults: ")


OPERATORS: dict[str, Operator] = {}


def operator(name: str) -> Callable[[Callable[[ast.Module], Iterator[Site]]], Operator]:
    """Return a decorator that makes an operator of the function that finds its places."""

    def register(find: Callable[[ast.Module], Iterator[Site]]) -> Operator:
        return OPERATORS.setdefault(name, Operator(name, find))

    return register


def names_sender(node: ast.AST) -> bool:
    """Return whether an expression mentions who sent: a name or an attribute `sender`."""
    return any(getattr(each, "id", getattr(each, "attr", "")) == "sender" for each in ast.walk(node))


def _condition(node: ast.AST) -> ast.expr | None:
    """Return what a statement insists on, or None if it is no call that checks, and no `if` that only raises."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and CHECKS.match(called(node.value)):
        return node.value.args[0] if node.value.args else ast.Constant(None)
    only_raises = isinstance(node, ast.If) and len(node.body) == 1 and isinstance(node.body[0], ast.Raise)
    return node.test if isinstance(node, ast.If) and only_raises and not node.orelse else None


# --- the operators ---


@operator("drop a check")
def drop_check(tree: ast.Module) -> Iterator[Site]:
    """Yield faults: one `insist`, or one check that is yielded, is left out."""
    for spot in spots(tree):
        node = spot.node
        asked = _condition(node)
        if isinstance(node, ast.Expr) and asked is not None and not names_sender(asked):
            yield Site(spot.function, unparsed(node), partial(spot.put, ast.Pass()))
        returns = unparsed(spot.around.returns) if spot.around and spot.around.returns else ""
        if not YIELDS_CHECKS.match(returns):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
            nothing = ast.Expr(parsed("(yield from ())"))
            yield Site(spot.function, unparsed(node), partial(spot.put, nothing))
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Call) and unparsed(node.value) != "iter(())":
            none = ast.Return(parsed("iter(())"))
            yield Site(spot.function, unparsed(node), partial(spot.put, none))


@operator("skip the sender")
def skip_sender(tree: ast.Module) -> Iterator[Site]:
    """Yield faults: one check of who sent is left out, alone or among the parts of a condition."""
    for spot in spots(tree):
        node = spot.node
        if (asked := _condition(node)) is not None and names_sender(asked):
            yield Site(spot.function, unparsed(node), partial(spot.put, ast.Pass()))
        elif isinstance(node, ast.Compare) and names_sender(node) and isinstance(spot.parent, ast.BoolOp):
            whole = isinstance(spot.parent.op, ast.And)
            text = f"{unparsed(node)} in {unparsed(spot.parent)}"
            yield Site(spot.function, text, partial(spot.put, ast.Constant(whole)))
        elif isinstance(node, ast.Compare) and names_sender(node) and spot.field == "ifs":  # of a comprehension
            yield Site(spot.function, unparsed(node), partial(spot.put, ast.Constant(True)))


@operator("trust the packet")
def trust_packet(tree: ast.Module) -> Iterator[Site]:
    """Yield faults: one parameter that a party knows is taken from what it is to check, so that it always fits.

    What stands in the words of an error decides nothing, and is left alone.
    """
    done: set[int] = set()
    for spot in spots(tree):
        node, within = spot.node, spot.around
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            for left, right in _compared(node.left, node.comparators[0]):
                if isinstance(left, ast.Attribute) and isinstance(right, ast.Attribute) and left.attr == right.attr:
                    done |= {id(left), id(right)}
                    text = f"{unparsed(right)} -> {unparsed(left)} in {unparsed(node)}"
                    yield Site(spot.function, text, partial(_become, right, left))
        if isinstance(spot.parent, ast.FormattedValue):
            continue
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and within and id(node) not in done:
            for path in _told(within).of(node):
                text = f"{unparsed(node)} -> {path}"
                yield Site(spot.function, text, partial(spot.put, parsed(path)))


def _compared(left: ast.expr, right: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return what a comparison compares: the two sides or, if both are tuples, their items."""
    if isinstance(left, ast.Tuple) and isinstance(right, ast.Tuple):
        return list(zip(left.elts, right.elts, strict=False))
    return [(left, right)]


@cache
def _told(within: ast.FunctionDef) -> Received:
    return received(within)


def _become(node: ast.AST, other: ast.AST) -> None:
    """Give a node the place and meaning of a copy of another of its class."""
    node.__dict__.update(copy.deepcopy(other).__dict__)


@operator("drop a label")
def drop_label(tree: ast.Module) -> Iterator[Site]:
    """Yield faults: one part of what is hashed, signed, or bound as a context is left out, on both sides of a proof."""
    for spot in spots(tree):
        node = spot.node
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call) and node.args:
            first = node.args[0]
            joins = called(node) == "join" and CONTEXTS.search(spot.function)
            if isinstance(first, ast.Tuple) and (called(node) == "encode" or joins):
                parts = first.elts
            elif called(node) == "sha256":
                parts = node.args
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and CONTEXTS.search(spot.function):
            for left, kept in ((node.left, node.right), (node.right, node.left)):
                text = f"{unparsed(left)} in {unparsed(node)}"
                yield Site(spot.function, text, partial(spot.put, kept))
        elif isinstance(node, ast.Assign) and not spot.scope:
            yield from _constants(node)
        for at, part in enumerate(parts if len(parts) > 1 else ()):
            text = f"{unparsed(part)} in {unparsed(node)}"
            yield Site(spot.function, text, partial(parts.pop, at))
    yield from _proofs(tree)


def _proofs(tree: ast.Module) -> Iterator[Site]:
    """Yield faults: prover and verifier leave the same part of a hash out, since both would notice a difference."""
    hashes: dict[str, list[tuple[Spot, list[tuple[list[ast.expr], int]]]]] = {}
    for spot in spots(tree):
        if called(spot.node) == "hash_to_scalar" and isinstance(spot.node, ast.Call):
            places = list(_places(spot.node.args, spot.around))
            hashes.setdefault(unparsed(spot.node.args[0]), []).append((spot, places))
    for tag, calls in hashes.items():
        for at, (parts, place) in enumerate(calls[0][1][: min(len(places) for _, places in calls)]):
            text = f"{unparsed(parts[place])} in the hash {tag}"
            everywhere = [places[at] for _, places in calls]
            yield Site(calls[0][0].function, text, partial(_leave_out, everywhere))


def _leave_out(places: list[tuple[list[ast.expr], int]]) -> None:
    for parts, at in places:
        parts.pop(at)


def _places(parts: list[ast.expr], within: ast.FunctionDef | None) -> Iterator[tuple[list[ast.expr], int]]:
    """Yield where each argument of a hash stands: in its own list, or in that of a tuple that is spread in it."""
    for at, part in enumerate(parts):
        if not isinstance(part, ast.Starred):
            yield parts, at
            continue
        made = [each.value for each in ast.walk(within or ast.Pass()) if isinstance(each, ast.Assign)
                and unparsed(each.targets[0]) == unparsed(part.value)]  # fmt: skip
        if not made or not isinstance(made[0], ast.Tuple):
            return
        yield from ((made[0].elts, inner) for inner in range(len(made[0].elts)))


def _constants(node: ast.Assign) -> Iterator[Site]:
    """Yield faults: a module's constant of bytes, the name of a purpose, is empty wherever it is used."""
    pairs = [(target, node.value) for target in node.targets]
    if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
        pairs = list(zip(node.targets[0].elts, node.value.elts, strict=True))
    for target, value in pairs:
        if isinstance(value, ast.Constant) and isinstance(value.value, bytes) and value.value:
            text = f"{unparsed(target)} = {unparsed(value)}"
            yield Site("", text, partial(setattr, value, "value", b""))


@operator("stop at an error")
def stop_at_error(tree: ast.Module) -> Iterator[Site]:
    """Yield faults: a loop that goes on after an error ends with the first one."""
    for spot in spots(tree):
        node = spot.node
        if isinstance(node, ast.For | ast.While):
            over = unparsed(node.iter if isinstance(node, ast.For) else node.test)
            for attempt in (each for each in node.body if isinstance(each, ast.Try)):
                if not all(_ends(each.body[-1]) for each in attempt.handlers):
                    text = f"{unparsed(attempt.body[0])} in the loop over {over}"
                    yield Site(spot.function, text, partial(_then, attempt, ast.Break()))
        elif isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Constant):  # it returns None
            inside = node.body[1:] if ast.get_docstring(node) else node.body
            for attempt in (each for each in inside if isinstance(each, ast.Try) and len(inside) == 1):
                if attempt.handlers and not any(_ends(each.body[-1]) for each in attempt.handlers):
                    text = f"raise again in {unparsed(attempt.body[0])}"
                    name = f"{spot.function}.{node.name}".lstrip(".")
                    yield Site(name, text, partial(_then, attempt, ast.Raise()))


def _ends(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise | ast.Return | ast.Break)


def _then(attempt: ast.Try, end: ast.stmt) -> None:
    """Let each handler end with this statement, after it has done its part."""
    for each in attempt.handlers:
        if isinstance(each.body[-1], ast.Continue):
            each.body.pop()
        each.body.append(end)


@operator("take a default")
def take_default(tree: ast.Module) -> Iterator[Site]:
    """Yield faults: where a missing key is an error, None is taken instead."""
    for spot in spots(tree):
        node = spot.node
        if isinstance(node, ast.Subscript) and _is_key(node.slice) and is_mapping(node.value, spot.around):
            get = ast.Call(ast.Attribute(node.value, "get", ast.Load()), [node.slice, ast.Constant(None)], [])
            if isinstance(node.ctx, ast.Load):
                yield Site(spot.function, unparsed(node), partial(spot.put, get))
        elif called(node) == "pop" and isinstance(node, ast.Call) and len(node.args) == 1:
            if isinstance(node.func, ast.Attribute) and is_mapping(node.func.value, spot.around):
                yield Site(spot.function, unparsed(node), partial(node.args.append, ast.Constant(None)))
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and is_mapping(target.value, spot.around):
                    text = f"del {unparsed(target)}"
                    yield Site(spot.function, text, partial(_forgive, spot, target))
        elif called(node) == "next" and isinstance(node, ast.Call) and len(node.args) == 1:
            yield Site(spot.function, unparsed(node), partial(node.args.append, ast.Constant(None)))


def _is_key(node: ast.AST) -> bool:
    """Return whether an index may be a key: no slice, and no number that is written out."""
    return not isinstance(node, ast.Slice | ast.Tuple) and not (
        isinstance(node, ast.Constant) and isinstance(node.value, int)
    )


def _forgive(spot: Spot, target: ast.Subscript) -> None:
    """Delete one key of a mapping only if it is there."""
    pop = ast.Call(ast.Attribute(target.value, "pop", ast.Load()), [target.slice, ast.Constant(None)], [])
    others = [each for each in getattr(spot.node, "targets", []) if each is not target]
    spot.put(*([ast.Delete(others)] if others else []), ast.Expr(pop))


# --- what they make of a module ---


def path_of(module: str) -> Path:
    """Return the file of a module."""
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def mutants(module: str, source: str | None = None) -> list[Mutant]:
    """Return every fault that the operators make in a module; `source` replaces what is in its file."""
    return [*_made(module, path_of(module).read_text(encoding="utf-8") if source is None else source)]


@cache
def _made(module: str, text: str) -> list[Mutant]:
    made: list[Mutant] = []
    for each in OPERATORS.values():
        if module.startswith("escrow.primitives.") and each is not drop_label:
            continue  # they take no packets, and decide nothing of a protocol
        met: Counter[tuple[str, str]] = Counter()
        for function, place, _ in each.find(ast.parse(text)):
            made.append(Mutant(each.name, module, function, place, met[function, place]))
            met[function, place] += 1
    return made


def mutated(mutant: Mutant, source: str | None = None) -> ast.Module:
    """Return the module's syntax tree with the fault in it. Raise LookupError if the place is gone."""
    text = path_of(mutant.module).read_text(encoding="utf-8") if source is None else source
    tree = ast.parse(text)
    fitting = [site for site in OPERATORS[mutant.operator].find(tree) if site[:2] == mutant[2:4]]
    if len(fitting) <= mutant.nth:
        raise LookupError(f"no such place: {mutant.key}")
    fitting[mutant.nth].edit()
    return ast.fix_missing_locations(tree)
