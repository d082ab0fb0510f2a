"""A small matrix, for the tests that interrupt one and put it together again."""

from functools import cache

from attacks.lab.results.types import to_json
from attacks.lab.runs.journal import encoded
from attacks.lab.runs.matrix import Plan, run_plan
from attacks.lab.runs.merge import judged
from attacks.lab.simulation.scenario import default
from attacks.registry import attacks
from escrow.registry import schemes

SIZES = {"users": 3, "groups": 2, "days": 2, "messages": 16}
SCHEMES = ("plain", "envelope")
ATTACKS = ("device-compromise", "null-eavesdropper", "prekey-substitution")  # two that share a play, one that turns
OPTIONS = [each for name, size in SIZES.items() for each in (f"--{name}", str(size))]

# the command line where there are no other attacks, so that no other controls are run
NARROW = f"""
import sys
from attacks import registry
found = registry.attacks
registry.attacks = lambda plugins=(): {{name: each for name, each in found(plugins).items() if name in {ATTACKS}}}
from attacks.cli import main
sys.exit(main())
"""


def plan(**changes):
    """Two schemes under three attacks; `changes` are other arguments of Plan."""
    everybody = attacks()
    chosen = [everybody[name] for name in ATTACKS]
    given = {"schemes": [schemes()[name] for name in SCHEMES], "attacks": chosen, "scenario": default(**SIZES)}
    return Plan(**{**given, "plain": schemes()["plain"], **changes})


@cache
def uninterrupted():
    """What running it gives."""
    return run_plan(plan())


def whole():
    """The file of an uninterrupted run."""
    return encoded(plan().header()) + b"".join(map(encoded, uninterrupted().kept))


def result(lines):
    """The result that lines give, as it is written."""
    return to_json(judged(plan().header(), lines))
