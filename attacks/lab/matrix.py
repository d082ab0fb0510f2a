"""Every scheme under every attack. Passive attacks share one honest play; each active attack has a play of its own.

A verdict counts only if the attack's controls hold: it breaks its specimen and fails on the specimen's sound twin.
"""

from __future__ import annotations

import hashlib
import inspect
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cached_property

import msgspec

from attacks.lab.analysis import Analysis, rules_of
from attacks.lab.attack import Attack, Cast, Seize, Turn
from attacks.lab.outcome import Messaging, judge_cell
from attacks.lab.play import Record, play
from attacks.lab.results import Cell, Manifest, Matrix, digest
from attacks.lab.scenario import Scenario
from attacks.lab.view import module_of
from escrow import __version__
from escrow.scheme import Scheme

Progress = Callable[[int, int, str], None]
PLAIN = "plain"


class Bench:
    """The honest play of one scheme in one scenario, analysed once, and what attacks make of it."""

    def __init__(self, scheme: Scheme, attacks: Sequence[Attack], scenario: Scenario) -> None:
        self.scheme, self.attacks, self.scenario = scheme, attacks, scenario

    @cached_property
    def record(self) -> Record:
        return play(self.scheme, self.scenario)

    @cached_property
    def analysis(self) -> Analysis:
        return Analysis(self.scheme, self.record, self.attacks)

    def under(self, attack: Attack) -> tuple[Analysis, tuple[Seize | Turn, ...]]:
        """What can be read under an attack: the honest play's analysis, or that of a play of its own."""
        corruptions = tuple(attack.corruptions(self.record.cast, self.scenario))
        if not any(isinstance(each, Turn) for each in corruptions):
            return self.analysis, corruptions
        return Analysis(self.scheme, play(self.scheme, self.scenario, attack), self.attacks), corruptions

    def cell(self, attack: Attack, opened_in_plain: frozenset[int] = frozenset()) -> tuple[Cell, frozenset[int]]:
        """The cell of this scheme under an attack, and all texts that the attack opens."""
        key = cell_key(self.scheme, attack, self.scenario, self.attacks)
        if reason := attack.applies(self.scheme, self.record.cast):
            blank = Cell(scheme=self.scheme.name, attack=attack.name, verdict="NOT_APPLICABLE", reason=reason, key=key)
            return blank, frozenset()
        analysis, corruptions = self.under(attack)
        cell, opened = judge_cell(analysis, attack, corruptions, Messaging(self.record), opened_in_plain)
        return msgspec.structs.replace(cell, key=key), opened


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
    """All cells, in the order of the names given. `every` are the attacks whose rules join every cell, run or not.

    `plain` is the scheme against which `added_over_plain` is counted.
    """
    every = every or attacks
    done: dict[tuple[str, str], Cell] = {}
    failed: dict[str, str] = {}
    tasks = list(_tasks(schemes, attacks, scenario, every, plain))
    for name, part in _run(tasks, jobs):
        if isinstance(part, str):
            failed[name] = part
        else:
            done |= {(cell.scheme, cell.attack): cell for cell in part}
        if progress is not None:
            progress(len(done) + len(failed), len(schemes) * len(attacks) + len(attacks), name)
    cells = tuple(
        _controlled(done[scheme.name, attack.name], failed.get(attack.name, ""))
        for scheme in schemes
        for attack in attacks
    )
    return Matrix(manifest=manifest(schemes, attacks, scenario, every, unverified), cells=cells)


def run_cell(scheme: Scheme, attack: Attack, scenario: Scenario, every: Sequence[Attack] = ()) -> Cell:
    """One cell by itself, its controls not run."""
    return Bench(scheme, every or (attack,), scenario).cell(attack)[0]


def _controlled(cell: Cell, why: str) -> Cell:
    """The cell, or an inconclusive one where the attack's controls failed."""
    if not why or cell.verdict == "NOT_APPLICABLE":
        return cell
    return msgspec.structs.replace(cell, verdict="INCONCLUSIVE", reason=f"a control of {cell.attack} failed: {why}")


# --- work for several processes ---


class Task(msgspec.Struct, frozen=True):
    """Some cells of one scheme, or (without a scheme) the controls of one attack."""

    name: str
    scheme: Scheme | None
    run: tuple[Attack, ...]
    every: tuple[Attack, ...]
    scenario: Scenario
    plain: Scheme | None


def _tasks(
    schemes: Sequence[Scheme],
    attacks: Sequence[Attack],
    scenario: Scenario,
    every: Sequence[Attack],
    plain: Scheme | None,
) -> Iterator[Task]:
    """Heavy work first. A scheme's passive attacks stay together, since they share a play."""
    for scheme in reversed(schemes):
        passive = tuple(each for each in attacks if not _is_active(each, scenario))
        yield Task(scheme.name, scheme, passive, tuple(every), scenario, plain)
        for attack in attacks:
            if attack not in passive:
                yield Task(f"{scheme.name} {attack.name}", scheme, (attack,), tuple(every), scenario, plain)
    for attack in attacks:
        yield Task(attack.name, None, (attack,), tuple(every), scenario, plain)


def _is_active(attack: Attack, scenario: Scenario) -> bool:
    """Whether the attack turns anyone when everyone it may ask for is there."""
    officials = ("court", "authority", "provider", "agent", "agent-1", "agent-2", "agent-3")
    return any(isinstance(each, Turn) for each in attack.corruptions(Cast(scenario.devices, officials), scenario))


def _run(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[str, tuple[Cell, ...] | str]]:
    if jobs == 1:
        yield from map(_perform, tasks)
        return
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare, initargs=(_plugin_files(),)) as pool:
        for future in as_completed([pool.submit(_perform, task) for task in tasks]):
            yield future.result()


def _perform(task: Task) -> tuple[str, tuple[Cell, ...] | str]:
    if task.scheme is None:
        from attacks.lab.controls import failure

        return task.name, failure(task.run[0], task.every)
    bench = Bench(task.scheme, task.every, task.scenario)
    baseline = Bench(task.plain, task.every, task.scenario) if task.plain is not None else None
    return task.name, tuple(_cells(bench, baseline, task.run))


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
    from pathlib import Path

    from escrow.registry import load_files

    load_files(Path(file) for file in plugins)


# --- what was run ---


def manifest(
    schemes: Sequence[Scheme],
    attacks: Sequence[Attack],
    scenario: Scenario,
    every: Sequence[Attack],
    unverified: Sequence[str] = (),
) -> Manifest:
    """What a result says of how it came about."""
    parameters = {scheme.name: msgspec.structs.asdict(scheme) for scheme in schemes if scheme.__struct_fields__}
    return Manifest(
        version=__version__,
        scenario=scenario,
        parameters=parameters,
        schemes=tuple(scheme.name for scheme in schemes),
        attacks=tuple(attack.name for attack in attacks),
        inventory=_sha256(*sorted(rule.name for scheme in schemes for rule in rules_of(scheme, every))),
        unverified=tuple(unverified),
    )


def cell_key(scheme: Scheme, attack: Attack, scenario: Scenario, every: Sequence[Attack]) -> str:
    """SHA-256 of what decides a cell: sources of scheme and attack, parameters, scenario, version and rules."""
    rules = sorted(rule.name for rule in rules_of(scheme, every))
    sources = (inspect.getsource(module_of(thing)) for thing in (scheme, attack))
    settings = msgspec.json.encode((msgspec.structs.asdict(scheme), scenario), order="deterministic").decode()
    return _sha256(scheme.name, attack.name, __version__, settings, *sources, *rules)


def _sha256(*parts: str) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


__all__ = ["Bench", "cell_key", "digest", "manifest", "run_cell", "run_matrix"]
