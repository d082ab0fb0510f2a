"""A matrix in parts: what a file holds is not played again, and a shard is played by itself."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attacks.cli.options import FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attacks.cli.job import Answer, Job
    from attacks.lab.results.types import Matrix
    from attacks.lab.runs.journal import Journal, JournalHeader
    from attacks.lab.runs.matrix import Plan, Shard, TaskResult
    from attacks.lab.simulation.attack import Attack
    from attacks.report.page import Page
    from escrow.scheme import Scheme


def _read_shard(ctx: click.Context, parameter: click.Parameter, given: str | None) -> tuple[int, int] | None:
    """(I, N), with I from 1 to N."""
    if given is None:
        return None
    read = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", given, re.ASCII)
    if read is None or int(read[1]) > int(read[2]):
        raise click.BadParameter(f"{given!r} is no shard; write I/N, with I from 1 to N", ctx, parameter)
    return int(read[1]), int(read[2])


PARTS = [
    click.Option(
        ["--resume"],
        type=FILE,
        metavar="FILE",
        help="Write every cell down in FILE as soon as it is there, and do not play what stands in it already.",
    ),
    click.Option(
        ["--shard"],
        metavar="I/N",
        callback=_read_shard,
        help="Play one of N parts and write its cells down, in FILE of --resume or as the result; for `merge`.",
    ),
    click.Option(
        ["--timeout"],
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="Give up what takes longer: one scheme under one attack, or under all that share a play.",
    ),
]


def check_parts(job: Job, resume: Path | None, shard: tuple[int, int] | None) -> None:
    """UsageError for options that do not go with these, before anything is played."""
    if resume is not None and Path(job.output).resolve() == resume.resolve():
        raise click.UsageError(f"--resume goes on writing {resume}; write the result to another file")
    if shard is not None and job.format_ not in ("table", "jsonl"):
        raise click.UsageError(f"a shard is written in a form of its own; `escrow-lab merge` writes {job.format_}")
    if shard is not None and job.fail_on is not None:
        raise click.UsageError("a shard is not judged by itself; give --fail-on to `escrow-lab merge`")


def plan_of(job: Job, schemes: Sequence[Scheme], attacks: Sequence[Attack], unverified: Sequence[str]) -> Plan:
    """What the options ask to be played."""
    from attacks.lab.runs.matrix import Plan

    return Plan(
        schemes,
        attacks,
        job.scenario,
        every=list(job.attacks.values()),
        plain=job.schemes.get("plain"),
        isolated=job.isolate,
        unverified=unverified,
    )


def played(job: Job, plan: Plan, shard: Shard, timeout: float | None, journal: Journal | None = None) -> TaskResult:
    """All of a shard: what the journal holds, and the rest, which is written down in it."""
    from attacks.lab.runs.matrix import run_plan

    with job.progress() as progress:
        return run_plan(plan, jobs=job.processes, progress=progress, timeout=timeout, shard=shard, journal=journal)


def resumed(job: Job, plan: Plan, shard: Shard, timeout: float | None, file: Path) -> tuple[TaskResult, str]:
    """All of a shard, which the file then holds, and a note on it."""
    from attacks.cli.exit_codes import CannotCompare, CannotWrite
    from attacks.lab.results.errors import NotComparable
    from attacks.lab.runs import journal

    try:
        with journal.opened(file, plan.header(shard), plan.keys) as kept:
            found = played(job, plan, shard, timeout, kept)
    except NotComparable as error:
        raise CannotCompare(f"{error}; name another file, and it is begun") from None
    except journal.Unwritable as error:
        raise CannotWrite(str(error)) from None
    cut = ", and one that was cut off is dropped" * kept.torn
    return found, f"{file}: {len(kept.known)} lines were there{cut}; {len(found.kept) - len(kept.known)} are new"


def resumed_matrix(job: Job, plan: Plan, timeout: float | None, file: Path) -> tuple[Matrix, str]:
    """The result, what the file holds not played again, and a note on it."""
    from attacks.lab.runs.matrix import WHOLE
    from attacks.lab.runs.merge import judged

    found, note = resumed(job, plan, WHOLE, timeout, file)
    return judged(plan.header(), (*found.kept, *found.lost)), note


def shard_answer(job: Job, plan: Plan, part: tuple[int, int], timeout: float | None, file: Path | None) -> Answer:
    """A shard's lines, as they are written to the file; they are the result where there is none."""
    from attacks.cli.exit_codes import INCOMPLETE, OK
    from attacks.cli.job import Answer
    from attacks.cli.output import STDOUT
    from attacks.lab.runs.matrix import Shard

    shard = Shard(*part)
    found, note = resumed(job, plan, shard, timeout, file) if file else (played(job, plan, shard, timeout), "")
    held = f"shard {shard.number}/{shard.of}: {len(found.kept)} of {len(plan.keys)} lines"
    shown = file is None or job.output != STDOUT
    draw = partial(draw_lines, header=plan.header(shard), part=found) if shown else _nothing
    job.format_ = "table"  # these lines are no result's rows, whatever format was asked for
    code = INCOMPLETE if found.lost else OK
    return Answer(draw, None, code, "; ".join(filter(None, (note, held, "`escrow-lab merge` joins all shards"))))


def draw_lines(page: Page, header: JournalHeader, part: TaskResult) -> None:
    """A journal's lines: on a terminal with everything escaped that it could obey, elsewhere as they are."""
    from attacks.lab.runs.journal import encoded

    for line in (header, *part.kept):
        text = encoded(line).decode()
        if page.stream.isatty():
            page.raw(text.rstrip("\n"))
        else:
            page.stream.write(text)


def _nothing(page: Page) -> None:
    """The file has it all."""
