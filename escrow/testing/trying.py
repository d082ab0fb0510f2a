"""What every property is made of: its counterexample in words, and how many examples it is tried on.

It imports hypothesis, which takes a third of a second, so it is itself imported only where properties are tried.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, configuration, given, seed, settings
from hypothesis import strategies as st

from escrow.errors import EscrowError

QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],
)

SEED = 0  # of the examples

__all__ = ["QUICK", "SEED", "Broken", "leaving_no_files", "raised_in", "require", "settings", "st", "tried"]

F = TypeVar("F", bound=Callable[..., None])


class Broken(AssertionError):
    """A counterexample to a property, in words."""


def require(condition: bool, otherwise: str) -> None:
    """Raise Broken, with the text `otherwise`, unless the condition holds."""
    if not condition:
        raise Broken(otherwise)


def raised_in(module: str, error: Exception) -> str:
    """Return an error in words, with the last line of a module or package in which it was raised.

    Errors other than those of escrow.errors end a play: who is told wrong values has to refuse them.
    """
    said = f"{type(error).__name__}: {error}"
    for frame, line in reversed([*traceback.walk_tb(error.__traceback__)]):
        if f"{frame.f_globals.get('__name__')}.".startswith(f"{module}."):
            file = frame.f_code.co_filename.rsplit("/", 1)[-1]
            refusing = "" if isinstance(error, EscrowError) else "; raise Forged or Malformed where values do not fit"
            return f"{file}, line {line}: {said}{refusing}"
    return said


@contextmanager
def leaving_no_files() -> Iterator[None]:
    """Keep what hypothesis writes for later runs out of the user's folder: it is gone at the end."""
    with TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(None)


def tried(how: settings, cost: int, *cases: st.SearchStrategy[Any]) -> Callable[[F], None]:
    """Return a decorator that tests the property at once, on `how.max_examples` examples divided by `cost`.

    If `how` asks for the same examples each time, they follow from SEED alone and not from the source of the test.
    """

    def run(case: F) -> None:
        test = settings(how, max_examples=max(1, how.max_examples // cost))(given(*cases)(case))
        (seed(SEED)(test) if how.derandomize else test)()

    return run
