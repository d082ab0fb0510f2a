"""In which direction each count of a result is worse, as its type declares beside it (attacks.lab.results.bounds)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from typing import Any, Literal, NamedTuple, get_args, get_type_hints

import msgspec

from attacks.lab.results.rows import columns

Worse = Literal["more", "fewer", ""]


class CountDirection(NamedTuple):
    """Which change of a count is worse: "more", "fewer", or "" where other counts say it; `derived` from others."""

    worse: Worse
    derived: bool


@cache
def directions(kind: type[msgspec.Struct]) -> dict[str, CountDirection]:
    """Return the direction of every count of a result by its column (`exposed.target.past`), those derived last."""
    counts = {name: CountDirection(worse, False) for name, of in columns(kind) if (worse := _declared(of)) is not None}
    return counts | {name: CountDirection(worse, True) for name, worse in _derived(kind)}


def value(result: msgspec.Struct, name: str) -> int:
    """Return a count that is derived from others, by its dotted name."""
    found: int = attrgetter(name)(result)
    return found


def _derived(kind: type[msgspec.Struct], prefix: str = "") -> Iterator[tuple[str, Worse]]:
    """Yield the counts that properties of a struct, or of a struct within it, return."""
    for name, each in vars(kind).items():
        if isinstance(each, property) and each.fget is not None:
            worse = _declared(get_type_hints(each.fget, include_extras=True).get("return"))
            if worse is not None:
                yield prefix + name, worse
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _derived(field.type, f"{prefix}{field.name}.")


def _declared(kind: Any) -> Worse | None:
    """Return what a type of a count declares; None if it declares no direction."""
    for each in get_args(kind):
        if isinstance(each, msgspec.Meta) and each.extra is not None and "worse" in each.extra:
            worse: Worse = each.extra["worse"]
            return worse
    return None
