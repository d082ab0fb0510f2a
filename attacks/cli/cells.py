"""How `run`, `check` and `matrix` play cells: all at once, into a file that a later run continues, or one shard."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from attacks.cli.exit_codes import INCOMPLETE, OK, CannotCompare, CannotWrite
from attacks.cli.invocation import CommandResult, Invocation, draw_nothing
from attacks.cli.options import FILE, LARGEST_SEED
from attacks.cli.output import STDOUT
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.types import Matrix
from attacks.lab.runs import journal, matrix
from attacks.lab.runs.journal import Journal, JournalHeader
from attacks.lab.runs.matrix import WHOLE, Plan, Shard, TaskResult
from attacks.lab.runs.merge import judged
from attacks.lab.simulation.attack import Attack
from attacks.report.page import Page
from escrow.scheme import Scheme


def _read_shard(ctx: click.Context, parameter: click.Parameter, given: str | None) -> Shard | None:
    """Return the shard that "I/N" names. Raise BadParameter unless I is from 1 to N."""
    if given is None:
        return None
    read = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", given, re.ASCII)
    if read is None or int(read[1]) > int(read[2]):
        raise click.BadParameter(f"{given!r} is not a shard; write I/N, with I from 1 to N", ctx, parameter)
    return Shard(int(read[1]), int(read[2]))


PARTS = [
    click.Option(
        ["--resume"],
        type=FILE,
        metavar="FILE",
        help="Write every cell into FILE as soon as it is computed; do not play the cells that FILE holds already.",
    ),
    click.Option(
        ["--shard"],
        metavar="I/N",
        callback=_read_shard,
        help="Play part I of N and write its cells, into FILE of --resume or as the result, for `merge`.",
    ),
    click.Option(
        ["--timeout"],
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="Stop a task that takes longer: one scheme under one attack, or under all attacks that share a play.",
    ),
    click.Option(
        ["--seeds"],
        type=click.IntRange(1, 10_000),
        metavar="N",
        help="Play under N seeds, from --seed on, and print the median and the range of every count.",
    ),
]


def check_parts(invocation: Invocation, resume: Path | None, shard: Shard | None, seeds: int | None) -> None:
    """Raise UsageError if other options do not fit --resume, --shard or --seeds; called before anything is played."""
    if seeds is not None:
        if resume is not None or shard is not None or invocation.baseline is not None:
            raise click.UsageError("--seeds plays every cell of each seed; leave out --resume, --shard and --baseline")
        if invocation.scenario.seed + seeds - 1 > LARGEST_SEED:
            raise click.UsageError(f"the last of {seeds} seeds from {invocation.scenario.seed} exceeds {LARGEST_SEED}")
    if resume is not None and os.path.realpath(invocation.output) == os.path.realpath(resume):
        raise click.UsageError(f"--resume writes {resume}; write the result to another file")
    if shard is not None and invocation.format_ not in ("table", "jsonl"):
        raise click.UsageError(f"a shard is a part of a journal; `escrow-lab merge` writes {invocation.format_}")
    if shard is not None and invocation.fail_on is not None:
        raise click.UsageError("a shard is not judged alone; give --fail-on to `escrow-lab merge`")


def _asked(invocation: Invocation, schemes: Sequence[Scheme], attacks: Sequence[Attack]) -> dict[str, Any]:
    """Return the arguments that `run_matrix` and `Plan` share."""
    beside = matrix.surroundings(schemes, attacks, invocation.schemes, invocation.attacks.values())
    return beside | {"isolated": invocation.isolate}


def play_cells(
    invocation: Invocation,
    schemes: Sequence[Scheme],
    attacks: Sequence[Attack],
    timeout: float | None = None,
    faults: Mapping[str, tuple[str, ...]] | None = None,
) -> Matrix:
    """Play these attacks on these schemes and return the matrix; `timeout` in seconds is for each task.

    `faults` are the broken properties of schemes' bytes that are known, by name.
    """
    with invocation.progress() as progress:
        return matrix.run_matrix(
            schemes,
            attacks,
            invocation.scenario,
            jobs=invocation.processes,
            progress=progress,
            timeout=timeout,
            faults=faults,
            **_asked(invocation, schemes, attacks),
        )


def play_seeds(
    invocation: Invocation, schemes: Sequence[Scheme], attacks: Sequence[Attack], timeout: float | None, count: int
) -> list[Matrix]:
    """Play these attacks on these schemes under `count` seeds, from the scenario's on, and return each matrix."""
    first = invocation.scenario
    found = []
    for seed in range(first.seed, first.seed + count):
        invocation.scenario = msgspec.structs.replace(first, seed=seed)
        found.append(play_cells(invocation, schemes, attacks, timeout))
    return found


def plan_of(invocation: Invocation, schemes: Sequence[Scheme], attacks: Sequence[Attack]) -> Plan:
    """Return the plan of a run that is written into a file or as a shard."""
    loaded: list[Scheme | Attack] = [*invocation.schemes.values(), *invocation.attacks.values()]
    return Plan(schemes, attacks, invocation.scenario, loaded=loaded, **_asked(invocation, schemes, attacks))


def _play_shard(
    invocation: Invocation, plan: Plan, shard: Shard, timeout: float | None, kept: Journal | None = None
) -> TaskResult:
    """Return all lines of a shard: those in the journal, and the rest, which is played and written into it."""
    with invocation.progress() as progress:
        return matrix.run_plan(
            plan, jobs=invocation.processes, progress=progress, timeout=timeout, shard=shard, journal=kept
        )


def _resume(
    invocation: Invocation, plan: Plan, shard: Shard, timeout: float | None, file: Path
) -> tuple[TaskResult, str]:
    """Return all lines of a shard, which the file then holds, and a note about it."""
    try:
        with journal.opened(file, plan.header(shard), plan.keys) as kept:
            found = _play_shard(invocation, plan, shard, timeout, kept)
    except NotComparable as error:
        raise CannotCompare(f"{error}; give the name of a new file") from None
    except journal.Unwritable as error:
        raise CannotWrite(str(error)) from None
    dropped = ", an incomplete one dropped" * kept.torn
    return found, f"{file}: {len(kept.known)} lines were there{dropped}; {len(found.kept) - len(kept.known)} are new"


def resumed_matrix(invocation: Invocation, plan: Plan, timeout: float | None, file: Path) -> tuple[Matrix, str]:
    """Return the matrix and a note about the file; what the file holds is not played again."""
    found, note = _resume(invocation, plan, WHOLE, timeout, file)
    return judged(plan.header(), (*found.kept, *found.lost)), note


def shard_result(
    invocation: Invocation, plan: Plan, shard: Shard, timeout: float | None, file: Path | None
) -> CommandResult:
    """Play a shard and return its journal lines; they are shown where there is no file, or where `-o` asks for them."""
    if file is None:
        found, note = _play_shard(invocation, plan, shard, timeout), ""
    else:
        found, note = _resume(invocation, plan, shard, timeout, file)
    held = f"shard {shard.number}/{shard.of}: {len(found.kept)} of {len(plan.keys)} lines"
    shown = file is None or invocation.output != STDOUT  # else the file of --resume holds all lines
    draw = partial(_draw_lines, header=plan.header(shard), part=found) if shown else draw_nothing
    invocation.format_ = "table"  # journal lines have one form, whatever format was asked for
    notes = filter(None, (note, held, "`escrow-lab merge` joins all shards"))
    return CommandResult(draw, None, INCOMPLETE if found.lost else OK, "; ".join(notes))


def _draw_lines(page: Page, header: JournalHeader, part: TaskResult) -> None:
    """Write a journal's lines: on a terminal with control characters escaped, elsewhere as they are."""
    for line in (header, *part.kept):
        text = journal.encoded(line).decode()
        if page.stream.isatty():
            page.raw(text.rstrip("\n"))
        else:
            page.stream.write(text)
