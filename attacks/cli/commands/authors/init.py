"""`escrow-lab init`."""

from __future__ import annotations

from functools import partial

import click

from attacks.cli import output
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command
from attacks.report.proofs import draw_lines
from escrow import registry
from escrow.testing import templates

OWN = [
    click.Argument(["name"]),
    click.Option(["-o", "path"], metavar="FILE", help="Write to this file; - is stdout; by default NAME.py."),
    click.Option(["--force", "overwrite"], is_flag=True, help="Overwrite the file."),
]


@click.group("init")
def init_command() -> None:
    """Write a template that passes `check`."""


@command("scheme", own=OWN)
def scheme_command(invocation: Invocation, name: str, path: str | None, overwrite: bool) -> CommandResult:
    """Write the plug-in file of a new scheme: a small envelope, as a delta on plain encryption."""
    if not registry.NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} is not a name; use lower-case letters, digits and single hyphens")
    if name in invocation.schemes:
        raise click.UsageError(f"there is a scheme {name} already; choose another name")
    invocation.output, invocation.force = path or f"{name.replace('-', '_')}.py", overwrite
    output.check_destination(invocation.output, invocation.force)
    written = f"{invocation.output} is written; next: escrow-lab check {invocation.output}"
    note = "" if invocation.output == output.STDOUT else written
    return CommandResult(partial(draw_lines, lines=templates.scheme(name).splitlines()), note=note)


init_command.add_command(scheme_command)
