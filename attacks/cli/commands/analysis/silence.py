"""`escrow-lab silence`."""

from __future__ import annotations

from functools import partial

import click

from attacks.cli.completion import names_of
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, names, play
from attacks.lab.verdict.silence.sets import silences
from attacks.report.matrices.silences import draw_silences

OWN: list[click.Parameter] = [click.Argument(["scheme"], shell_complete=names_of("schemes"))]


@command("silence", names(), play(), format_(), destination(), own=OWN)
def silence_command(invocation: Invocation, scheme: str) -> CommandResult:
    """Compute which checks must be left out, on whose devices, for a ghost to go unnoticed.

    A ghost is added to the first user's devices, to that user's groups, or as a warrant allows. The sets are minimal:
    each is confirmed by the play without these checks, and by those in which one of them is made.
    """
    chosen = invocation.scheme(scheme)
    with invocation.progress() as progress:
        result = silences(chosen, invocation.scenario, progress=progress)
    return CommandResult(partial(draw_silences, silences=result), result)
