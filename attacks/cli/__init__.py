"""The command line, `escrow-lab`. Nothing but click is imported before a command is chosen."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

COMPLETION = "_ESCROW_LAB_COMPLETE"  # the variable in which a shell asks click for completions

# command -> (the module of this package that holds it, what it does)
COMMANDS = {
    "schemes": ("listing", "List the schemes."),
    "attacks": ("listing", "List the attacks."),
    "show": ("listing", "Print the card of a scheme or attack: protocol, claim, weak point, source."),
    "run": ("playing", "Play one attack, narrate it, and say what it read."),
    "matrix": ("playing", "Play every attack on every scheme."),
    "anatomy": ("playing", "Measure who can open what: every minimal coalition of a scheme."),
    "explain": ("playing", "Print how a coalition comes to a plaintext, step by step."),
    "evidence": ("proving", "Write a self-contained proof of a cell into a folder."),
    "verify": ("proving", "Re-execute every step of such a proof."),
    "merge": ("merging", "Join the shards of a matrix into its result."),
    "compare": ("comparing", "Compare two runs: what got worse, what got better, what is gone."),
    "check": ("authoring", "Try a plug-in: the conformance laws, then its row or column of the matrix."),
    "init": ("authoring", "Write a template that passes `check`."),
    "bench": ("health", "Measure every scheme's overhead over plain encryption."),
    "reproduce": ("reproducing", "Compute published figures again, beside the papers'."),
    "doctor": ("health", "Try this installation: known answers, one pair of controls, versions."),
}


class Commands(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        from importlib import import_module

        found: click.Command = getattr(import_module(f"attacks.cli.{COMMANDS[name][0]}"), f"{name}_command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])


def _version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from escrow import __version__

        click.echo(f"escrow-lab {__version__}")
        ctx.exit()


@click.group("escrow-lab", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def app() -> None:
    """Who can read what under lawful access, measured by running real cryptography.

    For study; not for protecting anyone. `escrow-lab matrix` is the place to begin.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(given)
        sys.stdout.flush()
    except click.exceptions.Exit as asked:  # --help and --version
        return asked.exit_code
    except BaseException as error:
        from attacks.cli.exit_codes import report

        return report(error, debug="--debug" in given)
    return code


def _run(arguments: list[str]) -> int:
    """What click's own `main` does, but for its exit codes: a reader who has left is no failure here."""
    if instruction := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete

        return shell_complete(app, {}, "escrow-lab", COMPLETION, instruction)
    with app.make_context("escrow-lab", arguments) as ctx:
        code: Any = app.invoke(ctx)
    return code if isinstance(code, int) else 0
