"""A published result, run again: figures measured here beside the figures that the paper prints.

An experiment draws its randomness from a seed, as plays do, and the note of a figure says if it is smaller than the
paper's. Whether a figure agrees is computed, never asserted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal

from attacks.lab.results.bounds import Result
from escrow import registry
from escrow.crypto import Run, running, sha256
from escrow.registry import Kind
from escrow.scheme import Scheme, Source

Progress = Callable[[int, int, str], None]
ERRORS = 4.0  # standard errors within which a measured mean agrees; by chance one in 16,000 is outside


class Figure(Result, frozen=True, kw_only=True):
    """One quantity. `error` is the standard error of `measured`, 0 if it is exact.

    `published` is the value that the source prints, at `where` (page or section). `expected` is what follows from a
    `formula` of ours. A figure has one of them at most. `at_least` is a lower bound, such as that of a p-value.

    Raises:
        ValueError: a value beside the measured one does not say where it stands, or from which formula it follows.
    """

    quantity: str
    measured: float
    unit: str = ""
    error: float = 0.0
    published: float | None = None
    where: str = ""
    expected: float | None = None
    formula: str = ""
    at_least: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Hold each value against its origin."""
        if (self.published is None) != (not self.where):
            raise ValueError(f"figure `{self.quantity}`: `published` and `where` (page or section) go together")
        if (self.expected is None) != (not self.formula):
            raise ValueError(f"figure `{self.quantity}`: `expected` and `formula` go together")
        if self.published is not None and self.expected is not None:
            raise ValueError(f"figure `{self.quantity}` is published or expected, not both")

    @property
    def agrees(self) -> bool:
        """Whether the measured value is the one beside it, up to `ERRORS` standard errors, and not below the bound."""
        beside = self.expected if self.published is None else self.published
        near = beside is None or abs(self.measured - beside) <= ERRORS * self.error
        return near and (self.at_least is None or self.measured >= self.at_least)


class Experiment:
    """Base of every experiment. `in_pages`: README's list shows it; a class made from it does not inherit that.

    `package` is a module outside the project that it needs, and `extra` the project's extra that installs it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[Source]
    in_pages: ClassVar[bool] = False
    package: ClassVar[str] = ""
    extra: ClassVar[str] = ""

    @property
    def missing(self) -> str:
        """What must be installed before it can run, as a sentence; nothing if all is there."""
        if not self.package or find_spec(self.package):
            return ""
        install = f"python -m pip install 'escrow-lab[{self.extra}]'"
        return f"{self.name} needs {self.package}, which is not installed: {install} installs it"

    def run(self, long: bool, progress: Progress) -> Iterable[Figure]:
        """Yield the figures, one after another; `long` asks for the size that takes minutes or hours."""
        raise NotImplementedError(f"{type(self).__name__} measures nothing")


class EachScheme(Experiment, ABC):
    """Base of experiments that measure one scheme after another: all those with a place in the pages, by name."""

    def run(self, long: bool, progress: Progress) -> Iterator[Figure]:
        """Yield the figures of each scheme."""
        schemes = [each for _, each in sorted(registry.schemes().items()) if each.in_pages and not each.missing]
        for done, scheme in enumerate(schemes):
            progress(done, len(schemes), scheme.name)
            yield from self.figures(scheme, long)

    @abstractmethod
    def figures(self, scheme: Scheme, long: bool = False) -> Iterator[Figure]:
        """Yield the figures of one scheme."""


EXPERIMENTS = Kind(Experiment, "EXPERIMENT", "attacks.experiments", "escrow_lab.experiments")


def experiments(plugins: Iterable[Path] = ()) -> dict[str, Experiment]:
    """Return every experiment by name, in the order of names. Raise PluginError if a plug-in cannot be loaded."""
    return registry.discover(EXPERIMENTS, registry.load_files(plugins))


class Reproduced(Result, frozen=True, kw_only=True):
    """One experiment and its figures; or why it was left out, which is not agreement."""

    name: str
    title: str
    source: Source
    figures: tuple[Figure, ...]
    disagree: tuple[str, ...] = ()
    left_out: str = ""


class Reproduction(Result, frozen=True, kw_only=True):
    """Several experiments."""

    schema: Literal["escrow-lab/reproduction/1"] = "escrow-lab/reproduction/1"
    seed: int
    long: bool
    experiments: tuple[Reproduced, ...]

    @property
    def agrees(self) -> bool:
        """Whether every figure agrees."""
        return not any(each.disagree for each in self.experiments)


def reproduce(chosen: Iterable[Experiment], seed: int, long: bool, progress: Progress) -> Reproduction:
    """Run these experiments, each with its own randomness drawn from the seed."""
    return Reproduction(seed=seed, long=long, experiments=tuple(_run(chosen, seed, long, progress)))


def _run(chosen: Iterable[Experiment], seed: int, long: bool, progress: Progress) -> Iterator[Reproduced]:
    for each in chosen:
        if each.missing:
            yield Reproduced(name=each.name, title=each.title, source=each.source, figures=(), left_out=each.missing)
            continue
        with running(Run(sha256(b"escrow-lab experiment", each.name.encode(), b"%d" % seed))):
            figures = tuple(each.run(long, progress))
        disagree = tuple(figure.quantity for figure in figures if not figure.agrees)
        yield Reproduced(name=each.name, title=each.title, source=each.source, figures=figures, disagree=disagree)
