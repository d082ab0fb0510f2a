"""Wrong shares: a fact whose secret scalars are one off, and a dealer's code in which everything is sealed wrong.

Shares travel sealed, since all packets are public; so whatever the classes of a scheme are called, a dealer that seals
other bytes than it was given deals wrong shares.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import msgspec

from attacks.lab.simulation.watched.keeping import facts_read
from attacks.lab.simulation.watched.secret_fields import is_public
from escrow import codec, crypto
from escrow.codec import Fact
from escrow.derivation import honest_only
from escrow.errors import Malformed
from escrow.primitives import group, hpke


@honest_only("a wrong share tells nobody anything")
def one_off(fact: Fact) -> Fact:
    """Return a fact whose secret scalars (32 bytes) are one more."""
    secret = {
        name: group.scalar_bytes(int.from_bytes(getattr(fact, name), "big") + 1)
        for name in fact.__struct_fields__
        if not is_public(type(fact), name) and type(getattr(fact, name)) is bytes and len(getattr(fact, name)) == 32
    }
    return msgspec.structs.replace(fact, **secret) if secret else fact


def sealing_wrong(method: Callable[..., Any], scheme: type) -> Callable[..., Any]:
    """Return the method, in which all that the dealer seals to others is wrong: packets are public, so shares are."""

    @functools.wraps(method)
    def deal(self: Any, *arguments: Any, **named: Any) -> Any:
        with _wrong_seals(sys.modules[method.__module__], facts_read(scheme)) as seals:
            handed = [_Pausing(each, seals) if hasattr(each, "ask") else each for each in arguments]
            return method(self, *handed, **named)

    return deal


class _Pausing:
    """A wire on which others, while they read what the dealer sends, seal as always."""

    def __init__(self, wire: Any, seals: dict[str, bool]) -> None:
        self._wire, self._seals = wire, seals

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._wire, name)
        return functools.partial(self._paused, found) if callable(found) else found

    def _paused(self, send: Callable[..., Any], *arguments: Any) -> Any:
        before, self._seals["wrong"] = self._seals["wrong"], False
        try:
            return send(*arguments)
        finally:
            self._seals["wrong"] = before


@contextmanager
def _wrong_seals(module: ModuleType, kinds: frozenset[type[Fact]]) -> Iterator[dict[str, bool]]:
    """Let the dealer's module seal something else than it is given, while `wrong` is set in what is yielded."""
    seals = {"wrong": True}
    places = {id(place): place for place in (hpke, crypto, module)}.values()
    kept = [(place, name, each) for place in places for name, each in list(vars(place).items()) if _seals(each)]

    def wrong(seal: Callable[..., bytes]) -> Callable[..., bytes]:
        @functools.wraps(seal)
        def sealed(to: Any, plaintext: bytes, *rest: Any) -> bytes:
            if not seals["wrong"]:
                return seal(to, plaintext, *rest)
            seals["wrong"] = False  # a seal is made of others
            try:
                return seal(to, _off(plaintext, kinds), *rest)
            finally:
                seals["wrong"] = True

        return sealed

    for place, name, each in kept:
        setattr(place, name, wrong(each))
    try:
        yield seals
    finally:
        for place, name, each in kept:
            setattr(place, name, each)


def _off(plaintext: bytes, kinds: frozenset[type[Fact]]) -> bytes:
    """Return the encoding of a share that is one off, or other bytes with another last bit."""
    try:
        fact = codec.decode_any(plaintext, kinds)
    except Malformed:
        fact = None
    if fact is not None and (wrong := one_off(fact)) != fact:
        return codec.encode(wrong)
    return plaintext[:-1] + bytes([plaintext[-1] ^ 1]) if plaintext else plaintext


def _seals(thing: object) -> bool:
    return thing is _HPKE or thing is _SEAL


_HPKE, _SEAL = hpke.seal, crypto.seal
