"""What rules and checks gave, kept from one closure to the next: their arguments are all that they depend on.

Plays of one scenario have most of their facts in common, since one party's draws move nobody else's bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from escrow.errors import Forged

R = TypeVar("R")
MOST = 1_000_000  # results that are kept: some 400 MB


class Memo:
    """What functions gave for which arguments. `most` results are kept; then all are forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._kept = most, 0
        self._given: dict[Callable[..., Any], dict[tuple[Any, ...], Any]] = {}

    def recalling(self, function: Callable[..., R]) -> Callable[..., R]:
        """The function, not run twice for the same arguments: what it gave it gives again, Forged included."""
        given = self._given.setdefault(function, {})

        def recall(*arguments: Any) -> R:
            result = given.get(arguments, self)
            if result is self:
                result = self._keep(given, arguments, _run(function, arguments))
            if result is Forged:
                raise Forged("as before")
            return result  # type: ignore[no-any-return]  # what the function gave

        return recall

    def clear(self) -> None:
        """Forget everything."""
        self._kept = 0
        for each in self._given.values():
            each.clear()

    def _keep(self, given: dict[tuple[Any, ...], Any], arguments: tuple[Any, ...], result: Any) -> Any:
        if self._kept == self._most:
            self.clear()
        self._kept += 1
        given[arguments] = result
        return result


def _run(function: Callable[..., R], arguments: tuple[Any, ...]) -> R | type[Forged]:
    try:
        return function(*arguments)
    except Forged:
        return Forged
