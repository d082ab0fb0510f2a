"""`escrow-lab merge`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from attacks.cli.exit_codes import INCOMPLETE, CannotCompare
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import FILE, VERDICTS, command, destination, format_
from attacks.lab.results.errors import NotComparable
from attacks.lab.runs import journal, merge
from attacks.report.matrices.matrix import draw_matrix

OWN = [
    click.Argument(["files"], type=FILE, nargs=-1, required=True, metavar="FILE..."),
    click.Option(
        ["--fail-on"],
        type=click.Choice(["breach", "unexpected"]),
        help="Exit with 1 if there is a breach; a breach that plain encryption does not have (unexpected).",
    ),
    VERDICTS,
]


@command("merge", format_(), destination(), own=OWN)
def merge_command(invocation: Invocation, files: Sequence[Path], verdicts: bool) -> CommandResult:
    """Join what `matrix --shard` and `matrix --resume` wrote; the result equals that of one run of everything.

    Nothing is played, and no plug-in is loaded. Cells that no FILE holds are listed, and the exit code is 3.
    """
    try:
        header, lines = merge.merged([(str(path), journal.read(path)) for path in dict.fromkeys(files)])
    except NotComparable as error:
        raise CannotCompare(str(error)) from None
    result, gone = merge.judged(header, lines), merge.missing(header, lines)
    code = INCOMPLETE if gone else invocation.judge(result.cells)
    note = f"no file holds {', '.join(map(journal.said, gone))}" if gone else ""
    return CommandResult(partial(draw_matrix, matrix=result, verdicts=verdicts), result, code, note, people=True)
