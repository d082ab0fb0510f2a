"""How a secret may be written so that whoever sees it undoes it: its bytes in another order, or each by another.

A *recoding* arranges the bytes and replaces each by a table. Every one here is its own inverse, and two on top of each
other are in `TWICE`. Whatever arranges bytes leaves their multiset, so a string is found under all of them by its
sorted bytes, and then compared with each.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

SHORTEST, LONGEST = 8, 64  # bytes of what is looked for


class Recoding(NamedTuple):
    """An arrangement of bytes, and a table of 256 by which each is replaced."""

    arrange: Callable[[bytes], bytes]
    table: bytes

    def __call__(self, string: bytes) -> bytes:
        """Return a string recoded; one whose length does not fit is arranged as it was."""
        return self.arrange(string).translate(self.table)

    def places(self, size: int) -> bytes:
        """Return for each byte of a recoded string of this size, at most 256, the place where it was."""
        return self.arrange(bytes(range(size)))


def _as_it_is(string: bytes) -> bytes:
    return string


def _in_words(size: int, code: str) -> Callable[[bytes], bytes]:
    def turned(string: bytes) -> bytes:
        """Return a string with each word of `size` bytes turned round, or as it is if words do not fit."""
        if len(string) % size:
            return string
        words = array(code, string)
        words.byteswap()
        return words.tobytes()

    return turned


_SAME = bytes(range(256))
RECODED: dict[str, Recoding] = {
    "bytes reversed": Recoding(lambda string: string[::-1], _SAME),
    "complement": Recoding(_as_it_is, bytes(255 - n for n in range(256))),
    "nibbles swapped": Recoding(_as_it_is, bytes(n >> 4 | (n & 15) << 4 for n in range(256))),
    "bits of each byte reversed": Recoding(_as_it_is, bytes(int(f"{n:08b}"[::-1], 2) for n in range(256))),
    "words of 2 bytes turned": Recoding(_in_words(2, "H"), _SAME),
    "words of 4 bytes turned": Recoding(_in_words(4, "I"), _SAME),
    "words of 8 bytes turned": Recoding(_in_words(8, "Q"), _SAME),
}


def _both(one: Recoding, other: Recoding) -> Recoding:
    return Recoding(lambda string: other.arrange(one.arrange(string)), one.table.translate(other.table))


TWICE: dict[str, Recoding] = {
    f"{one}, {other}": _both(RECODED[one], RECODED[other]) for one, other in combinations(RECODED, 2)
}
_TABLES = {each.table for each in (*RECODED.values(), *TWICE.values())}


def recoded(values: Iterable[bytes], strings: Collection[bytes]) -> Iterator[tuple[bytes, bytes, str]]:
    """Yield (value, string, how) wherever a string, or as many bytes at one of its ends, is a value recoded.

    One that is recoded once or twice is found; values are of 8 to 64 bytes.
    """
    sought: dict[bytes, list[bytes]] = defaultdict(list)
    sizes: set[int] = set()
    for value in values:
        if SHORTEST <= len(value) <= LONGEST:
            sizes.add(len(value))
            for table in _TABLES:
                sought[bytes(sorted(value.translate(table)))].append(value)
    for string in strings:
        ends = {cut for size in sizes if len(string) >= size for cut in (string[:size], string[-size:])}
        for end in ends:
            for value in sought.get(bytes(sorted(end)), ()):
                if how := next((how for how, change in _every() if change(value) == end != value), ""):
                    yield value, string, how


def moved(places: int, how: str, size: int) -> int:
    """Return where those places of a recoded string, as bits, are in the string itself."""
    return sum(1 << place for at, place in enumerate(RECODED[how].places(size)) if places >> at & 1)


def _every() -> Iterator[tuple[str, Recoding]]:
    yield from RECODED.items()
    yield from TWICE.items()
