"""Orders like another one: what would turn a comparison of a check, and what a dictionary offers for each field."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import combinations, permutations, product
from typing import Any, TypeVar

import msgspec

from attacks.lab.adversary.demands.constants import Constants
from attacks.lab.adversary.demands.recorded import FIELDS, Compared, Term
from escrow import codec
from escrow.errors import Malformed
from escrow.warrant import Order

Change = tuple[tuple[str, Any], ...]  # values for fields of an order
Kind = TypeVar("Kind", bound=Order)
SCOPES = ("content", "traffic data", "subscriber")
FORMS = ("8", "1234567890", "abc", "ABC", "A-1", "a/b")  # for checks of the form of a case number
LONGEST = 256  # bytes of the longest text or nonce that a constant is taken as the length of
_KINDS: dict[str, type] = {
    name: type(value) for name, value in zip(FIELDS, ("", b"", "", 0, 0, "", b"", 0, 0, b""), strict=True)
}


def changed(order: Kind, change: Change) -> Kind:
    """Return the order with other values in some fields."""
    return msgspec.structs.replace(order, **dict(change))


def everywhere(order: Order) -> Iterator[Change]:
    """Yield a change of each field of an order, at both its ends."""
    for name in FIELDS:
        value = getattr(order, name)
        if isinstance(value, bytes):
            yield ((name, bytes(each ^ 0xFF for each in value) or b"\0"),)
        else:
            yield ((name, value + 1 if isinstance(value, int) else f"-{value}-"),)


def travels(order: Order) -> bool:
    """Return whether an order can be read again from its bytes: another scope than the known ones cannot."""
    try:
        return codec.decode(codec.encode(order), Order) == order
    except (Malformed, OverflowError):
        return False


def dictionary(
    constants: Constants, people: Sequence[str], names: Iterable[str], day: int, days: int
) -> dict[str, list[Any]]:
    """Return the values to try in each field of an order about these people and this day.

    Args:
        constants: those of the scheme's code.
        people: whom the request is about.
        names: other users.
        day: the day that the request is about.
        days: how many days the play has.
    """
    small = [each for each in constants.numbers if abs(each) <= LONGEST]
    dates = [day, 0, days, days - 1, *constants.numbers]
    moved = [day + by * each for each in small for by in (1, -1)]
    lengths = [bytes(each) for each in small if each >= 0]
    written = [each.to_bytes(2, "big") for each in constants.numbers if 255 < each < 1 << 16]
    blobs = [*constants.blobs, *written, *(each.encode() for each in constants.texts), *lengths]
    nonces = [bytes(range(1, 17)), b"", bytes(32), *blobs, *(padded for each in blobs for padded in _padded(each))]
    offered: dict[str, Iterable[Any]] = {
        "id": [*constants.texts, *FORMS, "", *("-" * each for each in small if each > 0)],
        "target": [*people, *names, *constants.texts],
        "first": [*dates, *moved],
        "last": [*dates, *moved],
        "scope": [*SCOPES, *constants.texts],
        "case": nonces,
        "issued": [*dates, *moved],
        "expires": [*dates, *moved],
        "nonce": nonces,
    }
    return {name: list(dict.fromkeys(values)) for name, values in offered.items()}


def _padded(value: bytes) -> list[bytes]:
    """Return a value at either end of 16 and of 32 bytes."""
    return [
        each for size in (16, 32) if len(value) < size for each in (value.ljust(size, b"\0"), value.rjust(size, b"\0"))
    ]


def singly_and_in_pairs(
    offered: dict[str, list[Any]], constants: Constants, read: Container[str] = FIELDS
) -> Iterator[Change]:
    """Yield a change of each field to each value; then of two fields that were read, to neighbouring constants.

    At last come all pairs of values, for these fields. `read` may grow meanwhile.
    """
    for name, values in offered.items():
        for value in values:
            yield ((name, value),)
    fields = [name for name in offered if name in read]
    for together in constants.together:
        for (one, value), (other, beside) in permutations(product(fields, together), 2):
            if one < other and type(value) is _KINDS[one] and type(beside) is _KINDS[other]:
                yield ((one, value), (other, beside))
    for (one, ones), (other, others) in combinations([(name, offered[name]) for name in fields], 2):
        for pair in product(ones, others):
            yield ((one, pair[0]), (other, pair[1]))


def repairs(noted: Compared, order: Order) -> Iterator[Change]:
    """Yield changes of single fields of an order that may give a comparison the other outcome."""
    value = noted.other
    if any(not hasattr(order, name) for name, _ in noted.term.sum):
        return  # a signature, which whoever demands an order cannot choose
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Term):
        yield from _numbers(noted, value[0], order)
    elif isinstance(value, int) and noted.term.part is None and noted.term.read is None:
        yield from _numbers(noted, Term((), int(value)), order)
    elif isinstance(value, str | bytes | int):
        yield from _sequences(noted, value, order)


def _numbers(noted: Compared, other: Term, order: Order) -> Iterator[Change]:
    """Yield the values at which a difference of sums reaches the bound or passes it."""
    if near := max(noted.term.near, other.near):
        for name, _ in (*noted.term.sum, *other.sum):
            for by in range(1, near + 1):
                yield ((name, getattr(order, name) + by),)
                yield ((name, getattr(order, name) - by),)
        return
    sums = dict(noted.term.sum)
    for name, by in other.sum:
        sums[name] = sums.get(name, 0) - by
    now = noted.term.rest - other.rest + sum(by * getattr(order, name) for name, by in sums.items())
    for name, by in sums.items():
        for target in (0, 1, -1) if by else ():
            if (move := target - now) and move % by == 0:
                yield ((name, getattr(order, name) + move // by),)
            elif move:
                yield ((name, getattr(order, name) + move // by),)
                yield ((name, getattr(order, name) + move // by + 1),)


def _sequences(noted: Compared, value: Any, order: Order) -> Iterator[Change]:
    """Yield values of a text or of bytes that equal, start, end or hold what the field was compared with."""
    (name, _), now = noted.term.sum[0], getattr(order, noted.term.sum[0][0])
    given = value
    if noted.term.read is not None:
        try:
            given = noted.term.read(value)
        except (ValueError, TypeError):
            return
    if type(given) is not type(now):
        return
    blank = now[:0]
    if noted.term.part is not None:
        start, stop = noted.term.part
        kept = now[:start] + (b"\0" if isinstance(now, bytes) else "-") * max(0, start - len(now))
        yield ((name, kept + given + now[stop:]),)
        yield ((name, kept + given),)
        return
    if noted.operator == "startswith":
        yield ((name, given + now[len(given) :]),)
        yield ((name, given + now),)
    elif noted.operator == "endswith":
        yield ((name, now[: max(0, len(now) - len(given))] + given),)
        yield ((name, now + given),)
    elif noted.operator == "contains":
        yield ((name, given + now[len(given) :]),)
    yield ((name, given),)
    if noted.held or noted.operator not in ("__eq__", "contains"):
        yield ((name, given + (b"\x01" if isinstance(now, bytes) else "-")),)
        yield ((name, blank),)
