"""`escrow-lab verify`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click
import msgspec

from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import FILE, command, destination, format_, names
from attacks.lab.evidence import writing
from attacks.lab.evidence.folder import MANIFEST
from attacks.report.proofs import Verified, Verifieds, draw_verified
from escrow.errors import Malformed

OWN = [
    click.Argument(["folder"], type=FILE, metavar="DIR"),
    click.Option(["--replay"], is_flag=True, help="Also play again, and find every given fact where it was taken."),
]


@command("verify", names(), format_(), destination(), own=OWN)
def verify_command(invocation: Invocation, folder: Path, replay: bool) -> CommandResult:
    """Re-execute every step of a proof from the facts that it lists: these bytes give this text.

    DIR is the folder of one proof, or a folder that holds several.
    """
    result = Verifieds(proofs=tuple(_verified(each, replay, invocation.plugins) for each in _proofs(folder)))
    return CommandResult(partial(draw_verified, result=result), result)


def _proofs(folder: Path) -> list[Path]:
    """Return the folder if it is a proof, otherwise the folders in it. Raise Malformed if it is no folder."""
    if not folder.is_dir():
        raise Malformed(f"{folder} is not a folder; give one that `escrow-lab evidence` wrote")
    inside = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    return [folder] if (folder / MANIFEST).exists() or not inside else inside


def _verified(folder: Path, replay: bool, plugins: Sequence[Path]) -> Verified:
    """Return what the proof in a folder shows. Raise Malformed, with folder and file, if it does not hold."""
    try:
        found = writing.verify(folder, replay, plugins)
    except Malformed as error:
        raise Malformed(f"{folder}: {error}") from error
    return Verified(folder=str(folder), **msgspec.structs.asdict(found))
