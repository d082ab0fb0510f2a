"""One word, one thing: a public class name stands once, and so does a module name within the library or the lab."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tools import entries

ROOT = Path(__file__).parents[2]
SOURCES = {  # of what is committed: an entry that was dropped in may be a copy of another, its classes too
    path.relative_to(ROOT).as_posix(): path.read_text()
    for top in ("escrow", "attacks")
    for path in ROOT.glob(f"{top}/**/*.py")
    if entries.is_known(path)
}
ROOMS = ("escrow/", "attacks/lab/")
FREE = {"__init__", "registry", "errors"}  # each package may have one
FREE_FOLDERS = ("escrow/schemes/", "attacks/specimens/", "attacks/report/", "attacks/cli/commands/")


def twice(named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand in several places, with these."""
    places = defaultdict(list)
    for name, place in named:
        places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def classes_twice(sources: dict[str, str]) -> dict[str, list[str]]:
    return twice(
        (node.name, path)
        for path, text in sources.items()
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )


def modules_twice(paths: Iterable[str], room: str) -> dict[str, list[str]]:
    """Modules and packages of a room that share a name."""
    inside = [path for path in paths if path.startswith(room) and not path.startswith(FREE_FOLDERS)]
    modules = [(Path(path).stem, path) for path in inside if Path(path).stem not in FREE]
    packages = [(Path(path).parent.name, path) for path in inside if path.endswith("/__init__.py")]
    return twice(modules + packages)


def test_a_public_class_name_stands_once() -> None:
    assert len(SOURCES) > 100
    assert classes_twice(SOURCES) == {}


@pytest.mark.parametrize("room", ROOMS)
def test_a_module_name_stands_once_in_its_room(room: str) -> None:
    assert modules_twice(SOURCES, room) == {}


def test_a_name_that_stands_twice_is_seen() -> None:
    planted = {
        "escrow/one.py": "class Agent: ...\nclass _Own: ...",
        "attacks/two.py": "class Agent: ...\nclass _Own: ...",
    }
    assert classes_twice(planted) == {"Agent": ["escrow/one.py", "attacks/two.py"]}
    paths = ["escrow/wire.py", "escrow/e2ee/wire.py", "escrow/schemes/wire.py", "attacks/lab/wire.py"]
    assert modules_twice(paths, "escrow/") == {"wire": ["escrow/wire.py", "escrow/e2ee/wire.py"]}
    assert modules_twice(["escrow/wire.py", "escrow/wire/__init__.py"], "escrow/")
    assert not modules_twice([*paths, "escrow/errors.py", "escrow/e2ee/errors.py"], "attacks/lab/")
