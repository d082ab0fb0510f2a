"""What two plays show of a scheme's secrets without knowing the scheme: constant secrets, and nonces used again.

B1: a secret that is the same in two runs is written in the program, and everybody has it. That is a field of bytes that
is not Public, 16 or more of them; or fewer, and any other string, where the door takes them for a key.
B2: under one key and nonce two different ciphertexts were sealed.
"""

from __future__ import annotations

import typing
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Union

import msgspec

from attacks.lab.crosscheck.door_record import Sealed
from attacks.lab.crosscheck.places import author, few, is_schemes, line_of, place_of
from attacks.lab.crosscheck.two_plays import CHANCE, TwoPlays
from attacks.lab.simulation.record import Record
from escrow.codec import Public, walk
from escrow.run import Call

LONG = 16  # bytes of a secret; shorter constants are often labels
KEYS = {
    "seal": 0,
    "x25519": 0,
    "x25519-key": 0,
    "ed25519-key": 0,
    "ed25519-sign": 0,
    "p256-key": 0,
    "p256-base": 0,
    "p256-exchange": 0,
    "ml-kem-key": 0,
    "ml-kem-decapsulate": 0,
    "skipjack": 0,
    "skipjack-open": 0,
}  # operations that need a secret, and at which place among their inputs
DERIVING = {"hmac": 0, "hkdf": 1, "hkdf-expand": 0, "draw": 0}  # those that may also be given a label there


def keys_of(calls: Iterable[Call]) -> set[bytes]:
    """Return the strings of 8 bytes or more that operations took as keys."""
    at = KEYS | DERIVING
    taken = (call.inputs[at[call.operation]] for call in calls if call.operation in at)
    return {each for each in taken if len(each) >= CHANCE}


@dataclass(frozen=True)
class ByteFault:
    """A fault in words: the party, the function or field, and its place in the source.

    `values` are the strings that are constant, and public halves of them; or the keys with which a nonce is used again.
    """

    says: str
    values: frozenset[bytes]
    nonces: bool = False

    def explains(self, inputs: Set[bytes], streams: Set[bytes]) -> bool:
        """Return whether a proof is by this fault: what its calls took, and the keys under which it mixed streams."""
        return not self.values.isdisjoint(streams if self.nonces else inputs)


# --- B1 ---


def constant_secrets(plays: TwoPlays) -> list[ByteFault]:
    """Return each secret that is equal in two runs: who holds it in which field, and what takes it for a key."""
    held, used = _held(plays), _used(plays)
    made = _made_of(plays, {*held, *used})
    alike: dict[tuple[int, str, tuple[str, ...], tuple[str, ...]], list[bytes]] = defaultdict(list)
    for value in [*held, *(each for each in used if each not in held)]:
        if value in held or value not in made:
            alike[len(value), _made_in(plays, value), (*held.get(value, ()),), (*used.get(value, ()),)].append(value)
    found = []
    for (size, by, fields, uses), values in alike.items():
        whose = [(field, few(party for each in values for party in held[each][field])) for field in fields]
        parties = few(party for each in values for use in uses for party in used[each][use])
        secrets = {*values, *(one for one, root in made.items() if root in values)}
        found.append(ByteFault(f"{_said(size, whose, uses, parties)}{by}", _with_public(plays, secrets)))
    return found


def _made_of(plays: TwoPlays, secrets: Set[bytes]) -> dict[bytes, bytes]:
    """Return which of the constant secrets was computed from which other one: that is no fault of its own."""
    found: dict[bytes, bytes] = {}
    for call in plays.log.stacks:
        root = next((each for each in secrets if any(each in given for given in call.inputs)), None)
        if root is not None:
            made = [each for each in secrets if each != root and any(each in result for result in call.outputs)]
            found.update(dict.fromkeys(made, found.get(root, root)))
    return found


def _made_in(plays: TwoPlays, value: bytes) -> str:
    """Return in which of the scheme's functions the door gave bytes, in words; nothing if they stand in the text."""
    for call, stack in plays.log.stacks.items():
        if call.inputs and any(value in each for each in call.outputs) and (code := author(stack)) and is_schemes(code):
            return f", made in {place_of(code)}"
    return ""


def _said(size: int, fields: Sequence[tuple[str, str]], uses: Sequence[str], parties: str) -> str:
    places = " and ".join(uses)
    if not fields:
        give = "give" if ", " in parties else "gives"
        return f"{parties} {give} a key of {size} bytes that is the same in every run to {places}"
    inside = " and ".join(f"{holders}: {field}" for field, holders in fields)
    return f"{inside} is the same in every run{', and a key for ' * bool(places)}{places}"


def _with_public(plays: TwoPlays, values: Iterable[bytes]) -> frozenset[bytes]:
    """Return these strings, and the public halves of those that are private keys."""
    halves = (each for each in plays.log.calls if each.operation.endswith("-key") and each.inputs[0] in values)
    return frozenset(values).union(*(each.outputs for each in halves))


def _used(plays: TwoPlays) -> dict[bytes, dict[str, list[str]]]:
    """Return the constant keys: each with the operations and functions that took it, and by whom."""
    found: dict[bytes, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for call in plays.log.calls:
        if call.operation in KEYS and plays.constant(key := call.inputs[KEYS[call.operation]]) and _is_key(key):
            code = author(plays.log.stacks.get(call._replace(party=""), ()))
            found[key][f"{call.operation} in {place_of(code)}" if code else call.operation].append(_named(call.party))
    return found


def _is_key(data: bytes) -> bool:
    """Return whether bytes may be meant to be secret: small numbers, as factors of points are, are not."""
    return len(data.lstrip(b"\0")) >= CHANCE or len(set(data)) == 1 < len(data) <= 2 * LONG


def _held(plays: TwoPlays) -> dict[bytes, dict[str, list[str]]]:
    """Return the constant secrets in states: each with the fields that hold it, and in whose states."""
    keyed = {
        call.inputs[places[call.operation]]
        for places in (KEYS, DERIVING)
        for call in plays.log.calls
        if call.operation in places
    }
    others = {(kind.__name__, field, value) for _, kind, field, value in _secrets(plays.other)}
    found: dict[bytes, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for party, kind, field, value in _secrets(plays.record):
        meant = value in keyed or (len(value) >= LONG and len(set(value)) > 1)  # a fill is a place that is still empty
        if meant and len(value) >= CHANCE and (kind.__name__, field, value) in others:
            found[value][f"{kind.__name__}.{field} ({line_of(kind, field)}; {len(value)} bytes)"].append(party)
    return found


def _secrets(record: Record) -> Iterator[tuple[str, type, str, bytes]]:
    """Yield (party, type, field, value) for every string of bytes in a state that is not Public."""
    seen = set()
    for party, states in record.states.items():
        for evening, state in enumerate(states):
            if state and (party, state) not in seen:
                seen.add((party, state))
                for value in walk(record.party(party, evening), msgspec.Struct):
                    for name, hint in _hints(type(value)).items():
                        for each in _loose(getattr(value, name), hint):
                            yield party, type(value), name, each


@cache
def _hints(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in kind.__struct_fields__}


def _loose(value: object, hint: Any) -> Iterator[bytes]:
    """Yield the byte strings in the value of a field that its type does not call Public."""
    if isinstance(value, bytes):
        if Public not in _alternatives(hint):
            yield value
        return
    kinds = [each for each in _alternatives(hint) if typing.get_origin(each) is type(value)]
    inner = typing.get_args(kinds[0]) if kinds else ()
    if isinstance(value, dict) and len(inner) == 2:
        for key, held in value.items():
            yield from _loose(key, inner[0])
            yield from _loose(held, inner[1])
    elif isinstance(value, list | tuple | set | frozenset) and inner:
        alike = inner[0] if len(inner) == 1 or inner[-1] is Ellipsis else None
        for at, held in enumerate(value):
            yield from _loose(held, alike or inner[at])


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) in (Union, UnionType) else (hint,)


# --- B2 ---


def repeated_nonces(plays: TwoPlays) -> list[ByteFault]:
    """Return which functions sealed different texts under one key and nonce: by whom, how often, and which texts."""
    under: dict[tuple[bytes, bytes], dict[bytes, Sealed]] = defaultdict(dict)
    for one in plays.log.sealed:
        under[one.key, one.nonce].setdefault(one.ciphertext, one)
    texts = _TextsBehind(plays)
    twice: dict[str, list[list[Sealed]]] = defaultdict(list)
    for sealed in under.values():
        if len(sealed) > 1:
            codes = {author(plays.log.stacks.get(each.call, ())) for each in sealed.values()}
            twice[", ".join(sorted(place_of(code) for code in codes if code))].append([*sealed.values()])
    return [_again(where, groups, texts) for where, groups in twice.items()]


def _again(where: str, groups: Sequence[Sequence[Sealed]], texts: _TextsBehind) -> ByteFault:
    known = sorted(set[int]().union(*(texts.behind(each.plaintext) for group in groups for each in group)))
    shown = f", texts {', '.join(map(str, known))}" if known else ""
    pairs = f"{len(groups)} pairs of key and nonce" if len(groups) > 1 else "one pair of key and nonce"
    parties = few(_named(each.party) for group in groups for each in group)
    says = f"seal by {parties}{' in ' * bool(where)}{where}: different ciphertexts under {pairs}{shown}"
    return ByteFault(says, frozenset(group[0].key for group in groups), nonces=True)


class _TextsBehind:
    """Which texts a plaintext holds: their bodies, or keys under which such a plaintext was sealed."""

    def __init__(self, plays: TwoPlays) -> None:
        self._bodies = {sent.body: sent.id for sent in plays.record.sent}
        self._keys: dict[bytes, set[int]] = defaultdict(set)
        for one in plays.log.sealed:
            self._keys[one.key] |= {number for body, number in self._bodies.items() if body in one.plaintext}
        self._keys = {key: numbers for key, numbers in self._keys.items() if numbers}

    def behind(self, plaintext: bytes) -> set[int]:
        """Return the numbers of the texts."""
        found = {number for body, number in self._bodies.items() if body in plaintext}
        return found.union(*(numbers for key, numbers in self._keys.items() if key in plaintext))


def _named(party: str) -> str:
    return party or "the programme, outside any party,"
