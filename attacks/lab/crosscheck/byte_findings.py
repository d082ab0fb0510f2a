"""What two plays show of a scheme's secrets without knowing the scheme: constant secrets, and nonces used again.

B1: a secret that is the same in two runs is written in the program, and everybody has it. That is a field of bytes that
is not Public, 16 or more of them; or fewer, and any other string, where the door takes them for a key.
B2: under one key and nonce two different ciphertexts were sealed.
"""

from __future__ import annotations

import typing
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Any, Union

import msgspec

from attacks.lab.crosscheck.door_record import Sealed
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
    """Return what operations took for a key: 8 bytes or more."""
    at = KEYS | DERIVING
    taken = (call.inputs[at[call.operation]] for call in calls if call.operation in at)
    return {each for each in taken if len(each) >= CHANCE}


# --- B1 ---


def constant_secrets(plays: TwoPlays) -> Iterator[str]:
    """Yield each secret that is equal in two runs: the party and field that hold it, or the operation that took it."""
    yield from _held(plays)
    found: dict[str, None] = {}
    for operation, inputs, _, party in plays.log.calls:
        if operation in KEYS and plays.constant(key := inputs[KEYS[operation]]) and _is_key(key):
            found[f"{_named(party)} gives {operation} a key of {len(key)} bytes that is the same in every run"] = None
    yield from found


def _is_key(data: bytes) -> bool:
    """Return whether bytes may be meant to be secret: small numbers, as factors of points are, are not."""
    return len(data.lstrip(b"\0")) >= CHANCE or len(set(data)) == 1 < len(data) <= 2 * LONG


def _held(plays: TwoPlays) -> Iterator[str]:
    """Yield the constant secrets in states, once for each party and field."""
    keyed = {
        call.inputs[places[call.operation]]
        for places in (KEYS, DERIVING)
        for call in plays.log.calls
        if call.operation in places
    }
    others = {(field, value) for _, field, value in _secrets(plays.other)}
    found: dict[str, None] = {}
    for party, field, value in _secrets(plays.record):
        meant = value in keyed or (len(value) >= LONG and len(set(value)) > 1)  # a fill is a place that is still empty
        if meant and len(value) >= CHANCE and (field, value) in others:
            found[f"{party}: {field} ({len(value)} bytes) is the same in every run"] = None
    yield from found


def _secrets(record: Record) -> Iterator[tuple[str, str, bytes]]:
    """Yield (party, type and field, value) for every string of bytes in a state that is not Public."""
    seen = set()
    for party, states in record.states.items():
        for evening, state in enumerate(states):
            if state and (party, state) not in seen:
                seen.add((party, state))
                for value in walk(record.party(party, evening), msgspec.Struct):
                    for name, hint in _hints(type(value)).items():
                        for each in _loose(getattr(value, name), hint):
                            yield party, f"{type(value).__name__}.{name}", each


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


def repeated_nonces(plays: TwoPlays) -> Iterator[str]:
    """Yield what sealed different texts under one key and nonce: by whom, how often, and the texts in the play."""
    under: dict[tuple[bytes, bytes], dict[bytes, Sealed]] = defaultdict(dict)
    for one in plays.log.sealed:
        under[one.key, one.nonce].setdefault(one.ciphertext, one)
    texts = _TextsBehind(plays)
    twice: dict[tuple[str, ...], list[Iterable[Sealed]]] = defaultdict(list)
    for sealed in under.values():
        if len(sealed) > 1:
            twice[tuple(sorted({_named(each.party) for each in sealed.values()}))].append(sealed.values())
    for parties, groups in twice.items():
        known = sorted(set[int]().union(*(texts.behind(each.plaintext) for group in groups for each in group)))
        shown = f", texts {', '.join(map(str, known))}" if known else ""
        pairs = f"{len(groups)} pairs of key and nonce" if len(groups) > 1 else "one pair of key and nonce"
        yield f"seal by {', '.join(parties)}: different ciphertexts under {pairs}{shown}"


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
