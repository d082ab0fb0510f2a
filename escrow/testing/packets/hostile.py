"""Properties of what one party can stop: nobody else, by a bad key; no mail, by a late word; no day, by no answer.

whose    each device, and each official beside which the claim grants as much to others: `agent-*`, or several by name
keys     missing, zero, of small order, too short, another party's, a colleague's (an official of its own kind), not
         signed
where    in what the party tells others, and in its own fields, from which a set-up may read it
late     a complaint, a vote or an accusation belongs to rounds that end: if clients heed it on any later day, whoever
         may say it alone can stop everybody's mail, or have everybody send without access fields
silent   a party that is no client refuses, or answers with nothing that can be read, whatever it is asked from a day on
"""

from __future__ import annotations

import re
import typing
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import chain, product, zip_longest
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from escrow import codec
from escrow.codec import Packet
from escrow.crypto import Private
from escrow.e2ee.content import InGroup
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Provider
from escrow.errors import EscrowError, Malformed, Refused
from escrow.principal import Principal, corrupted, handlers_of, revive
from escrow.scheme import Grant, Scheme
from escrow.testing.harness import GROUPS, OWNER, Harness, Step, playing
from escrow.testing.packets.disturbed import DisturbedWire, Ending, Reference, enact, kind_of
from escrow.testing.trying import Broken, require, settings
from escrow.warrant import issue
from escrow.wire import Heard, Wire

SMALL_ORDER = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")  # on Curve25519, 8
OTHERS = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")  # Alice's of RFC 7748, 6.1
BAD = {
    "missing": b"",
    "zero": bytes(32),
    "of small order": SMALL_ORDER,
    "short": b"\x05",
    "long": bytes(33),
    "another's": OTHERS,
    "not signed": None,
}
COLLEAGUE = "a colleague's"
SPEECH = (Step("say", "bob-phone", "alice"), Step("say", "alice-phone", "bob"), Step("say", "carol-phone", "club"))


def a_bad_key_stops_nobody_else(scheme: Scheme, how: settings) -> None:
    """Require that all others get what is theirs beside a party whose keys are bad, and that it is named.

    Who vouches for others by the scheme's own word (`Scheme.vouchers`) may cut off these, and nobody else.
    """
    reference = Reference(scheme)
    for name, what in list(_in_turn(reference))[: reference.runs(how)]:
        hostile = Hostile(name, what, reference.colleague(name) if what == COLLEAGUE else BAD[what])
        ending = enact(scheme, hostile.hand, begun=hostile.begun)
        if hostile.effect:
            fault = _fault(scheme, reference, ending, name, what)
            require(not fault, f"{name} has a key that is {what}: {fault}")


class Hostile:
    """A party whose public keys are all `bad`: in its fields when the run begins, and in what it tells others.

    Without a `bad` one its keys are its own, and what it tells has signatures that do not hold.
    """

    def __init__(self, name: str, what: str, bad: bytes | None) -> None:
        self.name, self.what, self.bad, self.effect = name, what, bad, False

    def begun(self, party: Principal) -> Principal:
        """Return the party as it begins: its X25519 keys have bad public halves."""
        return self._spoilt(party, {each.public for each in codec.walk(party, Private)}) if self._is(party) else party

    def _is(self, party: Principal) -> bool:
        return party.name == self.name and not isinstance(party, Device)

    def hand(self, wire: DisturbedWire, number: int, packet: Heard) -> bytes:
        """Replace the party's keys in what it tells others."""
        if packet.src == self.name:
            try:
                told = codec.decode(packet.data, kind_of(wire.parties[packet.dst], packet))
            except (Malformed, KeyError):
                return wire.as_sent(packet)
            party = wire.parties[self.name]
            keys = {each.public for each in codec.walk(party, Private)}
            if isinstance(party, Device):
                keys.add(party.identity.public)
            spoilt = self._spoilt(told, keys)
            packet = msgspec.structs.replace(packet, data=codec.encode(spoilt))
        return wire.as_sent(packet)

    def _spoilt(self, value: Any, keys: set[bytes]) -> Any:
        """Return the value with each of these keys in it, or each signature, replaced by a bad one."""
        match value:
            case bytes() if value in keys and self.bad is not None:
                self.effect = True
                return self.bad
            case tuple() | list():
                return type(value)(self._spoilt(each, keys) for each in value)
            case msgspec.Struct():
                parts = {name: self._spoilt(getattr(value, name), keys) for name in value.__struct_fields__}
                if self.bad is None and "signature" in parts:
                    self.effect, parts["signature"] = True, bytes(64)
                return type(value)(**parts)
        return value


def _in_turn(reference: Reference) -> Iterator[tuple[str, str]]:
    """Yield the parties with each bad key, one of each kind of party and key after another."""
    groups: dict[tuple[type, str], list[tuple[str, str]]] = {}
    for what, key in [(COLLEAGUE, b""), *BAD.items()]:
        for name, kind in reference.cast.items():
            grants = _of(reference.scheme, name)
            several = any(_peers(reference, each, name) for each in grants) or name in _alike(reference)
            official = several and key is not None
            alone = what == COLLEAGUE and (issubclass(kind, Device) or not reference.colleague(name))
            if (issubclass(kind, Device) or official) and not alone:
                groups.setdefault((kind, what), []).append((name, what))
    rounds = chain.from_iterable(zip_longest(*groups.values()))
    yield from (each for each in rounds if each is not None)


def _alike(reference: Reference) -> set[str]:
    """Return the officials of which the cast has several of one kind, each with a grant of its own."""
    named = {grant.who for grant in reference.scheme.claim.grants if grant.extent == "everything"} & {*reference.cast}
    kinds = Counter(reference.cast[name] for name in named)
    return {name for name in named if kinds[reference.cast[name]] > 1}


def _fault(scheme: Scheme, reference: Reference, ending: Ending, name: str, what: str) -> str:
    if ending.stopped:
        told = f"the set-up ended: {ending.stopped}; if each official is needed, `all_needed` of the scheme says why"
        return "" if scheme.all_needed else told
    user = OWNER.get(name, "")
    read, now = reference.ending.shown, ending.shown
    for device, author, conversation, _ in read - now:
        if device != name and author != user and not _vouches(scheme, name, device, conversation):
            return f"{device} misses a text of {author} in {conversation}"
    enough = all(_peers(reference, each, name) >= each.t for each in _of(scheme, name))
    missing = (reference.ending.yielded & {text for *_, text in now}) - ending.yielded
    if missing and enough:
        return f"{len(missing)} promised texts are missing"
    named = any(name in (who, *why.replace(":", " ").split()) for who, why in ending.said - reference.ending.said)
    same = what in (COLLEAGUE, "another's") and not missing  # an official with another's key is that one
    harmless = read == now if name in OWNER else same
    return "" if named or harmless else "it is not named"


def _vouches(scheme: Scheme, name: str, device: str, conversation: str) -> bool:
    """Return whether the scheme declares that this party vouches for a device, or for the members of a conversation."""
    user = OWNER.get(name, "")
    first = name == next((each for each, owner in OWNER.items() if owner == user), "")
    made = any(str(InGroup(each.name)) == conversation for each in GROUPS if each.members[0] == user)
    whose = {"a user's first device": OWNER.get(device) == user, "a group's maker": made}
    return first and any(whose[each] for each in scheme.vouchers)


def _peers(reference: Reference, grant: Grant, name: str) -> int:
    """Return how many others of a party's kind a grant means: who is of another kind does not answer in its place."""
    kind = reference.cast[name]
    return sum(fnmatch(each, grant.who) and other is kind for each, other in reference.cast.items() if each != name)


def _of(scheme: Scheme, name: str) -> list[Grant]:
    """Return the claim's grants to a party as one of several."""
    return [grant for grant in scheme.claim.grants if fnmatch(name, grant.who)]


# --- late words ---


def a_late_word_stops_no_mail(scheme: Scheme, how: settings) -> None:
    """Require that what one of several parties tells all clients on a later day stops no text and no access field.

    Tried is each type of packet that several parties may tell a client, filled with the teller's name and number.
    """
    with playing(scheme) as harness:
        tried = list(_words(harness))
    for teller, kind in tried:
        with playing(scheme) as harness:
            harness.play(SPEECH)
            before = _with_fields(harness, 0)
            harness.take(Step("day"))
            since, said = len(harness.intercepted()), f"after {teller} tells a late {kind.__name__},"
            harness.wire.announce(teller, list(harness.owner), _filled(kind, teller))
            try:
                harness.play(SPEECH)
            except EscrowError as error:
                raise Broken(f"{said} a client sends nothing: {error}") from error
            missing = harness.meant - harness.shown
            require(not missing, f"{said} {missing.total()} texts are not shown")
            require(before != {True} or _with_fields(harness, since) == {True}, f"{said} a text has no access field")


# --- no answer ---


def no_answer_ends_no_day(scheme: Scheme, how: settings) -> None:
    """Require that mornings and the lawful access end without an error where one official answers nothing it is asked.

    What is missing then, and who is named, other properties ask.
    """
    with playing(scheme) as harness:
        warrant = issue(harness.court.key, harness.order("alice"))
        harness.serve(warrant)
        harness.play(SPEECH[:1])
        heard = harness.intercepted()
        states = {name: (party.state(), type(party)) for name, party in harness.wire.parties.items()}
    officials = [name for name, (_, kind) in states.items() if not issubclass(kind, Device)]
    for name, answer in product(officials, (_refuses, _unreadable)):
        with playing(scheme) as harness:
            harness.wire.parties = {each: revive(*state) for each, state in states.items()}
            harness.wire.parties[name] = corrupted(harness.wire.parties[name], answer=answer)
            try:
                for harness.wire.day in (1, 2):
                    scheme.each_day(harness.wire, harness.wire.day)
                harness.access(warrant, heard)
            except EscrowError as error:
                when = f"on day {harness.wire.day}, which ends with an error: {error}"
                raise Broken(f"{name} answers nothing {when}") from error


def _refuses(party: Principal, sender: str, request: bytes, wire: Wire) -> bytes:
    raise Refused(party.name, "no answer")


def _unreadable(party: Principal, sender: str, request: bytes, wire: Wire) -> bytes:
    return b"\xc1"  # no encoding begins with it


def _words(harness: Harness) -> Iterator[tuple[str, type[Packet]]]:
    """Yield (teller, type of packet) for what clients take from several parties that are no clients themselves."""
    clients = {type(harness.device(name)) for name in harness.owner}
    shared = [
        packet
        for client in clients
        for packet, handler in handlers_of(client).items()
        if hasattr(handler, "__shared__") and _filled(packet, "") is not None
    ]
    for name, party in harness.wire.parties.items():
        if not isinstance(party, Device | Provider):
            yield from ((name, each) for each in shared)


def _with_fields(harness: Harness, since: int) -> set[bool]:
    """Return whether the mails that were heard since some number have access fields: of each, as a set."""
    return {bool(each.mail.field) for each in harness.intercepted()[since:]}


def _filled(kind: Any, teller: str) -> Any:
    """Return a value of a type that is made of plain ones, filled as the teller would; None if it is of another."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        kind = get_args(kind)[0]
    number = re.search(r"\d+$", teller)
    plain = {int: int(number[0]) if number else 1, str: teller, bytes: bytes(32), bool: True, type(None): None}
    if kind in plain:
        return plain[kind]
    if get_origin(kind) in (tuple, list):
        return get_origin(kind)()
    if not hasattr(kind, "__struct_fields__"):
        return None
    hints = typing.get_type_hints(kind, include_extras=True)
    try:
        return kind(**{name: _filled(hints[name], teller) for name in kind.__struct_fields__})
    except (TypeError, ValueError):  # a type that checks its values
        return None
