"""What every property is made of: its counterexample in words, and how many examples it is tried on.

This module needs hypothesis, which the extra `test` installs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

try:
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    missing = "the properties need the extra `test`: pip install 'escrow-lab[test]'"
    raise ModuleNotFoundError(missing, name="hypothesis") from None

QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],
)

SEED = 0  # of the examples

__all__ = ["QUICK", "SEED", "Broken", "require", "settings", "st", "tried"]

F = TypeVar("F", bound=Callable[..., None])


class Broken(AssertionError):
    """A counterexample to a property, in words."""


def require(condition: bool, otherwise: str) -> None:
    """Raise Broken, with the text `otherwise`, unless the condition holds."""
    if not condition:
        raise Broken(otherwise)


def tried(how: settings, cost: int, *cases: st.SearchStrategy[Any]) -> Callable[[F], None]:
    """Return a decorator that tests the property at once, on `how.max_examples` examples divided by `cost`.

    If `how` asks for the same examples each time, they follow from SEED alone and not from the source of the test.
    """

    def run(case: F) -> None:
        test = settings(how, max_examples=max(1, how.max_examples // cost))(given(*cases)(case))
        (seed(SEED)(test) if how.derandomize else test)()

    return run
