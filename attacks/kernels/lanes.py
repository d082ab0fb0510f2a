"""Skipjack on many blocks at once under one key: four words of 16 bits, each of which holds every lane.

Without numpy a word is two strings of bytes: F is one `translate`, exclusive or one long integer. With numpy it is an
array, and G one look-up in a table of 65,536 words. The rounds are written once, over either.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any, Protocol

from escrow.primitives import skipjack
from escrow.primitives.skipjack import ROUNDS, counting, mix

Block = Sequence[Any]  # four words


class Lanes(Protocol):
    """The operations on words of many lanes."""

    def load(self, data: bytes, at: int, step: int) -> list[Any]:
        """Return the four words of the blocks that begin at `at` and follow each other every `step` bytes."""

    def fill(self, block: bytes, count: int) -> list[Any]:
        """Return one block of 8 bytes in every lane."""

    def g(self, key: bytes, k: int, word: Any) -> Any:
        """Return G of round k of a word."""

    def undo_g(self, key: bytes, k: int, word: Any) -> Any:
        """Return the word of which G of round k is `word`."""

    def xor(self, a: Any, b: Any) -> Any:
        """Return the exclusive or, lane by lane."""

    def plus(self, word: Any, counter: int) -> Any:
        """Return the exclusive or with a counter below 256."""

    def first_equal(self, ours: Any, theirs: Any, mask: int, alive: Any) -> tuple[int | None, Any]:
        """Return the first lane in which the masked words agree in all calls so far, and the next call's `alive`."""


def encrypt(lanes: Lanes, key: bytes, block: Block) -> list[Any]:
    """Run escrow.primitives.skipjack.encrypt in every lane."""
    w1, w2, w3, w4 = block
    for k in range(ROUNDS):
        g = lanes.g(key, k, w1)
        if k & 8:
            w1, w2, w3, w4 = w4, g, lanes.plus(lanes.xor(w1, w2), k + 1), w3
        else:
            w1, w2, w3, w4 = lanes.plus(lanes.xor(g, w4), k + 1), g, w2, w3
    return [w1, w2, w3, w4]


def decrypt(lanes: Lanes, key: bytes, block: Block) -> list[Any]:
    """Run escrow.primitives.skipjack.decrypt in every lane."""
    w1, w2, w3, w4 = block
    for k in reversed(range(ROUNDS)):
        g = lanes.undo_g(key, k, w2)
        if k & 8:
            w1, w2, w3, w4 = g, lanes.plus(lanes.xor(g, w3), k + 1), w4, w1
        else:
            w1, w2, w3, w4 = g, w3, w4, lanes.plus(lanes.xor(w1, w2), k + 1)
    return [w1, w2, w3, w4]


def xor(lanes: Lanes, a: Block, b: Block) -> list[Any]:
    """Return the exclusive or of two blocks."""
    return [lanes.xor(x, y) for x, y in zip(a, b, strict=True)]


# --- without numpy ---

Bytes = tuple[bytes, bytes]  # the high and the low byte of a word, in every lane


class PlainLanes:
    """Lanes as strings of bytes."""

    def load(self, data: bytes, at: int, step: int) -> list[Bytes]:
        """Slice the high and low bytes of each word out of `data`."""
        return [(data[at + i :: step], data[at + i + 1 :: step]) for i in (0, 2, 4, 6)]

    def fill(self, block: bytes, count: int) -> list[Bytes]:
        """Repeat the bytes of the block."""
        return [(block[i : i + 1] * count, block[i + 1 : i + 2] * count) for i in (0, 2, 4, 6)]

    def g(self, key: bytes, k: int, word: Bytes) -> Bytes:
        """Return G of round k, by four `translate` calls."""
        _, f0, f1, f2, f3 = skipjack.schedule(key)[k]
        high, low = word
        high = mix(high, low.translate(f0))
        low = mix(low, high.translate(f1))
        high = mix(high, low.translate(f2))
        return high, mix(low, high.translate(f3))

    def undo_g(self, key: bytes, k: int, word: Bytes) -> Bytes:
        """Return the word before G of round k, by the same tables in reverse."""
        _, f0, f1, f2, f3 = skipjack.schedule(key)[k]
        high, low = word
        low = mix(low, high.translate(f3))
        high = mix(high, low.translate(f2))
        low = mix(low, high.translate(f1))
        return mix(high, low.translate(f0)), low

    def xor(self, a: Bytes, b: Bytes) -> Bytes:
        """Return the exclusive or of both strings of bytes."""
        return mix(a[0], b[0]), mix(a[1], b[1])

    def plus(self, word: Bytes, counter: int) -> Bytes:
        """Return the word with the counter in its low byte."""
        return word[0], word[1].translate(counting(counter))

    def first_equal(self, ours: Bytes, theirs: Bytes, mask: int, alive: bytes | None) -> tuple[int | None, bytes]:
        """Return the first lane of equal words; `alive` has a zero byte for every lane equal so far."""
        wrong = alive or bytes(len(ours[0]))
        for at, part in enumerate((mask >> 8, mask & 255)):
            differing = mix(ours[at], theirs[at]).translate(bytes(byte & part for byte in range(256)))
            wrong = (int.from_bytes(wrong, "big") | int.from_bytes(differing, "big")).to_bytes(len(wrong), "big")
        lane = wrong.find(0)
        return (None if lane < 0 else lane), wrong


# --- with numpy ---


class NumpyLanes:
    """Lanes as arrays of 16-bit words."""

    def __init__(self) -> None:
        self.np: Any = importlib.import_module("numpy")
        self._forth = lru_cache(maxsize=8)(self._tables_of)
        self._back = lru_cache(maxsize=8)(self._inverses_of)

    def load(self, data: bytes, at: int, step: int) -> list[Any]:
        """Read the words out of `data` as arrays."""
        words = self.np.frombuffer(data, dtype=">u2").reshape(-1, step // 2)[:, at // 2 : at // 2 + 4]
        return [self.np.ascontiguousarray(words[:, i], dtype="u2") for i in range(4)]

    def fill(self, block: bytes, count: int) -> list[Any]:
        """Fill arrays with the words of the block."""
        return [self.np.full(count, int.from_bytes(block[i : i + 2], "big"), dtype="u2") for i in (0, 2, 4, 6)]

    def _tables_of(self, key: bytes) -> list[Any]:
        """Return G of each of five rounds as a table of words, since round k + 5 equals round k."""
        every, tables = self.np.arange(65536, dtype="u2"), []
        for _, *behind in skipjack.schedule(key)[:5]:
            f0, f1, f2, f3 = (self.np.frombuffer(table, dtype="u1") for table in behind)
            high, low = (every >> 8).astype("u1"), every.astype("u1")
            high ^= f0.take(low)
            low ^= f1.take(high)
            high ^= f2.take(low)
            low ^= f3.take(high)
            tables.append(high.astype("u2") << 8 | low)
        return tables

    def _inverses_of(self, key: bytes) -> list[Any]:
        inverses = []
        for table in self._forth(key):
            inverse = self.np.empty_like(table)
            inverse[table] = self.np.arange(65536, dtype="u2")
            inverses.append(inverse)
        return inverses

    def g(self, key: bytes, k: int, word: Any) -> Any:
        """Return G of round k, by one look-up."""
        return self._forth(key)[k % 5].take(word, mode="wrap")  # no bounds to check: twice as fast

    def undo_g(self, key: bytes, k: int, word: Any) -> Any:
        """Return the word before G of round k, by one look-up in the inverse table."""
        return self._back(key)[k % 5].take(word, mode="wrap")

    def xor(self, a: Any, b: Any) -> Any:
        """Return the exclusive or of two arrays."""
        return a ^ b

    def plus(self, word: Any, counter: int) -> Any:
        """Return the exclusive or with a counter below 256."""
        return word ^ self.np.uint16(counter)

    def first_equal(self, ours: Any, theirs: Any, mask: int, alive: Any) -> tuple[int | None, Any]:
        """Return the first lane of equal words; `alive` is True for every lane equal so far."""
        same = (ours ^ theirs) & self.np.uint16(mask) == 0
        alive = same if alive is None else alive & same
        lane = int(alive.argmax())
        return (lane if alive[lane] else None), alive


@cache
def lanes_of(numpy: bool | None = None) -> Lanes:
    """Return numpy's lanes if it is installed, else the plain ones; `numpy` forces one.

    Raise ModuleNotFoundError if it is missing.
    """
    return NumpyLanes() if (find_spec("numpy") is not None if numpy is None else numpy) else PlainLanes()
