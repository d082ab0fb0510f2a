"""Tries one fault, or none, in a process of its own: the properties, then the lab's numbers, then the tests.

  python -m tools.mutants.trial < asked.json    the last line printed is what it found

The mutated module is compiled from its changed syntax tree when it is imported; its file is only read.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import io
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FrameType, ModuleType
from typing import Any

import msgspec

from tools.mutants.annotations import ROOT
from tools.mutants.operators import Mutant, mutated

LEAST, TIMES = 20.0, 8.0  # seconds of processor time that each step may take at least, and as a multiple of the usual
SEEN_ABOVE = "not test_every_scheme_has_every_property"  # these tests are the properties again


class Hangs(BaseException):
    """A step takes much longer than without the fault. No except clause of the library's catches it."""


class Asked(msgspec.Struct):
    """A trial: the fault or None, the schemes by name, the test files, and what an earlier trial without fault took."""

    mutant: Mutant | None
    schemes: list[str] = []
    tests: list[str] = []
    usual: dict[str, float] = {}
    numbers: dict[str, Any] = {}


class Found(msgspec.Struct):
    """What noticed the fault: `by` is a property, test, lab, import or nothing; `what` says which.

    Without a fault `took` has the seconds of each step, and `numbers` what the lab measured of each scheme.
    """

    by: str = ""
    what: str = ""
    took: dict[str, float] = {}
    numbers: dict[str, Any] = {}


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module from a changed tree."""

    def __init__(self, mutant: Mutant, path: str) -> None:
        super().__init__(mutant.module, path)
        self.mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        """Return the code with the fault in it."""
        return compile(mutated(self.mutant), self.path, "exec", dont_inherit=True)


class Importer(importlib.abc.MetaPathFinder):
    """Finds the mutated module before its file is found."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the module's usual place, with a loader that makes the fault."""
        if fullname != self.mutant.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(self.mutant, spec.origin)
        return spec


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise Hangs after so many seconds of processor time."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hangs(f"it takes more than {seconds:.0f} seconds")

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


class Trial:
    """The steps of one trial, cheapest first. `found` is what is known so far."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.found = asked, Found()

    def step(self, by: str, name: str, test: Callable[[], str]) -> bool:
        """Take a step. Return whether the trial is over because it noticed the fault."""
        begin = time.process_time()
        usual = self.asked.usual.get(f"{by}: {name}")
        try:
            with limited(max(LEAST, TIMES * usual) if usual is not None else 3600.0):
                broken = test()
        except Hangs as error:
            broken = str(error)
        except Exception as error:  # whatever comes out of a step notices the fault
            broken = f"{type(error).__name__}: {error}"
        self.found.took[f"{by}: {name}"] = time.process_time() - begin
        if broken:
            self.found.by, self.found.what = by, f"{name}: {broken}"[:400]
        return bool(broken)

    def run(self) -> Found:
        """Take all steps until one notices the fault."""
        if self.asked.mutant is not None:
            sys.meta_path.insert(0, Importer(self.asked.mutant))
        steps = sorted(self.steps(), key=lambda step: self.asked.usual.get(f"{step[0]}: {step[1]}", 0.0))
        for by in ("property", "lab", "test"):
            for each in steps:
                if each[0] == by and self.step(*each):
                    return self.found
        return self.found

    def steps(self) -> Iterator[tuple[str, str, Callable[[], str]]]:
        """Yield each step: by what, its name, and the function that returns how it notices a fault."""
        try:
            from attacks.lab.runs import conformance
            from attacks.registry import attacks
            from escrow.registry import schemes

            found, every = schemes(), tuple(attacks().values())
        except Exception as error:
            broken = f"{type(error).__name__}: {error}"
            yield "property", "the library is imported", lambda: broken
            return
        for name in self.asked.schemes:
            for prop, test in conformance.Trial(found[name], every).tests():
                yield "property", f"{name}, {prop}", test
            yield "lab", name, lambda name=name: self.measured(found[name], every)  # type: ignore[misc]
        for file in self.asked.tests:
            yield "test", file, lambda file=file: tested(file)  # type: ignore[misc]

    def measured(self, scheme: Any, every: tuple[Any, ...]) -> str:
        """Return which number of the lab is another than usual, in the small scenario that `check` plays."""
        now = numbers(scheme, every)
        if self.asked.mutant is None:
            self.found.numbers[scheme.name] = now
            return ""
        usual = self.asked.numbers[scheme.name]
        return next((f"{name}: {now[name]}, not {usual[name]}" for name in usual if now[name] != usual[name]), "")


def numbers(scheme: Any, every: tuple[Any, ...]) -> dict[str, Any]:
    """Return the verdicts and counts of a scheme's cells and anatomy, by name, as plain data."""
    from attacks.lab.runs.conformance import small
    from attacks.lab.verdict.anatomy import anatomy
    from attacks.lab.verdict.evaluation import Evaluation

    evaluation = Evaluation(scheme, every, small())
    found: dict[str, Any] = {}
    for attack in every:
        cell = msgspec.to_builtins(evaluation.cell(attack)[0])
        found |= {f"{attack.name} {name}": cell[name] for name in sorted(cell.keys() - {"key", "digest", "cost"})}
    for at, row in enumerate(msgspec.to_builtins(anatomy(scheme, list(every), small()).minimal_coalitions)):
        found[f"anatomy row {at}"] = row
    plain: dict[str, Any] = json.loads(json.dumps(found))
    return plain


class _First:
    """A pytest plug-in that keeps the first failure."""

    broken = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the name of a test that fails."""
        if report.failed and not self.broken:
            self.broken = str(report.nodeid)

    def pytest_collectreport(self, report: Any) -> None:
        """Keep the name of a file that cannot be collected."""
        if report.failed and not self.broken:
            self.broken = f"{report.nodeid} is not collected"


def tested(file: str) -> str:
    """Return which test of a file fails first, or an empty string."""
    import pytest

    first = _First()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        pytest.main(
            ["-x", "-q", "-n", "0", "-k", SEEN_ABOVE, "--rootdir", str(ROOT), str(ROOT / file)], plugins=[first]
        )
    return first.broken


def main(asked: str) -> int:
    """Run the trial that is asked for, as JSON, and print what it found."""
    found = Trial(msgspec.json.decode(asked, type=Asked)).run()
    sys.stdout.write(f"\n{msgspec.json.encode(found).decode()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.read()))
