"""The entry point of `escrow-lab`. Only click is imported before a command is chosen, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMPLETION = "_ESCROW_LAB_COMPLETE"  # the environment variable with which a shell asks click for completions

# group (a folder of attacks.cli.commands), its title in `--help` -> command (a module of that folder), what it does
GROUPS = {
    ("catalogue", "What there is"): {
        "tour": "Look round in a few seconds: three schemes, who reads what, who notices.",
        "schemes": "List the schemes.",
        "attacks": "List the attacks.",
        "show": "Print the card of a scheme or attack: protocol, claim, weak point, source.",
    },
    ("analysis", "Who can read what"): {
        "run": "Play one attack, narrate it, and say what it read.",
        "matrix": "Play every attack on every scheme.",
        "anatomy": "Measure who can open what: every minimal coalition of a scheme.",
        "silence": "Compute which checks of clients must lie for a ghost to go unnoticed.",
        "explain": "Print how a coalition derives a plaintext, step by step.",
        "merge": "Join the shards of a matrix into its result.",
        "report": "Draw a saved result again.",
        "debate": "Put figures of a run beside the sentences of the public exchange.",
        "compare": "Compare two runs: what became worse, what became better, what is gone.",
    },
    ("proofs", "Proofs for a stranger"): {
        "evidence": "Write a self-contained proof of a cell into a folder.",
        "verify": "Re-execute every step of such a proof.",
    },
    ("authors", "Schemes and attacks of your own"): {
        "init": "Write a template that passes `check`.",
        "check": "Test a plug-in: the required properties, then its row or column of the matrix.",
    },
    ("upkeep", "Costs, published figures, this installation"): {
        "bench": "Measure every scheme's overhead over plain encryption.",
        "reproduce": "Compute published figures again, beside the papers'.",
        "doctor": "Test this installation: known answers, one pair of controls, versions.",
    },
}
FOLDERS = {name: folder for (folder, _), commands in GROUPS.items() for name in commands}
COMMANDS = {name: what for commands in GROUPS.values() for name, what in commands.items()}


class Commands(click.Group):
    """A group that imports a command's module only when that command is chosen."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of `--help`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command with this name, or None if there is none."""
        if name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"attacks.cli.commands.{FOLDERS[name]}.{name}"), f"{name}_command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lists of commands for `--help`, from GROUPS alone."""
        width = max(map(len, COMMANDS))  # the same first column in every group
        for (_, title), commands in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), what) for name, what in commands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin with `incomplete`, from COMMANDS alone."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=what) for name, what in COMMANDS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def _version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Print the version and exit, if `--version` was given."""
    if asked and not ctx.resilient_parsing:
        from escrow import __version__

        click.echo(f"escrow-lab {__version__}")
        ctx.exit()


@click.group("escrow-lab", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
def app() -> None:
    """Compute who can read what under lawful access, by running real cryptography.

    For study; not for protecting anyone. Begin with `escrow-lab tour`.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; every error becomes one line on stderr and a code (exit_codes)."""
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
    """Run a command as click's own `main` does, but let every error through to `main`."""
    if instruction := os.environ.get(COMPLETION):
        from click.shell_completion import shell_complete

        return shell_complete(app, {}, "escrow-lab", COMPLETION, instruction)
    with app.make_context("escrow-lab", arguments) as ctx:
        code: Any = app.invoke(ctx)
    return code if isinstance(code, int) else 0
