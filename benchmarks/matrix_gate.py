"""The processor time of the matrix compared with what `matrix/` says: every attack on every scheme that is shipped.

  python -m benchmarks.matrix_gate                one line for each scheme, exit code 1 if one is slower than expected
  python -m benchmarks.matrix_gate --committed    the same, and a committed scheme without an expectation is an alarm
  python -m benchmarks.matrix_gate --write        today's times are what is expected from now on

The default scenario is run, with MESSAGES of its texts: plays, closures and verdicts of one scheme after another, in
one process, without controls. The time of an applicable cell is compared, in multiples of one P-256 multiplication by
pycryptodome and one X25519 agreement, which are measured between the cells: so it depends little on the machine. It
depends on the arithmetic of P-256 that runs, so each has its own expectation, and `--write` writes that of the one that
runs; `ESCROW_LAB_P256=pycryptodome` chooses.

A scheme that takes more than 30 % longer than expected is measured twice more; it is an alarm only if it does each
time. Becoming faster is none, but is worth new files: else the next slow-down hides behind it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import process_time

from attacks.lab.costs.timer import elapsed
from attacks.lab.simulation.attack import Attack
from attacks.lab.simulation.scenario import Scenario, default
from attacks.lab.verdict.evaluation import Evaluation
from attacks.registry import attacks
from benchmarks import pinned
from benchmarks.multiples import one_multiplication
from benchmarks.pinned import shipped
from escrow import crypto
from escrow.primitives import group
from escrow.scheme import Scheme

EXPECTED = Path(__file__).with_name("matrix")
TOLERANCE = 0.3
CONFIRMATIONS = 2
MESSAGES = 60
SCENARIO = default(messages=MESSAGES)

Expected = dict[str, dict[str, float]]  # scheme -> arithmetic -> units of a play


def unit() -> float:
    """Return the seconds that a P-256 multiplication by pycryptodome and an X25519 agreement take, here and now."""
    ours, theirs = crypto.new_private(), crypto.new_private().public
    return elapsed(one_multiplication, 4) + elapsed(lambda: ours.exchange(theirs), 8)


def cost(scheme: Scheme, against: Sequence[Attack], scenario: Scenario = SCENARIO) -> float:
    """Return how many units of time a strategy that is played in an applicable cell takes on average."""
    spent, plays, units = 0.0, 0, [unit()]
    with crypto.running(crypto.Run(None, results=crypto.Results())):  # as a worker of the matrix does
        evaluation = Evaluation(scheme, against, scenario)
        for attack in against:
            started = process_time()
            cell, _ = evaluation.cell(attack)
            spent += process_time() - started
            plays += cell.played
            units.append(unit())
    return round(spent / max(plays, 1) / median(units), 1)


def check(scheme: Scheme, against: Sequence[Attack], expected: float) -> tuple[bool, str]:
    """Return whether a scheme is slower than expected each time that it is measured, and a line that says so."""
    for _ in range(1 + CONFIRMATIONS):
        measured = cost(scheme, against)
        line = f"{scheme.name}: {expected:.0f} → {measured:.0f} units a play ({measured / expected - 1:+.0%})"
        if measured <= expected * (1 + TOLERANCE):
            return False, line
    return True, f"{line}: slower than expected, {1 + CONFIRMATIONS} times running"


def main(arguments: list[str]) -> int:
    """Return 0 if no scheme is slower, or the costs are written; 1 if one is; 2 if it cannot be told."""
    if arguments not in pinned.OPTIONS:
        print("usage: python -m benchmarks.matrix_gate [--committed | --write]", file=sys.stderr)
        return 2
    schemes, against, runs = shipped(), list(attacks().values()), group.arithmetic.NAME
    try:
        old: Expected = pinned.read(EXPECTED) if arguments != ["--write"] or EXPECTED.exists() else {}
        unpinned = [each for each in schemes if runs not in old.get(each.name, {})]
        wanting = pinned.committed(unpinned) if arguments == ["--committed"] else []
    except pinned.CannotTell as error:
        print(f"{error}; `python -m benchmarks.matrix_gate --write` writes what is expected", file=sys.stderr)
        return 2
    if arguments == ["--write"]:
        new = {each.name: {**old.get(each.name, {}), runs: cost(each, against)} for each in schemes}
        pinned.write(EXPECTED, new)
        return 0
    found = [check(each, against, old[each.name][runs]) for each in schemes if each not in unpinned]
    gone = sorted(old.keys() - {each.name for each in schemes})
    lines = [line for _, line in found]
    lines += [f"{name}: committed, and not in {EXPECTED.name} for {runs}" for name in wanting]
    lines += [f"{name}: only in {EXPECTED.name}" for name in gone]
    print(*lines, sep="\n")
    print(f"P-256 by {runs}{pinned.summary([each.name for each in unpinned], 'benchmarks.matrix_gate')}")
    return int(any(slower for slower, _ in found) or bool(wanting) or bool(gone))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
