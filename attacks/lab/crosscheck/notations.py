"""Bytes as they are written in other notations: hexadecimal, base64, decimal numbers, Python's own, and others.

Whoever reads a packet reads what is written in it; and whoever writes bytes so, and hashes the text, has hashed no
secret if the bytes were none.
"""

from __future__ import annotations

import ast
import base64
import binascii
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

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
SHORTEST = 16  # bytes in which something else may be written
_LITERAL = re.compile(rb"b'(?:[ -&(-\[\]-~]|\\.)*'|b\"(?:[ !#-\[\]-~]|\\.)*\"")  # bytes, as Python writes them
_LISTED = re.compile(rb"[0-9]{1,3}(?:, ?[0-9]{1,3}){7,}")  # their values
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

    Hexadecimal, base64, base32, base85, decimal numbers, bytes as Python writes them, text of which each character is a
    byte, lists of numbers.
    """
    yield from _in_digits(data, _HEX, 2, binascii.unhexlify)
    yield from _in_digits(data.translate(_URL_SAFE), _BASE64, 4, binascii.a2b_base64)
    yield from _in_digits(data, _BASE32, 8, base64.b32decode)
    for pattern, value_of in _BASE85:
        for found in pattern.finditer(data):
            digits = found[0].translate(value_of)
            yield from ((found.start() + at, found.end(), _from_base85(digits[at:])) for at in range(5))
    for pattern, value in _WHOLE:
        for found in pattern.finditer(data):
            with suppress(ValueError, SyntaxError):
                yield *found.span(), value(found[0])


def _in_digits(
    data: bytes, pattern: re.Pattern[bytes], group: int, value: Callable[[bytes], bytes]
) -> Iterator[Written]:
    """Yield what stretches of digits say, of which groups stand for whole bytes; the first group may begin anywhere."""
    for found in pattern.finditer(data):
        first, size = found.start(), len(found[0])
        for at in range(group):
            end = at + (size - at) // group * group
            with suppress(binascii.Error):
                yield first + at, first + end, value(found[0][at:end])


def _number(digits: bytes) -> bytes:
    number = int(digits)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _in_latin_1(text: bytes) -> bytes:
    return text.decode().encode("latin-1") if b"\xc2" in text or b"\xc3" in text else b""


def _from_base85(digits: bytes) -> bytes:
    """Return what digits of base 85, five for four bytes, stand for; where five stand for none, zero bytes."""
    digits += b"\x54" * (-len(digits) % 5)  # the last ones may be fewer
    values = (
        (((digits[at] * 85 + digits[at + 1]) * 85 + digits[at + 2]) * 85 + digits[at + 3]) * 85 + digits[at + 4]
        for at in range(0, len(digits), 5)
    )
    return b"".join((value if value < 1 << 32 else 0).to_bytes(4, "big") for value in values)


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_WHOLE: tuple[tuple[re.Pattern[bytes], Callable[[bytes], bytes]], ...] = (
    (_DECIMAL, _number),
    (_TEXT, _in_latin_1),
    (_NUMBERS, lambda found: re.sub(rb"\xcc(.)", rb"\1", found, flags=re.DOTALL) if b"\xcc" in found else b""),
    *((words, partial(tag.sub, rb"\1")) for words, tag in _WORDS),
    (_LITERAL, lambda found: ast.literal_eval(found.decode("ascii"))),
    (_LISTED, lambda found: bytes(map(int, found.split(b",")))),
)
