"""`escrow-lab evidence`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from attacks.cli.completion import names_of
from attacks.cli.exit_codes import CannotWrite
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import FILE, check_evenings, coalition, command, format_, names, play
from attacks.lab.evidence import writing
from attacks.report.proofs import Evidence, draw_evidence

OWN = [
    click.Argument(["scheme"], shell_complete=names_of("schemes")),
    click.Argument(["attack"], shell_complete=names_of("attacks")),
    coalition(),
    click.Option(["-o", "folder"], type=FILE, required=True, metavar="DIR", help="Write the proof's folder into DIR."),
]


@command("evidence", names(), play(), format_(), own=OWN)
def evidence_command(
    invocation: Invocation, scheme: str, attack: str, coalition: str | None, folder: Path
) -> CommandResult:
    """Write a self-contained proof of a cell: the given bytes, every step from them, the text that follows.

    The proof is a new folder inside DIR; its name is the digest of its manifest.
    """
    chosen, played = invocation.scheme(scheme), invocation.attack(attack)
    if coalition is not None:
        check_evenings(invocation, coalition)
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"{folder} is not a folder")
    others = list(invocation.attacks.values())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = writing.write(folder, chosen, played, invocation.scenario, others, coalition, list(invocation.plugins))
    except FileExistsError as error:
        raise CannotWrite(f"this proof exists already: {error.filename}") from error
    except OSError as error:
        raise CannotWrite(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    written = Evidence(scheme=scheme, attack=attack, digest=digest, folder=str(folder / digest))
    return CommandResult(partial(draw_evidence, written=written), written)
