"""What the gates expect of each scheme: `expected/NAME.json`, `ratios/NAME.json` (tripwire), `matrix/NAME.json`.

A scheme without a file is *unpinned*: the gates name it and pass, so that a scheme is added by its own files alone.
A file whose scheme is gone fails. With `--committed`, which `.ci/run` gives, an unpinned scheme whose module git knows
fails too: what is committed is pinned, and no list of names is kept by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from escrow import registry
from escrow.scheme import Scheme
from tools import entries

OPTIONS: tuple[list[str], ...] = ([], ["--committed"], ["--write"])  # of every gate


class CannotTell(Exception):
    """Raised where there is nothing to compare with: no expectation, one that does not parse, or no repository."""


def shipped() -> list[Scheme]:
    """Return the schemes that come with the project; installed plug-ins answer for themselves."""
    return [scheme for scheme in registry.schemes().values() if not registry.is_plugin(scheme)]


def read(folder: Path) -> dict[str, Any]:
    """Return what is expected, by scheme. Raise CannotTell if there is no file, or one that does not parse."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.stem] = json.loads(path.read_text())
        except ValueError as error:
            raise CannotTell(f"{path}: {error}") from error
    if not found:
        raise CannotTell(f"there is no file in {folder}")
    return found


def write(folder: Path, new: Mapping[str, Any]) -> None:
    """Write one file a scheme, and remove those of schemes that are gone."""
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.json"):
        if path.stem not in new:
            path.unlink()
    for name, values in new.items():
        (folder / f"{name}.json").write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")


def committed(schemes: Iterable[Scheme]) -> list[str]:
    """Return the names of the schemes that git knows. Raise CannotTell where there is no repository."""
    try:
        return [each.name for each in entries.committed(schemes)]
    except OSError as error:
        raise CannotTell(str(error)) from error


def summary(unpinned: Iterable[str], program: str) -> str:
    """Return the end of a gate's last line: which schemes are unpinned, and how to pin them."""
    names = ", ".join(unpinned)
    return f"; unpinned: {names} (python -m {program} --write)" if names else "; every scheme is pinned"
