"""Which entries (schemes, attacks, experiments) git knows, and which have a place in README.

The pages list every entry whose module is committed, in a clone of the repository: one that was dropped in changes no
page. It has a place in README, too, if its own class says `in_pages = True`; that is not inherited.

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


def listed(entries: Iterable[T]) -> list[T]:
    """Return the entries that the pages list, in the order given: those that git knows, or all in a mere copy."""
    entries = list(entries)
    try:
        return committed(entries)
    except OSError:
        return entries


def with_place(entries: Iterable[T]) -> list[T]:
    """Return the entries that have a place in README, in the order given."""
    return [each for each in listed(entries) if declared(each, "in_pages")]


def columns() -> list[tuple[Column, list[str]]]:
    """Return the columns of README's table, each with the names of the attacks whose cells it shows."""
    return summary.columns(with_place(attacks().values()))


def keep(page: Path, text: str, source: str, arguments: list[str]) -> int:
    """Write the page that `tools` generates from a source, or with --check compare it. Return the exit code."""
    if "--check" not in arguments:
        page.write_text(text, encoding="utf-8")
    elif not page.exists() or page.read_text(encoding="utf-8") != text:
        print(f"docs/{page.name} differs from {source}; run python -m tools.{page.stem}")
        return 1
    return 0


def main(arguments: list[str]) -> int:
    """Run a command of escrow-lab with the entries that the pages list. Return its exit code."""
    in_package = registry._in_package

    def known(kind: registry.Kind[Any]) -> Iterator[tuple[str, object]]:
        found = list(in_package(kind))
        kept = listed(entry for _, entry in found)
        return ((where, entry) for where, entry in found if entry in kept)

    with patch.object(registry, "_in_package", known), patch.object(registry, "_installed", lambda _: iter(())):
        return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
