"""What plays: one attack, all of them, a scheme's access structure, and how a plaintext comes about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from attacks.cli.options import coalition, command, destination, format_, jobs, names, play, policy, selection

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job
    from attacks.lab.attack import Attack
    from attacks.lab.results import Cell, Matrix
    from escrow.scheme import Scheme

ATTACK = click.Argument(["attack"])
SCHEME = click.Argument(["scheme"])


def judged(cells: Sequence[Cell], fail_on: str | None) -> int:
    """The exit code: incomplete before policy, since a cell that could not be judged may hide a breach."""
    from attacks.cli.failures import INCOMPLETE, NOT_MET, OK
    from attacks.report import matrix

    if any(cell.verdict in matrix.INCOMPLETE for cell in cells):
        return INCOMPLETE
    return NOT_MET if fail_on == "breach" and any(cell.verdict == "BREACH" for cell in cells) else OK


def play_cells(job: Job, schemes: Sequence[Scheme], attacks: Sequence[Attack]) -> Matrix:
    """Play these attacks on these schemes. Plug-ins are marked: nobody has checked them."""
    from attacks.lab.matrix import run_matrix
    from escrow.registry import is_plugin

    unverified = [scheme.name for scheme in schemes if is_plugin(scheme)]
    unverified += [attack.name for attack in attacks if is_plugin(attack)]
    with job.progress() as progress:
        return run_matrix(
            schemes,
            attacks,
            job.scenario,
            jobs=job.processes,
            progress=progress,
            unverified=unverified,
            every=list(job.attacks.values()),
            plain=job.schemes.get("plain"),
        )


@command(
    "run",
    names(),
    play(),
    jobs(),
    policy(),
    format_(),
    destination(),
    own=[ATTACK, click.Option(["--scheme", "wanted"], multiple=True, metavar="NAME", help="On this scheme only.")],
)
def run_command(job: Job, attack: str, wanted: Sequence[str]) -> Answer:
    """Play one attack on every scheme, or on those named, and say what it read and who noticed."""
    from attacks.cli.job import Answer
    from attacks.report import cards
    from attacks.report.matrix import draw_run

    chosen = job.attack(attack)
    schemes = [job.scheme(name) for name in dict.fromkeys(wanted)] or list(job.schemes.values())
    result = play_cells(job, schemes, [chosen])
    draw = partial(draw_run, card=cards.card(chosen), matrix=result)
    return Answer(draw, result, judged(result.cells, job.fail_on))


@command("matrix", names(), selection(), play(), jobs(), policy(), format_(), destination())
def matrix_command(job: Job) -> Answer:
    """Play every attack on every scheme, compare what was opened with what the scheme claims, and print a table."""
    from attacks.cli.job import Answer
    from attacks.report.matrix import draw_matrix

    result = play_cells(job, *job.selected())
    return Answer(partial(draw_matrix, matrix=result), result, judged(result.cells, job.fail_on))


@command("anatomy", names(), play(), format_(), destination(), own=[SCHEME])
def anatomy_command(job: Job, scheme: str) -> Answer:
    """Measure who can open what: every minimal coalition, what it opens, promises and mathematics apart."""
    from attacks.cli.job import Answer
    from attacks.lab.anatomy import anatomy
    from attacks.report.anatomy import draw_anatomy

    chosen, attacks = job.scheme(scheme), list(job.attacks.values())
    with job.progress() as progress:
        result = anatomy(chosen, attacks, job.scenario, progress)
    return Answer(partial(draw_anatomy, anatomy=result), result)


def check_evenings(coalition: str, days: int) -> None:
    """UsageError for an evening that the scenario has not, before anything is played; names are checked by the play."""
    for evenings in re.findall(r"@([\d\s,-]*)", coalition):
        for evening in re.findall(r"\d+", evenings):
            if len(evening) > len(str(days)) or int(evening) >= days:
                raise click.UsageError(f"the evenings of the scenario are 0 to {days - 1}, not {evening}")


@command(
    "explain",
    names(),
    play(),
    format_(),
    destination(),
    own=[
        SCHEME,
        coalition(required=True),
        click.Option(["--message"], type=click.IntRange(0), metavar="N", help="To text number N, not to any."),
    ],
)
def explain_command(job: Job, scheme: str, coalition: str, message: int | None) -> Answer:
    """Print how a coalition comes to a plaintext: every step from what it took, down to the bytes."""
    from attacks.cli.job import Answer
    from attacks.lab.explain import explain
    from attacks.report.proofs import Explanation, draw_lines

    chosen = job.scheme(scheme)
    if message is not None and message >= job.scenario.messages:
        raise click.UsageError(f"the texts of the scenario are 0 to {job.scenario.messages - 1}, not {message}")
    check_evenings(coalition, job.scenario.days)
    lines = explain(chosen, job.scenario, coalition, message, list(job.attacks.values()))
    if job.format_ == "json":
        data = Explanation(scheme=scheme, coalition=coalition, message=message, lines=tuple(lines))
        return Answer(partial(draw_lines, lines=data.lines), data)
    return Answer(partial(draw_lines, lines=lines))
