"""Writes docs/exercises.md: the specimens of the attacks that have a place in the pages, without their twins.

python -m tools.exercises            write it
python -m tools.exercises --check    compare, write nothing; exit 1 if it differs

What says the answer is left out: docstrings, comments, titles, and the specimen's own name.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from attacks.lab.simulation.attack import Attack, specimen_module
from attacks.registry import attacks
from attacks.report.cards import card
from tools import entries

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "exercises.md"
NAMED = ("name", "title", "source")  # attributes of a scheme that say what it is
HEAD = """# Exercises: which line is wrong?

Written by `python -m tools.exercises` from the specimens of the attacks. Each is a scheme with one fault planted, and
stands here without docstrings, and without the sound twin that differs in that fault. A name that an exercise does not
define is of this project: search for it in `escrow/` and `attacks/specimens/`. A class that only says `pass` is its
base in every respect, and the fault is something that nobody does.

For each exercise, the adversary is told in one sentence. Which line is wrong, or missing? Who can then read what?
Who would notice? What is the least change that mends it? The [answers](#answers) are computed.
"""
ANSWERS = """
## Answers

`check` plays the specimen and its twin under the attack that stands here: the attack must succeed on the one and fail
on the other. `show` with the attack's name says how it works, and the module in the last column has the specimen with
its docstrings, and the twin.

| exercise | command | module |
| --- | --- | --- |
"""


def page() -> str:
    """Return the whole page: one exercise for each specimen, in the order of the attacks' names."""
    first: dict[str, Attack] = {}
    for attack in entries.listed(attacks().values()):
        first.setdefault(specimen_module(attack), attack)
    shown = "".join(
        f"\n## Exercise {number}\n\n{_told(attack)}\n\n```python\n{exercise(name)}\n```\n"
        for number, (name, attack) in enumerate(first.items(), 1)
    )
    rows = "".join(
        f"| {number} | `escrow-lab check {attack.name}` | [{name}](../{name.replace('.', '/')}.py) |\n"
        for number, (name, attack) in enumerate(first.items(), 1)
    )
    program = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", PAGE.name, "-"]
    text = HEAD + shown + ANSWERS + rows
    return subprocess.run(program, input=text, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _told(attack: Attack) -> str:
    return textwrap.fill(f"The adversary: {card(attack).sentence}", 118, break_on_hyphens=False)


def exercise(module: str) -> str:
    """Return what a specimen's module defines and its specimen uses, without what says the answer."""
    tree = ast.parse(Path(str(import_module(module).__file__)).read_text("utf-8"))
    made = _value_of(tree, "SPECIMEN")
    defined = {name: node for node in tree.body for name in _names(node)}
    used: set[str] = set()
    waiting: list[ast.AST] = [made]
    while waiting:
        for name in {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)} & defined.keys() - used:
            used.add(name)
            waiting.append(defined[name])
    own = made.func.id if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) else ""
    kept = [node for node in tree.body if used.intersection(_names(node))]
    parts = [ast.unparse(_bare(node)) for node in kept]
    whole = "\n\n\n".join([*parts, f"EXERCISE = {ast.unparse(made)}"])
    return whole.replace(own, "Exercise") if own in defined else whole


def _value_of(tree: ast.Module, name: str) -> ast.expr:
    """Return what a module assigns to a name, alone or in a list of names."""
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id == name:
            return node.value
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=True)
            for each, value in pairs:
                if isinstance(each, ast.Name) and each.id == name:
                    return value
    raise LookupError(f"no {name}")


def _names(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines, other than those of the controls themselves."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (each.id for each in node.targets if isinstance(each, ast.Name) and each.id != "SPECIMEN")
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _bare(node: ast.stmt) -> ast.stmt:
    """Return a definition without docstrings and without the attributes that say what a scheme is."""
    for each in ast.walk(node):
        if isinstance(each, ast.ClassDef | ast.FunctionDef):
            body = [line for line in each.body if not _tells(line)]
            each.body = body or [ast.Pass()]
    return node


def _tells(line: ast.stmt) -> bool:
    if isinstance(line, ast.Expr):
        return isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)
    return isinstance(line, ast.Assign) and any(isinstance(t, ast.Name) and t.id in NAMED for t in line.targets)


def main(arguments: list[str]) -> int:
    """Write the page, or compare it. Return the exit code."""
    return entries.keep(PAGE, page(), "the specimens", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
