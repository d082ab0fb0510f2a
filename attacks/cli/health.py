"""Measurements of overhead, and whether this installation works."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import click

from attacks.cli.options import command, destination, format_, names, selection

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job
    from attacks.lab.costs.peers import Peer
    from attacks.report.proofs import Check

LIBRARIES = ("click", "cryptography", "msgspec", "pycryptodome", "rich")
ATTACK = "authority-theft"  # whose controls are played


TURNS = [
    click.Option(["--messages"], type=click.IntRange(2), default=60, show_default=True, help="Texts a turn."),
    click.Option(["--repeats"], type=click.IntRange(1), default=15, show_default=True, help="Turns of every job."),
    click.Option(["--peers"], is_flag=True, help="Other libraries beside, in the same turns (extras `peers`, `test`)."),
    click.Option(["--smoke"], is_flag=True, help="A few short turns: exact counts, rough times."),
]


@command("bench", names(), selection(), format_(), destination(), own=TURNS)
def bench_command(job: Job, messages: int, repeats: int, peers: bool, smoke: bool) -> Answer:
    """Measure every scheme's overhead over plain: exact bytes and operation counts, and the ratio of times."""
    from attacks.cli.job import Answer
    from attacks.lab.costs import measure
    from attacks.report.bench import draw_bench

    messages, repeats = (10, 3) if smoke else (messages, repeats)
    schemes, beside = job.selected()[0], _peers() if peers else ()
    with job.progress() as progress:
        result = measure.bench(schemes, messages=messages, repeats=repeats, peers=beside, progress=progress)
    return Answer(partial(draw_bench, bench=result), result)


def _peers() -> tuple[Peer, ...]:
    """Every other library; one that is not installed is a usage error, never left out."""
    from attacks.lab.costs.peers import PeerMissing, peers

    try:
        return peers()
    except PeerMissing as error:
        raise click.UsageError(str(error)) from None


@command("doctor", format_(), destination())
def doctor_command(job: Job) -> Answer:
    """Try this installation in a few seconds: published known answers, one pair of controls, versions."""
    from attacks.cli.exit_codes import INCOMPLETE, OK
    from attacks.cli.job import Answer
    from attacks.report.proofs import Checks, draw_checks

    checks = (*_answers(), _arithmetic(), *_controls())
    result = Checks(subject="this installation", checks=checks, versions=_versions())
    return Answer(partial(draw_checks, result=result), result, INCOMPLETE if result.failed else OK)


def _answers() -> Iterator[Check]:
    """One line for each set of vectors, naming the first case that fails."""
    from itertools import groupby

    from attacks.report.proofs import Check
    from escrow.vectors import known_answers

    for name, cases in groupby(known_answers(), lambda each: each[0].partition(":")[0]):
        tried = list(cases)
        wrong = [case for case, holds in tried if not holds]
        detail = f"not the published answer: {wrong[0]}" if wrong else f"{len(tried)} known answers"
        yield Check(name=name, holds=not wrong, detail=detail)


def _arithmetic() -> Check:
    """Return which arithmetic of P-256 runs here, and whether the other one agrees with it."""
    from attacks.report.proofs import Check
    from escrow.vectors.arithmetic import compare_arithmetics

    compared = compare_arithmetics()
    return Check(name="arithmetic of P-256", holds=not compared.different, detail=str(compared))


def _controls() -> Iterator[Check]:
    """An attack breaks its specimen and fails on the sound twin, or no verdict here would mean anything."""
    from attacks.lab.verdict.controls import controlled
    from attacks.registry import attacks
    from attacks.report.proofs import Check

    found = attacks()
    why = controlled(found[ATTACK], list(found.values())).failure
    yield Check(name=f"controls of {ATTACK}", holds=not why, detail=why or "specimen broken, sound twin not")


def _versions() -> dict[str, str]:
    """Which libraries run underneath."""
    import platform
    from importlib.metadata import version

    from escrow import __version__

    return {"escrow-lab": __version__, "Python": platform.python_version()} | {
        name: version(name) for name in LIBRARIES
    }
