"""Published figures, computed again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from attacks.cli.options import LARGEST_SEED, command, destination, format_

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job
    from attacks.lab.runs.experiment import Experiment
    from attacks.report.page import Page

OWN = [
    click.Argument(["names"], nargs=-1, metavar="[NAME]…"),
    click.Option(["--list", "listed"], is_flag=True, help="Say which there are, and compute nothing."),
    click.Option(["--seed"], type=click.IntRange(0, LARGEST_SEED), help="Another seed than the published one."),
    click.Option(["--long"], is_flag=True, help="The full size, which takes minutes or hours."),
]


@command("reproduce", format_(), destination(), own=OWN)
def reproduce_command(job: Job, names: Sequence[str], listed: bool, long: bool) -> Answer:
    """Compute published figures again and print them beside the paper's: all of them, or those of these names.

    Exits with 1 where a figure measured here does not agree with the published one.
    """
    from attacks.cli.exit_codes import NOT_MET, OK
    from attacks.cli.job import Answer
    from attacks.lab.runs.experiment import experiments, reproduce
    from attacks.lab.simulation.scenario import default
    from attacks.report.figures import draw_reproduction
    from escrow.registry import pick

    found = experiments()
    chosen = [pick(found, name, "experiment") for name in dict.fromkeys(names)] or list(found.values())
    seed = default().seed if job.seed is None else job.seed
    if listed:
        return _listing(chosen, seed, long)
    with job.progress() as progress:
        result = reproduce(chosen, seed, long, progress or (lambda done, of, what: None))
    return Answer(partial(draw_reproduction, result=result), result, OK if result.agrees else NOT_MET)


def _listing(chosen: Sequence[Experiment], seed: int, long: bool) -> Answer:
    """Names, titles and sources, as `schemes` and `attacks` list theirs; the data holds no figures."""
    from attacks.cli.job import Answer
    from attacks.lab.runs.experiment import Reproduced, Reproduction

    entries = [Reproduced(name=each.name, title=each.title, source=each.source, figures=()) for each in chosen]
    rows = [(each.name, each.title, f"{each.source.author}, {each.source.year}") for each in entries]

    def draw(page: Page) -> None:
        page.table(("name", "title", "source"), rows)

    return Answer(draw, Reproduction(seed=seed, long=long, experiments=tuple(entries)))
