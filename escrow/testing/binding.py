"""The properties of labels: an access field, and a request about it, open only the message that they were made for.

field     one label or byte of it changed, or all of it moved to another message: no text
spare     a part that one official opens may be spoilt if another's opens the same: with that one spoilt too, no text
request   an authority that may read nothing of this person, or of this day, writes the person or day of its warrant
in place of one true label, or asks about people and a day that only look like the true ones: no text

The last stands for seals that are bound to "".join(people), which opens for (bob, alice) and for a third user called
bobalice, whom a warrant may name; or to four letters of a name, which opens for alice and for alicia.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count, islice, pairwise
from typing import Any

import msgspec

from escrow import codec
from escrow.codec import Fact
from escrow.errors import EscrowError
from escrow.principal import corrupted
from escrow.scheme import AccessField, Intercept, Scheme
from escrow.testing.alterations import Lie, altered, field_of, leaves, rewritten, told, with_field
from escrow.testing.harness import DAYS, Harness, Step, playing
from escrow.testing.trying import require, settings
from escrow.warrant import Warrant, issue

TALK = (("bob-phone", "alice"), ("alice-phone", "choir"), ("alice-laptop", "bob"), ("carol-phone", "club"))
LABELS = AccessField.__struct_fields__

Opens = Callable[[AccessField], object]  # what is yielded with this field beside the message


def spoken(harness: Harness, warrant: Warrant) -> list[Intercept]:
    """Return what is intercepted of a talk; the warrant is served on an authority that checks nothing itself."""
    harness.wire.parties["authority"] = corrupted(harness.authority)
    harness.serve(warrant)
    harness.settle()
    harness.play(Step("say", device, to) for device, to in TALK)
    return harness.intercepted()


def a_field_is_bound(scheme: Scheme, how: settings) -> None:
    """Require that an access field yields no text if a label or byte changes, or if it is moved to another message."""
    with playing(scheme) as harness:
        warrant = issue(harness.court.key, harness.order("alice"))
        said = [(each, field) for each in spoken(harness, warrant) if (field := field_of(scheme, each))]
        for (intercept, field), (_, other) in pairwise(said[:2]):

            def opens(beside: AccessField, intercept: Intercept = intercept) -> object:
                return harness.access(warrant, [with_field(intercept, codec.encode(beside))])

            if not opens(field):
                require(not scheme.opens_fields, "a field as it was sent yields nothing")
                continue  # the claim promises no text of it
            spares = [part for part in parts(field) if opens(without(field, part))]
            for changed in (*altered(field), other):
                bound = not opens(changed) or _is_spare(changed, field, spares, opens)
                require(bound, f"a text is yielded with another {told(changed, field)}")


def parts(field: AccessField) -> list[bytes]:
    """Return the bytes in a field that are no labels."""
    own = [getattr(field, name) for name in field.__struct_fields__ if name not in LABELS]
    return list(dict.fromkeys(each for each in leaves(tuple(own)) if isinstance(each, bytes) and each))


def without(field: AccessField, part: bytes) -> Any:
    """Return the field with these bytes spoilt wherever they stand."""
    found = rewritten(field, part, bytes([part[0] ^ 1]) + part[1:])
    return next(found, field)


def resized(field: AccessField, part: bytes) -> Iterator[Any]:
    """Yield the field with these bytes gone, with one byte less, and with one more."""
    for other in (b"", part[:-1], part + b"\0"):
        yield from islice(rewritten(field, part, other), 1)


def _is_spare(changed: AccessField, field: AccessField, spares: list[bytes], opens: Opens) -> bool:
    """Return whether a field opens after a change only because of a part that could itself be missing.

    Example: a key is sealed to each of two agents, and one seal is spoilt. The other seal opens the field; with both
    spoilt nothing does. Bytes that nobody checks are no spare: whatever else is spoilt, they make no difference.
    """
    if any(getattr(changed, name) != getattr(field, name) for name in LABELS):
        return False
    moved = changed != field and sorted(parts(changed)) == sorted(parts(field))  # the same parts in another order
    return (moved and bool(spares)) or any(not opens(without(changed, part)) for part in spares)


def a_request_is_bound(scheme: Scheme, how: settings) -> None:
    """Require that a false name or day in what an official is asked about does not make a warrant fit."""
    if not scheme.claim.bounds_access:
        return  # the authority may ask about anything
    for what, changes in _OTHERS:
        with playing(scheme) as harness:
            harness.take(Step("day"))
            false = next(iter(changes.values()))
            true = "alice" if "target" in changes else harness.wire.day
            warrant = issue(harness.court.key, msgspec.structs.replace(harness.order("alice"), **changes))
            heard, honest = spoken(harness, warrant), harness.authority
            for number in count():  # which of the labels with this value, in each request, is false
                lie = Lie(scheme, partial(_with_one_false, number, true, false))
                harness.wire.parties["authority"] = lie.told_by(honest)
                with suppress(EscrowError):
                    opened = harness.beyond(warrant.order, harness.access(warrant, heard))
                    require(not opened, f"under {what}, {len(opened)} texts are yielded if asked about a {lie.told}")
                if not lie.told:
                    break
    no_name_alike_is_served(scheme)


def _with_one_false(number: int, true: object, false: object, fact: Fact) -> Fact | None:
    return next(islice(rewritten(fact, true, false), number, None), None)


_FAR = 1 + 256 * 7 * 15  # like day 1 to whoever binds a day modulo 256, or a day of the week or of a month of 30
_OTHERS = (
    ("another person's warrant", {"target": "nobody"}),
    ("a warrant for other days", {"first": DAYS, "last": DAYS}),
    ("a warrant for a day long after", {"first": _FAR, "last": _FAR}),
)


# --- names alike ---

DAY = 12  # of two digits, since a name may take one of them
EXPIRES = 30


def alike(people: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield people and a day that are the same as these two on `DAY` if joined, cut, counted, sorted or in capitals."""
    first, last = people
    for between in ("", *"_ .-"):  # what may stand in a name
        yield (first + between + last,), DAY
        yield (last + between + first,), DAY
    yield (first + last[:1], last[1:]), DAY
    yield (first[:-1], first[-1:] + last), DAY
    yield (first, last[:1], last[1:]), DAY
    yield (first, last + "x"), DAY  # the same letters to begin with
    yield (first, "x" + last), DAY  # and to end with
    yield (first, last[:1] + "x" * (len(last) - 2) + last[-1:]), DAY  # first letter, last letter and length
    yield (first, last[::-1]), DAY
    yield (first, last.upper()), DAY
    yield (first, f"{last} "), DAY
    yield (first, f"{last}{DAY // 10}"), DAY % 10
    yield (f"{DAY % 10}{first}", last), DAY // 10


def no_name_alike_is_served(scheme: Scheme) -> None:
    """Require that what only looks like the people or the day of a message opens it under no warrant about that."""
    with playing(scheme) as harness:
        while harness.wire.day < DAY:
            harness.wire.day += 1
            harness.morning()
        people = ("bob", "alice")  # who writes, and to whom; a field may name them in another order
        false = {name for both in (people, people[::-1]) for names, _ in alike(both) for name in names} - {*people}
        orders = {name: harness.order(name, last=EXPIRES, expires=EXPIRES) for name in sorted(false)}
        warrants = {name: issue(harness.court.key, order) for name, order in orders.items()}
        honest = harness.wire.parties["authority"] = corrupted(harness.authority)
        for warrant in warrants.values():
            harness.serve(warrant)
        harness.play([Step("say", "bob-phone", "alice")])
        heard = harness.intercepted()
        field = next(filter(None, (field_of(scheme, each) for each in heard)), None)
        for names, day in alike(field.people) if field and len(field.people) == len(people) else ():
            lie = Lie(scheme, partial(_relabelled, {"people": names, "day": day}))
            harness.wire.parties["authority"] = lie.told_by(honest)
            for name in warrants.keys() & set(names):
                with suppress(EscrowError):
                    opened = harness.beyond(orders[name], harness.access(warrants[name], heard))
                    require(not opened, f"under a warrant for {name!r}, a text is yielded if asked about {lie.told}")


def _relabelled(labels: dict[str, object], value: Any) -> Any:
    """Return the value with these labels, and each fact in it, if it has such labels."""
    if not isinstance(value, msgspec.Struct):
        return value
    parts = {name: _relabelled(labels, getattr(value, name)) for name in value.__struct_fields__}
    return msgspec.structs.replace(value, **(parts | labels if labels.keys() <= parts.keys() else parts))
