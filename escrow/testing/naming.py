"""What the network reads of whom a warrant is about: plays that differ in the warrant's target alone.

  warrants   no packet contains a warrant, an encoded order or the court's signature of one
  names      packet by packet, both plays have the same sender, addressee, type, length and names in them
  values     no number and no bytes in them follow from the target alone: played again with other keys and random bytes,
             each is another one, or it is the same for both targets (a hash of a name is not)

Both targets have names of one length, and take part in every text. A scheme that lets the network know says in which
packets, and why (`Scheme.overheard`). Who sends to whom, when and how often in conversations of other people is not
compared: that is traffic analysis.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from escrow import codec
from escrow.codec import Packet, walk
from escrow.scheme import Scheme
from escrow.testing.alterations import leaves, types_of
from escrow.testing.harness import Harness, Step, playing
from escrow.testing.trying import require, settings
from escrow.warrant import Order, Warrant, issue

TARGETS = ("alice", "carol")
TALK = [Step("say", "bob-phone", group) for group in ("club", "choir", "club")]


def whom_a_warrant_is_about_is_not_overheard(scheme: Scheme, how: settings) -> None:
    """Require that the network reads no warrant, and no name that tells whom one is about."""
    plays, again = ([list(_heard(scheme, target, seed)) for target in TARGETS] for seed in (0, 1))
    for one, other, *anew in zip_longest(*plays, *again):
        source, to, kind, *_ = one or other or anew[0] or anew[1]
        differ = f"a {kind} from {source} to {to} tells whom a warrant is about"
        require(bool(one and other), f"{differ}: for another target there is none")
        require(one[:-1] == other[:-1], f"{differ}: {_difference(one, other)}")
        if all(anew):
            for found in zip(one[-1], other[-1], *(each[-1] for each in anew), strict=False):
                follows = found[:2] == found[2:] and found[0] != found[1]
                require(not follows, f"{differ}: {found[0]!r} for one target, {found[1]!r} for another, in every play")


def _heard(scheme: Scheme, target: str, seed: int) -> Iterator[tuple[Any, ...]]:
    """Yield what anybody reads of each packet since a warrant was served. Raise Broken if it is the warrant."""
    packets = types_of(scheme, Packet)
    with playing(scheme, seed=seed) as harness:
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
                values = list(leaves(said))
                names = tuple(each for each in values if isinstance(each, str))
                yield heard.src, heard.dst, kind, len(heard.data), names, values


def _live(harness: Harness, warrant: Warrant) -> None:
    harness.serve(warrant)
    harness.play(TALK)
    harness.take(Step("day"))
    harness.play(TALK)
    harness.access(warrant, harness.intercepted())


def _difference(one: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    found = (f"{a!r} for one target, {b!r} for another" for a, b in zip(one, other, strict=True) if a != b)
    return next(found, "")
