"""Makes faults, and counts which of them are noticed: by a test, by a property, by the lab's numbers, or by nothing.

  python -m tools.mutants                 every fault of every operator in every module; it takes an hour
  --module NAME    --operator NAME        only these; both may be repeated
  --sample N --seed S                     only N of them, chosen by S
  --jobs J                                processes at once
  --journal FILE                          where each finding is written at once: the same command goes on from there
  --earlier JOURNAL COMMIT                go on from that commit's count: try faults that are new, that stand in a
                                          function that changed since, or that nothing noticed and that have no reason;
                                          with --sample, N of the faults that it tried. Give it twice, the older first,
                                          if that count itself went on from another one
  --write                                 write docs/mutants.md, which names the commit whose sources were counted

It exits with 1 if a fault is noticed by nothing and has no reason in tools/mutants/reasons.json, or if a reason there
is of no fault, or of one that is noticed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from typing import Any

from msgspec.structs import replace

from tools.mutants import page
from tools.mutants.annotations import ROOT
from tools.mutants.journal import AGAIN, SOUND, SOURCES, Journal, earlier, git
from tools.mutants.operators import OPERATORS, Mutant, mutants
from tools.mutants.reach import WHOLE, imported, modules, schemes_that_use, tests_that_import
from tools.mutants.trial import Asked, Found
from tools.mutants.warm import Warm

SCHEMES, SECONDS = 1, 5.0  # at first: the quickest schemes that run the function, and so long of its module's tests
THOROUGH, OPENING = 30.0, 0.3  # seconds: of all tests later on, and what pytest takes for a file
JOURNAL = ROOT / "build" / "mutants.jsonl"  # git ignores this folder


def tried(asked: Asked, warm: Warm) -> Found:
    """Try tests, properties and the lab's numbers, each in a process of its own, until one notices the fault."""
    parts = [
        replace(asked, schemes=[]),
        replace(asked, tests=[], parts=("property",)),
        replace(asked, tests=[], parts=("lab",)),
    ]
    if asked.mutant is None:
        parts = [asked]
    found = Found()
    for each in parts:
        if each.tests or each.schemes:
            found = warm.ask(each)
        if found.by:
            break
    return found


def noticed(journal: Journal, asked: Asked, warm: Warm) -> Found:
    """Try a fault until a step notices it that passes without the fault."""
    while (found := tried(asked, warm)).by and asked.mutant is not None:
        name, sound = found.step.partition(": ")[2], passing(journal, found, warm)
        scheme = name.split(",")[0]
        if not sound.by and (found.by != "lab" or sound.numbers[scheme] == asked.numbers.get(scheme)):
            break
        tests = [each for each in asked.tests if not each.startswith(name)]
        usual = {step: took for step, took in asked.usual.items() if found.by == "lab" or step != found.step}
        asked = replace(asked, tests=tests, usual={"": 0.0} | usual, numbers=asked.numbers | sound.numbers)
    return found


def passing(journal: Journal, found: Found, warm: Warm) -> Found:
    """Return what the step that noticed a fault says without it, in these sources."""
    if (step := f"passes: {found.step}") not in journal.found:
        name = found.step.partition(": ")[2]
        alone = Asked(None, [name.split(",")[0]], parts=(found.by,), usual={found.step: 1000.0})
        journal.keep(step, warm.ask(Asked(None, [], [name]) if found.by == "test" else alone))
    return journal.found[step]


def _all(journal: Journal, work: dict[str, Asked], jobs: int, marked: Sequence[str] = ()) -> None:
    """Run what the journal does not have yet, several at once."""
    left = {name: asked for name, asked in work.items() if name not in journal.found}
    free: Queue[Warm] = Queue()

    def one(asked: Asked) -> Found:
        warm = free.get()
        try:
            return noticed(journal, asked, warm)
        finally:
            free.put(warm)

    with ExitStack() as stack:
        for _ in range(min(jobs, len(left))):
            free.put(stack.enter_context(Warm(marked)))
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        running = {pool.submit(one, asked): name for name, asked in left.items()}
        for each in as_completed(running):
            journal.keep(running[each], found := each.result())
            sys.stderr.write(f"{found.by or 'nothing'}: {running[each]}\n")


def measure(journal: Journal, chosen: Sequence[Mutant], jobs: int) -> None:
    """Try each fault, after each scheme and each test file that the journal does not know yet without one.

    A fault in a function is tried before the steps that run this function; one outside of functions before those that
    run or import any of the module. It is tried before a few of them at first; before the others if none of these
    notices it, and no reason is given for it.
    """
    mine = sorted({each.module for each in chosen})
    named = sorted({name for module in mine for name in schemes_that_use(module)})
    files = sorted({name for module in mine for name in tests_that_import(module)})
    sound = {f"{SOUND}{name}": Asked(None, [name]) for name in named}
    sound |= {f"{SOUND}{name}": Asked(None, [], [name]) for name in files}
    _all(journal, {name: step for name, step in sound.items() if name not in journal.before}, jobs, modules())
    found_before = journal.before | journal.found
    usual: dict[str, float] = {}
    numbers: dict[str, Any] = {}
    runs: dict[str, set[str]] = {}
    for name in sound:
        found = found_before[name]
        if found.by:
            sys.stderr.write(f"left out, since without any fault it fails or takes long: {found.what}\n")
        usual, numbers = usual | found.took, numbers | found.numbers
        runs |= {step: set(reached) for step, reached in found.reached.items()}

    def far(test: str, each: Mutant) -> tuple[bool, float]:
        """Return what puts tests first whose file imports the module, of these the quickest.

        Files that go through all modules count too if the fault is outside of functions.
        """
        direct = {each.module} if each.function else {each.module, WHOLE}
        return direct.isdisjoint(imported(ROOT / test.split("::")[0])), usual[f"test: {test}"]

    def asked(each: Mutant, thorough: bool) -> Asked:
        own, place = schemes_that_use(each.module), f"{each.module}:{each.function}"
        near = {step for step, reached in runs.items() if place in reached}
        if not near:
            files = {f"test: {name}" for name in tests_that_import(each.module)}
            near = {step for step in runs if step.split("::")[0] in files}
            near |= {step for step in runs if any(name.startswith(f"{each.module}:") for name in runs[step])}
        costs = {name: sum(usual[step] for step in near if _is_of(step, [name])) for name in own}
        its = sorted((name for name in own if costs[name]), key=costs.__getitem__)
        tests = sorted(
            (step.removeprefix("test: ") for step in near if step.startswith("test: ")),
            key=lambda test: far(test, each),
        )
        nodes = within(tests, usual, THOROUGH if thorough else SECONDS)
        its = its if thorough else its[:SCHEMES]
        measured = {name: numbers[name] for name in its if name in numbers}
        steps = {step: usual[step] for step in near if step.removeprefix("test: ") in nodes or _is_of(step, its)}
        return Asked(each, its, nodes, usual=steps, numbers=measured)

    _all(journal, {each.key: asked(each, False) for each in chosen}, jobs)
    given = page.reasons()
    left = [each for each in chosen if not journal.found[each.key].by and each.key not in given]
    again = {f"{AGAIN}{each.key}": asked(each, True) for each in left}
    _all(journal, again, jobs)
    journal.found |= {each.key: journal.found[f"{AGAIN}{each.key}"] for each in left}


def within(tests: Sequence[str], usual: Mapping[str, float], seconds: float) -> list[str]:
    """Return the first of these tests that take so many seconds together, with what it takes to open their files."""
    chosen, spent, opened = list[str](), 0.0, set[str]()
    for test in tests:
        file = test.split("::")[0]
        spent += usual[f"test: {test}"] + (0.0 if file in opened else OPENING)
        if spent <= seconds:
            chosen.append(test)
            opened.add(file)
    return chosen


def _is_of(step: str, named: Sequence[str]) -> bool:
    """Return whether a step is a property, or the lab's numbers, of one of these schemes."""
    by, _, name = step.partition(": ")
    return by != "test" and name.split(",")[0] in named


def short(commit: str) -> str:
    """Return the first 12 digits of a commit. Raise SystemExit if there is none of this name."""
    return git("rev-parse", "--short=12", commit).decode().strip()


def commit() -> str:
    """Return the first 12 digits of the commit that is checked out. Raise SystemExit if a source differs from it."""
    if changed := git("status", "--porcelain", "--", *(f":(glob){top}/**/*.py" for top in SOURCES)).decode().strip():
        raise SystemExit(f"--write counts what is committed, and this is not: {changed}")
    return short("HEAD")


def choose(only: Sequence[str], operators: Sequence[str], sample: int | None, seed: int) -> list[Mutant]:
    """Return the faults that the options ask for, in an order that `seed` decides: the first N are a sample.

    Raise SystemExit for an unknown module or operator.
    """
    if unknown := sorted({*only} - {*modules()} | {*operators} - {*OPERATORS}):
        raise SystemExit(f"no such module or operator: {', '.join(unknown)}")
    found = [each for name in only or modules() for each in mutants(name)]
    found = [each for each in found if not operators or each.operator in operators]
    random.Random(seed).shuffle(found)  # noqa: S311  # which faults are tried first is no secret
    return found[:sample]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit code."""
    parser = argparse.ArgumentParser("python -m tools.mutants", description=str(__doc__).splitlines()[0])
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--operator", action="append", default=[])
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--journal", type=Path, default=JOURNAL)
    parser.add_argument("--earlier", nargs=2, metavar=("JOURNAL", "COMMIT"), action="append", default=[])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    counted = commit() if options.write else ""
    whole = choose([], [], None, 0)
    counts = [(short(each), earlier(Path(path), each)) for path, each in options.earlier]
    before = {key: found for _, count in counts for key, found in count.items()}
    chosen = choose(options.module, options.operator, None, options.seed)
    if before and options.sample is not None:
        chosen = [each for each in chosen if each.key in before]
    chosen, journal = chosen[: options.sample], Journal(options.journal)
    noticed = {key: found for key, found in before.items() if found.by}
    reasoned = {key: found for key, found in before.items() if not found.by and key in page.reasons()}
    left = [each for each in chosen if each.key not in noticed | reasoned]
    measure(journal, left, options.jobs)
    results = [(each, (noticed | reasoned).get(each.key) or journal.found[each.key]) for each in chosen]
    if options.write:
        steps = [(name, len(count)) for name, count in counts]
        text = page.drawn(results, len(whole), [*steps, (counted, len(left))], options.seed)
        page.PAGE.write_text(text, encoding="utf-8")
    for line in page.summary(results):
        sys.stdout.write(f"{line}\n")
    faults = list(page.faults(results, whole))
    for line in faults:
        sys.stdout.write(f"{line}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
