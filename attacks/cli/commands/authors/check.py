"""`escrow-lab check`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from attacks.cli.cells import play_cells
from attacks.cli.exit_codes import BAD_INPUT
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, jobs, names, play, policy
from attacks.lab.results.types import Cell
from attacks.lab.runs import conformance
from attacks.lab.simulation.attack import Attack
from attacks.report.proofs import Check, Checks, draw_checks
from escrow.registry import load_file, unknown
from escrow.scheme import Scheme

T = TypeVar("T")


@command("check", names(), play(), jobs(), policy(), format_(), destination(), own=[click.Argument(["plugin"])])
def check_command(invocation: Invocation, plugin: str) -> CommandResult:
    """Test a scheme or attack: the properties that each must have, then its row or column of the matrix.

    PLUGIN is a file, or the name of a scheme or attack that is installed.
    """
    schemes, attacks = _subjects(invocation, plugin)
    every = list(invocation.attacks.values())
    trials = [conformance.Trial(scheme, every) for scheme in schemes]
    checks = _checks(invocation, trials, attacks)
    cells: list[Cell] = []
    if schemes:
        faults = {each.scheme.name: each.failures for each in trials}
        cells += play_cells(invocation, schemes, every, faults=faults).cells
    if attacks:
        others = [scheme for scheme in invocation.schemes.values() if scheme not in schemes]
        cells += play_cells(invocation, others, attacks).cells
    result = Checks(subject=plugin, checks=checks, cells=tuple(cells))
    code = invocation.judge(cells)  # also if a property fails: what became worse is said all the same
    code = BAD_INPUT if result.failed else code
    return CommandResult(partial(draw_checks, result=result), result, code, people=True)


def _subjects(invocation: Invocation, plugin: str) -> tuple[list[Scheme], list[Attack]]:
    """Return the schemes and attacks that a file defines, or those with this name."""
    if not (plugin.endswith(".py") or "/" in plugin):
        named = _called(invocation.schemes, plugin), _called(invocation.attacks, plugin)
        if not any(named):
            raise unknown((*invocation.schemes, *invocation.attacks), plugin, "scheme, attack or file")
        return named
    invocation.plugins = (*invocation.plugins, Path(plugin))
    module = load_file(Path(plugin)).__name__
    schemes = [each for each in invocation.schemes.values() if type(each).__module__ == module]
    return schemes, [each for each in invocation.attacks.values() if type(each).__module__ == module]


def _called(things: dict[str, T], name: str) -> list[T]:
    return [things[name]] if name in things else []


def _checks(invocation: Invocation, trials: list[conformance.Trial], attacks: list[Attack]) -> tuple[Check, ...]:
    """Return every property with its outcome."""
    with invocation.progress() as progress:
        tried = list(conformance.check(trials, attacks, progress, list(invocation.attacks.values())))
    return tuple(Check(name=name, holds=holds, detail=broken) for name, holds, broken in tried)
