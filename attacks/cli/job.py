"""One run of one command: what the shared options ask for, and where its answer goes."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import cached_property
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TextIO, TypeVar

import click

from attacks.cli.exit_codes import OK, Terminated
from attacks.cli.output import STDOUT, check_destination, colours, draws, opened
from attacks.cli.policy import check_policy
from attacks.report.page import USUAL, Page, plain

if TYPE_CHECKING:
    from attacks.lab.results.types import Matrix, Result
    from attacks.lab.simulation.attack import Attack
    from attacks.lab.simulation.scenario import Scenario
    from escrow.scheme import Scheme

T = TypeVar("T")
Progress = Callable[[int, int, str], None]

SMOKE = {"users": 4, "groups": 2, "days": 5, "messages": 24}
SIZES = ("users", "groups", "days", "messages")


class Answer(NamedTuple):
    """A command's result: how to draw it on a page, the same as data, the exit code, a note for stderr."""

    draw: Callable[[Page], None]
    data: Result | None = None
    code: int = OK
    note: str = ""


@dataclass
class Job:
    """The shared options, by the names of attacks.cli.options, and what follows from them."""

    plugins: Sequence[Path] = ()
    settings: Sequence[str] = ()
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    seed: int | None = None
    users: int | None = None
    groups: int | None = None
    days: int | None = None
    messages: int | None = None
    smoke: bool = False
    isolate: bool = False
    scenario_file: Path | None = None
    jobs: int | None = None
    fail_on: str | None = None
    baseline: Path | None = None
    reference: Matrix | None = None  # what stands in the baseline
    format_: str = "table"
    output: str = STDOUT
    force: bool = False
    quiet: bool = False
    no_progress: bool = False
    color: str = "auto"
    debug: bool = False

    # --- who plays ---

    @cached_property
    def schemes(self) -> dict[str, Scheme]:
        """Every scheme, plug-ins included, with the settings applied."""
        from escrow import registry

        return registry.configured(registry.schemes(self.plugins), self.settings)

    @cached_property
    def attacks(self) -> dict[str, Attack]:
        """Every attack, plug-ins included."""
        from attacks import registry

        return registry.attacks(self.plugins)

    def scheme(self, name: str) -> Scheme:
        """The scheme of that name. UnknownName says which there are."""
        from escrow.registry import pick

        return pick(self.schemes, name, "scheme")

    def attack(self, name: str) -> Attack:
        """The attack of that name. UnknownName says which there are."""
        from escrow.registry import pick

        return pick(self.attacks, name, "attack")

    def selected(self) -> tuple[list[Scheme], list[Attack]]:
        """What `--only` and `--skip` leave. UnknownName for a pattern that fits nothing, or if nothing is left."""
        from escrow.registry import UnknownName

        for glob in (*self.only, *self.skip):
            if not any(fnmatchcase(name, glob) for name in (*self.schemes, *self.attacks)):
                raise UnknownName(f"{glob!r} fits no scheme and no attack; see `escrow-lab schemes` and `attacks`")
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
        """The scenario that the options describe. UsageError for sizes that make none; Malformed for a bad file."""
        from attacks.lab.simulation import scenario
        from escrow.errors import Malformed

        if self.scenario_file is not None:
            return self._from_file(self.scenario_file)
        sizes = SMOKE if self.smoke else {}
        sizes = sizes | {name: size for name in SIZES if (size := getattr(self, name)) is not None}
        try:
            return scenario.default(**sizes, **self._seed())
        except Malformed as error:
            raise click.UsageError(str(error)) from None

    def _from_file(self, path: Path) -> Scenario:
        import msgspec

        from attacks.lab.simulation.scenario import Scenario
        from escrow.errors import Malformed

        if given := [name for name in ("smoke", *SIZES) if getattr(self, name) not in (None, False)]:
            raise click.UsageError(f"--{given[0]} has no effect on a scenario file; change the file")
        try:
            read = msgspec.json.decode(path.read_bytes(), type=Scenario)
            return msgspec.structs.replace(read, **self._seed()).check()
        except OSError as error:
            raise Malformed(f"{path}: {error.strerror}") from None
        except (msgspec.DecodeError, Malformed, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(f"{path} is no scenario: {error}") from None

    def _seed(self) -> dict[str, int]:
        return {} if self.seed is None else {"seed": self.seed}

    @property
    def processes(self) -> int:
        """How many processes may run at once."""
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return self.jobs or usable or 1

    # --- what is said meanwhile ---

    @contextmanager
    def progress(self) -> Iterator[Progress | None]:
        """A bar on stderr, if that is a terminal: call it with (done, all, what is being done)."""
        if self.quiet or self.no_progress or not draws(sys.stderr):
            yield None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        console = Console(stderr=True, no_color=not colours(self.color, sys.stderr))
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
        # without a thread of its own: workers are forked while it stands there
        with Bars(*columns, TimeElapsedColumn(), console=console, transient=True, auto_refresh=False) as bars:
            task = bars.add_task("", total=None)

            def advance(done: int, total: int, what: str) -> None:
                bars.update(task, completed=done, total=total, description=plain(what), refresh=True)

            yield advance


def run(body: Callable[..., Answer], given: dict[str, Any]) -> int:
    """Run a command's body and write what it answers; its exit code. Nothing else reaches stdout meanwhile."""
    shared = {field.name for field in fields(Job)}
    own = set(inspect.signature(body).parameters)
    job = Job(**{name: value for name, value in given.items() if name in shared - own})
    check_destination(job.output, job.force)
    check_policy(job)
    stdout = sys.stdout
    if isinstance(stdout, TextIOWrapper):
        stdout.reconfigure(errors="backslashreplace")  # a locale without the character is no reason to stop
    with _interruptible(), redirect_stdout(sys.stderr):
        answer = body(job, **{name: value for name, value in given.items() if name in own})
        with opened(job.output, job.force, stdout) as stream:
            _write(answer, job, stream)
            stream.flush()
    if answer.note and not job.quiet:
        print(plain(answer.note), file=sys.stderr)
    return answer.code


def _write(answer: Answer, job: Job, stream: TextIO) -> None:
    if job.format_ == "table":
        answer.draw(Page(stream, _width(stream.isatty()), colours(job.color, stream)))
        return
    if answer.data is None:
        raise click.UsageError(f"this answer is text, not {job.format_}; there is --format table")
    from attacks.report.rows import written

    for line in written(answer.data, job.format_, stream.isatty()):
        stream.write(line)


def _width(terminal: bool) -> int:
    if terminal or os.environ.get("COLUMNS"):
        return shutil.get_terminal_size((USUAL, 24)).columns
    return USUAL


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM end the workers, then leave as exceptions, so that what is open is closed on the way."""
    own = os.getpid()

    def stop(number: int, frame: object) -> NoReturn:
        if os.getpid() != own:
            os._exit(128 + number)  # a worker, which has nothing to close; the command speaks for it
        for worker in multiprocessing.active_children():
            worker.kill()
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
