"""What a corrupted party had: every fact that its code made, held or was given, whether or not it erased it later.

  watch    while the party's code runs: arguments, results and local values of every function in it; what others do
           meanwhile, when a packet is handed to them, is not watched
  state    after each action of the party, all that its fields hold
  encoded  bytes that decode to a fact, such as a share on its way into a seal
  aliases  facts of others' states all of whose secret bytes the party had, under whatever types

What is left over in the evening's state is in it already; the rest is added to that state as a field. So a corrupted
party's state of an evening is all that the adversary has of that day, and is stolen, read and proven like any state.
Only corrupted parties are watched; a play without them costs nothing more.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Iterable
from dis import get_instructions
from functools import cache, lru_cache
from hashlib import sha256
from inspect import CO_GENERATOR
from types import CodeType, FrameType
from typing import Any, NamedTuple, TypeVar

import msgspec

from attacks.lab.simulation.watched.secret_fields import secrets_of
from escrow import codec
from escrow.codec import Fact, Packet
from escrow.errors import Malformed
from escrow.principal import Principal
from escrow.run import acting
from escrow.vocabulary import collected

T = TypeVar("T")
SECRET = 8  # bytes of the shortest secret by which an alias is told; shorter ones are found by chance
LONGEST = 128  # bytes of the longest value that is kept by itself: a secret, not a message
_LIBRARIES = {*sys.stdlib_module_names, "cryptography", "Crypto", "msgspec"}
_INSIDE = {"escrow.derivation", "escrow.principal", "escrow.vocabulary", "escrow.surface", "escrow.wire"}
_SMALL = 1 << 64
_FEW = 8  # values that are walked sooner than they are encoded
_LONG = 1000  # bytes of an encoding that is kept by its hash
_GROWING = (list, dict)
_GATHERED = {list, dict, tuple, set, frozenset}
_PASSING = {codec.walk.__code__, codec.decode_told.__code__}
_PASSING |= {acting.__init__.__code__, acting.__enter__.__code__, acting.__exit__.__code__}  # which have a name in hand
OWN, TOOL, INSIDE = "", "tool", "inside"  # whose a function is: see _part
_TOOLS = {"escrow.crypto", "escrow.run", "escrow.codec"}
_encode = msgspec.msgpack.Encoder().encode
_UNWRITABLE = (TypeError, ValueError, OverflowError, RecursionError)
KEPT = "had"  # the field that is added to a corrupted party's state


class Keeping:
    """What one party had since it was corrupted, and which functions of its code ran.

    With `alone` everything that its code reaches is its own; else other parties' objects may be in reach of it, as they
    are of honest code, and are left out.
    """

    def __init__(self, party: Principal, readable: frozenset[type[Fact]], *, alone: bool) -> None:
        """Begin with the party's state. `readable` are the types as which encoded facts are read."""
        self._readable, self.alone = readable, alone
        self._names = frozenset(kind.__name__.encode() for kind in readable)
        self._ran: dict[int, CodeType] = {}
        self.values: set[bytes] = set()  # short byte strings that the party had, of all days
        self._had: dict[Fact, None] = {}
        self._decoded: set[bytes] = set()  # encoded facts whose facts are in `_had`
        self._objects: dict[int, object] = {}  # by identity; they are kept, so that no identity is used twice
        self._seen: dict[int, object] = {}
        self._encoded: dict[int, bytes] = {}  # by identity: what a value held that can change, or its hash
        self._others: list[FrameType] = []  # a method of another party, while one runs
        self._shapes: list[tuple[object, int]] = []  # of the state's fields: what they held, and its size
        self._party = party
        self._look()

    @property
    def ran(self) -> set[CodeType]:
        """The functions of the party's code that ran."""
        return set(self._ran.values())

    def during(self, work: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Return what some code of the party returns, and note what it had while it ran."""
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            return work(*arguments, **named)
        finally:
            sys.settrace(None)
            self._look(all_of_it=False)
            sys.settrace(before)

    def goes_on_as(self, party: Principal) -> None:
        """Take another object for the party: with another behaviour, or the one that its state decodes to."""
        self._party = party
        self._seen.clear()  # whose objects are gone: others may get their identities
        self._encoded.clear()
        self._look()

    def facts(self, kinds: tuple[type[Fact], ...]) -> list[Fact]:
        """Return the facts of these kinds that the party had since `left` was last asked."""
        self._look()
        return [fact for fact in self._had if isinstance(fact, kinds)]

    def left(self) -> dict[Fact, None]:
        """Return what the party had since this was last asked, apart from what its state still holds."""
        self._look()
        still = set(codec.walk(self._party, Fact))
        left = {fact: None for fact in self._had if fact not in still and _is_whole(fact)}
        self._had = {}
        self._decoded.clear()
        return left

    def aliases(self, facts: Iterable[tuple[bytes, Fact]]) -> None:
        """Note those of the facts, as `by_first_secret` gives them, all of whose secret bytes the party had."""
        values = self.values
        for fact in [fact for first, fact in facts if first in values or not first]:  # few: most are strange to it
            if (secrets := secrets_of(fact)) and values.issuperset(secrets):
                self._had[fact] = None

    # --- watching ---

    def _called(self, frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        """Say which of the functions that begin are the party's own: its locals are read when they return.

        Of the library's tools (primitives, the codec) only arguments and results count, not how they compute. Code of
        the party's that such a tool calls, such as a method of a key of its own, is not watched in a play either.
        """
        part, first, is_method, _ = _CODE.get(id(frame.f_code)) or _known(frame)
        if part is INSIDE:
            return None
        if 0 <= first < frame.f_lasti:
            return frame.f_trace  # a generator goes on, or is closed: whose it is was said when it began
        if self._others or (part is TOOL and _is_tool(frame.f_back)):
            return None
        frame.f_trace_lines = False
        if is_method and not self.alone:
            other = frame.f_locals.get("self")
            if isinstance(other, Principal) and other.name != self._party.name:
                self._others.append(frame)
                return self._other_returned
        return self._returned

    def _other_returned(self, frame: FrameType, event: str, _: object) -> None:
        if event == "return" and self._others and self._others[-1] is frame:
            self._others.pop()

    def _returned(self, frame: FrameType, event: str, result: object) -> None:
        if event == "return":
            code, values, seen = frame.f_code, self.values, self._seen
            self._ran[id(code)] = code
            for value in (result, *frame.f_locals.values()):
                kind: type = type(value)
                if kind is bytes:
                    if SECRET <= len(value) <= LONGEST:
                        values.add(value)
                    if value and 0x91 <= value[0] <= 0x9F:
                        self._read(value)
                elif kind is int:
                    if value > _SMALL:
                        self._number(value)
                elif _KEPT[kind] and id(value) not in seen:
                    self._objects[id(value)] = value

    def _number(self, value: int) -> None:
        """Note a large number, such as a scalar, as the bytes that it is kept in: 32, or as many as it needs."""
        if value > _SMALL:
            self.values.add(value.to_bytes(max(32, (value.bit_length() + 7) // 8), "big"))

    def _read(self, data: bytes) -> None:
        """Note the fact that some bytes encode, if they are one's encoding: an array that begins with its name."""
        if len(data) < 4 or not 0x91 <= data[0] <= 0x9F or not (0xA1 <= data[1] <= 0xBF or data[1] == 0xD9):
            return
        begin, length = (3, data[2]) if data[1] == 0xD9 else (2, data[1] - 0xA0)
        if data not in self._decoded and data[begin : begin + length] in self._names:
            self._decoded.add(data)
            for read in codec.decode_each(data, self._readable):
                for fact in codec.walk(read, Fact):
                    self._had[fact] = None
                    self.values.update(secrets_of(fact))

    def _look(self, *, all_of_it: bool = True) -> None:
        """Note the facts in everything that the last action had, and in the party's state: all of it, or what is new.

        New are fields that hold another object, or a container of another size; what changes inside one is seen where
        the party's code has it in its hands, and in the evening.
        """
        fields = [*codec.fields_of(type(self._party))(self._party)]
        sizes = [len(each) if isinstance(each, _GROWING) else 0 for each in fields]
        fresh = fields
        if not all_of_it and len(fields) == len(self._shapes):
            both = zip(fields, sizes, self._shapes, strict=True)
            fresh = [each for each, size, (before, its) in both if each is not before or size != its]
        self._shapes = [*zip(fields, sizes, strict=True)]
        changed, ways = self._changed, _WAYS
        self._search([each for each in self._objects.values() if ways[type(each)].frozen or changed(each)] + fresh)
        self._objects.clear()

    def _changed(self, value: Any) -> bool:
        """Return whether a value holds anything that it did not when it was asked for last.

        What can change is compared by its encoding: to walk it takes ten times as long.
        """
        kind: type = type(value)
        if kind is tuple and len(value) <= _FEW:
            return True
        if kind in _GATHERED and not value:
            return False
        if kind is dict and isinstance(next(iter(value.values())), Principal):
            return True  # each of which is compared by itself
        try:
            encoded = _encode(value)
        except _UNWRITABLE:
            return True
        if len(encoded) > _LONG:  # all of a day are kept
            encoded = sha256(encoded).digest()
        if self._encoded.get(id(value)) == encoded:  # even if it is another object: what it holds is known
            return False
        self._encoded[id(value)] = encoded
        return True

    def _search(self, waiting: list[Any]) -> None:
        """Note the facts, byte strings and numbers in these values that were not there before."""
        noted, seen, had, ways = self.values, self._seen, self._had, _WAYS
        while waiting:
            value = waiting.pop()
            base, inside, _, frozen = ways[type(value)]
            if base is bytes:
                if SECRET <= len(value) <= LONGEST:
                    noted.add(value)
            elif base is int:
                if value > _SMALL:
                    self._number(value)
            elif inside is not None and id(value) not in seen:
                if frozen:
                    if base is not msgspec.Struct or _is_hashable(value):
                        seen[id(value)] = value
                    if base is Fact:
                        had[value] = None
                elif base is Principal and not (self.alone and value is not self._party and self._changed(value)):
                    continue
                waiting += inside(value)


class _Way(NamedTuple):
    """How facts are looked for in a value, by its type: `base` is the first of the types that are told apart.

    `inside` returns what lies in such a value; `kept`: a local value of this type is kept until it is looked at. Of a
    party it is not, because its fields are looked at by themselves. `frozen`: a value never changes, and is looked at
    once; one that is neither a fact nor a packet only if nothing in it can change.
    """

    base: type
    inside: Callable[[Any], Iterable[object]] | None
    kept: bool
    frozen: bool


class _Ways(dict[type, _Way]):
    """The way of each type."""

    def __missing__(self, kind: type) -> _Way:
        """Find the way of a type that was not met before."""
        told = (bool, int, bytes, dict, list, tuple, set, frozenset, Fact, Packet, Principal, msgspec.Struct, object)
        base: type = next(each for each in told if issubclass(kind, each))
        inside: Callable[[Any], Iterable[object]] | None = None
        frozen = False
        if issubclass(base, msgspec.Struct) and issubclass(kind, msgspec.Struct):
            inside, frozen = codec.fields_of(kind), base is not Principal and kind.__struct_config__.frozen
        elif base not in (bool, int, bytes, object):
            inside, frozen = dict.values if base is dict else iter, base is frozenset
        way = self[kind] = _Way(base, inside, base not in (bool, object, Principal), frozen)
        return way


_WAYS = _Ways()


class _Kept(dict[type, bool]):
    """Whether a local value of each type is kept."""

    def __missing__(self, kind: type) -> bool:
        """Say it of a type that was not met before."""
        kept = self[kind] = _WAYS[kind].kept
        return kept


_KEPT = _Kept()


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


class _Code(NamedTuple):
    """A function: whose it is, where it begins if it is a generator (else -1), and whether it may be a method."""

    part: str
    first: int
    is_method: bool
    code: CodeType


_CODE: dict[int, _Code] = {}  # by identity: to hash a code object takes long


def _known(frame: FrameType) -> _Code:
    """Return what the function of a frame is, and keep it."""
    code = frame.f_code
    # whoever closes a generator later, as the collector does, did not begin it
    resumes = (each.offset for each in get_instructions(code) if each.opname == "RESUME")
    found = _Code(
        _part(code, frame.f_globals.get("__name__", "builtins")),
        next(resumes) if code.co_flags & CO_GENERATOR else -1,
        code.co_argcount > 0 and code.co_varnames[0] == "self",
        code,
    )
    return _CODE.setdefault(id(code), found)


def _is_tool(frame: FrameType | None) -> bool:
    """Return whether a frame is a tool's, or passes on what a tool called, as a cached property does."""
    while frame is not None and (part := (_CODE.get(id(frame.f_code)) or _known(frame)).part) is not OWN:
        if part is TOOL:
            return True
        frame = frame.f_back
    return False


def _part(code: CodeType, module: str) -> str:
    """Return INSIDE for a function that only passes values on, TOOL for a tool's, OWN for a party's own code."""
    if module.partition(".")[0] in _LIBRARIES or module in _INSIDE or module.startswith("attacks.lab."):
        return INSIDE
    if module.startswith("namedtuple_"):
        return INSIDE  # what makes a named tuple, as the door does for its observer
    own = module.startswith("escrow.")
    if own and (code.co_name == "<genexpr>" or code in _PASSING):
        return INSIDE
    return TOOL if module in _TOOLS or module.startswith("escrow.primitives.") else OWN


@cache
def facts_read(kind: type) -> frozenset[type[Fact]]:
    """Return the types of facts of the modules on which a scheme's class draws."""
    types = collected(importlib.import_module(kind.__module__), (Fact, Packet, Principal)).types - {Fact}
    facts = (each for each in types if issubclass(each, Fact))
    return frozenset(each for each in facts if not each.__module__.startswith("attacks.lab."))


def _is_whole(fact: Fact) -> bool:
    """Return whether a fact can be written down and read again: an attacker makes what no decoder accepts, too."""
    try:
        return codec.decode(codec.encode(fact), type(fact)) == fact
    except (Malformed, TypeError):
        return False


# --- the state of an evening ---


def with_kept(party: Principal, kept: Collection[Fact]) -> Principal:
    """Return the party with these facts in fields beside its own; itself if there are none."""
    groups: list[dict[str, type[Fact]]] = []
    for kind in dict.fromkeys(map(type, kept)):
        free = next((group for group in groups if kind.__name__ not in group), None)
        if free is None:  # a union tells types by their names
            groups.append(free := {})
        free[kind.__name__] = kind
    if not groups:
        return party
    made = _with_fields(type(party), tuple(frozenset(group.values()) for group in groups))
    values = {field: getattr(party, field) for field in party.__struct_fields__}
    added = {f"{KEPT}{at}": [fact for fact in kept if type(fact) in group.values()] for at, group in enumerate(groups)}
    return made(**values, **added)  # type: ignore[no-any-return]  # a subclass of type(party), made here


@lru_cache(maxsize=256)
def _with_fields(kind: type[Principal], groups: tuple[frozenset[type[Fact]], ...]) -> Any:
    return msgspec.defstruct(
        kind.__name__,
        [
            (f"{KEPT}{at}", list[codec.union(group)], msgspec.field(default_factory=list))  # type: ignore[misc]  # built here
            for at, group in enumerate(groups)
        ],
        bases=(kind,),
        module=kind.__module__,
        tag=kind.__name__,
    )
