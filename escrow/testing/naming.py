"""What is told of warrants and keys: to the network, whom a warrant is about; to anybody, the key of a message.

Plays that differ in the warrant's target alone are compared:

  warrants   no packet contains a warrant, an encoded order or the court's signature of one
  names      packet by packet, both plays have the same sender, addressee, type, length and names in them
  values     no number and no bytes in them follow from the target alone: played again with other keys and random bytes,
             each is another one, or it is the same for both targets (a hash of a name is not)

Both targets have names of one length, and take part in every text. A scheme that lets the network know says in which
packets, and why (`Scheme.overheard`). Who sends to whom, when and how often in conversations of other people is not
compared: that is traffic analysis.

Officials are told packets that are no requests under a warrant, which are the matter of other properties:

  packets   of every type that an official answers, made of what anybody can hear: access fields, names, numbers
  senders   every party to whom the claim does not grant everything
  told      in the answer or in a packet beside it, in the clear or sealed: no message's key
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice, product, zip_longest
from typing import Any

from escrow import codec, crypto
from escrow.codec import Fact, Packet, walk
from escrow.confidential import Confidential
from escrow.crypto import Call, Run
from escrow.e2ee.device import Device, FieldContext
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import EscrowError
from escrow.grants import called, is_met
from escrow.principal import Principal, corrupted, handlers_of, revive
from escrow.scheme import AccessField, Scheme
from escrow.testing.alterations import leaves, types_of
from escrow.testing.binding import TALK as SAID
from escrow.testing.harness import DEVICES, NAMES, Harness, Step, playing
from escrow.testing.trying import require, settings
from escrow.warrant import Order, Request, Serve, Warrant, issue
from escrow.wire import Wire

TARGETS = ("alice", "carol")
TALK = [Step("say", "bob-phone", group) for group in ("club", "choir", "club")]
UNDER_A_WARRANT = (Confidential, Request, Serve)
MADE = 48  # packets of one type at most
ODD = (EscrowError, LookupError, TypeError, ValueError)  # what a packet that makes no sense may raise
Noted = dict[bytes, AccessField]  # the key of each message (32 bytes), and the field that went beside it


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
    packets = types_of(scheme, Packet) | types_of(scheme, Fact)  # a fact may be an answer
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


def no_key_is_told_without_a_request(scheme: Scheme, how: settings) -> None:
    """Require that no official tells the key of a message in an answer to a packet that is no request."""
    with playing(scheme) as harness:
        noted: Noted = {}
        for name in DEVICES:
            harness.wire.parties[name] = _noting(harness.device(name), noted)
        harness.play(Step("say", device, to) for device, to in SAID)
        senders = [name for name in harness.wire.parties if not _granted(scheme, name)]
        for official in harness.wire.parties.values():
            if noted and not isinstance(official, Device):
                _ask(harness, official, senders, noted)


def _granted(scheme: Scheme, name: str) -> bool:
    """Return whether the claim grants this party everything, by itself."""
    grants = [each.asked for each in scheme.claim.grants if each.extent == "everything"]
    return any(is_met(who, lambda role: len(called(role, [name]))) for who in grants)


def _noting(device: Device, noted: Noted) -> Device:
    """Return the device that also notes for which message key it makes which access field."""
    honest: Any = type(device).access_field

    def access_field(self: Any, key: MessageKey, context: FieldContext) -> Any:
        field = honest(self, key, context)
        if isinstance(field, AccessField):
            noted[key.value] = field
        return field

    return corrupted(device, access_field=access_field)


def _ask(harness: Harness, official: Principal, senders: Iterable[str], noted: Noted) -> None:
    """Tell a copy of the official every packet in the name of each of the senders."""
    state = official.state()
    for kind in handlers_of(type(official)):
        for packet in _packets(kind, list(noted.values())[:2]):
            for sender in senders:
                told = b"".join(_told(harness, revive(state, type(official)), sender, packet))
                where = f"{official.name} tells {sender} the key of a message in answer to a {kind.__name__}"
                require(not any(key in told for key in noted), f"{where}, which is no request under a warrant")


def _told(harness: Harness, copy: Principal, sender: str, packet: Packet) -> Iterator[bytes]:
    """Yield what the official answers, what it tells others, and what it seals meanwhile."""
    sealed: list[bytes] = []

    def observer(call: Call) -> None:
        if call.operation == "seal":
            sealed.extend(call.inputs)

    wire = Wire([copy])
    wire.day = harness.wire.day
    with suppress(*ODD), crypto.running(Run(bytes(32), observer)):
        yield copy.answer(sender, codec.encode(packet), wire)
    yield from (heard.data for heard in wire.heard)
    yield b"".join(sealed)


def _packets(kind: Any, fields: Iterable[AccessField]) -> Iterator[Packet]:
    """Yield packets of this type, made of the fields and of names; none if nothing known is of a field's type."""
    if not issubclass(kind, Packet) or issubclass(kind, UNDER_A_WARRANT):
        return
    hints = typing.get_type_hints(kind)
    for field in fields:
        values = [_values(hints[name], field) for name in kind.__struct_fields__]
        for chosen in islice(product(*values), MADE):
            with suppress(ValueError):
                yield kind(*chosen)


def _values(hint: Any, field: AccessField) -> list[Any]:
    """Return values of this type that anybody knows who heard the field."""
    if typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) is tuple:
        return [(value,) for value in _values(typing.get_args(hint)[0], field)]
    known: list[Any] = [codec.encode(field), field, field.chain, field.n, field.day, *NAMES[:1], *DEVICES[:1], True]
    return [value for value in known if type(value) is hint or (value is field and hint is AccessField)]
