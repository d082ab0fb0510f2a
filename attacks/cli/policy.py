"""When a run that is complete fails all the same: `--fail-on`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attacks.cli.exit_codes import INCOMPLETE, NOT_COMPARABLE, NOT_MET, OK, CannotCompare
from attacks.report.page import plain

if TYPE_CHECKING:
    from attacks.cli.job import Job
    from attacks.lab.comparison.files import Difference
    from attacks.lab.results.types import Cell, Matrix
    from attacks.lab.simulation.scenario import Scenario


def check_policy(job: Job) -> None:
    """Before anything is played: reads the baseline. UsageError for options that do not go together."""
    if (job.fail_on == "regression") != (job.baseline is not None):
        raise click.UsageError("--fail-on regression and --baseline FILE.json need each other")
    if job.baseline is not None:
        job.reference = _read(job.baseline, job.scenario)


def _read(path: Path, scenario: Scenario) -> Matrix:
    """A matrix to compare with. Malformed for a file that holds none, CannotCompare for one of another scenario."""
    from attacks.lab.comparison import files
    from attacks.lab.comparison.difference import same_scenario
    from attacks.lab.results.types import Matrix

    found = files.read(path)
    if not isinstance(found, Matrix):
        raise CannotCompare(f"{path} is {files.name(found)}; a baseline is a matrix")
    try:
        same_scenario(found.manifest.scenario, scenario)
    except files.NotComparable as error:
        raise CannotCompare(f"{path}: {error}") from None
    return found


def judge(cells: Sequence[Cell], job: Job) -> int:
    """The exit code: incomplete before policy, since a cell that could not be judged may hide a breach."""
    from attacks.lab.results.errors import NotComparable
    from attacks.report import matrix

    try:
        failed = _failed(cells, job)
    except NotComparable as error:  # no exception on its way out: what was played is still written
        print(f"escrow-lab: {job.baseline}: {plain(str(error))}", file=sys.stderr)
        return NOT_COMPARABLE
    if any(cell.verdict in matrix.INCOMPLETE for cell in cells):
        return INCOMPLETE
    return NOT_MET if failed else OK


def _failed(cells: Sequence[Cell], job: Job) -> bool:
    if job.fail_on == "breach":
        return any(cell.verdict == "BREACH" for cell in cells)
    if job.fail_on == "unexpected":
        return any(map(unexpected, cells))
    found = _regressions(cells, job.reference, job) if job.reference else []
    if found and not job.quiet:
        from attacks.report.comparison import told

        for each in found:
            print(f"regression: {plain(told(each))}", file=sys.stderr)
    return bool(found)


def unexpected(cell: Cell) -> bool:
    """A breach by which texts are opened that are closed in plain, or overreached, forged, shown twice or laid at
    another's door."""
    return cell.verdict == "BREACH" and (
        (cell.excluded > 0 and cell.added_over_plain > 0)
        or cell.overreached > 0
        or cell.forged > 0
        or cell.duplicated > 0
        or cell.framed > 0
    )


def _regressions(cells: Sequence[Cell], baseline: Matrix, job: Job) -> list[Difference]:
    """What is worse than in the baseline: of the cells played now, and schemes and attacks that are there no more."""
    from attacks.lab.comparison import matrices
    from attacks.lab.comparison.difference import same_parameters, sorted_by_severity
    from escrow.registry import parameters

    played = {(cell.scheme, cell.attack) for cell in cells}
    old = [
        cell
        for cell in baseline.cells
        if (cell.scheme, cell.attack) in played or cell.scheme not in job.schemes or cell.attack not in job.attacks
    ]
    given = {name: parameters(job.schemes[name]) for name, _ in played if name in job.schemes}
    same_parameters(baseline.manifest.parameters, given, {cell.scheme for cell in old} & given.keys())
    found = sorted_by_severity(matrices.cells(old, cells))
    return [each for each in found if each.severity == "regression"]
