"""`escrow-lab report`."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from attacks.cli.invocation import CommandResult, Invocation, draw_nothing
from attacks.cli.options import EVENINGS, FILE, VERDICTS, command, destination, format_
from attacks.cli.output import STDOUT
from attacks.lab.comparison import files
from attacks.lab.comparison.files import Run
from attacks.lab.costs.measure import Overhead
from attacks.lab.results.silences import Silences
from attacks.lab.results.types import Anatomy, Matrix
from attacks.lab.simulation import handed_in
from attacks.report.absent import told_absent
from attacks.report.anatomy import PICTURES, pictures
from attacks.report.saved import draw_saved, drawable, read_saved
from escrow.errors import Malformed

OWN = [click.Argument(["given"], type=FILE, nargs=-1, required=True, metavar="FILE..."), VERDICTS, EVENINGS]


@command("report", format_(drawn=("html", *PICTURES)), destination(), own=OWN)
def report_command(invocation: Invocation, given: Sequence[Path], verdicts: bool, evenings: bool) -> CommandResult:
    """Draw a saved result again, as the command that wrote it would have, or as a page for a browser.

    FILE is what `matrix`, `anatomy`, `silence`, `bench` and `reproduce` write as json, or `matrix --resume` in its
    FILE. Nothing is played, and no plug-in is loaded. What an earlier version did not write is named, with the command
    that makes it.

    With `-o FILE.html` or `--format html` the result is one page that needs no network: a matrix, and the access
    structures, silence sets and costs of the files beside it.
    """
    read = [(file, read_saved(file)) for file in given]
    if invocation.format_ == "html":
        return _page(read, invocation.output)
    if len(read) > 1:
        raise click.UsageError("several files make one page: use --format html or -o FILE.html")
    return _drawn(*read[0], verdicts, evenings)


def _page(read: Sequence[tuple[Path, Run]], output: str) -> CommandResult:
    """Return the page of these results. Raise UsageError or Malformed if they make none."""
    from attacks.report.html.document import Input, document  # here, because it imports jinja2

    inputs = []
    for file, run in read:
        if not isinstance(run, Matrix | Anatomy | Overhead | Silences):
            raise Malformed(
                f"{file} is of {files.name(run)}; a page is of a matrix, anatomies, silence sets and one bench"
            )
        inputs.append(Input(file.name, hashlib.sha256(handed_in.content(file)).hexdigest(), run))
    for kind, name in ((Matrix, "matrix"), (Overhead, "bench")):
        if sum(isinstance(each.result, kind) for each in inputs) > 1:
            raise click.UsageError(f"a page shows one {name}; give one, and anatomies beside it")
    names = [str(file) for file, _ in read]
    words = ["escrow-lab", "report", *names, *(["--format", "html"] if output == STDOUT else ["-o", output])]
    note = "; ".join(said for each in inputs if (said := told_absent(each.result)))
    return CommandResult(draw_nothing, note=note, html=partial(document, inputs, shlex.join(words)))


def _drawn(file: Path, run: Run, verdicts: bool, evenings: bool) -> CommandResult:
    """Return a result that draws a run. Raise Malformed if this project did not write it."""
    ours = drawable(file, run)
    return CommandResult(
        partial(draw_saved, run=ours, verdicts=verdicts, evenings=evenings),
        ours,
        note=told_absent(ours),
        people=isinstance(ours, Matrix | Anatomy),
        drawn=pictures(ours) if isinstance(ours, Anatomy) else {},
    )
