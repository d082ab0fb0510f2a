"""The base of every result, and the bounds of the numbers in it.

Unknown fields are refused. What depends on the machine (times, versions of the interpreter) is written beside a result,
never inside it, so that two machines give byte-identical results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Annotated

import msgspec

from escrow.scheme import SET_UP

Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 53) - 1)]  # every reader of JSON has these exactly

# Counts of a cell, each with the direction in which it is worse: `compare` reads it here, and nowhere else
More = Annotated[Count, msgspec.Meta(extra={"worse": "more"})]
Fewer = Annotated[Count, msgspec.Meta(extra={"worse": "fewer"})]  # where no fewer texts are opened
Either = Annotated[Count, msgspec.Meta(extra={"worse": ""})]  # other counts say whether it is

Duration = Annotated[float, msgspec.Meta(ge=0)]
Evening = Annotated[int, msgspec.Meta(ge=SET_UP, le=(1 << 53) - 1)]  # -1: set-up
DayOrNone = Annotated[int, msgspec.Meta(ge=-1, le=(1 << 53) - 1)]  # -1: none


def once(what: str, listed: Iterable[Hashable]) -> None:
    """Raise ValueError if something appears twice in a list. `what` names the list."""
    if twice := [each for each, times in Counter(listed).items() if times > 1]:
        said = " ".join(map(str, twice[0])) if isinstance(twice[0], tuple) else twice[0]
        raise ValueError(f"{what} has {said} twice; remove the row that does not belong to this run")


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of every result that is written as JSON."""
