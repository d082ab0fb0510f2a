"""Operations and bytes of every job under every scheme, compared with what `expected.json` says: exactly.

  python -m benchmarks.gate            one line for each difference, exit code 1 if there is any
  python -m benchmarks.gate --write    the counts of today are what is expected from now on

A change of these numbers is made on purpose or not at all: it comes with a new `expected.json` and a line in CHANGELOG.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from attacks.lab.costs.counts import exact
from escrow import registry
from escrow.scheme import Scheme

EXPECTED = Path(__file__).with_name("expected.json")

Counts = dict[str, dict[str, dict[str, Any]]]  # scheme -> job -> what -> number, or party -> operation -> number


def counted(schemes: Iterable[Scheme]) -> Counts:
    """The counts of today."""
    found: Counts = {}
    for scheme in schemes:
        for row in exact(scheme):
            found.setdefault(row.scheme, {})[row.job] = {
                name: value for name, value in msgspec.to_builtins(row).items() if name not in {"scheme", "job"}
            }
    return found


def shipped() -> list[Scheme]:
    """The schemes that come with the project; installed plug-ins answer for themselves."""
    return [scheme for scheme in registry.schemes().values() if not registry.is_plugin(scheme)]


def differences(old: Counts, new: Counts) -> Iterator[str]:
    """One line for each number that is not as expected: scheme, job, what, old → new."""
    jobs = [(scheme, job) for counts in (old, new) for scheme, rows in counts.items() for job in rows]
    for name, job in dict.fromkeys(jobs):
        before, after = (_flat(counts.get(name, {}).get(job, {})) for counts in (old, new))
        for what in dict.fromkeys([*before, *after]):
            if before.get(what) != after.get(what):
                yield f"{name}, {job}: {what} {before.get(what, 'none')} → {after.get(what, 'none')}"


def _flat(counts: dict[str, Any]) -> dict[str, int]:
    """Numbers by name; an operation's name is that of the party and of the operation."""
    flat = {name: value for name, value in counts.items() if name != "operations"}
    return flat | {
        f"{party} {operation}": times
        for party, operations in counts.get("operations", {}).items()
        for operation, times in operations.items()
    }


def main(arguments: list[str]) -> int:
    """0: as expected, or written. 1: it differs. 2: it cannot be told."""
    if arguments not in ([], ["--write"]):
        print("usage: python -m benchmarks.gate [--write]", file=sys.stderr)
        return 2
    new = counted(shipped())
    if arguments:
        EXPECTED.write_text(json.dumps(new, indent=2, sort_keys=True) + "\n")
        return 0
    try:
        old = json.loads(EXPECTED.read_text())
    except (OSError, ValueError) as error:
        print(f"{EXPECTED}: {error}; `python -m benchmarks.gate --write` writes it", file=sys.stderr)
        return 2
    for line in (lines := list(differences(old, new))):
        print(line)
    if lines:
        print(f"{len(lines)} differences from {EXPECTED.name}; if they are meant: python -m benchmarks.gate --write")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
