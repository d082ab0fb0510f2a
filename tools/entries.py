"""Which entries (schemes, attacks, experiments) have a place in the pages, and which of them git knows.

An entry has a place if its own class says `in_pages = True` (a class made from it does not inherit that) and, in a
clone of the repository, if its module is committed: an entry that was dropped in changes no page.

  python -m tools.entries COMMAND …    escrow-lab, as if there were no other entries
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from attacks import cli
from attacks.lab.simulation.attack import Column
from attacks.registry import attacks
from attacks.report.matrices import summary
from escrow import registry

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")


def declared(entry: object, what: str) -> Any:
    """Return what the class of an entry itself says, or None: a place in the pages is not inherited."""
    return vars(type(entry)).get(what)


def committed(entries: Iterable[T]) -> list[T]:
    """Return the entries whose module is a file that git knows. Raise OSError where there is no repository."""
    known = _files()
    return [each for each in entries if file_of(each) in known]


def file_of(entry: object) -> Path:
    """Return the file of the module that defines an entry."""
    return Path(str(sys.modules[type(entry).__module__].__file__))


def is_committed(entry: object) -> bool:
    """Return whether git knows the module that defines an entry; in a copy without a repository it knows none."""
    try:
        return bool(committed([entry]))
    except OSError:
        return False


def is_known(path: Path) -> bool:
    """Return whether git knows a file of the library or the lab; without a repository every file is taken as known."""
    try:
        return path in _files()
    except OSError:
        return True


@cache
def _files() -> frozenset[Path]:
    program = ["git", "ls-files", "-z", "escrow", "attacks"]
    listed = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise OSError(f"git ls-files: {listed.stderr.strip()}")
    return frozenset(ROOT / name for name in listed.stdout.split("\0"))


def with_place(entries: Iterable[T]) -> list[T]:
    """Return the entries that have a place in the pages, in the order given."""
    placed = [each for each in entries if declared(each, "in_pages")]
    try:
        return committed(placed)
    except OSError:  # a copy without a repository
        return placed


def columns() -> list[tuple[Column, list[str]]]:
    """Return the columns of README's table, each with the names of the attacks whose cells it shows."""
    return summary.columns(with_place(attacks().values()))


def main(arguments: list[str]) -> int:
    """Run a command of escrow-lab with the entries that have a place. Return its exit code."""
    in_package = registry._in_package

    def placed(kind: registry.Kind[Any]) -> Iterator[tuple[str, object]]:
        found = list(in_package(kind))
        kept = with_place(entry for _, entry in found)
        return ((where, entry) for where, entry in found if entry in kept)

    with patch.object(registry, "_in_package", placed), patch.object(registry, "_installed", lambda _: iter(())):
        return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
