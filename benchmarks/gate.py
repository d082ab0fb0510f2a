"""Operations and bytes of every job under every scheme, compared with what `expected/` says: exactly.

  python -m benchmarks.gate                one line for each difference, exit code 1 if there is any
  python -m benchmarks.gate --committed    the same, and a committed scheme without expectations is a difference
  python -m benchmarks.gate --write        the counts of today are what is expected from now on

A change of these numbers is made on purpose or not at all: it comes with a new file and a line in CHANGELOG.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from attacks.lab.costs.counts import exact
from benchmarks import pinned
from benchmarks.pinned import shipped
from escrow.scheme import Scheme

EXPECTED = Path(__file__).with_name("expected")

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
    """Return 0 if all is as expected, or written; 1 if something differs; 2 if it cannot be told."""
    if arguments not in pinned.OPTIONS:
        print("usage: python -m benchmarks.gate [--committed | --write]", file=sys.stderr)
        return 2
    schemes = shipped()
    new = counted(schemes)
    if arguments == ["--write"]:
        pinned.write(EXPECTED, new)
        return 0
    try:
        old = pinned.read(EXPECTED)
        unpinned = [name for name in new if name not in old]
        wanting = pinned.committed(each for each in schemes if each.name in unpinned) if arguments else []
    except pinned.CannotTell as error:
        print(f"{error}; `python -m benchmarks.gate --write` writes what is expected", file=sys.stderr)
        return 2
    lines = list(differences(old, {name: rows for name, rows in new.items() if name in old}))
    lines += [f"{name}: committed, and not in {EXPECTED.name}" for name in wanting]
    for line in lines:
        print(line)
    if lines:
        print(f"{len(lines)} differences from {EXPECTED.name}; if they are meant: python -m benchmarks.gate --write")
    print(f"{len(old)} schemes are expected{pinned.summary(unpinned, 'benchmarks.gate')}")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
