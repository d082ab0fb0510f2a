"""Tries one fault, or none: tests, properties, the lab's numbers.

  python -m tools.mutants.trial < asked.json    the last line printed is what it found

The mutated module is compiled from its changed syntax tree when it is imported; its file is only read.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib.abc
import importlib.machinery
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import CodeType, FrameType, ModuleType
from typing import Any

import msgspec
import pytest

from tools.mutants.annotations import ROOT
from tools.mutants.operators import Mutant, mutated, path_of
from tools.mutants.places import parsed, spots

LONGEST = 2.0  # seconds of processor time of a test: longer ones are not tried
LEAST, TIMES = 10.0, 4.0  # seconds of processor time that each step may take at least, and as a multiple of the usual
SEEN_ABOVE = "not test_every_scheme_has_every_property"  # these tests are the properties again

IMPORTED = "ignore::pytest.PytestAssertRewriteWarning"  # the plug-ins are there when a session begins


class Hangs(BaseException):
    """A step takes much longer than without the fault. No except clause of the library's catches it."""


class Asked(msgspec.Struct):
    """A trial of some schemes, by name, or of some tests, by file or node: not both in one process.

    `parts` says what is tried of the schemes: their properties, or what the lab measures of them.

    With a fault, `usual` has the steps that may notice it, and the seconds that each takes without it (empty: all may);
    `numbers` are the lab's without it.
    """

    mutant: Mutant | None
    schemes: list[str] = []
    tests: list[str] = []
    parts: tuple[str, ...] = ("property", "lab")
    usual: dict[str, float] = {}
    numbers: dict[str, Any] = {}


class Found(msgspec.Struct):
    """What noticed the fault: `by` is property, test, lab or nothing; `step` is its name, and `what` says how.

    Without a fault: `took` has the seconds of each step that went well, `reached` the marked functions that it ran
    (module:name), and `numbers` what the lab measured of each scheme.
    """

    by: str = ""
    what: str = ""
    step: str = ""
    took: dict[str, float] = {}
    reached: dict[str, list[str]] = {}
    numbers: dict[str, Any] = {}


REACHED: set[str] = set()  # the marked functions that ran since the last step began
AT_IMPORT: set[str] = set()  # the same of what ran while the library was imported
MARK = "_reached_by_a_step"


def marked(module: str) -> ast.Module:
    """Return a module's syntax tree in which every function says that it runs."""
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    for spot in list(spots(tree)):
        if isinstance(node := spot.node, ast.FunctionDef):
            name = f"{module}:{spot.function}.{node.name}".replace(":.", ":")
            node.body.insert(1 if ast.get_docstring(node) else 0, ast.Expr(parsed(f"{MARK}({name!r})")))
    return ast.fix_missing_locations(tree)


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module from a changed tree."""

    def __init__(self, module: str, path: str, tree: Callable[[], ast.Module]) -> None:
        super().__init__(module, path)
        self.tree = tree

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of the changed tree."""
        return compile(self.tree(), self.path, "exec", dont_inherit=True)


class Importer(importlib.abc.MetaPathFinder):
    """Finds modules whose tree is to be changed before their files are found."""

    def __init__(self, trees: dict[str, Callable[[], ast.Module]]) -> None:
        self.trees = trees

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the module's usual place, with a loader that changes its tree."""
        if fullname not in self.trees:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self.trees[fullname])
        return spec


def mark(modules: Sequence[str]) -> None:
    """Let the functions of modules that are imported later say that they run."""
    setattr(builtins, MARK, REACHED.add)
    sys.meta_path.insert(0, Importer({name: partial(marked, name) for name in modules}))


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
    """The steps of one trial. `found` is what is known so far."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.found = asked, Found()

    def run(self) -> Found:
        """Take all steps until one notices the fault: properties, tests, the lab; of each the quickest first."""
        if self.asked.tests:
            self.tests()
        else:
            any(by in self.asked.parts and self.step(by, name, test) for by, name, test in self.steps())
        return self.found

    def steps(self) -> list[tuple[str, str, Callable[[], str]]]:
        """Return the steps that may notice the fault, the quickest first: by what, a name, what says how it fails."""
        try:
            from attacks.lab.runs import conformance
            from attacks.registry import attacks
            from escrow.registry import schemes

            found, every = schemes(), tuple(attacks().values())
        except Exception as error:
            broken = f"{type(error).__name__}: {error}"
            return [("property", "the library is imported", lambda: broken)]
        steps: list[tuple[str, str, Callable[[], str]]] = []
        for scheme in (found[name] for name in self.asked.schemes):
            tests = conformance.Trial(scheme, every).tests()
            steps += [("property", f"{scheme.name}, {prop}", test) for prop, test in tests]
            steps.append(("lab", scheme.name, partial(self.measured, scheme, every)))
        if not (usual := self.asked.usual):
            return steps
        near = [each for each in steps if f"{each[0]}: {each[1]}" in usual]
        return sorted(near, key=lambda each: usual[f"{each[0]}: {each[1]}"])

    def step(self, by: str, name: str, test: Callable[[], str]) -> bool:
        """Take a step. Return whether the trial is over because it noticed the fault."""
        begin, key = time.process_time(), f"{by}: {name}"
        REACHED.clear()
        if broken := self.tried(self.asked.usual.get(key), test):
            self.found.by, self.found.step, self.found.what = by, key, f"{name}: {broken}"[:400]
        else:
            self.found.took[key], self.found.reached[key] = time.process_time() - begin, sorted(AT_IMPORT | REACHED)
        return bool(broken) and self.asked.mutant is not None

    def tried(self, usual: float | None, test: Callable[[], str]) -> str:
        """Return how a step fails: as it says, by any exception, or by taking much longer than usual."""
        from attacks.lab.runs.marked import Noted

        try:
            with limited(max(LEAST, TIMES * usual) if usual is not None else 3600.0):
                said = test()
            return "" if isinstance(said, Noted) else said
        except Hangs as error:
            return str(error)
        except Exception as error:  # whatever comes out of a step notices the fault
            return f"{type(error).__name__}: {error}"

    def tests(self) -> None:
        """Run the tests in one session."""
        watch = Watch(self.found, self.asked.mutant is not None)
        usual = sum(self.asked.usual.get(f"test: {name}", 0.0) for name in self.asked.tests)
        ends = self.tried(usual if self.asked.usual else None, lambda: watch.run(self.asked.tests))
        if ends:
            self.found.by, self.found.what = "test", ends[:400]
            named = (each for each in self.asked.tests if place_of(each) == place_of(watch.at))
            self.found.step = f"test: {next(named, watch.at)}"

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
    from attacks.lab.simulation.scenario import small
    from attacks.lab.verdict.access.anatomy import anatomy
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


def place_of(test: str) -> str:
    """Return the whole path of a test file or node, which pytest names from the project's folder."""
    return os.path.normpath(ROOT / test)


class Watch:
    """A pytest plug-in that keeps the first failure, and what each test took and ran."""

    def __init__(self, found: Found, faulty: bool) -> None:
        self.found, self.faulty, self.broken = found, faulty, ""
        self.asked: dict[str, int] = {}  # the place of each file or node among those that are asked for
        self.failed, self.begun = set[str](), 0.0
        self.at = ""  # the node, or the file, that is tried
        self.collecting: set[str] = set()  # what ran while tests were collected: each of them may depend on it

    def run(self, tests: list[str]) -> str:
        """Run tests, by file or node, until one fails if there is a fault.

        Return which one failed first, or an empty string. A node whose name the fault changes is left out: of what
        stands in its file, only what was asked for is known to pass without the fault.
        """
        REACHED.clear()
        self.asked = {place_of(name): at for at, name in reversed([*enumerate(tests)])}
        files = list(dict.fromkeys(name.split("::")[0] for name in tests))
        how = ["-q", "-n0", "-k", SEEN_ABOVE, "--rootdir", str(ROOT), "-W", IMPORTED, *(["-x"] if self.faulty else [])]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            pytest.main([*how, *files], plugins=[self])
        return self.broken

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Let a test fail that takes too long to be tried for each fault."""
        if self.faulty:
            return (yield)
        with limited(LONGEST):
            return (yield)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out what was not asked for, and bring the rest into the order in which it was asked for."""
        placed = ((self._at(str(item.path), item.nodeid.partition("::")[2]), item) for item in items)
        items[:] = [item for at, item in sorted(placed, key=lambda each: each[0]) if at < len(self.asked)]

    def _at(self, file: str, node: str) -> int:
        """Return the place of a test, or of its file, among those that were asked for: their number if it is none."""
        return self.asked.get(f"{file}::{node}", self.asked.get(file, len(self.asked)))

    def pytest_collectreport(self, report: Any) -> None:
        """Keep the name of a file that cannot be collected."""
        self.at = report.nodeid if report.failed else self.at
        self._keep(report.failed, f"{report.nodeid} is not collected")

    def pytest_collection_finish(self) -> None:
        """Keep what ran so far."""
        self.collecting = set(REACHED)

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Begin with a test."""
        REACHED.clear()
        self.at = f"{location[0]}::{nodeid.partition('::')[2]}"
        self.begun = time.process_time()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep what a phase of a test took and ran, and the name of a test that fails."""
        key = f"test: {report.nodeid}"
        self._keep(report.failed, str(report.nodeid))
        self.found.took[key] = time.process_time() - self.begun
        self.found.reached[key] = sorted(AT_IMPORT | self.collecting | REACHED)
        self.failed |= {key} if report.failed else set()
        if key in self.failed:
            del self.found.took[key], self.found.reached[key]

    def _keep(self, failed: bool, what: str) -> None:
        if failed and not self.broken:
            self.broken = what


def main(asked: str) -> int:
    """Run the trial that is asked for, as JSON, and print what it found."""
    trial = Trial(msgspec.json.decode(asked, type=Asked))
    if (mutant := trial.asked.mutant) is not None:
        sys.meta_path.insert(0, Importer({mutant.module: partial(mutated, mutant)}))
    found = trial.run()
    sys.stdout.write(f"\n{msgspec.json.encode(found).decode()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.read()))
