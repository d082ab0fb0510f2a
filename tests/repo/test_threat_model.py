"""Property: each row of the threat model's table links to tests, properties or attacks that exist where it says."""

import ast
import re
from pathlib import Path

import pytest

from attacks.lab.runs.conformance import Trial
from attacks.registry import attacks
from escrow.schemes import plain
from escrow.testing.properties import PROPERTIES

PAGE = Path(__file__).parents[2] / "docs" / "threat-model.md"
HEAD = ["who", "capability", "assumption that remains", "where it is tested"]
LINK = re.compile(r"\[([^]]+)\]\(([^)]+)\)")
KEPT = {prop.name: Path(prop.test.__code__.co_filename) for prop in PROPERTIES}
PLAYED = {name for name, _ in Trial(plain.SCHEME, ()).tests()} - set(KEPT)
ATTACKS = {name: Path(__file__).parents[2] / "attacks" / f"{name.replace('-', '_')}.py" for name in attacks()}


def rows(text: str) -> list[list[str]]:
    """Return the cells of the table's rows, the head first."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def faults(text: str) -> list[str]:
    """Return what is wrong with the table: a row without a link, or a link to what does not exist."""
    head, *found = rows(text)
    wrong = [] if head == HEAD and found else ["no table"]
    for row in found:
        links = LINK.findall(row[-1])
        wrong += [] if len(row) == len(HEAD) and all(row) and links else [f"{row[0]}: nothing tests it"]
        wrong += [f"{row[0]}: {name}" for name, target in links if not exists(name, (PAGE.parent / target).resolve())]
    return wrong


def exists(name: str, path: Path) -> bool:
    if not path.is_file():
        return False
    if name.startswith("test_"):
        return name in {
            node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)
        }
    if name in PLAYED:
        return name in path.read_text()
    return path == KEPT.get(name, ATTACKS.get(name))


def test_every_row_is_tested_where_it_says():
    assert faults(PAGE.read_text(encoding="utf-8")) == []
    assert len(rows(PAGE.read_text(encoding="utf-8"))) > 15


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[ghost-insertion]", "[ghost-inserted]"),
        ("../attacks/ghost_insertion.py", "../attacks/rogue_leaf.py"),
        ("[a field is bound]", "[a field is bold]"),
        ("test_whoever_only_listens", "test_nobody_only_listens"),
        ("../tests/lab/test_isolation.py", "../tests/lab/test_isolated.py"),
        ("[authority-theft](../attacks/authority_theft.py)", "yes"),
    ],
)
def test_a_row_without_its_test_is_found(old, new):
    text = PAGE.read_text(encoding="utf-8")
    assert old in text
    assert len(faults(text.replace(old, new))) == 1
