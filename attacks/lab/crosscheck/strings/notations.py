"""Bytes as they are written in other notations: hexadecimal, base64, decimal numbers, others; or recoded.

Whoever reads a packet reads what is written in it; and whoever writes bytes so, and hashes the text, has hashed no
secret if the bytes were none.
"""

from __future__ import annotations

import ast
import base64
import binascii
import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial, reduce
from itertools import combinations
from struct import pack
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_HEX = re.compile(rb"[0-9a-fA-F]{16,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
_BASE32 = re.compile(rb"[A-Z2-7]{16,}")
_DECIMAL = re.compile(rb"(?<![0-9])[0-9]{18,1200}(?![0-9])")
_TEXT = re.compile(rb"(?:[\x00-\x7f]|[\xc2\xc3][\x80-\xbf]){8,}")  # each character one byte (Latin-1)
_NUMBERS = re.compile(rb"(?:[\x00-\x7f]|\xcc[\x80-\xff]){8,}")  # a list of small numbers, as msgpack writes it
_WORDS = (  # lists of larger ones: 2 or 4 bytes each
    [re.compile(each, re.DOTALL) for each in (rb"\xcd..\xcd", rb"(?:\xcd..){4,}", rb"\xcd(..)")],
    [re.compile(each, re.DOTALL) for each in (rb"\xce....\xce", rb"(?:\xce....){2,}", rb"\xce(....)")],
)


_BASE85 = tuple(  # Ascii85, RFC 1924, and Z85
    (re.compile(b"[" + re.escape(digits) + b"]{10,}"), bytes.maketrans(digits, bytes(range(85))))
    for digits in (
        bytes(range(33, 118)),
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
    )
)
SHORTEST = 16  # bytes in which something else may be written
_ASCII = re.compile(rb"[\x00-\x7f]{8}")  # what lies in all that is written in digits, letters or signs
_LITERAL = re.compile(rb"b'(?:[ -&(-\[\]-~]|\\.)*'|b\"(?:[ !#-\[\]-~]|\\.)*\"")  # bytes, as Python writes them
_LISTED = re.compile(rb"[0-9]{1,3}(?:[,;:. -] ?[0-9]{1,3}){7,}")  # their values
_BITS = re.compile(rb"[01]{64,}")
_QUOTED = re.compile(rb"(?:%[0-9A-Fa-f]{2}|[A-Za-z0-9_.~+-]){8,}")  # as in a link
_GROUPED = re.compile(rb"(?:[0-9A-Za-z+/]{1,16}[ :.,_\xa1-\xb0-]){3,}[0-9A-Za-z+/=]{1,16}")  # and a list of short texts
Written = tuple[int, int, bytes]  # where it stands in other bytes, from and to, and what it says


def readings(data: bytes) -> Iterator[bytes]:
    """Yield encoded bytes as they are, every other one of them, and what is written in them."""
    yield data
    yield from (data[at::2] for at in range(2))  # of two strings that alternate byte by byte
    yield from (said for _, _, said in written_in(data))


def written_in(data: bytes) -> Iterator[Written]:
    """Yield what is written in bytes, and what is written in that, with its place in the bytes."""
    for first, end, said in _once_in(data):
        yield first, end, said
        if len(said) >= SHORTEST:
            yield from ((first, end, inner) for _, _, inner in _once_in(said))


def _once_in(data: bytes) -> Iterator[Written]:
    """Yield what is written in bytes, with its place.

    Hexadecimal, base64, base32, base85, decimal numbers, bits, bytes as Python or a link writes them, text of which
    each character is a byte, lists of numbers. Of what stands in short groups it is one piece, which is read next.
    """
    in_ascii = _ASCII.search(data)
    if in_ascii:
        yield from _in_digits(data, _HEX, 2, (), binascii.unhexlify)
        yield from _in_digits(data.translate(_URL_SAFE), _BASE64, 4, (2, 3), binascii.a2b_base64)
        yield from _in_digits(data, _BASE32, 8, (2, 4, 5, 7), base64.b32decode)
        for pattern, value_of in _BASE85:
            for found in pattern.finditer(data):
                digits = found[0].translate(value_of)
                yield from ((found.start() + at, found.end(), _from_base85(digits[at:])) for at in range(5))
    for sign, pattern, value in (*_IN_ASCII, *_IN_ANY) if in_ascii else _IN_ANY:
        if sign.search(data):
            for found in pattern.finditer(data):
                try:
                    said = value(found[0])
                except (ValueError, SyntaxError):
                    continue
                if said:
                    yield *found.span(), said


def _in_digits(
    data: bytes, pattern: re.Pattern[bytes], group: int, last: Collection[int], value: Callable[[bytes], bytes]
) -> Iterator[Written]:
    """Yield what stretches of digits say, of which groups stand for whole bytes; the first group may begin anywhere.

    `last` are the sizes that the last group may have instead.
    """
    for found in pattern.finditer(data):
        first, size = found.start(), len(found[0])
        for at in range(group):
            end = size if (rest := (size - at) % group) in last else size - rest
            try:
                said = value(found[0][at:end] + b"=" * ((at - end) % group))
            except binascii.Error:
                continue
            yield first + at, first + end, said


def _number(digits: bytes) -> bytes:
    number = int(digits)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _in_latin_1(text: bytes) -> bytes:
    return text.decode().encode("latin-1") if b"\xc2" in text or b"\xc3" in text else b""


def _from_base85(digits: bytes) -> bytes:
    """Return what digits of base 85, five for four bytes, stand for; where five stand for none, zero bytes."""
    digits += b"\x54" * (-len(digits) % 5)  # the last ones may be fewer
    fives = zip(*[iter(digits)] * 5, strict=True)
    values = [(((a * 85 + b) * 85 + c) * 85 + d) * 85 + e for a, b, c, d, e in fives]
    return pack(f">{len(values)}I", *(value if value < 1 << 32 else 0 for value in values))


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_Patterns = tuple[tuple[re.Pattern[bytes], re.Pattern[bytes], Callable[[bytes], bytes]], ...]
_NUMERALS = re.compile(rb"[0-9][0-9,;:. -]{14}")
_GROUPS = re.compile(rb"(?:[ :.,_\xa1-\xb0-][0-9A-Za-z+/]{1,16}){2}[ :.,_\xa1-\xb0-]")
_QUOTE, _WIDE, _SMALL = map(re.compile, (rb"%[0-9A-Fa-f]{2}", rb"[\xc2\xc3][\x80-\xbf]", rb"\xcc[\x80-\xff]"))
_IN_ASCII: _Patterns = (  # first, what lies in all that the pattern fits and says something: it is soon looked for
    (_NUMERALS, _DECIMAL, _number),
    (re.compile(rb"b['\"]"), _LITERAL, lambda found: ast.literal_eval(found.decode("ascii"))),
    (_NUMERALS, _LISTED, lambda found: bytes(map(int, re.findall(rb"[0-9]+", found)))),
    (_NUMERALS, _BITS, lambda found: int(found[: len(found) // 8 * 8], 2).to_bytes(len(found) // 8, "big")),
    (_QUOTE, _QUOTED, lambda found: unquote_to_bytes(found) if b"%" in found else b""),
)
_IN_ANY: _Patterns = (  # other bytes may stand between
    (_WIDE, _TEXT, _in_latin_1),
    (_SMALL, _NUMBERS, lambda found: re.sub(rb"\xcc(.)", rb"\1", found, flags=re.DOTALL) if b"\xcc" in found else b""),
    *((two, words, partial(tag.sub, rb"\1")) for two, words, tag in _WORDS),
    (_GROUPS, _GROUPED, lambda found: re.sub(rb"[^0-9A-Za-z+/=]", b"", found)),
)


# --- recoded ---
#
# A recoding arranges bytes and replaces each by a table; each is its own inverse. Whatever arranges bytes leaves their
# multiset, so a string is found under all of them by its sorted bytes, and then compared with each.

LEAST, MOST = 8, 64  # bytes of what is looked for


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


def _on_top(these: Iterable[Recoding]) -> Recoding:
    """Return several recodings as one."""
    arranging = tuple(each.arrange for each in these)
    table = reduce(bytes.translate, (each.table for each in these), _SAME)
    return Recoding(lambda string: reduce(lambda done, arrange: arrange(done), arranging, string), table)


TOGETHER: dict[str, Recoding] = {  # any number of them on top of each other: each is its own inverse, and they commute
    ", ".join(these): _on_top([RECODED[each] for each in these])
    for size in range(2, len(RECODED) + 1)
    for these in combinations(RECODED, size)
}
_TABLES = {each.table for each in (*RECODED.values(), *TOGETHER.values())}


def recoded(values: Iterable[bytes], strings: Collection[bytes]) -> Iterator[tuple[bytes, bytes, str]]:
    """Yield (value, string, how) wherever a string, or as many bytes at one of its ends, is a value recoded.

    One that is recoded in any number of ways on top of each other is found; values are of 8 to 64 bytes.
    """
    sought: dict[bytes, list[bytes]] = defaultdict(list)
    sizes: set[int] = set()
    for value in values:
        if LEAST <= len(value) <= MOST:
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
    yield from TOGETHER.items()
