"""Shards of one matrix, or files of an interrupted one, joined into the result."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attacks.cli.options import FILE, command, destination, format_

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job

FILES = [
    click.Argument(["files"], type=FILE, nargs=-1, required=True, metavar="FILE..."),
    click.Option(
        ["--fail-on"],
        type=click.Choice(["breach", "unexpected"]),
        help="Exit with 1 for a breach; for one that opens texts that are closed in plain, or forges, or duplicates.",
    ),
]


@command("merge", format_(), destination(), own=FILES)
def merge_command(job: Job, files: Sequence[Path]) -> Answer:
    """Join what `matrix --shard` and `matrix --resume` wrote: the result is that of one run that did it all.

    Nothing is played, and no plug-in is loaded. Cells that no FILE holds are listed, and the exit code is 3.
    """
    from attacks.cli.exit_codes import INCOMPLETE, CannotCompare
    from attacks.cli.job import Answer
    from attacks.cli.policy import judge
    from attacks.lab.results.errors import NotComparable
    from attacks.lab.runs import journal, merge
    from attacks.report.matrix import draw_matrix

    try:
        header, lines = merge.merged([(str(path), journal.read(path)) for path in dict.fromkeys(files)])
    except NotComparable as error:
        raise CannotCompare(str(error)) from None
    result, gone = merge.judged(header, lines), merge.missing(header, lines)
    code = INCOMPLETE if gone else judge(result.cells, job)
    note = f"no file holds {', '.join(map(journal.said, gone))}" if gone else ""
    return Answer(partial(draw_matrix, matrix=result), result, code, note)
