"""For authors of a scheme: a template to begin with, and the check that it is one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from attacks.cli.options import command, destination, format_, jobs, names, play, policy

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job
    from attacks.lab.results.types import Cell
    from attacks.lab.simulation.attack import Attack
    from attacks.report.proofs import Check
    from escrow.scheme import Scheme

T = TypeVar("T")


@command("check", names(), play(), jobs(), policy(), format_(), destination(), own=[click.Argument(["plugin"])])
def check_command(job: Job, plugin: str) -> Answer:
    """Try a scheme or attack: the laws that every scheme obeys, then its row or column of the matrix.

    PLUGIN is a file, or the name of a scheme or attack that is installed.
    """
    from attacks.cli.exit_codes import BAD_INPUT
    from attacks.cli.job import Answer
    from attacks.cli.playing import play_cells
    from attacks.cli.policy import judge
    from attacks.report.proofs import Checks, draw_checks

    schemes, attacks = _subjects(job, plugin)
    checks = _tried(job, schemes, attacks)
    cells: list[Cell] = []
    if schemes:
        cells += play_cells(job, schemes, list(job.attacks.values())).cells
    if attacks:
        others = [scheme for scheme in job.schemes.values() if scheme not in schemes]
        cells += play_cells(job, others, attacks).cells
    result = Checks(subject=plugin, checks=checks, cells=tuple(cells))
    code = BAD_INPUT if result.failed else judge(cells, job)
    return Answer(partial(draw_checks, result=result), result, code)


def _subjects(job: Job, plugin: str) -> tuple[list[Scheme], list[Attack]]:
    """What a file defines, or what has this name."""
    from escrow.registry import load_file, unknown

    if not (plugin.endswith(".py") or "/" in plugin):
        named = _called(job.schemes, plugin), _called(job.attacks, plugin)
        if not any(named):
            raise unknown((*job.schemes, *job.attacks), plugin, "scheme, attack or file")
        return named
    job.plugins = (*job.plugins, Path(plugin))
    module = load_file(Path(plugin)).__name__
    schemes = [each for each in job.schemes.values() if type(each).__module__ == module]
    return schemes, [each for each in job.attacks.values() if type(each).__module__ == module]


def _called(things: dict[str, T], name: str) -> list[T]:
    return [things[name]] if name in things else []


def _tried(job: Job, schemes: list[Scheme], attacks: list[Attack]) -> tuple[Check, ...]:
    """Every law, tried. UsageError where the extra is missing that they need."""
    from attacks.lab.runs.conformance import check
    from attacks.report.proofs import Check

    try:
        with job.progress() as progress:
            tried = list(check(schemes, attacks, progress, list(job.attacks.values())))
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise click.UsageError("the laws need the extra `test`: pip install 'escrow-lab[test]'") from None
    return tuple(Check(name=law, holds=holds, detail=broken) for law, holds, broken in tried)


@click.group("init")
def init_command() -> None:
    """Write a template that passes `check`."""


@command(
    "scheme",
    own=[
        click.Argument(["name"]),
        click.Option(["-o", "path"], metavar="FILE", help="Where to; NAME.py, if not given; - is stdout."),
        click.Option(["--force", "overwrite"], is_flag=True, help="Overwrite the file."),
    ],
)
def scheme_command(job: Job, name: str, path: str | None, overwrite: bool) -> Answer:
    """Write the plug-in file of a new scheme: a small envelope, as a delta on plain encryption."""
    from attacks.cli import output, templates
    from attacks.cli.job import Answer
    from attacks.report.proofs import draw_lines
    from escrow import registry

    if not registry.NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} is no name: lower-case letters, digits and single hyphens make one")
    if name in job.schemes:
        raise click.UsageError(f"there is a scheme {name} already; choose another name")
    job.output, job.force = path or f"{name.replace('-', '_')}.py", overwrite
    output.check_destination(job.output, job.force)
    note = "" if job.output == output.STDOUT else f"{job.output} is written; next: escrow-lab check {job.output}"
    return Answer(partial(draw_lines, lines=templates.scheme(name).splitlines()), note=note)


init_command.add_command(scheme_command)
