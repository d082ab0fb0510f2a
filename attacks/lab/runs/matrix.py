"""Every scheme under every attack. Passive attacks share one honest play; each active attack has a play of its own.

A verdict counts only if the attack's controls hold (it breaks its specimen and fails on the sound twin), and what was
not opened only if every rule of the scheme and of the attack was used: in the cell's play, in the scheme's exercise
plays, or in the attack's controls. A cell is the same whatever else is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

import msgspec

from attacks.lab.results.types import Cell, Matrix, Verdict
from attacks.lab.runs.journal import CellId, CellLine, ControlLine, Journal, JournalHeader, JournalLine
from attacks.lab.runs.merge import judged
from attacks.lab.runs.workers import TimedOut, limited, spread
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.play import cast_of
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.verdict.analysis import rules_of
from attacks.lab.verdict.controls import controlled
from attacks.lab.verdict.evaluation import Evaluation, manifest
from attacks.lab.verdict.fingerprints import cell_key, control_key, sources
from attacks.lab.verdict.judging.procedure import UNJUDGED
from attacks.lab.verdict.judging.standing import NOTHING, InPlain
from escrow import crypto
from escrow.registry import is_plugin
from escrow.scheme import Scheme

Progress = Callable[[int, int, str], None]
UNFINISHED = frozenset[Verdict]({"ERROR", "TIMEOUT"})
Opened = dict[tuple[str, str], InPlain]  # by attack and strategy
KILLED = "the process that ran this was killed; run it again"


class Shard(NamedTuple):
    """Part `number` (from 1) of a matrix that is divided into `of` parts."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}" if self.of > 1 else ""


WHOLE = Shard()


class Task(msgspec.Struct, frozen=True):
    """Some cells of one scheme or, without a scheme, the controls of one attack. `keys` are by attack.

    `faults` are the broken properties of the scheme's bytes, if they are known; `schemes` are those of the cells that
    the controls are for; `opened` is what these attacks' strategies open in plain, as far as it is known.
    """

    scheme: Scheme | None
    run: tuple[Attack, ...]
    every: tuple[Attack, ...]
    scenario: Scenario
    plain: Scheme | None
    isolated: bool
    keys: dict[str, str]
    faults: tuple[str, ...] | None = None
    schemes: tuple[Scheme, ...] = ()
    opened: Opened = {}

    @property
    def name(self) -> str:
        """The scheme and the attacks, for messages."""
        names = ", ".join(attack.name for attack in self.run)
        return f"{self.scheme.name}: {names}" if self.scheme else f"controls: {names}"

    @property
    def group(self) -> str:
        """What tasks have in common that share an honest play: their scheme. Controls share nothing."""
        return self.scheme.name if self.scheme else self.name

    def applies(self, attack: Attack) -> bool:
        """Return whether an attack applies to one of `schemes`. It sets schemes up, which may take any time."""
        played = (each for each in self.schemes if not each.missing)
        return any(not attack.applies(each, cast_of(each, self.scenario)) for each in played)


class TaskResult(msgspec.Struct, frozen=True):
    """The lines of a task: `kept` are written down; `lost` stand for an unfinished task that is tried again.

    `opened` is what the strategies that the task played open in plain.
    """

    name: str
    kept: tuple[JournalLine, ...] = ()
    lost: tuple[JournalLine, ...] = ()
    opened: Opened = {}


class Plan:
    """The cells to run: these schemes under these attacks, in one scenario.

    `every` are the attacks whose rules join every cell, run or not (default: those that are run). Controls are run of
    each attack that is run and applies to a scheme. `plain` is the scheme against which `added_over_plain` is counted;
    `isolated` runs the adversary in its own processes; `unverified` are names of plug-ins. `loaded` are schemes and
    attacks that are loaded and perhaps not run: journals name the sources of their plug-ins too, because a loaded
    module may change others.
    `faults` are the broken properties of schemes' bytes (`BytePass.failures`) that are known, by the schemes' names.
    """

    def __init__(
        self,
        schemes: Sequence[Scheme],
        attacks: Sequence[Attack],
        scenario: Scenario,
        *,
        every: Sequence[Attack] = (),
        plain: Scheme | None = None,
        isolated: bool = False,
        unverified: Sequence[str] = (),
        loaded: Sequence[Scheme | Attack] = (),
        faults: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.schemes, self.attacks, self.scenario = schemes, attacks, scenario
        self.every, self.plain, self.isolated = tuple(every or attacks), plain, isolated
        self.unverified, self.loaded, self.faults = unverified, loaded, faults or {}

    def header(self, shard: Shard = WHOLE) -> JournalHeader:
        """Return the first line of a journal that holds the run, or a shard of it."""
        others = () if self.plain is None else (self.plain,)
        return JournalHeader(
            manifest=manifest(self.schemes, self.attacks, self.scenario, self.every, self.unverified),
            every=tuple(attack.name for attack in self.every),
            rules={each.name: tuple(rule.name for rule in rules_of(each, self.every)) for each in self.schemes},
            sources=sources((*self.schemes, *self.attacks, *others, *self.every, *self.loaded)),
            plain="".join(each.name for each in others),
            isolated=self.isolated,
            shard=str(shard),
        )

    @cached_property
    def keys(self) -> dict[CellId, str]:
        """The key of every cell, and of every attack's controls."""
        cells = {
            (scheme.name, attack.name): cell_key(scheme, attack, self.scenario, self.every, self.plain)
            for scheme in self.schemes
            for attack in self.attacks
        }
        return cells | {("", attack.name): control_key(attack, self.every) for attack in self.attacks}

    def tasks(self, shard: Shard = WHOLE, known: Iterable[JournalLine] = ()) -> list[Task]:
        """Return the tasks of a shard that are left to do. Which tasks it holds does not depend on what is known.

        Those of plain are the first, because all others need what is opened there; then controls, which do not.
        """
        there = {line.cell_id for line in known}
        tasks = (_without(task, there) for task in _dealt(self._all(), shard))
        return sorted((task for task in tasks if task.run), key=self._rank)

    def _rank(self, task: Task) -> int:
        if self.plain is None or task.scheme == self.plain:
            return 0
        return 1 if task.scheme is None else 2

    def _all(self) -> list[Task]:
        """Return all tasks.

        A scheme's passive attacks stay together, because they share a play; later schemes, often heavier, go first.
        """
        active = [attack for attack in self.attacks if _turns(attack)]
        passive = tuple(attack for attack in self.attacks if attack not in active)
        groups = ([passive] if passive else []) + [(attack,) for attack in active]
        tasks = [self._task(scheme, group) for scheme in reversed(self.schemes) for group in groups]
        return tasks + [self._task(None, (attack,)) for attack in self.attacks]

    def _task(self, scheme: Scheme | None, run: tuple[Attack, ...]) -> Task:
        keys = {attack.name: self.keys[scheme.name if scheme else "", attack.name] for attack in run}
        faults = self.faults.get(scheme.name) if scheme else None
        schemes = () if scheme else tuple(self.schemes)
        return Task(scheme, run, self.every, self.scenario, self.plain, self.isolated, keys, faults, schemes)


def _turns(attack: Attack) -> bool:
    """Return whether an attack may corrupt a principal, so that its plays are its own.

    Its class tells, without a cast.
    """
    return type(attack).corrupt is not Attack.corrupt or type(attack).each_evening is not Attack.each_evening


def _dealt(tasks: Sequence[Task], shard: Shard) -> list[Task]:
    """Return a shard's tasks: every `of`-th one, so that those of a scheme, which take about as long, are spread."""
    return list(tasks[shard.number - 1 :: shard.of])


def _without(task: Task, there: set[CellId]) -> Task:
    scheme = task.scheme.name if task.scheme else ""
    return msgspec.structs.replace(task, run=tuple(each for each in task.run if (scheme, each.name) not in there))


# --- running ---


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
    isolated: bool = False,
    timeout: float | None = None,
    faults: Mapping[str, tuple[str, ...]] | None = None,
) -> Matrix:
    """Run all cells, in the order of schemes and attacks given. The arguments are those of `Plan` and `run_plan`."""
    plan = Plan(
        schemes, attacks, scenario, every=every, plain=plain, isolated=isolated, unverified=unverified, faults=faults
    )
    found = run_plan(plan, jobs=jobs, progress=progress, timeout=timeout)
    return judged(plan.header(), (*found.kept, *found.lost))


def run_plan(
    plan: Plan,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    timeout: float | None = None,
    shard: Shard = WHOLE,
    journal: Journal | None = None,
) -> TaskResult:
    """Return every line of a shard: those that the journal has, and those of the tasks left, which it is given.

    Args:
        plan: what to run.
        jobs: how many processes work at once.
        progress: called with (lines done, lines in all, name).
        timeout: seconds after which a task is given up; None for never.
        shard: the part of the plan to run.
        journal: where to write lines, and where to read those known.
    """
    _shared.clear()
    kept, lost = list(journal.known if journal is not None else ()), list[JournalLine]()
    tasks = plan.tasks(shard, kept)
    parts = spread(partial(_perform, timeout=timeout), tasks, jobs, _killed, lambda task: task.group, _shared.told)
    for done, part in enumerate(parts, 1):
        _shared.opened |= part.opened
        kept += part.kept
        lost += part.lost
        if journal is not None and part.kept:
            journal.add(part.kept)
        if progress is not None:
            progress(done, len(tasks), part.name)
    return TaskResult(f"shard {shard}", tuple(kept), tuple(lost))


def surroundings(
    schemes: Iterable[Scheme], attacks: Iterable[Attack], known: Mapping[str, Scheme], every: Iterable[Attack]
) -> dict[str, Any]:
    """Return what `run_matrix` and `Plan` are told besides what is run.

    The rules of `every` attack join; plain of the `known` schemes is what cells are compared with; plug-ins are
    unverified.
    """
    unverified = [each.name for each in schemes if is_plugin(each)]
    unverified += [each.name for each in attacks if is_plugin(each)]
    return {"every": list(every), "plain": known.get("plain"), "unverified": unverified}


def run_cell(scheme: Scheme, attack: Attack, scenario: Scenario, every: Sequence[Attack] = ()) -> Cell:
    """Run one cell by itself, without its controls."""
    return Evaluation(scheme, tuple(every or (attack,)), scenario, derived=True).cell(attack)[0]


def _perform(task: Task, timeout: float | None) -> TaskResult:
    try:
        with limited(timeout), crypto.running(crypto.Run(None, results=_shared.results)):
            lines = tuple(_lines(task))
    except TimedOut:
        return _given_up(task, "TIMEOUT", f"it took longer than {timeout:g} seconds")
    kept = tuple(line for line in lines if not (isinstance(line, CellLine) and line.cell.verdict in UNFINISHED))
    lost = tuple(line for line in lines if line not in kept)
    return TaskResult(task.name, kept, lost, _of_attacks(task, _shared.opened) if task.scheme == task.plain else {})


def _of_attacks(task: Task, opened: Opened) -> Opened:
    names = {attack.name for attack in task.run}
    return {strategy: found for strategy, found in opened.items() if strategy[0] in names}


def _lines(task: Task) -> Iterator[JournalLine]:
    if task.scheme is None:
        for attack in filter(task.applies, task.run):  # no cell needs the controls of others
            control = controlled(attack, task.every, isolated=task.isolated)
            yield _control(task, attack, control.failure, control.fired)
        return
    evaluation = _shared.evaluation(task, task.scheme)
    lines = []
    for attack in task.run:
        cell = evaluation.cell(attack, partial(_shared.opened_in_plain, task))[0]
        unplayed = cell.verdict in UNJUDGED or task.scheme.missing
        idle = () if unplayed else evaluation.exercise.idle(attack, frozenset(evaluation.fired))
        lines.append(CellLine(key=cell.key, cell=cell, idle=idle))
    evaluation.forget()
    if task.scheme == task.plain:
        _shared.opened |= evaluation.by_strategy
    yield from lines


class _Shared:
    """What the tasks of one run share in a process: a scheme's honest play, what each attack opens in plain, results.

    No result depends on which tasks a process had before.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything, because another run begins."""
        self.results = crypto.Results()
        self._evaluations: dict[str, Evaluation] = {}
        self.opened: Opened = {}

    def told(self, task: Task) -> Task:
        """Return the task with what is known of plain, for another process."""
        return msgspec.structs.replace(task, opened=_of_attacks(task, self.opened))

    def evaluation(self, task: Task, scheme: Scheme) -> Evaluation:
        """Return the evaluation of a task's scheme, or of plain; drop others, since tasks come scheme by scheme."""
        if scheme.name not in self._evaluations:
            needed = {each.name for each in (task.scheme, task.plain) if each is not None}
            kept = {name: each for name, each in self._evaluations.items() if name in needed}
            made = Evaluation(
                scheme,
                task.every,
                task.scenario,
                isolated=task.isolated,
                plain=task.plain,
                byte_pass=is_plugin(scheme),
                derived=True,
                faults=task.faults if scheme is task.scheme else None,
            )
            self._evaluations = kept | {scheme.name: made}
        return self._evaluations[scheme.name]

    def opened_in_plain(self, task: Task, strategy: Attack) -> InPlain:
        """Return what a strategy opens in the scheme that cells are compared with: nothing if it does not apply."""
        if task.plain is None:
            return NOTHING
        known = task.opened.get((strategy.name, strategy.strategy))
        return self.evaluation(task, task.plain).opened(strategy) if known is None else known


_shared = _Shared()


def _control(task: Task, attack: Attack, failure: str, fired: Iterable[str] = ()) -> ControlLine:
    return ControlLine(key=task.keys[attack.name], attack=attack.name, failure=failure, fired=tuple(sorted(fired)))


def _killed(task: Task) -> TaskResult:
    return _given_up(task, "ERROR", KILLED)


def _given_up(task: Task, verdict: Verdict, why: str) -> TaskResult:
    """Return the result of a task that did not finish: lines that give the reason."""
    if task.scheme is None:
        return TaskResult(task.name, lost=tuple(_control(task, attack, why) for attack in task.run))
    cells = [
        Cell(scheme=task.scheme.name, attack=each.name, verdict=verdict, reason=why, key=task.keys[each.name])
        for each in task.run
    ]
    return TaskResult(task.name, lost=tuple(CellLine(key=cell.key, cell=cell, idle=()) for cell in cells))
