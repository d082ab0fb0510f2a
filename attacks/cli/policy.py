"""The policy of `--fail-on`: when a complete run ends with exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from attacks.cli.exit_codes import INCOMPLETE, NOT_COMPARABLE, NOT_MET, OK, CannotCompare
from attacks.lab.comparison import files, matrices
from attacks.lab.comparison.difference import Difference, same_parameters, same_scenario, sorted_by_severity
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.types import Cell, Matrix
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.scenario import Scenario
from attacks.report.comparison import told
from attacks.report.matrices import matrix
from attacks.report.page import plain
from escrow.registry import parameters
from escrow.scheme import Scheme

BREACHES = frozenset({"BREACH", "FAILS"})  # what `--fail-on breach` means


class Policy(NamedTuple):
    """What --fail-on and --baseline say; `reference` is the matrix in the file `baseline`."""

    fail_on: str | None = None
    baseline: Path | None = None
    reference: Matrix | None = None


def read_policy(fail_on: str | None, baseline: Path | None, scenario: Callable[[], Scenario]) -> Policy:
    """Return the policy, its baseline read.

    Raise UsageError if the two options do not fit together, Malformed if the file holds no result, CannotCompare if it
    is not a matrix of this scenario.
    """
    if (fail_on == "regression") != (baseline is not None):
        raise click.UsageError("--fail-on regression and --baseline FILE.json must be given together")
    return Policy(fail_on, baseline, None if baseline is None else _read(baseline, scenario()))


def _read(path: Path, scenario: Scenario) -> Matrix:
    found = files.read(path)
    if not isinstance(found, Matrix):
        raise CannotCompare(f"{path} is {files.name(found)}; a baseline must be a matrix")
    try:
        same_scenario(found.manifest.scenario, scenario)
    except NotComparable as error:
        raise CannotCompare(f"{path}: {error}") from None
    return found


def judge(
    cells: Sequence[Cell],
    policy: Policy,
    schemes: Mapping[str, Scheme],
    attacks: Mapping[str, Attack],
    tell: Callable[[str], None],
) -> int:
    """Return the exit code of these cells; `tell` is called with a sentence for each row that became worse.

    `schemes` and `attacks` are all that exist now, by name. A cell that could not be judged may hide a breach, so
    INCOMPLETE goes before the policy.
    """
    try:
        failed = _failed(cells, policy, schemes, attacks, tell)
    except NotComparable as error:  # returned, not raised: what was played is still written
        print(f"escrow-lab: {policy.baseline}: {plain(str(error))}", file=sys.stderr)
        return NOT_COMPARABLE
    if any(cell.verdict in matrix.INCOMPLETE for cell in cells):
        return INCOMPLETE
    return NOT_MET if failed else OK


def _failed(
    cells: Sequence[Cell],
    policy: Policy,
    schemes: Mapping[str, Scheme],
    attacks: Mapping[str, Attack],
    tell: Callable[[str], None],
) -> bool:
    """Return whether the policy is not met."""
    if policy.fail_on == "breach":
        return any(cell.verdict in BREACHES for cell in cells)
    if policy.fail_on == "unexpected":
        return any(map(unexpected, cells))
    found = _regressions(cells, policy.reference, schemes, attacks) if policy.reference else []
    for sentence in told(found):
        tell(sentence)
    return bool(found)


def unexpected(cell: Cell) -> bool:
    """Return whether the cell is a breach or failure that plain encryption does not have.

    Texts are opened that stay closed in plain, or texts are overreached, forged, duplicated, fabricated, or attributed
    to the wrong sender.
    """
    return cell.verdict in BREACHES and (
        (cell.excluded > 0 and cell.added_over_plain > 0)
        or cell.fabricated + cell.misattributed > 0
        or cell.overreached > 0
        or cell.forged > 0
        or cell.duplicated > 0
        or cell.framed > 0
    )


def _regressions(
    cells: Sequence[Cell], baseline: Matrix, schemes: Mapping[str, Scheme], attacks: Mapping[str, Attack]
) -> list[Difference]:
    """Return what is worse than in the baseline, of the cells played now, and the schemes and attacks that are gone."""
    played = {(cell.scheme, cell.attack) for cell in cells}
    old = [
        cell
        for cell in baseline.cells
        if (cell.scheme, cell.attack) in played or cell.scheme not in schemes or cell.attack not in attacks
    ]
    given = {name: parameters(schemes[name]) for name, _ in played if name in schemes}
    same_parameters(baseline.manifest.parameters, given, {cell.scheme for cell in old} & given.keys())
    found = sorted_by_severity(matrices.cells(old, cells))
    return [each for each in found if each.severity == "regression"]
