"""Collect the adversary's rules from the modules that a scheme draws on: what the text of its own file names, no more.

A module counts if it is ours or draws on ours, through however many others, at its top or in a function. So a plug-in's
own helper modules give rules too. A package counts as what its `__all__` names and what its own text imports, not as
whatever else was imported from it in this process; so `escrow` and `attacks` themselves, and packages without
`__all__`, are refused.
"""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from escrow.codec import Fact, Packet
from escrow.derivation import Rule, RuleError, Service, facts_of

_OURS = {"escrow", "attacks"}
_STRANGERS = {*sys.stdlib_module_names, "Crypto", "cryptography", "msgspec"}  # what we draw on does not draw on us
_LABORATORY = ("attacks.lab.", "attacks.report.", "attacks.interface.")  # no rules: its facts note, nobody sends them
_MARKS = {"derivation": "__rule__", "threshold": "__rule__", "service": "__service__"}  # what each leaves behind


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All definitions of a scheme's modules: the adversary's rules, the services, and every named type of value."""

    rules: tuple[Rule, ...]
    services: tuple[Service, ...]
    types: frozenset[type]


def vocabulary(module: ModuleType, bases: tuple[type, ...] = (Fact, Packet)) -> Vocabulary:
    """Collect the definitions of `module` and of every module of ours that it draws on.

    Args:
        module: a scheme's or an attack's module.
        bases: `types` of the result are the classes derived from these.

    Raises:
        RuleError: a public function over facts is marked neither as a rule nor as honest-only, any function makes a
            secret without a mark (escrow.marking), or a module holds a package whose contents depend on what else was
            imported.
    """
    rules: dict[str, Rule] = {}
    services: dict[str, Service] = {}
    types: set[type] = set()
    reached = sorted(_reachable(module), key=lambda m: m.__name__)
    for each in reached:
        for name, value in sorted(vars(each).items()):
            if getattr(value, "__module__", None) != each.__name__:
                continue
            if isinstance(value, type) and issubclass(value, bases):
                types.add(value)
            elif inspect.isfunction(inspect.unwrap(value)) and not name.startswith("_"):
                if (rule := getattr(value, "__rule__", None)) is not None:
                    rules[rule.name] = rule
                elif (offered := getattr(value, "__service__", None)) is not None:
                    services[offered.checks.__qualname__ + each.__name__] = offered
                elif not hasattr(value, "__honest_only__") and _over_facts(value):
                    at = f"{each.__name__}.{name} (line {inspect.unwrap(value).__code__.co_firstlineno})"
                    raise RuleError(f"{at} takes and gives facts: mark it @derivation or @honest_only")
        if not _is_ours(each.__name__):  # of ours, a test asks the same
            refuse_lost_marks(each)
    theirs = frozenset(each for each in reached if not _is_ours(each.__name__))
    attacks = vars(module).keys() & {"ATTACK", "ATTACKS"} and not vars(module).keys() & {"SCHEME", "SCHEMES"}
    if theirs and not attacks:  # what an attack computes unmarked is its own loss
        _refuse_unmarked(frozenset(reached), theirs)
    return Vocabulary(tuple(rules.values()), tuple(services.values()), frozenset(types))


@cache
def collected(module: ModuleType, bases: tuple[type, ...]) -> Vocabulary:
    """Return what `vocabulary` returned when it was first asked for this module."""
    return vocabulary(module, bases)


@cache
def _refuse_unmarked(modules: frozenset[ModuleType], theirs: frozenset[ModuleType]) -> None:
    """Raise RuleError if a function of `theirs`, which belong to `modules`, computes a secret and has no mark."""
    from escrow.marking.unmarked import Marking  # here, because only schemes from elsewhere are read

    for module, said in Marking(sorted(modules, key=lambda each: each.__name__)).unmarked():
        if module in theirs:
            raise RuleError(said)


def refuse_lost_marks(module: ModuleType) -> None:
    """Raise RuleError if a function of a module's text is marked, but would not be collected: nobody would notice.

    Collected are public functions at the top of a module, under their own names, with their marks in place.
    """
    tree = ast.parse(inspect.getsource(module))
    for node in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)):
        marks = [_name_of(each) for each in node.decorator_list if _name_of(each) in _MARKS]
        if not marks:
            continue
        held: Any = vars(module).get(node.name)
        kept = node in tree.body and not node.name.startswith("_") and hasattr(held, _MARKS[marks[0]])
        if not (kept and inspect.unwrap(held).__code__.co_firstlineno == node.decorator_list[0].lineno):
            raise RuleError(
                f"{module.__name__}.{node.name} (line {node.lineno}) is marked @{marks[0]} and would be lost: "
                f"write it as a public function at the top of the module, with a name of its own"
            )


def _name_of(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _reachable(module: ModuleType) -> set[ModuleType]:
    """Return `module` and those it draws on that are ours or draw on ours. Raise RuleError as `_refuse` does."""
    reached, queue, seen, harmless = {module}, [module], {module.__name__}, set[str]()
    while queue:
        _refuse(each := queue.pop(), harmless)
        for name in _drawn_on(each) - seen:
            seen.add(name)
            found = sys.modules.get(name)
            if found is not None and not name.startswith(_LABORATORY) and _draws_on_ours(name, set()):
                reached.add(found)
                queue.append(found)
    return reached


def _draws_on_ours(name: str, passed: set[str]) -> bool:
    """Return whether a module is ours or draws on ours, through modules that are not in `passed`, which grows."""
    if _is_ours(name):
        return True
    module = sys.modules.get(name)
    if module is None or name in passed or name.split(".")[0] in _STRANGERS:
        return False
    passed.add(name)
    return any(_draws_on_ours(each, passed) for each in _drawn_on(module))


def _refuse(module: ModuleType, harmless: set[str]) -> None:
    """Raise RuleError if a global of `module` is a package of ours whose contents depend on what was imported.

    `harmless` are the names of packages that were looked at before, and grows.
    """
    for name, value in (_globals(module) | _imported_inside(module)).items():
        if not (isinstance(value, ModuleType) and hasattr(value, "__path__")) or value.__name__ in harmless:
            continue
        whole = value.__name__ in _OURS or not hasattr(value, "__all__")  # another counts as what it exports
        if whole and _concerns_us(value.__name__):
            raise RuleError(
                f"{module.__name__} (line {_line_of(module, name)}) imports the package {value.__name__}, and what "
                f"that gives the adversary depends on what else was imported; import the names that are used: "
                f"from {value.__name__} import ..."
            )
        harmless.add(value.__name__)


def _line_of(module: ModuleType, name: str) -> int:
    """Return the line on which a module imports a name, 0 if none does."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound = (each.asname or each.name.split(".")[0] for each in node.names)
            if name in bound:
                return node.lineno
    return 0


def _drawn_on(module: ModuleType) -> Set[str]:
    """Return the names of the modules that a module's text draws on, at its top or in a function."""
    if _is_ours(module.__name__):
        return _drawn_on_ours(module)
    return _homes(_globals(module)) | _homes(_imported_inside(module))


def _imported_inside(module: ModuleType) -> dict[str, Any]:
    """Return what the functions of a module from elsewhere import, by the names that they give it."""
    if _is_ours(module.__name__):
        return {}
    from escrow.marking.functions import imported_inside  # here, as above

    return imported_inside(module)


@cache
def _drawn_on_ours(module: ModuleType) -> frozenset[str]:
    return frozenset(_homes(_globals(module)))


def _globals(module: ModuleType) -> dict[str, Any]:
    """Return the globals that a module's own text decides: of a package, what it names and what it exports.

    The import system also sets each submodule that anybody imports as an attribute of its package.
    """
    held = vars(module)
    if not hasattr(module, "__path__"):
        return held
    read = getattr(module.__loader__, "get_code", None)
    code = read(module.__name__) if read else None
    named = code.co_names if code else held.keys()
    own = {name: value for name, value in held.items() if name in named or not isinstance(value, ModuleType)}
    exported = held.get("__all__", ()) if _concerns_us(module.__name__) else ()
    return own | {name: getattr(module, name) for name in exported}


def _homes(values: Mapping[str, Any]) -> set[str]:
    """Return the names of the modules that these values are, or come from."""
    names = (
        each.__name__ if isinstance(each, ModuleType) else getattr(each, "__module__", None) for each in values.values()
    )
    return {name for name in names if isinstance(name, str)}


def _concerns_us(package: str) -> bool:
    """Return whether a package is ours, or a module of it that is loaded draws on ours."""
    if _is_ours(package):
        return True
    parts = [sys.modules[name] for name in list(sys.modules) if name == package or name.startswith(f"{package}.")]
    return any(_is_ours(home) for part in parts for home in _homes(vars(part)))


def _is_ours(name: str) -> bool:
    return name.split(".")[0] in _OURS


@cache
def _over_facts(function: Callable[..., Any]) -> bool:
    hints = typing.get_type_hints(function)
    gives = facts_of(hints.pop("return", None))
    return bool(gives) and any(facts_of(hint) for hint in hints.values())
