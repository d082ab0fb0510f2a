"""docs/exercises.md has each specimen, and neither its twin nor what says the answer."""

import ast
import re
from importlib import import_module

import pytest

from attacks.lab.simulation.attack import specimen_module
from attacks.registry import attacks
from tools import entries, exercises

PLACED = {specimen_module(attack): attack for attack in reversed(entries.listed(attacks().values()))}


def test_the_page_is_what_the_specimens_say(tmp_path, monkeypatch, capsys):
    assert exercises.main(["--check"]) == 0, "run python -m tools.exercises"
    stale = tmp_path / "exercises.md"
    stale.write_text(exercises.page().replace("Exercise 2", "Exercise two"))
    monkeypatch.setattr(exercises, "PAGE", stale)
    assert exercises.main(["--check"]) == 1 and "differs" in capsys.readouterr().out
    assert exercises.main([]) == 0 and stale.read_text() == exercises.page()


@pytest.mark.parametrize("module", PLACED)
def test_an_exercise_has_the_specimen_and_not_the_twin(module):
    shown = exercises.exercise(module)
    controls = import_module(module)
    tree = ast.parse(shown)
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    specimen, twin = type(controls.SPECIMEN).__name__, type(controls.TWIN).__name__
    here = {name for name, each in vars(controls).items() if getattr(each, "__module__", "") == module}
    assert ("Exercise" in classes) == (specimen in here)
    assert twin not in classes or issubclass(type(controls.SPECIMEN), type(controls.TWIN))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and ast.get_docstring(node)]
    assert controls.SPECIMEN.title not in shown and '"""' not in shown


def test_the_answers_name_an_attack_for_each_exercise():
    page = exercises.PAGE.read_text()
    numbers = re.findall(r"^## Exercise (\d+)$", page, re.M)
    rows = re.findall(r"^\| (\d+) \| `escrow-lab check ([\w-]+)` \| \[([\w.]+)\]", page, re.M)
    assert [number for number, _, _ in rows] == numbers and len(rows) == len(PLACED)
    assert all(specimen_module(attacks()[name]) == module for _, name, module in rows)
