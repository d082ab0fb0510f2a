"""What the tests of the command line share: a plug-in, a result, a laboratory that answers at once."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from attacks.lab.results.types import Cell, Manifest, Matrix
from attacks.lab.simulation.scenario import default

SCRIPT = [sys.executable, "-c", "import sys; from attacks.cli import main; sys.exit(main())"]
SMALL = ["--users", "3", "--groups", "0", "--days", "2", "--messages", "6"]
EVIL = '''
"""Evil \\x1b[31m: a title that would paint the terminal.

  weak     \\x1b]0;owned\\x07 everything
"""
from escrow.schemes.plain import Plain
from escrow.scheme import Source

class Evil(Plain, frozen=True, kw_only=True):
    name = "evil"
    title = "E\\x1b[2Jvil \\u202etext\\x9b31m"
    source = Source("A\\nB", "T", 2026, "all")

SCHEME = Evil()
'''


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Plug-ins of one test are unknown to the next, and no variable of ours decides on colours or width."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]


def written(folder: Path, name: str, text: str) -> str:
    """A file of that name and content; its path."""
    (folder / name).write_text(text)
    return str(folder / name)


def run(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SCRIPT, *arguments], capture_output=True, text=True, timeout=120, **settings)


def fake(monkeypatch: pytest.MonkeyPatch, name: str, **functions: Any) -> None:
    """Functions of a module of the laboratory that answer at once."""
    for function, answer in functions.items():
        monkeypatch.setattr(import_module(name), function, answer)


def result(*verdicts: str) -> Matrix:
    cells = tuple(Cell(scheme="plain", attack=f"a-{n}", verdict=v, sent=3) for n, v in enumerate(verdicts))  # type: ignore[arg-type]
    return Matrix(
        manifest=Manifest(
            version="0",
            scenario=default(),
            parameters={},
            schemes=("plain",),
            attacks=tuple(cell.attack for cell in cells),
            inventory="",
        ),
        cells=cells,
    )
