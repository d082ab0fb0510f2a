"""One run of one command: what the shared options ask for, and where its result is written."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from functools import cached_property
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn, TextIO, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from attacks import registry as attack_registry
from attacks.cli.exit_codes import OK, Terminated, leave_stdout
from attacks.cli.output import PLAINER, STDOUT, check_destination, colours, draws, opened
from attacks.cli.policy import Policy, judge, read_policy
from attacks.lab.results.bounds import Result
from attacks.lab.results.types import Cell
from attacks.lab.simulation import shapes
from attacks.lab.simulation.attack import Attack, Plays
from attacks.lab.simulation.scenario import Scenario
from attacks.lab.simulation.shapes import WarrantKind, varied
from attacks.lab.simulation.strategies import playing
from attacks.report import rows
from attacks.report.page import USUAL, MarkdownPage, Page, plain
from escrow import registry
from escrow.errors import Malformed
from escrow.registry import UnknownName, pick
from escrow.scheme import Scheme

T = TypeVar("T")
Progress = Callable[[int, int, str], None]

SIZES = ("users", "groups", "days", "messages")


class CommandResult(NamedTuple):
    """What a command returns: how to draw it on a page, the same as data, the exit code, a note for stderr.

    With `people`, its Markdown is what is drawn, and not its rows. `html` gives a page for a browser, which is written
    in place of anything else. `drawn` are pictures of it, by format.
    """

    draw: Callable[[Page], None]
    data: Result | None = None
    code: int = OK
    note: str = ""
    people: bool = False
    html: Callable[[], str] | None = None
    drawn: Mapping[str, Callable[[], str]] = MappingProxyType({})


def draw_nothing(page: Page) -> None:
    """Draw nothing, where all that a command made is in a file, or in `html`."""


@dataclass
class Invocation:
    """The shared options, by the names of attacks.cli.options, and what follows from them."""

    plugins: Sequence[Path] = ()
    settings: Sequence[str] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    seed: int | None = None
    work: int | None = None
    users: int | None = None
    groups: int | None = None
    days: int | None = None
    messages: int | None = None
    smoke: bool = False
    warrants: WarrantKind | None = None
    meetings: str | None = None
    isolate: bool = False
    strategies: Plays = "ends"
    scenario_file: Path | None = None
    jobs: int | None = None
    fail_on: str | None = None
    baseline: Path | None = None
    format_: str = "table"
    output: str = STDOUT
    force: bool = False
    quiet: bool = False
    no_progress: bool = False
    color: str = "auto"
    debug: bool = False
    worse: list[str] = field(default_factory=list)  # sentences about what became worse than in --baseline

    # --- who plays ---

    @cached_property
    def schemes(self) -> dict[str, Scheme]:
        """Return every scheme by name, plug-ins included, with the settings of --set applied."""
        return registry.configured(registry.schemes(self.plugins), self.settings)

    @cached_property
    def attacks(self) -> dict[str, Attack]:
        """Return every attack by name, plug-ins included, with the strategies that --strategies asks for."""
        found = attack_registry.attacks(self.plugins)
        return {name: playing(each, self.strategies) for name, each in found.items()}

    def scheme(self, name: str) -> Scheme:
        """Return the scheme with this name. Raise UnknownName, which lists the existing ones, if there is none."""
        return pick(self.schemes, name, "scheme")

    def attack(self, name: str) -> Attack:
        """Return the attack with this name. Raise UnknownName, which lists the existing ones, if there is none."""
        return pick(self.attacks, name, "attack")

    def selected(self) -> tuple[list[Scheme], list[Attack]]:
        """Return the schemes and attacks that `--only` and `--skip` leave.

        Raise UnknownName if a pattern matches nothing, or if nothing is left.
        """
        for glob in (*self.only, *self.skip):
            names = (*self.schemes, *self.attacks)
            if not any(fnmatchcase(name, glob) for name in names):
                hint = registry.closest(names, glob) or "see `escrow-lab schemes` and `escrow-lab attacks`"
                raise UnknownName(f"{glob!r} matches no scheme and no attack; {hint}")
        schemes, attacks = self._left(self.schemes), self._left(self.attacks)
        if not schemes or not attacks:
            raise UnknownName(f"--skip leaves no {'attack' if schemes else 'scheme'}")
        return schemes, attacks

    def _left(self, things: dict[str, T]) -> list[T]:
        narrowing = [glob for glob in self.only if any(fnmatchcase(name, glob) for name in things)]
        return [
            thing
            for name, thing in things.items()
            if (not narrowing or any(fnmatchcase(name, glob) for glob in narrowing))
            and not any(fnmatchcase(name, glob) for glob in self.skip)
        ]

    # --- what is played ---

    @cached_property
    def scenario(self) -> Scenario:
        """Return the scenario that the options describe.

        Raise UsageError if the sizes make no scenario, Malformed if the scenario file holds none.
        """
        sizes = {name: getattr(self, name) for name in SIZES}
        numbers = {"seed": self.seed, "work": self.work}
        if self.scenario_file is not None:
            if given := [name for name in ("smoke", *SIZES) if getattr(self, name) not in (None, False)]:
                raise click.UsageError(f"--{given[0]} has no effect on a scenario file; change the file")
            return self._varied(shapes.chosen(self.scenario_file, False, {}, numbers))
        try:
            return self._varied(shapes.chosen(None, self.smoke, sizes, numbers))
        except Malformed as error:
            raise click.UsageError(str(error)) from None

    def _varied(self, read: Scenario) -> Scenario:
        try:
            return varied(read, self.warrants, self.meetings)
        except Malformed as error:
            raise click.UsageError(str(error)) from None

    @property
    def processes(self) -> int:
        """Return how many processes may run at once."""
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return self.jobs or usable or 1

    # --- what is judged ---

    @cached_property
    def policy(self) -> Policy:
        """Return the policy of --fail-on, with the baseline read (errors: policy.read_policy)."""
        return read_policy(self.fail_on, self.baseline, lambda: self.scenario)

    def judge(self, cells: Sequence[Cell]) -> int:
        """Return the exit code of these cells under the policy; print regressions on stderr."""
        existing = (self.schemes, self.attacks) if self.policy.reference else ({}, {})
        return judge(cells, self.policy, *existing, self._tell)

    def _tell(self, sentence: str) -> None:
        """Note what became worse, and print it on stderr."""
        self.worse.append(sentence)
        if not self.quiet:
            print(f"regression: {plain(sentence)}", file=sys.stderr)

    # --- progress ---

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """Yield a function that draws a bar on stderr: call it with (done, total, what is being done).

        Yield None if stderr is not a terminal or the user wants no bar.
        """
        if self.quiet or self.no_progress or not draws(sys.stderr):
            yield None
            return
        console = Console(stderr=True, no_color=not colours(self.color, sys.stderr))
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        # auto_refresh would start a thread, and workers are forked while the bar is shown
        with Bars(*columns, TimeElapsedColumn(), console=console, transient=True, auto_refresh=False) as bars:
            task = bars.add_task("", total=None)

            def advance(done: int, total: int, what: str) -> None:
                bars.update(task, completed=done, total=total, description=plain(what), refresh=True)

            yield advance


def run(body: Callable[..., CommandResult], given: dict[str, Any]) -> int:
    """Run a command's body, write its result and return its exit code.

    `given` are the values of all options by name: those that the body does not take belong to the Invocation. What the
    body prints on stdout goes to stderr.
    """
    shared = {field.name for field in fields(Invocation)}
    own = set(inspect.signature(body).parameters)
    invocation = Invocation(**{name: value for name, value in given.items() if name in shared - own})
    check_destination(invocation.output, invocation.force)
    _ = invocation.policy  # read now, so that a bad baseline is reported before anything is played
    stdout = sys.stdout
    if isinstance(stdout, TextIOWrapper):
        # a character that the locale lacks must not stop the output; in JSON its escape is the same text
        stdout.reconfigure(errors=PLAINER if invocation.format_ in ("table", "md") else "backslashreplace")
    with _interruptible(), redirect_stdout(sys.stderr):
        result = body(invocation, **{name: value for name, value in given.items() if name in own})
        try:
            with opened(invocation.output, invocation.force, stdout) as stream:
                _write(result, invocation, stream)
                stream.flush()
        except BrokenPipeError:  # a reader that has seen enough changes no exit code: `set -o pipefail` shows it
            leave_stdout()
    if result.note and not invocation.quiet:
        print(plain(result.note), file=sys.stderr)
    return result.code


def _write(result: CommandResult, invocation: Invocation, stream: TextIO) -> None:
    """Write a result in the format that was asked for."""
    if result.html is not None:
        stream.write(result.html())
        return
    if invocation.format_ == "table":
        result.draw(Page(stream, _width(stream.isatty()), colours(invocation.color, stream)))
        return
    if invocation.format_ == "md" and result.people:
        page = MarkdownPage(stream)
        if invocation.worse:
            page.heading("Worse than the baseline")
        for sentence in invocation.worse:
            page.line(sentence, indent=2)
        result.draw(page)
        page.close()
        return
    if invocation.format_ in result.drawn:
        stream.write(result.drawn[invocation.format_]())
        return
    if invocation.format_ not in rows.FORMATS:
        raise click.UsageError(f"this result has no {invocation.format_} form")
    if result.data is None:
        raise click.UsageError(f"this result is text and has no {invocation.format_} form; use --format table")
    for line in rows.written(result.data, invocation.format_, stream.isatty()):
        stream.write(line)


def _width(terminal: bool) -> int:
    if terminal or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size((USUAL, 24)).columns
    return USUAL


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into exceptions, after the workers are killed, so that open files are closed."""
    own = os.getpid()

    def stop(number: int, frame: object) -> NoReturn:
        if os.getpid() != own:
            os._exit(128 + number)  # a worker has nothing to close, and the command reports the signal
        for worker in multiprocessing.active_children():
            worker.kill()
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
