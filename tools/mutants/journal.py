"""The journal of a count: what each fault was noticed by, in which sources; and what an earlier count still says."""

from __future__ import annotations

import ast
import subprocess
import tarfile
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath

import msgspec

from tools.mutants.annotations import ROOT
from tools.mutants.operators import path_of
from tools.mutants.places import spots
from tools.mutants.trial import Found

AGAIN = "before everything: "  # a fault that nothing noticed at first
SOUND = "no fault: "  # what was tried without a fault
SOURCES = ("escrow", "attacks", "tests", "tools/mutants")  # what the findings depend on


def git(*words: str) -> bytes:
    """Return what a git command prints. Raise SystemExit, with what git says, if it fails."""
    done = subprocess.run(["git", *words], capture_output=True, cwd=ROOT)  # noqa: S607  # git is where the user has it
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return done.stdout


def digest() -> str:
    """Return the SHA-256, in hex, of all sources of the library, the lab, the tests and these operators."""
    paths = (path for top in SOURCES for path in (ROOT / top).glob("**/*.py"))
    return _digest({PurePosixPath(path.relative_to(ROOT)): path.read_bytes() for path in paths})


def digest_at(commit: str) -> str:
    """Return the digest of the sources of a commit. Raise SystemExit if there is no such commit."""
    with tarfile.open(fileobj=BytesIO(git("archive", "--format=tar", commit, *SOURCES))) as held:
        files = {PurePosixPath(each.name): held.extractfile(each) for each in held if each.name.endswith(".py")}
        return _digest({path: file.read() for path, file in files.items() if file is not None})


def _digest(files: Mapping[PurePosixPath, bytes]) -> str:
    whole = sha256()
    for top in SOURCES:
        for path in sorted(path for path in files if path.is_relative_to(top)):
            whole.update(str(path).encode() + b"\0" + files[path])
    return whole.hexdigest()


def digest_of_file(tried: str) -> str:
    """Return the SHA-256, in hex, of the test file that was tried without a fault; "" if it was none."""
    file = ROOT / tried.removeprefix(SOUND)
    return sha256(file.read_bytes()).hexdigest() if tried.startswith(f"{SOUND}tests/") and file.is_file() else ""


class Line(msgspec.Struct):
    """One line of the journal: the digest of all sources, what was tried (a fault's key, or what no fault was in).

    `file` is the digest of the test file that was tried: a file that is another one now has other tests.
    """

    sources: str
    tried: str
    found: Found
    file: str = ""


class Journal:
    """The findings so far. Those of other sources are dropped, except for what steps took and ran without a fault.

    That is `before`, of schemes and of unchanged test files; it says which steps are tried, and in which order.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.sources = path, digest()
        self.found: dict[str, Found] = {}
        self.before: dict[str, Found] = {}
        lines = path.read_bytes().splitlines() if path.exists() else []
        for line in lines:
            try:
                kept = msgspec.json.decode(line, type=Line)
            except msgspec.DecodeError:  # the last line of a run that was killed
                continue
            if kept.sources == self.sources:
                self.found[kept.tried] = kept.found
            elif kept.tried.startswith(SOUND) and kept.file == digest_of_file(kept.tried):
                self.before[kept.tried] = kept.found
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [self._line("of other sources", *item) for item in self.before.items()]
        path.write_bytes(b"".join(lines + [self._line(self.sources, *item) for item in self.found.items()]))

    def _line(self, sources: str, tried: str, found: Found) -> bytes:
        return msgspec.json.encode(Line(sources, tried, found, digest_of_file(tried))) + b"\n"

    def keep(self, tried: str, found: Found) -> None:
        """Write down a finding."""
        self.found[tried] = found
        with self.path.open("ab") as file:
            file.write(self._line(self.sources, tried, found))


def earlier(path: Path, commit: str) -> dict[str, Found]:
    """Return what was found of the faults of another commit's sources, by their keys, out of the journal of that count.

    What stands in a function that is another one now is left out. Raise SystemExit if the journal has nothing of these
    sources.
    """
    sources, found = digest_at(commit), dict[str, Found]()
    for line in path.read_bytes().splitlines():
        try:
            each = msgspec.json.decode(line, type=Line)
        except msgspec.DecodeError:  # a line that is being written
            continue
        if each.sources == sources and " | " in each.tried:
            key = each.tried.removeprefix(AGAIN)
            found[key] = each.found if each.found.by else found.get(key, each.found)
    if not found:
        raise SystemExit(f"{path} has no count of the sources of {commit}")
    return {key: kept for key, kept in found.items() if is_unchanged(key, commit)}


def is_unchanged(key: str, commit: str) -> bool:
    """Return whether a fault's function is what it was at a commit; outside of functions, its module."""
    module, _, function, *_ = key.split(" | ")
    file = path_of(module)
    if not file.exists():
        return False
    now = functions(file.read_text(encoding="utf-8"))
    then = functions(git("show", f"{commit}:{file.relative_to(ROOT).as_posix()}").decode())
    return function in now and now[function] == then.get(function)


@cache
def functions(source: str) -> dict[str, str]:
    """Return the syntax trees of the functions and classes of a module by dotted name, and its own by an empty one."""
    tree = ast.parse(source)
    inner = ((spot, spot.node) for spot in spots(tree) if isinstance(spot.node, ast.FunctionDef | ast.ClassDef))
    named = {f"{spot.function}.{node.name}".lstrip("."): ast.dump(node) for spot, node in inner}
    return {"": ast.dump(tree)} | named
