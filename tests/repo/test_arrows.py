"""Who may import whom, read from the syntax trees; each rule is shown to see a planted violation."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text()
    for top in ("escrow", "attacks")
    for path in ROOT.glob(f"{top}/**/*.py")
}

FLOORS = (  # a room imports from lower floors, and from itself
    {"errors", "surface"},
    {"codec"},
    {"run"},
    {"crypto"},
    {"primitives"},
    {"signatures"},
    {"derivation"},
    {"marking"},
    {"vocabulary"},
    {"principal"},
    {"wire"},
    {"confidential"},
    {"transparency"},
    {"e2ee", "sharing"},
    {"mls"},
    {"warrant"},
    {"grants"},
    {"scheme"},
    {"schemes"},
    {"registry", "vectors"},
    {"testing"},
)
LAB_FLOORS = (
    {"results", "simulation", "adversary"},
    {"crosscheck"},
    {"verdict"},
    {"evidence", "runs", "costs"},
    {"comparison"},
)
FLOOR = {f"escrow.{room}": number for number, rooms in enumerate(FLOORS) for room in rooms}
LAB_FLOOR = {f"attacks.lab.{room}": number for number, rooms in enumerate(LAB_FLOORS) for room in rooms}
SCENARIO = "attacks.lab.simulation.scenario"  # plain data, which results quote
TRUTH = {
    "attacks.interface",
    *(
        f"attacks.{name}"
        for names in re.findall(r"from attacks\.interface\S+ import (.+)", SOURCES["attacks/__init__.py"])
        for name in names.split(", ")
    ),
    "attacks.lab.simulation.play",
    "attacks.lab.simulation.record",
    *(f"attacks.lab.{room}" for room in ("crosscheck", "verdict", "evidence", "runs", "comparison")),
}
BELOW = ("attacks.lab", "attacks.registry")  # the registry finds attacks and names none
OUTSIDE = {"os", "time", "datetime", "random", "secrets", "socket", "uuid", "ctypes"}  # clocks, randomness, other code
PERMITTED = {
    ("escrow/run.py", "os"),  # randomness outside a run
    ("escrow/primitives/group.py", "os"),  # which arithmetic is asked for
    ("escrow/primitives/p256_openssl.py", "ctypes"),
}
DOORS = {
    "escrow/crypto.py",
    "escrow/primitives/committing.py",
    "escrow/primitives/edwards25519.py",
    "escrow/primitives/hpke.py",
    "escrow/primitives/kem.py",
    "escrow/primitives/p256_pycryptodome.py",
    "attacks/lab/costs/baseline.py",  # measures bare calls
    "attacks/experiments/shadow_keys.py",  # primes, for an RSA that no scheme uses
}


def imports(source):
    """Every module that is imported, and every name from it; what serves annotations only is left out."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module}.{alias.name}" for alias in node.names)


def within(name, modules):
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def room_of(name):
    depth = 3 if name.startswith("attacks.lab.") else 2
    return ".".join(name.split(".")[:depth])


def breaks(path, name):
    """The arrow that importing `name` in the file breaks, or nothing."""
    module = path.removesuffix(".py").replace("/", ".")
    mine, theirs = room_of(module), room_of(name)
    if name.startswith("."):
        return "imports are written in full"
    if within(name, ["cryptography", "Crypto"]) and path not in DOORS:
        return "primitives come through the door"
    if module.startswith("escrow."):
        if within(name, ["attacks"]):
            return "the library knows no attack"
        if within(name, OUTSIDE) and (path, name.split(".")[0]) not in PERMITTED:
            return "no clock, no randomness past the door"
        if theirs in FLOOR and theirs != mine and FLOOR[theirs] >= FLOOR.get(mine, 99):
            return "a lower floor imports no higher one"
    quoted = mine == "attacks.lab.results" and within(name, [SCENARIO])
    if theirs in LAB_FLOOR and theirs != mine and not quoted and LAB_FLOOR[theirs] >= LAB_FLOOR.get(mine, 99):
        return "a lower floor imports no higher one"
    if path.count("/") == 1 and module.startswith("attacks.") and within(name, TRUTH):
        return "an attack does not see the truth"
    if module.startswith("attacks.lab.") and within(name, ["attacks"]) and not within(name, BELOW):
        return "the laboratory knows no attack"
    if module.startswith("attacks.report.") and within(name, ["attacks.cli", "attacks.interface"]):
        return "a report draws, and does not command"
    if module.startswith("attacks.interface.") and within(name, ["attacks.cli", "click"]):
        return "the Python interface stands below the command line"
    return None


def violations(sources):
    return [
        (path, name, why) for path, text in sources.items() for name in imports(text) if (why := breaks(path, name))
    ]


def test_arrows():
    assert violations(SOURCES) == []


def test_every_room_of_the_library_stands_on_a_floor():
    rooms = {room_of(path.removesuffix(".py").replace("/", ".")) for path in SOURCES if path.startswith("escrow/")}
    assert rooms - {"escrow.__init__"} == set(FLOOR)
    assert len(SOURCES) > 60


def test_the_architecture_lists_the_rooms_in_the_order_of_the_floors():
    page = (ROOT / "docs" / "architecture.md").read_text()
    listed = [room.rstrip("/").removesuffix(".py") for room in re.findall(r"^\| `(\S+)` \|", page, re.M)]
    for top, floors in (("escrow", FLOORS), ("attacks/lab", LAB_FLOORS)):
        ours = [room.removeprefix(f"{top}/") for room in listed if room.startswith(f"{top}/")]
        there = {
            path.stem for path in (ROOT / top).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
        }
        assert set(ours) == there - {"__init__"} and len(ours) == len(set(ours))
        numbers = [next(number for number, floor in enumerate(floors) if room in floor) for room in ours]
        assert numbers == sorted(numbers)


PLANTED = [
    ("escrow/schemes/mine.py", "import attacks.lab.simulation.play", "the library knows no attack"),
    ("escrow/testing/properties.py", "from attacks import registry", "the library knows no attack"),
    ("attacks/mine.py", "from attacks.lab.verdict import cell", "an attack does not see the truth"),
    ("attacks/mine.py", "from attacks.lab.simulation.record import Record", "an attack does not see the truth"),
    (
        "attacks/mine.py",
        "def peek():\n    from attacks.lab.verdict.claims import Judge",
        "an attack does not see the truth",
    ),
    ("attacks/lab/mine.py", "from attacks.ghost_insertion import ATTACK", "the laboratory knows no attack"),
    ("attacks/lab/mine.py", "from attacks.cli import invocation", "the laboratory knows no attack"),
    ("attacks/mine.py", "from attacks.interface.plays import PlayedScheme", "an attack does not see the truth"),
    ("attacks/mine.py", "from attacks import play", "an attack does not see the truth"),
    ("attacks/report/mine.py", "from attacks.cli.invocation import Invocation", "a report draws, and does not command"),
    ("attacks/interface/mine.py", "import click", "the Python interface stands below the command line"),
    ("escrow/schemes/mine.py", "from escrow import registry", "a lower floor imports no higher one"),
    ("escrow/schemes/mine.py", "import time", "no clock, no randomness past the door"),
    ("escrow/schemes/mine.py", "from os import urandom", "no clock, no randomness past the door"),
    ("escrow/e2ee/mine.py", "import random", "no clock, no randomness past the door"),
    ("escrow/codec.py", "import os", "no clock, no randomness past the door"),
    ("escrow/e2ee/mine.py", "from escrow.warrant import Warrant", "a lower floor imports no higher one"),
    ("escrow/e2ee/mine.py", "from escrow.sharing import shamir", "a lower floor imports no higher one"),
    ("escrow/principal.py", "from escrow.wire import Wire", "a lower floor imports no higher one"),
    ("escrow/schemes/mine.py", "from Crypto.Cipher import AES", "primitives come through the door"),
    ("attacks/mine.py", "import cryptography.hazmat", "primitives come through the door"),
    ("escrow/schemes/mine.py", "from .plain import Plain", "imports are written in full"),
]


@pytest.mark.parametrize(("path", "line", "why"), PLANTED)
def test_each_arrow_sees_a_planted_violation(path, line, why):
    assert [found for _, _, found in violations({path: line})] == [why]


def test_what_only_annotations_need_is_no_arrow():
    assert violations({"escrow/principal.py": "if TYPE_CHECKING:\n    from escrow.wire import Wire"}) == []
