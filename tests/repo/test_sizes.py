"""How large a folder, a module and a class may be, and that no imports run in a circle; each rule sees a violation."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for top in ("escrow", "attacks")
    for path in ROOT.glob(f"{top}/**/*.py")
}
BESIDE = {  # held to the length of a module only
    path.relative_to(ROOT).as_posix(): path.read_text()
    for top in ("tests", "tools", "benchmarks", "examples")
    for path in ROOT.glob(f"{top}/**/*.py")
}
MODULES, LINES, CLASS_LINES = 15, 400, 200  # the most in a folder, of a module, of a class
ENTRIES = {  # folders with one module an entry, which grow as entries are added
    "attacks",
    "attacks/experiments",
    "attacks/specimens",
    "escrow/schemes",
}


def full_folders(sources: Mapping[str, str]) -> list[str]:
    folders = Counter(str(PurePosixPath(path).parent) for path in sources if not path.endswith("/__init__.py"))
    return [folder for folder, modules in folders.items() if modules > MODULES and folder not in ENTRIES]


def long_modules(sources: Mapping[str, str]) -> list[str]:
    return [path for path, text in sources.items() if len(text.splitlines()) > LINES]


def long_classes(sources: Mapping[str, str]) -> list[str]:
    return [
        f"{path}: {node.name}"
        for path, text in sources.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno + 1 > CLASS_LINES
    ]


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def at_import(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run when the module is imported: not those in functions, or for annotations only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            yield from (each for part in child.orelse for each in at_import(part))
        elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from at_import(child)


def imported(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the modules of the sources that each of them imports, by name."""
    known = set(map(module_of, sources))
    found: dict[str, set[str]] = {module: set() for module in known}
    for path, text in sources.items():
        for node in at_import(ast.parse(text)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in known else str(node.module) for name in names]
            found[module_of(path)] |= known.intersection(names) - {module_of(path)}
    return found


def room_of(module: str) -> str:
    return ".".join(module.split(".")[: 3 if module.startswith("attacks.lab.") else 2])


def between_rooms(modules: Mapping[str, set[str]]) -> dict[str, set[str]]:
    rooms: dict[str, set[str]] = defaultdict(set)
    for module, others in modules.items():
        rooms[room_of(module)] |= set(map(room_of, others)) - {room_of(module)}
    return rooms


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """Return one circle of imports, or nothing."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_folder_module_or_class_is_too_large() -> None:
    assert len(SOURCES) > 100
    assert full_folders(SOURCES) == []
    assert long_modules(SOURCES) == []
    assert len(BESIDE) > 100
    assert long_modules(BESIDE) == []
    assert long_classes(SOURCES) == []


def test_no_modules_and_no_rooms_import_each_other_in_a_circle() -> None:
    modules = imported(SOURCES)
    assert sum(map(len, modules.values())) > 500
    assert circle(modules) == []
    assert circle(between_rooms(modules)) == []


def test_each_size_sees_what_exceeds_it() -> None:
    crowd = {f"escrow/e2ee/m{number}.py": "" for number in range(MODULES + 1)}
    assert full_folders(crowd) == ["escrow/e2ee"]
    assert full_folders({"escrow/e2ee/__init__.py": "", **dict(list(crowd.items())[1:])}) == []
    assert full_folders({f"escrow/schemes/m{number}.py": "" for number in range(99)}) == []
    assert long_modules({"a.py": "x = 1\n" * (LINES + 1), "b.py": "x = 1\n" * LINES}) == ["a.py"]
    body = "    x = 1\n"
    assert long_classes({"a.py": "class Long:\n" + body * CLASS_LINES}) == ["a.py: Long"]
    assert long_classes({"a.py": "class Right:\n" + body * (CLASS_LINES - 1)}) == []


@pytest.mark.parametrize(
    ("one", "other", "seen"),
    [
        ("from escrow.b.two import X", "from escrow.a import one", True),
        ("import escrow.b.two", "from escrow.a.one import x", True),
        ("class A:\n    import escrow.b.two", "import escrow.a.one", True),
        ("from escrow.b.two import X", "def late():\n    from escrow.a import one", False),
        ("from escrow.b.two import X", "if TYPE_CHECKING:\n    from escrow.a import one", False),
        ("from escrow.b.two import X", "import json", False),
    ],
)
def test_a_circle_is_seen(one: str, other: str, seen: bool) -> None:
    modules = imported({"escrow/a/one.py": one, "escrow/b/two.py": other})
    assert bool(circle(modules)) is bool(circle(between_rooms(modules))) is seen
    apart = imported({"escrow/a/one.py": one, "escrow/a/three.py": "", "escrow/b/two.py": "import escrow.a.three"})
    assert circle(apart) == [] and circle(between_rooms(apart))
