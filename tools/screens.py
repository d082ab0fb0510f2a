"""Keeps what the program prints on a terminal, as text: tests/cli/screens/, one file for each screen.

python -m tools.screens            write all screens; look at what changed before it is committed
python -m tools.screens --check    compare, write nothing; exit 1 if one differs

Saved results are drawn, so that a screen changes only where drawing does; `explain` alone plays a small scenario.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from attacks.cli import main as program

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "cli" / "screens"
WIDTHS = (40, 80, 120, 200)
PLAYED = ["explain", "envelope", "--coalition", "court", "--smoke"]


class Screen(NamedTuple):
    """A command, the columns of the terminal, the encoding of its locale, and what else stands in the environment."""

    name: str
    arguments: list[str]
    columns: int = 80
    encoding: str = "utf-8"
    environment: Mapping[str, str] = {}


def screens() -> Iterator[Screen]:
    """Yield every screen."""
    for columns in WIDTHS:
        yield Screen(f"matrix-{columns}", ["report", "matrix.json"], columns)
        yield Screen(f"verdicts-{columns}", ["report", "matrix.json", "--verdicts"], columns)
        yield Screen(f"anatomy-{columns}", ["report", "anatomy.json", "--evenings"], columns)
        yield Screen(f"explain-{columns}", PLAYED, columns)
        yield Screen(f"debate-{columns}", ["debate", "matrix.json", "--text", "eff"], columns)
        yield Screen(f"term-{columns}", ["show", "post-compromise", "security"], columns)
    yield Screen("matrix-ascii", ["report", "matrix.json"], encoding="ascii")
    yield Screen("explain-ascii", PLAYED, encoding="ascii")
    yield Screen("matrix-colours", ["report", "matrix.json"], environment={"FORCE_COLOR": "1"})
    yield Screen("matrix-no-colour", ["report", "matrix.json"], environment={"FORCE_COLOR": "1", "NO_COLOR": "1"})
    yield Screen("matrix-markdown", ["report", "matrix.json", "--format", "md"], 40)


def drawn(screen: Screen) -> str:
    """Return what a screen's command prints on stdout."""
    raw = io.BytesIO()
    cleared = {name: text for name, text in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    environment = cleared | {"COLUMNS": str(screen.columns)} | dict(screen.environment)
    stream = io.TextIOWrapper(raw, screen.encoding, newline="\n")
    with patch.dict(os.environ, environment, clear=True), chdir(FOLDER), redirect_stdout(stream):
        code = program([*screen.arguments, "--quiet"])
    stream.flush()
    if code:
        raise SystemExit(f"{screen.name}: exit code {code}")
    return raw.getvalue().decode(screen.encoding)


def kept(screen: Screen) -> Path:
    """Return the file of a screen."""
    return FOLDER / f"{screen.name}.txt"


def main(arguments: list[str]) -> int:
    """Write the screens, or compare them. Return the exit code."""
    wrong = []
    for screen in screens():
        text, file = drawn(screen), kept(screen)
        if "--check" not in arguments:
            file.write_text(text, "utf-8", newline="\n")
        elif not file.exists() or file.read_text("utf-8") != text:
            wrong.append(screen.name)
    if wrong:
        print(f"screens that differ: {', '.join(wrong)}; run python -m tools.screens and look at them")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
