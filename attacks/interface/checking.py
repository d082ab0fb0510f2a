"""Tests a scheme or an attack: its properties, then its row or column of the matrix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attacks.interface.given import Known
from attacks.lab.results.types import Cell
from attacks.lab.runs import conformance, matrix
from attacks.lab.runs.matrix import Progress
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.scenario import Scenario
from attacks.report.proofs import Check, Checks
from escrow.registry import load_file, unknown
from escrow.scheme import Scheme


def is_file(given: object) -> bool:
    """Return whether a subject is a file: a path, or text that ends in .py or has a slash."""
    return isinstance(given, Path) or (isinstance(given, str) and (given.endswith(".py") or "/" in given))


def subjects(there: Known, given: str | Path | Scheme | Attack) -> tuple[list[Scheme], list[Attack]]:
    """Return the schemes and attacks that are to be tested.

    Args:
        there: all that there is; a file that is given is among its plug-ins.
        given: a file, a scheme, an attack, or the name of one.

    Raises:
        UnknownName: no scheme and no attack has this name.
    """
    if isinstance(given, Scheme):
        return [given], []
    if isinstance(given, Attack):
        return [], [given]
    schemes, attacks = there
    if is_file(given):
        module = load_file(Path(given)).__name__
        ours = [each for each in schemes.values() if type(each).__module__ == module]
        return ours, [each for each in attacks.values() if type(each).__module__ == module]
    name = str(given)
    if name not in schemes and name not in attacks:
        raise unknown((*schemes, *attacks), name, "scheme, attack or file")
    return [schemes[name]] if name in schemes else [], [attacks[name]] if name in attacks else []


def checked(
    subject: str,
    schemes: Sequence[Scheme],
    attacks: Sequence[Attack],
    there: Known,
    scenario: Scenario,
    progress: Progress | None = None,
    **how: Any,
) -> Checks:
    """Return the properties of schemes and attacks, then each scheme under all attacks, and each attack on the others.

    Args:
        subject: what is tested, in words.
        schemes: the schemes to test.
        attacks: the attacks to test.
        there: all that there is.
        scenario: where the cells are played.
        progress: called with (steps done, steps in all, name of the step).
        **how: arguments of `run_matrix`: `jobs`, `isolated`.
    """
    every = there.every(attacks)
    trials = [conformance.Trial(scheme, every) for scheme in schemes]
    tried = [
        Check(name=name, holds=holds, detail=str(broken))  # a plain text, which JSON has a form for
        for name, holds, broken in conformance.check(trials, attacks, progress, every)
    ]

    def play(rows: Sequence[Scheme], columns: Sequence[Attack], **known: Any) -> tuple[Cell, ...]:
        beside = matrix.surroundings(rows, columns, there.schemes, every)
        return matrix.run_matrix(rows, columns, scenario, progress=progress, **beside, **how, **known).cells

    cells: tuple[Cell, ...] = ()
    if schemes:
        cells += play(schemes, every, faults={each.scheme.name: each.failures for each in trials})
    if attacks:
        cells += play([each for each in there.schemes.values() if each not in schemes], attacks)
    return Checks(subject=subject, checks=tuple(tried), cells=cells)
