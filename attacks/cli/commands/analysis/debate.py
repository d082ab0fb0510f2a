"""`escrow-lab debate`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from attacks.cli.cells import play_cells
from attacks.cli.completion import names_of
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import FILE, command, destination, format_, jobs, names, play
from attacks.lab.comparison import files
from attacks.lab.results.types import Matrix
from attacks.lab.runs import experiment
from attacks.lab.runs.experiment import Reproduction
from attacks.report.debate import bearing
from attacks.report.debate.draw import draw_debate
from attacks.report.debate.sentences import Exchange, exchange
from escrow.errors import Malformed
from escrow.registry import pick, unknown

OWN = [
    click.Argument(["results"], nargs=-1, type=FILE, metavar="[RESULT.json]…"),
    click.Option(
        ["--text", "texts"],
        multiple=True,
        metavar="KEY",
        shell_complete=names_of("texts"),
        help="Print only this text, such as letter.",
    ),
]


@command("debate", names(), play(), jobs(), format_(), destination(), own=OWN)
def debate_command(invocation: Invocation, results: Sequence[Path], texts: Sequence[str]) -> CommandResult:
    """Print the sentences of the public exchange word for word, each beside the figures of a run that bear on it.

    The figures are those of RESULT.json, what `matrix` and `reproduce` write as json; without a file they are played.
    Where nothing bears on a sentence, the reason stands there. Nothing is graded.
    """
    whole = exchange()
    keys = [text.key for text in whole.texts]
    if wrong := [key for key in texts if key not in keys]:
        raise unknown(keys, wrong[0], "text")
    asked = whole.only(texts)
    matrix, reproduction = _saved(results) if results else _played(invocation, asked)
    found = bearing.debate(asked, matrix, reproduction)
    return CommandResult(partial(draw_debate, result=found), found, people=True)


def _saved(results: Sequence[Path]) -> tuple[Matrix | None, Reproduction | None]:
    """Return the matrix and the reproduction of these files. Raise Malformed for a file of another kind."""
    matrix, reproduction = None, None
    for file in results:
        run = files.read(file)
        if isinstance(run, Matrix):
            matrix = run
        elif isinstance(run, Reproduction):
            reproduction = run
        else:
            raise Malformed(f"{file} is neither a matrix nor a reproduction, but {files.name(run)}")
    return matrix, reproduction


def _played(invocation: Invocation, asked: Exchange) -> tuple[Matrix | None, Reproduction | None]:
    """Play the attacks and, unless it is a first look, run the experiments that the sentences ask for."""
    attacks = [each for name, each in invocation.attacks.items() if name in bearing.needed_attacks(asked)]
    matrix = play_cells(invocation, list(invocation.schemes.values()), attacks) if attacks else None
    if invocation.smoke:
        return matrix, None
    chosen = [pick(experiment.experiments(), name, "experiment") for name in bearing.needed_experiments(asked)]
    with invocation.progress() as progress:
        seed = invocation.scenario.seed
        return matrix, experiment.reproduce(chosen, seed, False, progress or (lambda done, of, what: None))
