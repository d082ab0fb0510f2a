"""`escrow-lab report`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import EVENINGS, FILE, VERDICTS, command, destination, format_
from attacks.lab.comparison import files
from attacks.lab.comparison.files import Run
from attacks.lab.costs.measure import Overhead
from attacks.lab.results.types import Anatomy, Matrix
from attacks.lab.runs.seeds import Sensitivity
from attacks.report.absent import told_absent
from attacks.report.anatomy import draw_anatomy
from attacks.report.bench import draw_bench
from attacks.report.matrices.matrix import draw_matrix
from attacks.report.matrices.seeds import draw_sensitivity
from escrow.errors import Malformed

OWN = [click.Argument(["file"], type=FILE), VERDICTS, EVENINGS]


@command("report", format_(), destination(), own=OWN)
def report_command(invocation: Invocation, file: Path, verdicts: bool, evenings: bool) -> CommandResult:
    """Draw a saved result again, as the command that wrote it would have.

    FILE is what `matrix`, `anatomy` and `bench` write as json, or `matrix --resume` in its FILE. Nothing is played, and
    no plug-in is loaded. What an earlier version did not write is named, with the command that makes it.
    """
    return _drawn(file, files.read(file), verdicts, evenings)


def _drawn(file: Path, run: Run, verdicts: bool, evenings: bool) -> CommandResult:
    """Return what draws a run. Raise Malformed if this project did not write it."""
    if isinstance(run, Matrix):
        return CommandResult(
            partial(draw_matrix, matrix=run, verdicts=verdicts), run, note=told_absent(run), people=True
        )
    if isinstance(run, Sensitivity):
        return CommandResult(partial(draw_sensitivity, result=run), run)
    if isinstance(run, Anatomy):
        return CommandResult(
            partial(draw_anatomy, anatomy=run, evenings=evenings), run, note=told_absent(run), people=True
        )
    if isinstance(run, Overhead):
        return CommandResult(partial(draw_bench, bench=run), run)
    raise Malformed(f"{file} is of {files.RECORDED}, which draws its own results; `compare` reads such files")
