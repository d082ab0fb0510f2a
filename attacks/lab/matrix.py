"""Every scheme under every attack. Passive attacks share one honest play; each active attack has a play of its own.

A verdict counts only if the attack's controls hold (it breaks its specimen and fails on the sound twin) and if every
rule of the scheme was exercised, in these plays or in those of the controls. Otherwise the cell is INCONCLUSIVE.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import msgspec

from attacks.lab.analysis import rules_of
from attacks.lab.attack import Attack
from attacks.lab.bench import Bench, manifest
from attacks.lab.controls import controlled
from attacks.lab.results import Cell, Matrix
from attacks.lab.scenario import Scenario
from escrow.registry import load_files
from escrow.scheme import Scheme

Progress = Callable[[int, int, str], None]


class Task(msgspec.Struct, frozen=True):
    """Some cells of one scheme or, without a scheme, the controls of one attack."""

    scheme: Scheme | None
    run: tuple[Attack, ...]
    every: tuple[Attack, ...]
    scenario: Scenario
    plain: Scheme | None

    @property
    def name(self) -> str:
        names = ", ".join(attack.name for attack in self.run)
        return f"{self.scheme.name}: {names}" if self.scheme else f"controls: {names}"


class Part(msgspec.Struct, frozen=True):
    """What a task found: cells, rules that fired, and the attacks whose controls failed, with the reason."""

    name: str
    cells: tuple[Cell, ...]
    fired: frozenset[str]
    failures: dict[str, str]


def run_matrix(
    schemes: Sequence[Scheme],
    attacks: Sequence[Attack],
    scenario: Scenario,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    unverified: Sequence[str] = (),
    every: Sequence[Attack] = (),
    plain: Scheme | None = None,
) -> Matrix:
    """All cells, in the order of schemes and attacks given.

    `every` are the attacks whose rules join every cell, run or not (default: those run); their controls are run too,
    since they exercise rules. `plain` is the scheme against which `added_over_plain` is counted.
    """
    every = tuple(every or attacks)
    tasks = _tasks(schemes, attacks, every, scenario, plain)
    parts: list[Part] = []
    for part in _run(tasks, jobs):
        parts.append(part)
        if progress is not None:
            progress(len(parts), len(tasks), part.name)
    cells = {(cell.scheme, cell.attack): cell for part in parts for cell in part.cells}
    failures = {name: why for part in parts for name, why in part.failures.items()}
    fired = frozenset[str]().union(*(part.fired for part in parts))
    judged = tuple(
        _conclusive(cells[scheme.name, attack.name], failures.get(attack.name, ""), _idle(scheme, every, fired))
        for scheme in schemes
        for attack in attacks
    )
    return Matrix(manifest=manifest(schemes, attacks, scenario, every, unverified), cells=judged)


def run_cell(scheme: Scheme, attack: Attack, scenario: Scenario, every: Sequence[Attack] = ()) -> Cell:
    """One cell by itself, its controls not run."""
    return Bench(scheme, tuple(every or (attack,)), scenario).cell(attack)[0]


def _idle(scheme: Scheme, every: Sequence[Attack], fired: frozenset[str]) -> tuple[str, ...]:
    """The rules of a scheme's cells that fired nowhere."""
    return tuple(rule.name for rule in rules_of(scheme, every) if rule.name not in fired)


def _conclusive(cell: Cell, failure: str, idle: Sequence[str]) -> Cell:
    if cell.verdict in {"NOT_APPLICABLE", "ERROR"} or not (failure or idle):
        return cell
    why = f"a control of {cell.attack} failed: {failure}" if failure else f"never exercised: {', '.join(idle)}"
    return msgspec.structs.replace(cell, verdict="INCONCLUSIVE", reason=why)


# --- work for several processes ---


def _tasks(
    schemes: Sequence[Scheme],
    attacks: Sequence[Attack],
    every: tuple[Attack, ...],
    scenario: Scenario,
    plain: Scheme | None,
) -> list[Task]:
    """A scheme's passive attacks stay together, since they share a play; later schemes, often heavier, go first."""
    active = [attack for attack in attacks if _turns(attack)]
    passive = tuple(attack for attack in attacks if attack not in active)
    groups = ([passive] if passive else []) + [(attack,) for attack in active]
    tasks = [Task(scheme, group, every, scenario, plain) for scheme in reversed(schemes) for group in groups]
    return tasks + [Task(None, (attack,), every, scenario, None) for attack in every]


def _turns(attack: Attack) -> bool:
    """Whether an attack may turn somebody: then its plays are its own. Asked of its class, which needs no cast."""
    return type(attack).meddle is not Attack.meddle or type(attack).act is not Attack.act


def _run(tasks: Sequence[Task], jobs: int) -> Iterator[Part]:
    if jobs == 1:
        yield from map(_perform, tasks)
        return
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare, initargs=(_plugin_files(),)) as pool:
        waiting = {pool.submit(_perform, task): task for task in tasks}
        for future in as_completed(waiting):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield _died(waiting[future])


def _died(task: Task) -> Part:
    """What is known of a task whose process was killed from outside: nothing, and that is said."""
    if task.scheme is None:
        return Part(task.name, (), frozenset(), {attack.name: "its process was killed" for attack in task.run})
    why = "the process that ran this cell, or another, was killed; run it again"
    cells = (Cell(scheme=task.scheme.name, attack=each.name, verdict="ERROR", reason=why) for each in task.run)
    return Part(task.name, tuple(cells), frozenset(), {})


def _perform(task: Task) -> Part:
    if task.scheme is None:
        found = {attack.name: controlled(attack, task.every) for attack in task.run}
        fired = frozenset[str]().union(*(each.fired for each in found.values()))
        return Part(task.name, (), fired, {name: each.failure for name, each in found.items() if each.failure})
    bench = Bench(task.scheme, task.every, task.scenario)
    baseline = Bench(task.plain, task.every, task.scenario) if task.plain is not None else None
    cells = tuple(_cells(bench, baseline, task.run))
    return Part(task.name, cells, frozenset(bench.fired), {})


def _cells(bench: Bench, baseline: Bench | None, attacks: Iterable[Attack]) -> Iterator[Cell]:
    for attack in attacks:
        opened = frozenset[int]()
        if baseline is not None and not attack.applies(baseline.scheme, baseline.record.cast):
            opened = baseline.cell(attack)[1]
        yield bench.cell(attack, opened)[0]


def _plugin_files() -> tuple[str, ...]:
    files = (getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith("plugin_"))
    return tuple(sorted(file for file in files if file))


def _prepare(plugins: tuple[str, ...]) -> None:
    load_files(Path(file) for file in plugins)
