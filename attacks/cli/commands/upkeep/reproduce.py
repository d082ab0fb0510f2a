"""`escrow-lab reproduce`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import click

from attacks.cli.completion import names_of
from attacks.cli.exit_codes import NOT_MET, OK
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import LARGEST_SEED, command, destination, format_, plugin
from attacks.lab.runs import experiment
from attacks.lab.runs.experiment import Experiment, Reproduced, Reproduction
from attacks.lab.simulation.scenario import default
from attacks.report.figures import draw_reproduction
from attacks.report.page import Page
from escrow.registry import pick

OWN = [
    click.Argument(["names"], nargs=-1, metavar="[NAME]…", shell_complete=names_of("experiments")),
    click.Option(["--list", "listed"], is_flag=True, help="List the experiments and compute nothing."),
    click.Option(["--seed"], type=click.IntRange(0, LARGEST_SEED), help="Use this seed instead of the published one."),
    click.Option(["--long"], is_flag=True, help="Use the full size, which takes minutes or hours."),
]


@command("reproduce", [plugin()], format_(), destination(), own=OWN)
def reproduce_command(invocation: Invocation, names: Sequence[str], listed: bool, long: bool) -> CommandResult:
    """Compute published figures again and print them beside the paper's: all of them, or those with these names.

    The exit code is 1 if a figure measured here does not agree with the published one.
    """
    found = experiment.experiments(invocation.plugins)
    chosen = [pick(found, name, "experiment") for name in dict.fromkeys(names)] or list(found.values())
    if names and not listed and (missing := [each.missing for each in chosen if each.missing]):
        raise click.UsageError("; ".join(missing))
    seed = default().seed if invocation.seed is None else invocation.seed
    if listed:
        return _listing(chosen, seed, long)
    with invocation.progress() as progress:
        result = experiment.reproduce(chosen, seed, long, progress or (lambda done, of, what: None))
    return CommandResult(partial(draw_reproduction, result=result), result, OK if result.agrees else NOT_MET)


def _listing(chosen: Sequence[Experiment], seed: int, long: bool) -> CommandResult:
    """Return names, titles and sources, as `schemes` and `attacks` list theirs; the data holds no figures."""
    entries = [Reproduced(name=each.name, title=each.title, source=each.source, figures=()) for each in chosen]
    rows = [(each.name, each.title, f"{each.source.author}, {each.source.year}") for each in entries]

    def draw(page: Page) -> None:
        page.table(("name", "title", "source"), rows)

    return CommandResult(draw, Reproduction(seed=seed, long=long, experiments=tuple(entries)))
