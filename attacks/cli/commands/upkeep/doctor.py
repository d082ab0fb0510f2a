"""`escrow-lab doctor`."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from itertools import groupby

from attacks.cli.exit_codes import INCOMPLETE, OK
from attacks.cli.invocation import CommandResult, Invocation
from attacks.cli.options import command, destination, format_
from attacks.lab.verdict.controls import controlled
from attacks.registry import attacks
from attacks.report.proofs import Check, Checks, draw_checks
from escrow import __version__, vectors
from escrow.vectors.arithmetic import compare_arithmetics

LIBRARIES = ("click", "cryptography", "msgspec", "pycryptodome", "rich")
ATTACK = "authority-theft"  # the attack whose controls are played


@command("doctor", format_(), destination())
def doctor_command(invocation: Invocation) -> CommandResult:
    """Test this installation in a few seconds: published known answers, one pair of controls, versions."""
    checks = (*_answers(), _arithmetic(), *_controls())
    result = Checks(subject="this installation", checks=checks, versions=_versions())
    return CommandResult(partial(draw_checks, result=result), result, INCOMPLETE if result.failed else OK)


def _answers() -> Iterator[Check]:
    """Yield one check for each set of vectors; its detail names the first case that fails."""
    for name, cases in groupby(vectors.known_answers(), lambda each: each[0].partition(":")[0]):
        tried = list(cases)
        wrong = [case for case, holds in tried if not holds]
        detail = f"not the published answer: {wrong[0]}" if wrong else f"{len(tried)} known answers"
        yield Check(name=name, holds=not wrong, detail=detail)


def _arithmetic() -> Check:
    """Return which arithmetic of P-256 runs here, and whether the other one agrees with it."""
    compared = compare_arithmetics()
    return Check(name="arithmetic of P-256", holds=not compared.different, detail=str(compared))


def _controls() -> Iterator[Check]:
    """Yield one check: the attack breaks its specimen and fails on the sound twin."""
    found = attacks()
    why = controlled(found[ATTACK], list(found.values())).failure
    yield Check(name=f"controls of {ATTACK}", holds=not why, detail=why or "specimen broken, sound twin not")


def _versions() -> dict[str, str]:
    """Return the versions of this project, of Python and of the libraries below, by name; and what is not tried."""
    versions = {"escrow-lab": __version__, "Python": platform.python_version()}
    untried = {name: f"not tried: {why}" for name, why in vectors.untried().items()}  # which is no check that holds
    return versions | {name: version(name) for name in LIBRARIES} | untried
