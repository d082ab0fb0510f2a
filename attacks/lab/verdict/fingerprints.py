"""A digest of everything that decides a cell, known before the cell runs; resuming, sharding and merging use it.

A key covers the project's sources, those of every plug-in that takes part and of the modules that it draws on, the data
files that their modules declare (DATA: a tuple of names beside the module), the parameters, the scenario, the rules,
and the scheme that stands for plain. It leaves out the machine's part: the interpreter, and the libraries that the
project depends on.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from attacks.lab.simulation.attack import Attack, specimen_module
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.analysis import rules_of
from escrow import __version__
from escrow.scheme import Scheme

PROJECT = "escrow-lab"
OURS = ("escrow", "attacks")
DECIDE_NOTHING = ("attacks/cli/", "attacks/report/")  # commands and pages, which nothing below them imports
MACHINE = frozenset({*sys.stdlib_module_names, "Crypto", "click", "cryptography", "msgspec", "rich"})


def cell_key(
    scheme: Scheme, attack: Attack, scenario: Scenario, every: Sequence[Attack], plain: Scheme | None = None
) -> str:
    """Return SHA-256, in hexadecimal, of all that decides a cell.

    Args:
        scheme: the cell's scheme.
        attack: the cell's attack.
        scenario: what is played.
        every: the attacks whose rules join.
        plain: the scheme against which `added_over_plain` is counted, if any.

    Raises:
        OSError: a plug-in has no source.
    """
    others = () if plain is None else (plain,)
    return _sha256(
        "cell",
        __version__,
        attack.name,
        attack.plays,
        [(each.name, msgspec.structs.asdict(each)) for each in (scheme, *others)],
        scenario,
        [each.name for each in every],
        sorted(rule.name for rule in rules_of(scheme, every)),
        sources((scheme, attack, *others, *every)),
    )


def control_key(attack: Attack, every: Sequence[Attack]) -> str:
    """Return SHA-256, in hexadecimal, of all that decides an attack's controls; their scenario is in their sources."""
    return _sha256(
        "control", __version__, attack.name, attack.plays, [each.name for each in every], sources((attack, *every))
    )


def sources(things: Iterable[Scheme | Attack]) -> dict[str, str]:
    """Return a digest of the project and of each foreign package that these draw on, or an installed one's version."""
    found = {PROJECT: _project()}
    for thing in things:
        names = [type(thing).__module__, *([specimen_module(thing)] if isinstance(thing, Attack) else [])]
        for name in {each.partition(".")[0] for each in names} - {*OURS}:
            found |= _drawn_on(name, getattr(sys.modules.get(name), "__file__", None))
    return dict(sorted(found.items()))


@cache
def _project() -> str:
    roots = [Path(str(sys.modules[name].__file__)).parent for name in OURS]
    files = {f"{root.name}/{path.relative_to(root).as_posix()}": path for root in roots for path in root.rglob("*.py")}
    return _digest({name: path for name, path in files.items() if not name.startswith(DECIDE_NOTHING)})


@cache
def _drawn_on(name: str, file: str | None) -> Mapping[str, str]:
    """Return the digest of a foreign module or package and of its imports, or the version of an installed one.

    `file` keeps apart two modules that bear the same name, one after the other.
    """
    installed = packages_distributions()
    found: dict[str, str] = {}
    waiting = [name]
    while waiting:
        top = waiting.pop()
        if top in found or top in MACHINE or top in OURS:
            continue
        if top != name and top in installed:
            found[top] = ", ".join(f"{each} {version(each)}" for each in sorted(set(installed[top])))
            continue
        if not (files := _files(top)) and top == name:
            raise OSError(f"the source of {name} is nowhere to be found, so nothing names what it does")
        found[top] = _digest(files | _declared(top))
        waiting += (each for path in files.values() for each in _imported(path))
    return found


def _files(top: str) -> dict[str, Path]:
    """Return the sources of a module or package, by name; none if it does not exist here, or is compiled."""
    try:
        spec = find_spec(top)
    except ValueError:  # a script that is run has no specification, but a file
        file = getattr(sys.modules[top], "__file__", None)
        return {top: Path(file)} if file else {}
    if spec is None:
        return {}
    if spec.submodule_search_locations is not None:
        roots = [Path(place) for place in spec.submodule_search_locations]
        return {path.relative_to(root).as_posix(): path for root in roots for path in root.rglob("*.py")}
    return {top: Path(spec.origin)} if spec.origin and spec.origin.endswith(".py") else {}


def _declared(top: str) -> dict[str, Path]:
    """Return the data files that the loaded modules of a package declare. Raise OSError if one does not exist."""
    modules = [module for name, module in tuple(sys.modules.items()) if name.partition(".")[0] == top]
    found: dict[str, Path] = {}
    for module in modules:
        for name in getattr(module, "DATA", ()) if getattr(module, "__file__", None) else ():
            found[f"{module.__name__}: {name}"] = Path(str(module.__file__)).parent / name
    if missing := [str(path) for path in found.values() if not path.is_file()]:
        raise OSError(f"the data file {missing[0]} is declared and does not exist")
    return found


def _imported(path: Path) -> Iterator[str]:
    """Yield the first part of the name of every module that a file imports anywhere; relative imports stay inside."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _digest(files: Mapping[str, Path]) -> str:
    return _sha256([(name, hashlib.sha256(path.read_bytes()).hexdigest()) for name, path in sorted(files.items())])


def _sha256(*parts: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()
