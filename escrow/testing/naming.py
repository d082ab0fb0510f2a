"""What the network reads of whom a warrant is about: two plays that differ in the warrant's target alone.

  warrants   no packet contains a warrant, an encoded order or the court's signature of one
  names      packet by packet, both plays have the same sender, addressee, type, length and names in them

Both targets have names of one length, and take part in every text. A scheme that lets the network know says in which
packets, and why (`Scheme.overheard`). Who sends to whom, when and how often in conversations of other people is not
compared: that is traffic analysis.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from escrow import codec
from escrow.codec import Packet, walk
from escrow.scheme import Scheme
from escrow.testing.alterations import types_of
from escrow.testing.harness import Harness, Step, playing
from escrow.testing.trying import require, settings
from escrow.warrant import Order, Warrant, issue

TARGETS = ("alice", "carol")
TALK = [Step("say", "bob-phone", group) for group in ("club", "choir", "club")]


def whom_a_warrant_is_about_is_not_overheard(scheme: Scheme, how: settings) -> None:
    """Require that the network reads no warrant, and no name that tells whom one is about."""
    plays = [list(_heard(scheme, target)) for target in TARGETS]
    for one, other in zip_longest(*plays):
        source, to, kind, *_ = one or other
        differ = f"a {kind} from {source} to {to} tells whom a warrant is about"
        require(bool(one and other), f"{differ}: for another target there is none")
        require(one == other, f"{differ}: {_difference(one, other)}")


def _heard(scheme: Scheme, target: str) -> Iterator[tuple[Any, ...]]:
    """Yield what anybody reads of each packet since a warrant was served. Raise Broken if it is the warrant."""
    packets = types_of(scheme, Packet)
    with playing(scheme) as harness:
        harness.play(TALK)
        served = len(harness.wire.heard)
        warrant = issue(harness.court.key, harness.order(target))
        _live(harness, warrant)
        for heard in harness.wire.heard[served:]:
            said = codec.decode_any(heard.data, packets)
            kind = type(said).__name__
            declared = [each for each in scheme.overheard if kind in each.kinds]
            literal = any(part in heard.data for part in (warrant.signature, codec.encode(warrant.order)))
            hidden = (not literal and not any(walk(said, Order))) or any(each.warrants for each in declared)
            require(hidden, f"a {kind} from {heard.src} to {heard.dst} lets the network read a warrant")
            if not declared:
                yield heard.src, heard.dst, kind, len(heard.data), tuple(_names(said))


def _live(harness: Harness, warrant: Warrant) -> None:
    harness.serve(warrant)
    harness.play(TALK)
    harness.take(Step("day"))
    harness.play(TALK)
    harness.access(warrant, harness.intercepted())


def _names(value: object) -> Iterator[str]:
    """Yield every string in a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _names(getattr(value, field))
    elif isinstance(value, tuple):
        for each in value:
            yield from _names(each)


def _difference(one: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    found = (f"{a!r} for one target, {b!r} for another" for a, b in zip(one, other, strict=True) if a != b)
    return next(found, "")
