"""Proofs: written for one cell, and re-executed by whoever doubts it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from attacks.cli.options import FILE, coalition, command, destination, format_, names, play

if TYPE_CHECKING:
    from attacks.cli.job import Answer, Job
    from attacks.report.proofs import Verified


@command(
    "evidence",
    names(),
    play(),
    format_(),
    own=[
        click.Argument(["scheme"]),
        click.Argument(["attack"]),
        coalition(),
        click.Option(["-o", "folder"], type=FILE, required=True, metavar="DIR", help="Where the proof's folder goes."),
    ],
)
def evidence_command(job: Job, scheme: str, attack: str, coalition: str | None, folder: Path) -> Answer:
    """Write a self-contained proof of a cell: the bytes given, every step from them, the text they give.

    It goes into a folder inside DIR that is named by the digest of its manifest.
    """
    from attacks.cli.exit_codes import CannotWrite
    from attacks.cli.job import Answer
    from attacks.cli.playing import check_evenings
    from attacks.lab.evidence import writing
    from attacks.report.proofs import Evidence, draw_evidence

    chosen, played = job.scheme(scheme), job.attack(attack)
    if coalition is not None:
        check_evenings(coalition, job.scenario.days)
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"{folder} is no folder")
    others = list(job.attacks.values())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = writing.write(folder, chosen, played, job.scenario, others, coalition, list(job.plugins))
    except FileExistsError as error:
        raise CannotWrite(f"this proof is there already: {error.filename}") from error
    except OSError as error:
        raise CannotWrite(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    written = Evidence(scheme=scheme, attack=attack, digest=digest, folder=str(folder / digest))
    return Answer(partial(draw_evidence, written=written), written)


@command(
    "verify",
    names(),
    format_(),
    destination(),
    own=[
        click.Argument(["folder"], type=FILE, metavar="DIR"),
        click.Option(["--replay"], is_flag=True, help="Also play again, and find every given fact where it was taken."),
    ],
)
def verify_command(job: Job, folder: Path, replay: bool) -> Answer:
    """Re-execute every step of a proof from the facts that it lists: these bytes give this text.

    DIR is the folder of one proof, or one that holds several.
    """
    from attacks.cli.job import Answer
    from attacks.report.proofs import Verifieds, draw_verified

    verified = tuple(_verified(each, replay, job.plugins) for each in _proofs(folder))
    result = Verifieds(proofs=verified)
    return Answer(partial(draw_verified, result=result), result)


def _proofs(folder: Path) -> list[Path]:
    """The folder, if it is a proof, or else those in it. Malformed where there is none."""
    from attacks.lab.evidence.folder import MANIFEST
    from escrow.errors import Malformed

    if not folder.is_dir():
        raise Malformed(f"{folder} is no folder; verify takes the one that `escrow-lab evidence` wrote")
    inside = sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))
    return [folder] if (folder / MANIFEST).exists() or not inside else inside


def _verified(folder: Path, replay: bool, plugins: Sequence[Path]) -> Verified:
    """What the proof in a folder shows. Malformed says in which folder and file it does not hold."""
    from attacks.lab.evidence import writing
    from attacks.report.proofs import Verified
    from escrow.errors import Malformed

    try:
        return Verified(folder=str(folder), replayed=replay, summary=writing.verify(folder, replay, plugins))
    except Malformed as error:
        raise Malformed(f"{folder}: {error}") from error
