"""Runs the cells of docs/tour.ipynb, and writes their outputs into it, or compares them with those that are there.

  python -m tools.notebook            writes the outputs of now
  python -m tools.notebook --check    exits with 1 if they are others than those in the file

A cell is run as Jupyter runs it: what it prints is a stream, and the value of its last expression is shown, as text and
as HTML where it has both. That is all a tour needs, and spares every test run a Jupyter kernel.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from pprint import pformat
from typing import Any

TOUR = Path(__file__).resolve().parent.parent / "docs" / "tour.ipynb"


def run(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook (nbformat 4) with the outputs that its code cells have now; an error of a cell is raised."""
    names: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            source = "".join(cell["source"])
            cell = cell | {"execution_count": count, "outputs": list(_outputs(source, names, count))}
        cells.append(cell)
    return notebook | {"cells": cells}


def _outputs(source: str, names: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """Run one cell among these names and yield its outputs."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value = None
    with redirect_stdout(StringIO()) as printed:
        exec(compile(tree, f"<cell {count}>", "exec"), names)  # noqa: S102 (the cells of a page of ours)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"<cell {count}>", "eval"), names)  # noqa: S307 (likewise)
    if printed.getvalue():
        yield {"name": "stdout", "output_type": "stream", "text": printed.getvalue().splitlines(keepends=True)}
    if value is not None:
        data = {"text/plain": pformat(value, width=79).splitlines(keepends=True)}
        if (html := getattr(value, "_repr_html_", None)) is not None:
            data = {"text/html": html().splitlines(keepends=True)} | data
        yield {"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"}


def text_of(notebook: dict[str, Any]) -> str:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the outputs, or with `--check` return 1 if they changed."""
    before = TOUR.read_text(encoding="utf-8")
    now = text_of(run(json.loads(before)))
    if "--check" in arguments:
        if now != before:
            print(f"{TOUR.name} has other outputs now; run python -m tools.notebook", file=sys.stderr)
        return int(now != before)
    TOUR.write_text(now, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
