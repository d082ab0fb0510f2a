"""A result of any kind from its file, drawn as the command that wrote it would have."""

from __future__ import annotations

from pathlib import Path

from attacks.lab.comparison import files
from attacks.lab.comparison.benches import Recorded
from attacks.lab.comparison.files import Run
from attacks.lab.comparison.whole import lacking
from attacks.lab.costs.measure import Overhead
from attacks.lab.results.silences import Silences
from attacks.lab.results.types import Anatomy, Matrix
from attacks.lab.runs.experiment import Reproduction
from attacks.lab.runs.seeds import Sensitivity
from attacks.report.anatomy import draw_anatomy
from attacks.report.bench import draw_bench
from attacks.report.figures import draw_reproduction
from attacks.report.matrices.matrix import draw_matrix
from attacks.report.matrices.seeds import draw_sensitivity
from attacks.report.matrices.silences import draw_silences
from attacks.report.page import Page
from escrow.errors import Malformed

Saved = Matrix | Anatomy | Sensitivity | Reproduction | Silences | Overhead  # what this project writes and draws


def read_saved(file: Path) -> Run:
    """Return the run of a file. Raise Malformed if it is none, or lacks a row without which it cannot be drawn."""
    run = files.read(file)
    if lack := lacking(run):
        raise Malformed(f"{file} is no whole result: {lack}")
    return run


def drawable(file: Path, run: Run) -> Saved:
    """Return the run of a file. Raise Malformed if this project did not write it."""
    if isinstance(run, Recorded):
        raise Malformed(f"{file} is of {files.RECORDED}, which draws its own results; `compare` reads such files")
    return run


def draw_saved(page: Page, run: Saved, verdicts: bool = False, evenings: bool = False) -> None:
    """Draw a result: of a matrix with `verdicts`, of an anatomy with `evenings`, if these are asked for."""
    if isinstance(run, Matrix):
        draw_matrix(page, run, verdicts)
    elif isinstance(run, Anatomy):
        draw_anatomy(page, run, evenings)
    elif isinstance(run, Sensitivity):
        draw_sensitivity(page, run)
    elif isinstance(run, Reproduction):
        draw_reproduction(page, run)
    elif isinstance(run, Silences):
        draw_silences(page, run)
    else:
        draw_bench(page, run)
