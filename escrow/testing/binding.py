"""The properties of labels: an access field, and a request about it, open only the message that they were made for.

field     one label or byte of it changed, or all of it moved to another message: no text
spare     a part that one official opens may be spoilt if another's opens the same: with that one spoilt too, no text
request   an authority that may read nothing of this person, or of this day, writes the person or day of its warrant
in place of one true label: no text
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import islice, pairwise
from typing import Any

import msgspec

from escrow import codec
from escrow.codec import Fact
from escrow.errors import EscrowError, Malformed
from escrow.principal import corrupted
from escrow.scheme import AccessField, Intercept, Scheme
from escrow.testing.alterations import altered, field_of, leaves, module_of, rewritten, told, with_field
from escrow.testing.harness import DAYS, Harness, Step, playing
from escrow.testing.trying import require, settings
from escrow.vocabulary import vocabulary
from escrow.warrant import Authority, Request, Warrant, issue

TALK = (("bob-phone", "alice"), ("alice-phone", "choir"), ("alice-laptop", "bob"), ("carol-phone", "club"))
LABELS = AccessField.__struct_fields__

Opens = Callable[[AccessField], object]  # what is yielded with this field beside the message


def spoken(harness: Harness, warrant: Warrant) -> list[Intercept]:
    """Return what is intercepted of a talk; the warrant is served on an authority that checks nothing itself."""
    harness.wire.parties["authority"] = corrupted(harness.authority)
    harness.serve(warrant)
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
            heard, lie = spoken(harness, warrant), Lie(scheme, true, false)
            harness.wire.parties["authority"] = lie.told_by(harness.authority)
            while lie.goes_on():
                with suppress(EscrowError):
                    opened = harness.access(warrant, heard)
                    require(not opened, f"under {what}, {len(opened)} texts are yielded if asked about a {lie.told}")


_FAR = 1 + 256 * 7 * 15  # like day 1 to whoever binds a day modulo 256, or a day of the week or of a month of 30
_OTHERS = (
    ("another person's warrant", {"target": "nobody"}),
    ("a warrant for other days", {"first": DAYS, "last": DAYS}),
    ("a warrant for a day long after", {"first": _FAR, "last": _FAR}),
)


class Lie:
    """An authority's lie: in what it asks about, one of the labels that have a value gets a false one.

    It does not lie in facts that a rule makes of others of their kind: the lab counts what such a rule opens.

    `number` says which of them, of each request; `told` is the last lie, in words.
    """

    def __init__(self, scheme: Scheme, true: object, false: object) -> None:
        self.true, self.false = true, false
        words = vocabulary(module_of(scheme), (Fact,))
        told_anew = {kind for rule in words.rules for kind in rule.gives if kind in rule.takes}
        self.facts = words.types - told_anew
        self.number, self.told = -1, "begin"

    def goes_on(self) -> bool:
        """Go on to the next label. Return whether there was one of the last number."""
        before, self.told, self.number = self.told, "", self.number + 1
        return bool(before)

    def told_by(self, authority: Authority) -> Authority:
        """Return an authority with the same data that keeps no promise and tells the lie."""
        honest = type(authority).request

        def request(own: Authority, warrant: Warrant, subject: bytes) -> Request:
            return honest(own, warrant, self.instead(subject))

        return corrupted(authority, request=request)

    def instead(self, subject: bytes) -> bytes:
        """Return what is asked about, encoded, with the lie in it: as it was if it has fewer such labels."""
        try:
            true = codec.decode_any(subject, self.facts)
            lies = rewritten(true, self.true, self.false)
            found = next(islice(lies, self.number, None), None)
        except Malformed:
            return subject
        if found is not None:
            self.told = told(found, true)
        return subject if found is None else codec.encode(found)
