"""What plays: one attack, all of them, a scheme's access structure, and how a plaintext comes about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attacks.cli.options import coalition, command, destination, format_, jobs, names, play, policy, selection
from attacks.cli.resuming import PARTS

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job
    from attacks.lab.results.types import Matrix
    from attacks.lab.simulation.attack import Attack
    from escrow.scheme import Scheme

ATTACK = click.Argument(["attack"])
SCHEME = click.Argument(["scheme"])


def unverified(schemes: Sequence[Scheme], attacks: Sequence[Attack]) -> list[str]:
    """The names of plug-ins: nobody has checked them."""
    from escrow.registry import is_plugin

    return [scheme.name for scheme in schemes if is_plugin(scheme)] + [each.name for each in attacks if is_plugin(each)]


def play_cells(job: Job, schemes: Sequence[Scheme], attacks: Sequence[Attack], timeout: float | None = None) -> Matrix:
    """Play these attacks on these schemes. Plug-ins are marked."""
    from attacks.lab.runs.matrix import run_matrix

    with job.progress() as progress:
        return run_matrix(
            schemes,
            attacks,
            job.scenario,
            jobs=job.processes,
            progress=progress,
            unverified=unverified(schemes, attacks),
            every=list(job.attacks.values()),
            plain=job.schemes.get("plain"),
            isolated=job.isolate,
            timeout=timeout,
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
    from attacks.cli.policy import judge
    from attacks.report import cards
    from attacks.report.matrix import draw_run

    chosen = job.attack(attack)
    schemes = [job.scheme(name) for name in dict.fromkeys(wanted)] or list(job.schemes.values())
    result = play_cells(job, schemes, [chosen])
    draw = partial(draw_run, card=cards.card(chosen), matrix=result)
    return Answer(draw, result, judge(result.cells, job))


@command("matrix", names(), selection(), play(), jobs(), policy(), format_(), destination(), own=PARTS)
def matrix_command(job: Job, resume: Path | None, shard: tuple[int, int] | None, timeout: float | None) -> Answer:
    """Play every attack on every scheme, compare what was opened with what the scheme claims, and print a table."""
    from attacks.cli import resuming
    from attacks.cli.job import Answer
    from attacks.cli.policy import judge
    from attacks.report.matrix import draw_matrix

    resuming.check_parts(job, resume, shard)
    chosen = job.selected()
    if shard is not None:
        return resuming.shard_answer(job, resuming.plan_of(job, *chosen, unverified(*chosen)), shard, timeout, resume)
    if resume is not None:
        plan = resuming.plan_of(job, *chosen, unverified(*chosen))
        result, note = resuming.resumed_matrix(job, plan, timeout, resume)
    else:
        result, note = play_cells(job, *chosen, timeout), ""
    return Answer(partial(draw_matrix, matrix=result), result, judge(result.cells, job), note)


@command("anatomy", names(), play(), format_(), destination(), own=[SCHEME])
def anatomy_command(job: Job, scheme: str) -> Answer:
    """Measure who can open what: every minimal coalition, what it opens, promises and mathematics apart."""
    from attacks.cli.job import Answer
    from attacks.lab.verdict.anatomy import anatomy
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
    format_(rows=False),
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
    from attacks.lab.evidence.explain import explain
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
