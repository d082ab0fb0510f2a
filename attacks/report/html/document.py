"""The page itself: its parts are computed from results, and templates write them and escape all that they print."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from msgspec import UNSET, json

from attacks.lab.costs.measure import Overhead
from attacks.lab.results.silences import Silences
from attacks.lab.results.types import Anatomy, Matrix
from attacks.lab.simulation.scenario import default
from attacks.lab.verdict.silence.sets import shaped
from attacks.report.absent import MATRIX, absent_parts
from attacks.report.html import front, generals, heat, runs, silent
from attacks.report.html.entries import blocks_of, entries_of
from attacks.report.html.pictures import layout
from attacks.report.html.reproducing import needs_file, scenario_options, settings
from attacks.report.html.words import number
from attacks.report.matrices import grid
from attacks.report.matrices.matrix import described
from attacks.report.page import plain
from attacks.report.passes import ALONE
from attacks.report.svg import bars, graphs, strips, timelines, trees
from escrow import __version__, registry

TEMPLATES = Path(__file__).with_name("templates")
COLOURS = Path(strips.__file__).parent
DRAWINGS = {
    "meaning": strips.meaning,
    "passes": ALONE,
    "definitions": strips.definitions,
    "strip": strips.strip,
    "timeline": timelines.timeline,
    "tree": trees.tree,
    "structure": graphs.structure,
    "overhead": bars.overhead,
}


@dataclass(frozen=True)
class Input:
    """A result, the name of its file and the SHA-256 of its bytes."""

    file: str
    sha256: str
    result: Matrix | Anatomy | Overhead | Silences


def document(inputs: Sequence[Input], command: str) -> str:
    """Return the page of these results, of which at most one is a matrix. `command` is the one that made the page."""
    matrix = next((each.result for each in inputs if isinstance(each.result, Matrix)), None)
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    parts = {
        "version": __version__,
        "inputs": inputs,
        "own_command": command,
        "absent": {part: wanted for each in inputs for part, wanted in absent_parts(each.result).items()},
        "script": Markup(script),  # noqa: S704 (it is this project's own)
        "script_digest": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        "matrix": matrix,
        "matrix_command": MATRIX,
        "layout": None,
        "scenario_file": "",
        "anatomies": [_shown(each.result) for each in inputs if isinstance(each.result, Anatomy)],
        "silences": [_silent(each.result) for each in inputs if isinstance(each.result, Silences)],
        "bench": next((each.result for each in inputs if isinstance(each.result, Overhead)), None),
        "title": "Who else reads it?",
        **DRAWINGS,
    }
    written = _environment().get_template("page.html").render(parts | ({} if matrix is None else _of_matrix(matrix)))
    return f"{written}\n"


def silence_table(silences: Silences) -> str:
    """Return the silence sets of a scheme as one HTML table without styles, for a notebook."""
    module: Any = _environment().get_template("silence.html").module
    return str(module.silent_table(silent.shown(silences)))


def _silent(silences: Silences) -> silent.SilencesShown:
    manifest, played = silences.manifest, silences.manifest.scenario
    usual = default(
        users=len(played.users),
        groups=len(played.groups),
        days=played.days,
        messages=played.messages,
        seed=played.seed,
    )
    given = usual if shaped(usual) == played else played
    more = [*scenario_options(given), *settings(silences.scheme, manifest, registry.schemes())]
    return silent.shown(silences, more)


def _environment() -> Environment:
    """Return how templates are read: all that is printed is escaped, and no control character passes."""
    return Environment(
        loader=FileSystemLoader([TEMPLATES, COLOURS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printed,
    )


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
    schemes = [each for family in entries.schemes for each in family.entries]
    return {
        "title": f"Who else reads it? escrow-lab, {len(schemes)} schemes under {len(attacks)} attacks",
        "version": matrix.manifest.version,
        "scenario": scenario,
        "scenario_said": described(scenario).removeprefix("Scenario: "),
        "scenario_file": json.encode(scenario).decode() if needs_file(scenario) else "",
        "parameters_said": _parameters(matrix),
        "unverified": matrix.manifest.unverified,
        "sent": sent,
        "entitled": max((cell.entitled for cell in matrix.cells), default=0),
        "entries": entries,
        "schemes": schemes,
        "blocks": blocks_of(entries.schemes),
        "layout": None if matrix.texts is UNSET else layout(scenario, matrix.texts),
        "questions": questions,
        "strips": front.strips_of(questions),
        "generals": generals.generals_of(matrix, entries, ids),
        "findings": front.findings_of(matrix, ids),
        "map": heat.rows_of(entries, cells, ids),
        "bins": heat.bins(sent),
        "sections": runs.sections_of(matrix, found, ids),
        "foreign": [cell for cell in matrix.cells if cell.verdict == "NOT_APPLICABLE"],
    }


def _parameters(matrix: Matrix) -> str:
    """Return the parameters of all schemes that have any."""
    given = {
        scheme: ", ".join(f"{name} {value}" for name, value in of.items())
        for scheme, of in matrix.manifest.parameters.items()
        if of
    }
    return "; ".join(f"{scheme}: {said}" for scheme, said in given.items())


@dataclass(frozen=True)
class AnatomyShown:
    """An access structure, the title of its scheme, its scenario in words, and the command that measures it."""

    anatomy: Anatomy
    title: str
    scenario: str
    command: str


def _shown(anatomy: Anatomy) -> AnatomyShown:
    known, manifest = registry.schemes(), anatomy.manifest
    title = known[anatomy.scheme].title if anatomy.scheme in known else ""
    more = [*scenario_options(manifest.scenario), *settings(anatomy.scheme, manifest, known)]
    return AnatomyShown(
        anatomy, title, described(manifest.scenario), shlex.join(["escrow-lab", "anatomy", anatomy.scheme, *more])
    )
