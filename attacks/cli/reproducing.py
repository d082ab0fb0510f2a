"""Published figures, computed again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from attacks.cli.options import LARGEST_SEED, command, destination, format_

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job

OWN = [
    click.Argument(["names"], nargs=-1, metavar="[NAME]…"),
    click.Option(["--seed"], type=click.IntRange(0, LARGEST_SEED), help="Another seed than the published one."),
    click.Option(["--long"], is_flag=True, help="The full size, which takes minutes or hours."),
]


@command("reproduce", format_(), destination(), own=OWN)
def reproduce_command(job: Job, names: Sequence[str], long: bool) -> Answer:
    """Compute published figures again and print them beside the paper's: all of them, or those of these names."""
    from attacks.cli.failures import NOT_MET, OK
    from attacks.cli.job import Answer
    from attacks.lab.experiment import experiments, reproduce
    from attacks.lab.scenario import default
    from attacks.report.figures import draw_reproduction
    from escrow.registry import pick

    found = experiments()
    chosen = [pick(found, name, "experiment") for name in dict.fromkeys(names)] or list(found.values())
    seed = default().seed if job.seed is None else job.seed
    with job.progress() as progress:
        result = reproduce(chosen, seed, long, progress or (lambda done, of, what: None))
    return Answer(partial(draw_reproduction, result=result), result, OK if result.agrees else NOT_MET)
