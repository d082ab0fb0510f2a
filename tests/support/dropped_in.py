"""A clone of the repository into which schemes, an attack with its controls and an experiment were dropped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCHEME, PACKAGE = "escrow/schemes/dropped_scheme.py", "escrow/schemes/dropped_package"
COPIED = {  # a file -> its copy
    "attacks/warrant_misuse.py": "attacks/dropped_attack.py",
    "attacks/specimens/unchecked_window.py": "attacks/specimens/dropped_specimen.py",
    "attacks/experiments/blaze_modes.py": "attacks/experiments/dropped_experiment.py",
}
RENAMED = {  # a name, as a string in one of them -> what the copy says
    "warrant-misuse": "dropped-attack",
    "unchecked_window": "dropped_specimen",
    "unchecked-window": "dropped-specimen",
    "checked-window": "dropped-twin",
    "blaze-modes": "dropped-experiment",
}
ENTRIES = ("dropped-scheme", "dropped-package", *(name for name in RENAMED.values() if "-" in name))


def clone(folder: Path) -> None:
    """Copy every file that git knows, as it is now, into the folder, and make that a repository which knows them."""
    for name in filter(None, _git(ROOT, "ls-files", "-z").split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    _git(folder, "init", "--quiet")
    commit(folder, ".")


def commit(folder: Path, *names: str) -> None:
    """Let the repository know files, as if they were committed."""
    _git(folder, "add", *names)


def forget(folder: Path, *names: str) -> None:
    """Let the files be as if they had never been committed."""
    _git(folder, "rm", "-r", "--cached", "--quiet", *names)


def changed(folder: Path) -> str:
    """Return what git says of the files that it knows, and does not find as they were."""
    return _git(folder, "diff", "--name-only")


def _git(folder: Path, *words: str) -> str:
    program = ["git", *words]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=True).stdout


def drop_in(folder: Path) -> None:
    """Add to a clone two schemes (a module and a package), an attack and an experiment, by files of their own alone."""
    (folder / PACKAGE).mkdir()
    for name, path in (("dropped-scheme", SCHEME), ("dropped-package", f"{PACKAGE}/scheme.py")):
        run(folder, "-m", "attacks.cli", "init", "scheme", name, "-o", path).check_returncode()
    (folder / PACKAGE / "__init__.py").write_text(
        "from escrow.schemes.dropped_package.scheme import SCHEME as SCHEME\n"
    )
    for source, target in COPIED.items():
        text = (folder / source).read_text()
        for old, new in RENAMED.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        (folder / target).write_text(text)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a clone, with the clone's modules, in the default profile."""
    without = ("ESCROW_LAB_PROFILE", "PYTHONDONTWRITEBYTECODE")  # compiled once, for all commands here
    environment = {name: value for name, value in os.environ.items() if name not in without}
    environment |= {"PYTHONPATH": str(folder)}
    program = [sys.executable, *words]
    return subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
