"""The page itself: its parts computed from results, and written by the templates, which escape all that they are given."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from msgspec import UNSET, json

from attacks.lab.costs.measure import Overhead
from attacks.lab.results.types import Anatomy, Matrix
from attacks.report.absent import absent_parts
from attacks.report.html import front, heat, runs
from attacks.report.html.entries import entries_of
from attacks.report.html.pictures import layout
from attacks.report.html.reproducing import needs_file
from attacks.report.html.words import number
from attacks.report.matrices import grid
from attacks.report.page import plain
from escrow import registry

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Input:
    """A result, the name of its file and the SHA-256 of its bytes."""

    file: str
    sha256: str
    result: Matrix | Anatomy | Overhead


def document(inputs: Sequence[Input]) -> str:
    """Return the page of these results. The first is what the page is about; at most one is a matrix."""
    matrix = next((each.result for each in inputs if isinstance(each.result, Matrix)), None)
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return _environment().get_template("page.html").render(
        inputs=inputs,
        absent={part: command for each in inputs for part, command in absent_parts(each.result).items()},
        script=Markup(script),  # noqa: S704 (it is this project's own)
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **(_of_matrix(matrix) if matrix is not None else {"matrix": None}),
    )


def _environment() -> Environment:
    """Return how templates are read: all that is printed is escaped, and no control character passes."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printed,
    )
    made.filters["number"] = number
    return made


def _printed(value: object) -> object:
    """Return what a template prints of a value: numbers with thin spaces, text without control characters."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    return plain(str(value))


def _of_matrix(matrix: Matrix) -> dict[str, Any]:
    """Return what the templates print of a matrix."""
    known = registry.schemes()
    cells = {(cell.scheme, cell.attack): cell for cell in matrix.cells}
    ids = {key: f"c-{at}" for at, (key, cell) in enumerate(cells.items()) if cell.verdict != "NOT_APPLICABLE"}
    attacks = grid.applying(matrix)
    entries = entries_of(matrix, attacks)
    found = runs.runs_of(matrix, entries, ids, known)
    questions = front.questions_of(matrix, entries, ids)
    scenario = matrix.manifest.scenario
    sent = max((cell.sent for cell in matrix.cells), default=0)
    return {
        "matrix": matrix,
        "scenario": scenario,
        "scenario_file": json.encode(scenario).decode() if needs_file(scenario) else "",
        "sent": sent,
        "entitled": max((cell.entitled for cell in matrix.cells), default=0),
        "entries": entries,
        "layout": None if matrix.texts is UNSET else layout(scenario, matrix.texts),
        "questions": questions,
        "strips": front.strips_of(questions),
        "findings": front.findings_of(matrix, ids),
        "map": heat.rows_of(entries, cells, ids),
        "bins": heat.bins(sent),
        "sections": runs.sections_of(matrix, found, ids),
        "foreign": [cell for cell in matrix.cells if cell.verdict == "NOT_APPLICABLE"],
    }
