"""Where byte strings lie in each other: which stretches of some targets are found in other strings, states and packets.

Only bytes that change with the run's secret tell anything: what is equal in two runs, everybody has. A *change* is a
stretch of a target in which nearly all bytes differ from the same place of another run. A match is evidence if it is at
least 8 bytes long, 6 of them changed, so that chance would need 2^48 trials.

Example: the target `label | key | public` has the changes `key | public`; `public` lies in a packet, and is dropped; of
`key` it is then asked in which states, results and plaintexts it lies, whole or in part.
"""

from __future__ import annotations

import base64
import binascii
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import msgspec

GRAM = 8  # bytes that a match has at least
CHANGED = 6  # of a gram's bytes
TRIED = 4  # bytes that may be missing: whoever has the rest tries all 2^32 values

Span = tuple[int, int]  # first byte, and the one behind the last

_MARKS = b"\0" + b"\1" * 255  # of a byte that changed, and of one that did not
_CHANGE = re.compile(rb"\x01(?:\x00{0,2}\x01)*")  # random bytes are equal in two runs now and then


_HEX = re.compile(rb"[0-9a-fA-F]{16,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
_BASE32 = re.compile(rb"[A-Z2-7]{16,}")
_DECIMAL = re.compile(rb"(?<![0-9])[0-9]{18,1200}(?![0-9])")
_TEXT = re.compile(rb"(?:[\x00-\x7f]|[\xc2\xc3][\x80-\xbf]){8,}")  # each character one byte (Latin-1)
_NUMBERS = re.compile(rb"(?:[\x00-\x7f]|\xcc[\x80-\xff]){8,}")  # a list of small numbers, as msgpack writes it
_WORDS = (  # lists of larger ones: 2 or 4 bytes each
    (re.compile(rb"(?:\xcd..){4,}", re.DOTALL), re.compile(rb"\xcd(..)", re.DOTALL)),
    (re.compile(rb"(?:\xce....){2,}", re.DOTALL), re.compile(rb"\xce(....)", re.DOTALL)),
)


_BASE85 = tuple(  # Ascii85, RFC 1924, and Z85
    (re.compile(b"[" + re.escape(digits) + b"]{10,}"), bytes.maketrans(digits, bytes(range(85))))
    for digits in (
        bytes(range(33, 118)),
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
    )
)


def _in_words(size: int, code: str) -> Callable[[bytes], bytes]:
    def turned(string: bytes) -> bytes:
        """Return a string with each word of `size` bytes turned round, or as it is if words do not fit."""
        if len(string) % size:
            return string
        words = array(code, string)
        words.byteswap()
        return words.tobytes()

    return turned


_COMPLEMENT, _NIBBLES, _BITS = (
    bytes(each)
    for each in (
        (255 - n for n in range(256)),
        (n >> 4 | (n & 15) << 4 for n in range(256)),
        (int(f"{n:08b}"[::-1], 2) for n in range(256)),
    )
)
RECODED: dict[str, Callable[[bytes], bytes]] = {  # how a secret may be written so that whoever sees it undoes it
    "bytes reversed": lambda string: string[::-1],
    "complement": lambda string: string.translate(_COMPLEMENT),
    "nibbles swapped": lambda string: string.translate(_NIBBLES),
    "bits of each byte reversed": lambda string: string.translate(_BITS),
    "words of 2 bytes turned": _in_words(2, "H"),
    "words of 4 bytes turned": _in_words(4, "I"),
    "words of 8 bytes turned": _in_words(8, "Q"),
}  # each is its own inverse


def readings(data: bytes) -> Iterator[bytes]:
    """Yield encoded bytes as they are, every other one of them, and what is written in them.

    Hexadecimal, base64, base32, base85, decimal numbers, text of which each character is a byte, lists of numbers.
    """
    yield data
    yield from (data[at::2] for at in range(2))  # of two strings that alternate byte by byte
    for found in _HEX.findall(data):
        yield from (binascii.unhexlify(found[at : at + (len(found) - at) // 2 * 2]) for at in range(2))
    for found in _BASE64.findall(data):
        alike = found.translate(bytes.maketrans(b"-_", b"+/"))
        for at in range(4):
            yield binascii.a2b_base64(alike[at : at + (len(alike) - at) // 4 * 4])
    for found in _BASE32.findall(data):
        for at in range(8):
            with suppress(binascii.Error):
                yield base64.b32decode(found[at : at + (len(found) - at) // 8 * 8])
    for pattern, value_of in _BASE85:
        for found in pattern.findall(data):
            digits = found.translate(value_of)
            yield from (_from_base85(digits[at:]) for at in range(5))
    for found in _DECIMAL.findall(data):
        number = int(found)
        yield number.to_bytes((number.bit_length() + 7) // 8, "big")
    for found in _TEXT.findall(data):
        if b"\xc2" in found or b"\xc3" in found:
            yield found.decode().encode("latin-1")
    for found in _NUMBERS.findall(data):
        if b"\xcc" in found:
            yield re.sub(rb"\xcc(.)", rb"\1", found, flags=re.DOTALL)
    for words, tag in _WORDS:
        for found in words.findall(data):
            yield tag.sub(rb"\1", found)


def _from_base85(digits: bytes) -> bytes:
    """Return what digits of base 85, five for four bytes, stand for; where five stand for none, zero bytes."""
    digits += b"\x54" * (-len(digits) % 5)  # the last ones may be fewer
    values = (
        (((digits[at] * 85 + digits[at + 1]) * 85 + digits[at + 2]) * 85 + digits[at + 3]) * 85 + digits[at + 4]
        for at in range(0, len(digits), 5)
    )
    return b"".join((value if value < 1 << 32 else 0).to_bytes(4, "big") for value in values)


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


def spans(marks: bytearray) -> list[Span]:
    """Return the stretches of a target that are still to be explained."""
    return [each.span() for each in _CHANGE.finditer(marks)]


def grams(strings: Iterable[bytes]) -> set[bytes]:
    """Return every 8 bytes that stand together in some string."""
    return {string[at : at + GRAM] for string in strings for at in range(len(string) - GRAM + 1)}


def cover(target: bytes, marks: bytearray, known: set[bytes]) -> None:
    """Clear the marks of all bytes that lie in a known gram."""
    for first, end in spans(marks):
        for at in range(max(0, first - GRAM + CHANGED), min(len(target) - GRAM, end - CHANGED) + 1):
            if target[at : at + GRAM] in known:
                marks[at : at + GRAM] = bytes(GRAM)


class Targets:
    """Strings by number, each with its unexplained stretches, indexed by the grams in these."""

    def __init__(self) -> None:
        self.strings: list[bytes] = []
        self.open: list[list[Span]] = []
        self._index: dict[bytes, list[tuple[int, int]]] = {}

    def add(self, string: bytes, open_: list[Span], step: int = 1) -> int:
        """Add a target and return its number. Matches that are shorter than `step` + 7 bytes may be missed."""
        number = len(self.strings)
        self.strings.append(string)
        self.open.append(open_)
        for first, end in open_:
            low, high = max(0, min(first, end - GRAM)), min(len(string) - GRAM, max(first, end - GRAM))
            if end - first >= CHANGED and low <= high:
                for at in range(low, high + 1, step):
                    self._index.setdefault(string[at : at + GRAM], []).append((number, at))
        return number

    def matches(self, source: bytes) -> Iterator[tuple[int, int, int]]:
        """Yield (target, first, end) for each longest stretch of a target that lies in the source."""
        ends: dict[tuple[int, int], int] = {}  # where the last match on each diagonal ended
        index = self._index
        for at in range(len(source) - GRAM + 1):
            found = index.get(source[at : at + GRAM])
            if found is not None:
                for number, place in found:
                    shift = at - place
                    if place >= ends.get((number, shift), 0):
                        first, end = _grown(source, self.strings[number], shift, place)
                        ends[number, shift] = end
                        yield number, first, end


def _grown(source: bytes, target: bytes, shift: int, place: int) -> Span:
    """Return the longest stretch of the target around a matching gram that equals the source."""
    first, end = place, place + GRAM
    while first and first + shift and target[first - 1] == source[first + shift - 1]:
        first -= 1
    while end < len(target) and end + shift < len(source) and target[end] == source[end + shift]:
        end += 1
    return first, end
