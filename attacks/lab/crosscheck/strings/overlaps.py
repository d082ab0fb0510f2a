"""Where byte strings lie in each other: which stretches of some targets are found in other strings, states and packets.

Only bytes that change with the run's secret tell anything: what is equal in two runs, everybody has. A *change* is a
stretch of a target in which nearly all bytes differ from the same place of another run. A match is evidence if it is at
least 8 bytes long, 6 of them changed, so that chance would need 2^48 trials.

Example: the target `label | key | public` has the changes `key | public`; `public` lies in a packet, and is dropped; of
`key` it is then asked in which states, results and plaintexts it lies, whole or in part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import log2
from string import ascii_lowercase, ascii_uppercase, digits

import msgspec

GRAM = 8  # bytes that a match has at least
CHANGED = 6  # of a gram's bytes
LONGEST = 64  # bytes of a string that is looked for recoded, or in short pieces
SHORT = 4  # bytes of a piece that is looked for in two runs
TRIED = 4  # bytes that may be missing: whoever has the rest tries all 2^32 values

Span = tuple[int, int]  # first byte, and the one behind the last

_from = int.from_bytes
_MARKS = b"\0" + b"\1" * 255  # of a byte that changed, and of one that did not
_ALPHABETS = tuple(map(str.encode, (digits, digits + "abcdef", ascii_lowercase, digits + ascii_uppercase)))
_CHANGE = re.compile(rb"\x01(?:\x00{0,2}\x01)*")  # random bytes are equal in two runs now and then


def strings_in(data: bytes) -> Iterator[bytes]:
    """Yield every byte string inside an encoded value, those inside strings that are themselves encoded too."""
    try:
        waiting = [msgspec.msgpack.decode(data)]
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, bytes):
            yield value
            if value[:1] >= b"\x80":
                yield from strings_in(value)
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list | tuple):
            waiting += value


def changes(string: bytes, other: bytes | None) -> bytearray:
    """Return for each byte of a string 1 if it differs in the other run, or 0; without another run they all may."""
    if other is None:
        return bytearray(b"\1" * len(string))
    if len(string) == len(other):
        return bytearray(_differing(string, other).translate(_MARKS))
    shorter = min(len(string), len(other))
    first = next((at for at in range(shorter) if string[at] != other[at]), shorter)
    rest = shorter - first
    last = next((at for at in range(rest) if string[-1 - at] != other[-1 - at]), rest)
    return bytearray(b"\0" * first + b"\1" * (len(string) - first - last) + b"\0" * last)


def _differing(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def trials(string: bytes, marks: bytearray) -> float:
    """Return the bits of work, at most, to try all values of those bytes of a string that change.

    Where they are digits, or letters of one case, no others are tried: four digits take 13.3 bits, not 32.
    """
    first, end = marks.find(1), marks.rfind(1) + 1
    written = string[first:end] if first >= 0 else b""
    kinds = (
        log2(len(alphabet)) * sum(each in alphabet for each in written)
        for alphabet in _ALPHABETS
        if all(each in alphabet for each, mark in zip(written, marks[first:end], strict=True) if mark)
    )
    return min((8.0 * sum(marks), *kinds))


def spans(marks: bytearray) -> list[Span]:
    """Return the stretches of a target that are still to be explained."""
    return [each.span() for each in _CHANGE.finditer(marks)]


def stretches(places: Iterable[int]) -> Iterator[Span]:
    """Yield the stretches of places that stand in rising order; up to three that are missing between them are in."""
    first = last = -1
    for at in places:
        if first >= 0 and at > last + 4:
            yield first, last + 1
            first = at
        first, last = (at if first < 0 else first), at
    if first >= 0:
        yield first, last + 1


def grams(strings: Iterable[bytes], size: int = GRAM) -> set[bytes]:
    """Return every 8 bytes, or `size`, that stand together in some string."""
    return {string[at : at + size] for string in strings for at in range(len(string) - size + 1)}


def cover(target: bytes, marks: bytearray, known: set[bytes]) -> None:
    """Clear the marks of all bytes that lie in a known gram."""
    for first, end in spans(marks):
        at, last = max(0, first - GRAM + CHANGED), min(len(target) - GRAM, end - CHANGED)
        while at <= last:
            if target[at : at + GRAM] in known:
                marks[at : at + GRAM] = bytes(GRAM)
                if at + GRAM <= last and target[at + GRAM : at + 2 * GRAM] in known:
                    at += GRAM  # what lies between the two is in them
                    continue
            at += 1


def cover_short(target: bytes, other: bytes, marks: bytearray, known: set[bytes], others: set[bytes]) -> None:
    """Clear the marks of pieces that are known in both runs at the same place, by chance in one of 2^30 cases."""
    for at in range(len(target) - SHORT + 1):
        if target[at : at + SHORT] in known and other[at : at + SHORT] in others:
            marks[at : at + SHORT] = bytes(SHORT)


class Targets:
    """Strings by number, each with its unexplained stretches, indexed by the grams in these."""

    def __init__(self) -> None:
        self.strings: list[bytes] = []
        self.open: list[list[Span]] = []
        self._index: dict[bytes, list[tuple[int, int, int]]] = {}  # target, place, last place indexed from there on

    def add(self, string: bytes, open_: list[Span], step: int = 1) -> int:
        """Add a target and return its number. Matches that are shorter than `step` + 7 bytes may be missed."""
        number = len(self.strings)
        self.strings.append(string)
        self.open.append(open_)
        for first, end in open_:
            low, high = max(0, min(first, end - GRAM)), min(len(string) - GRAM, max(first, end - GRAM))
            if end - first >= CHANGED and low <= high:
                for at in range(low, high + 1, step):
                    last = high if step == 1 else at
                    self._index.setdefault(string[at : at + GRAM], []).append((number, at, last))
        return number

    def matches(self, source: bytes) -> Iterator[tuple[int, int, int]]:
        """Yield (target, first, end) for each longest stretch of a target that lies in the source."""
        ends: dict[tuple[int, int], int] = {}  # where the last match on each diagonal ended
        index, until, so_many = self._index, 0, 0  # before this place so many matches go on
        for at in range(len(source) - GRAM + 1):
            found = index.get(source[at : at + GRAM])
            if found is None or (at < until and len(found) == so_many):  # then these are the matches that go on
                continue
            until, so_many = len(source), len(found)
            for number, place, last in found:
                shift = at - place
                if place >= (end := ends.get((number, shift), 0)):
                    first, end = _grown(source, self.strings[number], shift, place)
                    ends[number, shift] = end
                    yield number, first, end
                until = min(until, shift + min(end - GRAM, last) + 1)


def _grown(source: bytes, target: bytes, shift: int, place: int) -> Span:
    """Return the longest stretch of the target around a matching gram that equals the source."""
    if shift >= 0 and source.startswith(target, shift):
        return 0, len(target)
    low, end, high = max(0, -shift), place + GRAM, min(len(target), len(source) - shift)
    before = _from(target[low:place], "little") ^ _from(source[low + shift : place + shift], "little")
    behind = _from(target[end:high], "big") ^ _from(source[end + shift : high + shift], "big")
    return low + (before.bit_length() + 7) // 8, high - (behind.bit_length() + 7) // 8
