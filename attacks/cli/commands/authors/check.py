"""`escrow-lab check`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from attacks.cli.exit_codes import BAD_INPUT
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_, jobs, names, play, policy
from attacks.interface.checking import checked, checked_scenario, figures_of, is_file, is_scenario, subjects
from attacks.interface.given import Catalogue
from attacks.report.proofs import Check, Checks, draw_checks


@command("check", names(), play(), jobs(), policy(), format_(), destination(), own=[click.Argument(["plugin"])])
def check_command(invocation: Invocation, plugin: str) -> CommandResult:
    """Test a scheme or attack: the properties that each must have, then its row or column of the matrix.

    PLUGIN is a file, or the name of a scheme or attack that is installed. An attack must break its specimen and not the
    sound twin. Of an experiment the figures must agree; a scenario (FILE.toml, FILE.json) is played by plain.
    """
    if is_scenario(plugin):
        return _shown(invocation, checked_scenario(Path(plugin)))
    figures: tuple[Check, ...] = ()
    if is_file(plugin):
        invocation.plugins = (*invocation.plugins, Path(plugin))
        figures = figures_of(Path(plugin))
    there = Catalogue(invocation.schemes, invocation.attacks)
    schemes, attacks = subjects(there, plugin)
    how = {"jobs": invocation.processes, "isolated": invocation.isolate}
    with invocation.progress() as progress:
        result = checked(plugin, schemes, attacks, there, invocation.scenario, progress, figures, **how)
    return _shown(invocation, result)


def _shown(invocation: Invocation, result: Checks) -> CommandResult:
    code = invocation.judge(result.cells)  # also if a property fails: what became worse is said all the same
    code = BAD_INPUT if result.failed else code
    return CommandResult(partial(draw_checks, result=result), result, code, people=True)
