"""Which modules the operators go through, and which schemes and tests use a module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from escrow.registry import schemes
from tools.entries import file_of
from tools.mutants.annotations import ROOT
from tools.mutants.operators import path_of

PLACES = (
    "escrow/warrant.py",
    "escrow/scheme.py",
    "escrow/e2ee",
    "escrow/mls",
    "escrow/primitives",
    "escrow/schemes",
    "escrow/sharing",
    "escrow/transparency",
)
ROOMS = ("primitives", "e2ee", "mls", "sharing", "transparency", "schemes", "attacks")  # of tests that try protocols

WHOLE = "the package escrow"  # `import escrow`, by which a test may go through all modules


def name_of(path: Path) -> str:
    """Return the name of the module in a file."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def modules() -> list[str]:
    """Return every module that the operators go through."""
    files = (file for place in PLACES for file in _files(ROOT / place))
    return sorted(name_of(file) for file in files)


def _files(place: Path) -> Iterator[Path]:
    yield from place.glob("**/*.py") if place.is_dir() else (place,)


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the library's modules, and the tests' own, that a file imports by name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name if alias.name != "escrow" else WHOLE for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


@cache
def drawn_on(path: Path) -> frozenset[str]:
    """Return the modules that a file imports, itself or through other modules of the library."""
    found, fresh = set[str](), [path]
    while fresh:
        names = imported(fresh.pop()) - found
        found |= names
        inner = (path_of(name) for name in names if name.startswith("escrow."))
        fresh += [each for each in inner if each.exists()]
    return frozenset(found)


@cache
def schemes_that_use(module: str) -> tuple[str, ...]:
    """Return the schemes that use a module, by name, sorted."""
    files = {name: file_of(each) for name, each in schemes().items()}
    return tuple(sorted(name for name, file in files.items() if module in drawn_on(file) | {name_of(file)}))


@cache
def tests_that_import(module: str) -> tuple[str, ...]:
    """Return the test files that import a module themselves, or through what stands in tests/support.

    A test that imports the package itself may go through all of its modules, and counts too.
    """
    files = (file for room in ROOMS for file in sorted((ROOT / "tests" / room).glob("test_*.py")))
    return tuple(str(file.relative_to(ROOT)) for file in files if {module, WHOLE} & _of_test(file))


def _of_test(file: Path) -> frozenset[str]:
    own = imported(file)
    helpers = (ROOT / "tests" / "support" / f"{name}.py" for name in own)
    return own.union(*(imported(helper) for helper in helpers if helper.exists()))
