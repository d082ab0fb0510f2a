"""`escrow-lab matrix`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from attacks.cli.cells import PARTS, check_parts, plan_of, play_cells, play_seeds, resumed_matrix, shard_result
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import VERDICTS, command, destination, format_, jobs, names, play, policy, selection
from attacks.lab.runs.matrix import Shard
from attacks.lab.runs.seeds import sensitivity
from attacks.report.matrices.matrix import draw_matrix
from attacks.report.matrices.seeds import draw_sensitivity


@command("matrix", names(), selection(), play(), jobs(), policy(), format_(), destination(), own=[*PARTS, VERDICTS])
def matrix_command(
    invocation: Invocation,
    resume: Path | None,
    shard: Shard | None,
    timeout: float | None,
    seeds: int | None,
    verdicts: bool,
) -> CommandResult:
    """Play every attack on every scheme, compare what was opened with what the scheme claims, and print a table."""
    check_parts(invocation, resume, shard, seeds)
    chosen = invocation.selected()
    if shard is not None:
        return shard_result(invocation, plan_of(invocation, *chosen), shard, timeout, resume)
    if seeds is not None:
        runs = play_seeds(invocation, *chosen, timeout, seeds)
        found = sensitivity(runs)
        code = invocation.judge([cell for run in runs for cell in run.cells])
        return CommandResult(partial(draw_sensitivity, result=found), found, code)
    if resume is not None:
        result, note = resumed_matrix(invocation, plan_of(invocation, *chosen), timeout, resume)
    else:
        result, note = play_cells(invocation, *chosen, timeout), ""
    return CommandResult(
        partial(draw_matrix, matrix=result, verdicts=verdicts), result, invocation.judge(result.cells), note, True
    )
