"""Tests what an author wrote: a scheme or attack, by its properties and its row or column; experiments; scenarios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from attacks.interface.given import Catalogue, of_a_file
from attacks.lab.results.types import Cell
from attacks.lab.runs import conformance, matrix
from attacks.lab.runs.experiment import experiments, reproduce
from attacks.lab.runs.matrix import Progress
from attacks.lab.simulation import shapes
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.play import play
from attacks.lab.simulation.scenario import Scenario, default
from attacks.report.matrices.matrix import described
from attacks.report.page import join
from attacks.report.proofs import Check, Checks
from escrow.registry import load_file, schemes, unknown
from escrow.scheme import Scheme

T = TypeVar("T")


def is_file(given: object) -> bool:
    """Return whether a subject is a file: a path, or text that ends in .py or has a slash."""
    return isinstance(given, Path) or (isinstance(given, str) and (given.endswith(".py") or "/" in given))


def is_scenario(given: object) -> bool:
    """Return whether a subject is the file of a scenario: a name that ends in .toml or .json."""
    return isinstance(given, str | Path) and Path(given).suffix in (".toml", ".json")


def checked_scenario(file: Path) -> Checks:
    """Return what is true of a scenario: it is consistent, plain encryption plays it, and its warrants cover texts.

    Raise Malformed if the file holds no scenario, or one that is not consistent.
    """
    scenario = shapes.chosen(file, False, {}, {})
    record = play(schemes()["plain"], scenario)
    content = [spec for spec in scenario.warrants if spec.scope == "content"]
    idle = [spec.target for spec in content if not any(spec.covers(each.people, each.day) for each in record.sent)]
    silent = [user.name for user in scenario.users if not {each.device for each in record.sent} & {*user.devices}]
    checks = (
        Check(name="it is consistent", holds=True, detail=described(scenario)),
        Check(name="plain plays it", holds=True, detail=f"{join(silent)} write nothing" if silent else ""),
        Check(name="warrants cover texts", holds=not idle, detail=f"not the one about {join(idle)}" if idle else ""),
    )
    return Checks(subject=str(file), checks=checks)


def figures_of(file: Path) -> tuple[Check, ...]:
    """Return for each figure of the experiments in a plug-in whether it agrees with the one beside it."""
    module = load_file(file)
    if not (hasattr(module, "EXPERIMENT") or hasattr(module, "EXPERIMENTS")):
        return ()
    found = [each for each in experiments([file]).values() if type(each).__module__ == module.__name__]
    result = reproduce(found, default().seed, False, lambda done, of, what: None)
    return tuple(
        Check(name=f"{each.name}, {figure.quantity}", holds=figure.agrees, detail=f"measured {figure.measured:g}")
        for each in result.experiments
        for figure in each.figures
    )


def subjects(there: Catalogue, given: str | Path | Scheme | Attack) -> tuple[list[Scheme], list[Attack]]:
    """Return the schemes and attacks that are to be tested.

    Args:
        there: all that there is; a file that is given is among its plug-ins.
        given: a file, a scheme, an attack, or the name of one.

    Raises:
        UnknownName: no scheme and no attack has this name.
    """
    if isinstance(given, Scheme):
        return [of_a_file(given)], []
    if isinstance(given, Attack):
        return [], [of_a_file(given)]
    if is_file(given):
        module = load_file(Path(given)).__name__
        ours = [each for each in there.schemes.values() if type(each).__module__ == module]
        return ours, [each for each in there.attacks.values() if type(each).__module__ == module]
    found = _called(there.schemes, str(given)), _called(there.attacks, str(given))
    if not any(found):
        raise unknown((*there.schemes, *there.attacks), str(given), "scheme, attack or file")
    return found


def _called(things: Mapping[str, T], name: str) -> list[T]:
    return [things[name]] if name in things else []


def checked(
    subject: str,
    schemes: Sequence[Scheme],
    attacks: Sequence[Attack],
    there: Catalogue,
    scenario: Scenario,
    progress: Progress | None = None,
    figures: Sequence[Check] = (),
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
        figures: what was tested before.
        **how: arguments of `run_matrix`: `jobs`, `isolated`.
    """
    every = there.every(attacks)
    trials = [conformance.Trial(scheme, every) for scheme in schemes]
    tried = [
        Check(name=name, holds=holds, detail=str(broken))  # a plain text, which JSON has a form for
        for name, holds, broken in conformance.check(trials, attacks, progress, every)
    ]

    def played(rows: Sequence[Scheme], columns: Sequence[Attack], **known: Any) -> tuple[Cell, ...]:
        beside = matrix.surroundings(rows, columns, there.schemes, every)
        return matrix.run_matrix(rows, columns, scenario, progress=progress, **beside, **how, **known).cells

    cells: tuple[Cell, ...] = ()
    if schemes:
        cells += played(schemes, every, faults={each.scheme.name: each.failures for each in trials})
    if attacks:
        cells += played([each for each in there.schemes.values() if each not in schemes], attacks)
    return Checks(subject=subject, checks=(*figures, *tried), cells=cells)
