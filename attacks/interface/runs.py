"""Schemes under attacks, a scheme's access structure, a plug-in's properties, and results from their files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from attacks.interface.checking import checked, checked_scenario, figures_of, is_file, is_scenario, subjects
from attacks.interface.displayed import Displayed
from attacks.interface.given import Catalogue, ScenarioOptions, known, scenario_of, several
from attacks.lab.results.silences import Silences
from attacks.lab.results.types import Anatomy, Cell, Matrix
from attacks.lab.runs.matrix import run_matrix, surroundings
from attacks.lab.simulation.attack import Attack, Plays
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.strategies import playing
from attacks.lab.verdict.access import anatomy as measured
from attacks.lab.verdict.silence.sets import silences
from attacks.report import cards
from attacks.report.matrices.matrix import draw_run
from attacks.report.page import counted
from attacks.report.proofs import Checks, draw_checks
from attacks.report.saved import Saved, draw_saved, drawable, read_saved
from escrow.registry import unknown
from escrow.scheme import Scheme

Files = str | Path | Iterable[str | Path]


class DisplayedMatrix(Displayed[Matrix]):
    """A matrix, with its cells by name."""

    def cell(self, scheme: str, attack: str) -> Cell:
        """Return the cell of a scheme under an attack. Raise UnknownName if it was not played."""
        cells = {f"{cell.scheme} under {cell.attack}": cell for cell in self.data.cells}
        if (name := f"{scheme} under {attack}") not in cells:
            raise unknown(cells, name, "cell")
        return cells[name]


class DisplayedCell(Displayed[Matrix]):
    """One scheme under one attack: a matrix of one cell, told as `run` tells it."""

    @property
    def cell(self) -> Cell:
        """The cell: the verdict, the numbers, and why."""
        return self.data.cells[0]


def matrix(
    schemes: str | Scheme | Iterable[str | Scheme] | None = None,
    attacks: str | Attack | Iterable[str | Attack] | None = None,
    scenario: str | Path | Scenario | None = None,
    *,
    plugins: Files = (),
    settings: str | Sequence[str] = (),
    strategies: Plays = "ends",
    jobs: int = 1,
    timeout: float | None = None,
    **options: Unpack[ScenarioOptions],
) -> DisplayedMatrix:
    """Play attacks on schemes and return the matrix.

    Args:
        schemes: schemes, names, or patterns such as "plain*"; None for all.
        attacks: attacks, names, or patterns such as "*-theft"; None for all.
        scenario: a scenario, its name in the lab, or its file; None for the default one.
        plugins: files that define schemes or attacks.
        settings: parameters of schemes, each as "SCHEME.PARAM=VALUE".
        strategies: "ends" plays the narrowest and the widest strategy of an attack and one between where that may tell
            more, "all" plays all, "narrowest" the narrowest alone.
        jobs: how many processes work at once.
        timeout: seconds after which a task is given up; None for never.
        **options: what changes of the scenario (`ScenarioOptions`).

    Raises:
        UnknownName: a name or pattern fits nothing, or a setting is not allowed.
        Malformed: a plug-in does not load, or there is no such scenario.
    """
    there, played = known(plugins, settings), scenario_of(scenario, options)
    chosen = several(there.schemes, schemes, "scheme"), several(there.attacks, attacks, "attack")
    return DisplayedMatrix(*_of(_played(there, *chosen, played, strategies, jobs=jobs, timeout=timeout)))


def run(
    scheme: str | Scheme,
    attack: str | Attack,
    scenario: str | Path | Scenario | None = None,
    *,
    plugins: Files = (),
    settings: str | Sequence[str] = (),
    strategies: Plays = "ends",
    **options: Unpack[ScenarioOptions],
) -> DisplayedCell:
    """Play one attack on one scheme, with the attack's controls, and return the cell.

    Args:
        scheme: a scheme, or its name.
        attack: an attack, or its name.
        scenario: a scenario, its name in the lab, or its file; None for the default one.
        plugins: files that define schemes or attacks.
        settings: parameters of schemes, each as "SCHEME.PARAM=VALUE".
        strategies: "ends", "all" or "narrowest", as for `matrix`.
        **options: what changes of the scenario (`ScenarioOptions`).

    Raises:
        UnknownName: no scheme, attack, parameter or value of this name.
        Malformed: a plug-in does not load, or there is no such scenario.
    """
    there, played = known(plugins, settings), scenario_of(scenario, options)
    chosen = there.attack(attack)
    result = _played(there, [there.scheme(scheme)], [chosen], played, strategies)
    cell = result.cells[0]
    said = f"{cell.scheme} under {cell.attack}: {cell.verdict}"
    return DisplayedCell(result, said, partial(draw_run, card=cards.card(chosen), matrix=result))


def anatomy(
    scheme: str | Scheme,
    scenario: str | Path | Scenario | None = None,
    *,
    plugins: Files = (),
    settings: str | Sequence[str] = (),
    by_bytes: bool = False,
    **options: Unpack[ScenarioOptions],
) -> Displayed[Anatomy]:
    """Measure who can open what, and return every minimal coalition of a scheme.

    Args:
        scheme: a scheme, or its name.
        scenario: a scenario, its name in the lab, or its file; None for the default one.
        plugins: files that define schemes or attacks.
        settings: parameters of schemes, each as "SCHEME.PARAM=VALUE".
        by_bytes: whether to say also what follows by bytes alone, without the scheme's functions.
        **options: what changes of the scenario (`ScenarioOptions`).

    Raises:
        UnknownName: no scheme, parameter or value of this name.
        Malformed: a plug-in does not load, or there is no such scenario.
    """
    there, played = known(plugins, settings), scenario_of(scenario, options)
    found = measured.anatomy(there.scheme(scheme), list(there.attacks.values()), played, by_bytes=by_bytes)
    return Displayed(*_of(found))


def silence(
    scheme: str | Scheme,
    scenario: str | Path | Scenario | None = None,
    *,
    plugins: Files = (),
    settings: str | Sequence[str] = (),
    **options: Unpack[ScenarioOptions],
) -> Displayed[Silences]:
    """Compute which checks of clients must be left out, on whose devices, for a ghost to go unnoticed.

    Args:
        scheme: a scheme, or its name.
        scenario: a scenario, its name in the lab, or its file; None for the default one. The first user is the target.
        plugins: files that define schemes or attacks.
        settings: parameters of schemes, each as "SCHEME.PARAM=VALUE".
        **options: what changes of the scenario (`ScenarioOptions`).

    Returns:
        The sets, each with the plays that confirm it.

    Raises:
        UnknownName: no scheme, parameter or value of this name.
        Malformed: a plug-in does not load, or there is no such scenario.
    """
    there, played = known(plugins, settings), scenario_of(scenario, options)
    return Displayed(*_of(silences(there.scheme(scheme), played)))


def check(
    subject: str | Path | Scheme | Attack,
    scenario: str | Path | Scenario | None = None,
    *,
    plugins: Files = (),
    settings: str | Sequence[str] = (),
    jobs: int = 1,
    **options: Unpack[ScenarioOptions],
) -> Displayed[Checks]:
    """Test what an author wrote: the properties that it must have, then its row or column of the matrix.

    Args:
        subject: the file of a plug-in or a scenario, a scheme, an attack, or the name of one.
        scenario: where the cells are played: a scenario, its name in the lab, or its file; None for the default one.
        plugins: files that define other schemes or attacks.
        settings: parameters of schemes, each as "SCHEME.PARAM=VALUE".
        jobs: how many processes work at once.
        **options: what changes of the scenario (`ScenarioOptions`).

    Returns:
        The properties, each with what breaks it, and the cells; `data.failed` counts what fails.

    Raises:
        UnknownName: there is no scheme, attack or file of this name.
        Malformed: a plug-in does not load, or there is no such scenario.
    """
    if is_scenario(subject):
        return _checks(checked_scenario(Path(str(subject))))
    others = [plugins] if isinstance(plugins, str | Path) else list(plugins)
    there = known([*others, *([Path(str(subject))] if is_file(subject) else [])], settings)
    schemes, attacks = subjects(there, subject)
    played = scenario_of(scenario, options)
    name = str(subject) if isinstance(subject, str | Path) else subject.name
    figures = figures_of(Path(name)) if is_file(subject) else ()
    return _checks(checked(name, schemes, attacks, there, played, figures=figures, jobs=jobs))


def _checks(result: Checks) -> Displayed[Checks]:
    said = f"{result.subject}: {len(result.checks) - result.failed} of {len(result.checks)} properties hold"
    return Displayed(result, said, partial(draw_checks, result=result))


def load(path: str | Path) -> Displayed[Any]:
    """Return a saved result: of `save`, of a command's `--format json`, or of `matrix --resume`.

    Raise Malformed if there is no such file, or if this project did not write it.
    """
    run = drawable(Path(path), read_saved(Path(path)))
    return (DisplayedMatrix if isinstance(run, Matrix) else Displayed)(*_of(run))


def _played(
    there: Catalogue,
    schemes: list[Scheme],
    attacks: list[Attack],
    scenario: Scenario,
    strategies: Plays,
    **how: Any,
) -> Matrix:
    attacks = [playing(each, strategies) for each in attacks]
    beside = surroundings(schemes, attacks, there.schemes, there.every(attacks))
    return run_matrix(schemes, attacks, scenario, **beside, **how)


def _of(run: Saved) -> tuple[Any, str, Any]:
    """Return a result, what it is in a few words, and what draws it."""
    if isinstance(run, Matrix):
        who = run.manifest.schemes, run.manifest.attacks
        said = f"matrix: {counted(len(who[0]), 'scheme')} × {counted(len(who[1]), 'attack')}"
    elif isinstance(run, Anatomy):
        said = f"anatomy of {run.scheme}: {len(run.minimal_coalitions)} rows, {counted(run.sent, 'text')}"
    elif isinstance(run, Silences):
        said = f"silence sets of {run.scheme}: {len(run.ways)} rows"
    else:
        said = run.schema.split("/")[1]
    return run, said, partial(draw_saved, run=run)
