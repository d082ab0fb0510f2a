"""`escrow-lab init`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import click

from attacks.cli import output
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command
from attacks.lab.runs import experiment
from attacks.lab.simulation import shapes
from attacks.report.proofs import draw_lines
from escrow import registry
from escrow.testing import templates

OWN = [
    click.Argument(["name"]),
    click.Option(["-o", "path"], metavar="FILE", help="Write to this file; - is stdout; by default one called NAME."),
    click.Option(["--force", "overwrite"], is_flag=True, help="Overwrite the file."),
]
PLUGIN, SCENARIO = ".py", ".toml"  # how a file of each kind is called


@click.group("init")
def init_command() -> None:
    """Write a template that passes `check`."""


@command("scheme", own=OWN)
def scheme_command(invocation: Invocation, name: str, path: str | None, overwrite: bool) -> CommandResult:
    """Write the plug-in file of a new scheme: a small envelope, as a delta on plain encryption."""
    return _written(invocation, name, path, overwrite, templates.scheme, invocation.schemes)


@command("attack", own=OWN)
def attack_command(invocation: Invocation, name: str, path: str | None, overwrite: bool) -> CommandResult:
    """Write the plug-in file of a new attack, with a scheme that it breaks and a sound twin that it does not."""
    return _written(invocation, name, path, overwrite, templates.attack, invocation.attacks)


@command("scenario", own=OWN)
def scenario_command(invocation: Invocation, name: str, path: str | None, overwrite: bool) -> CommandResult:
    """Write the file of a scenario, for `--scenario`: people, days, groups, warrants."""
    return _written(invocation, name, path, overwrite, templates.scenario, shapes.shapes(), SCENARIO)


@command("experiment", own=OWN)
def experiment_command(invocation: Invocation, name: str, path: str | None, overwrite: bool) -> CommandResult:
    """Write the plug-in file of an experiment, for `reproduce --plugin`: figures beside those of a paper."""
    return _written(invocation, name, path, overwrite, templates.experiment, experiment.experiments())


def _written(
    invocation: Invocation,
    name: str,
    path: str | None,
    overwrite: bool,
    template: Callable[[str], str],
    there: Iterable[str],
    ending: str = PLUGIN,
) -> CommandResult:
    """Return a result that writes a template into a file. Raise UsageError for a name that is bad or taken."""
    kind = template.__name__
    if not registry.NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} is not a name; use lower-case letters, digits and single hyphens")
    if name in there:
        raise click.UsageError(
            f"there is {'an' if kind[0] in 'ae' else 'a'} {kind} {name} already; choose another name"
        )
    if path is not None and path != output.STDOUT and not path.endswith(ending):
        raise click.UsageError(f"the file of a {kind} must be called FILE{ending}, or other commands do not read it")
    invocation.output, invocation.force = path or f"{name.replace('-', '_')}{ending}", overwrite
    output.check_destination(invocation.output, invocation.force)
    written = f"{invocation.output} is written; next: escrow-lab check {invocation.output}"
    note = "" if invocation.output == output.STDOUT else written
    return CommandResult(partial(draw_lines, lines=template(name).splitlines()), note=note)


for each in (scheme_command, attack_command, scenario_command, experiment_command):
    init_command.add_command(each)
