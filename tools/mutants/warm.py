"""A process that has imported the library and the lab once, and tries each fault in a copy of itself.

  python -m tools.mutants.warm [MODULE ...] < asked.jsonl    a line of what it found for each line; functions of
                                                             these modules say that they run

A fault is put into functions that are there already: each gets the code that its changed source compiles to. Where that
is not the same as to import the changed source, a new process tries the fault: what changes stands outside of
functions, or ran during the import.
"""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

import msgspec

from tools.mutants import trial
from tools.mutants.annotations import ROOT
from tools.mutants.operators import Mutant, mutated, path_of

EARLY = (
    "xdist.plugin",
    "escrow.registry",
    "escrow.testing.properties",
    "attacks.registry",
    "attacks.lab.runs.conformance",
    "attacks.lab.verdict.access.anatomy",
)
OPTIMIZED = 1  # CO_OPTIMIZED of the module inspect: functions have it, bodies of modules and classes do not


class Place(NamedTuple):
    """Where the code of a function stands."""

    file: str
    name: str
    line: int


def place(code: CodeType) -> Place:
    """Return where a function's code stands."""
    return Place(code.co_filename, code.co_qualname, code.co_firstlineno)


def bodies(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a module and of the classes in it."""
    yield code
    for each in _inner(code):
        if not each.co_flags & OPTIMIZED:
            yield from bodies(each)


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def own(code: CodeType) -> Any:
    """Return what the body of a module or class does, apart from the functions and classes in it: 1 is not True."""
    return code.co_code, code.co_names, [repr(each) for each in code.co_consts if not isinstance(each, CodeType)]


def changes(before: CodeType, after: CodeType) -> dict[Place, CodeType] | None:
    """Return the new code of each function that changed, or None if the body of a module or class did.

    A function stands in a module or class; one inside of a function is part of that one's code.
    """
    found: dict[Place, CodeType] = {}
    for old, new in zip(bodies(before), bodies(after), strict=True):
        if own(old) != own(new):
            return None
        found |= {
            place(b): b for a, b in zip(_inner(old), _inner(new), strict=True) if b.co_flags & OPTIMIZED and a != b
        }
    return found


class Imported:
    """The library and the lab as this process has them: their functions, and what ran during the import."""

    def __init__(self) -> None:
        self.ran: set[Place] = set()
        sys.setprofile(self._called)
        try:
            for name in EARLY:
                importlib.import_module(name)
            sys.modules["escrow.registry"].schemes()
            sys.modules["attacks.registry"].attacks()
        finally:
            sys.setprofile(None)
        self.functions: dict[Place, list[FunctionType]] = {}
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                self.functions.setdefault(place(each.__code__), []).append(each)

    def _called(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self.ran.add(place(frame.f_code))

    def put(self, mutant: Mutant) -> bool:
        """Put a fault into the functions. Return False if only an import of the changed source does the same."""
        if mutant.module not in sys.modules:
            return False
        file = sys.modules[mutant.module].__file__ or ""
        source = compile(path_of(mutant.module).read_bytes(), file, "exec", dont_inherit=True)
        found = changes(source, compile(mutated(mutant), file, "exec", dont_inherit=True))
        if not found or not found.keys() <= self.functions.keys() - self.ran:
            return False
        every = [(function, code) for at, code in found.items() for function in self.functions[at]]
        if any(function.__code__.co_freevars != code.co_freevars for function, code in every):
            return False
        for function, code in every:
            function.__code__ = code
        return True


def answered(imported: Imported, asked: trial.Asked) -> trial.Found:
    """Try a fault, or none, in this process if that is the same as in a new one."""
    if asked.mutant is not None and not imported.put(asked.mutant):
        return alone(asked)
    return trial.Trial(asked).run()


def alone(asked: trial.Asked) -> trial.Found:
    """Run a trial in a new process. Raise RuntimeError if the process fails."""
    program = [sys.executable, "-W", "ignore", "-m", "tools.mutants.trial"]
    done = subprocess.run(program, input=msgspec.json.encode(asked), capture_output=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    return msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=trial.Found)


def forked(imported: Imported, asked: trial.Asked) -> bytes:
    """Return what a copy of this process finds, as JSON; nothing if it fails, which it says on standard error."""
    read, write = os.pipe()
    if child := os.fork():
        os.close(write)
        with open(read, "rb") as answer:
            found = answer.read()
        os.waitpid(child, 0)
        return found
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 0)
        os.dup2(quiet, 1)
        with open(write, "wb") as answer:
            answer.write(msgspec.json.encode(answered(imported, asked)))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


class Warm:
    """Such a process, for as long as the context lasts."""

    def __init__(self, marked: Sequence[str] = ()) -> None:
        program = [sys.executable, "-W", "ignore", "-m", "tools.mutants.warm", *marked]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.communicate()

    def ask(self, asked: trial.Asked) -> trial.Found:
        """Return what is found. Raise RuntimeError if the trial fails."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the process has no pipes")
        self.process.stdin.write(msgspec.json.encode(asked) + b"\n")
        self.process.stdin.flush()
        if not (answer := self.process.stdout.readline().strip()):
            raise RuntimeError(f"the trial failed: {asked.mutant}, {asked.schemes}, {asked.tests}")
        return msgspec.json.decode(answer, type=trial.Found)


def main(marked: list[str]) -> int:
    """Answer each line of standard input. `marked` are modules whose functions say that they run."""
    trial.mark(marked)
    imported = Imported()
    trial.AT_IMPORT.update(trial.REACHED)
    gc.freeze()  # copies of this process do not copy these objects to look for garbage
    for line in sys.stdin:
        sys.stdout.write(forked(imported, msgspec.json.decode(line, type=trial.Asked)).decode() + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
