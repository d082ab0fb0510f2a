"""The encodings of evidence folders, for verify_evidence.py: facts, JSON, lengths and numbers inside what is hashed."""

from __future__ import annotations

import hashlib
import json


class Refused(Exception):
    """The folder proves nothing; the message says where, and why."""


def require(holds, why):
    """Raise Refused unless it holds."""
    if not holds:
        raise Refused(why)


def pack(value):
    """Return the one encoding of nothing, a truth value, an integer, bytes, a string or a list."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        if -32 <= value < 128:
            return value.to_bytes(1, "big", signed=value < 0)
        size = (value.bit_length() - 1).bit_length() - 3 if value > 255 else 0
        return bytes([0xCC + size]) + value.to_bytes(1 << size, "big")
    if isinstance(value, list):
        return _head(len(value), 0x90, 16, 0xDC, 1) + b"".join(map(pack, value))
    data = value.encode() if isinstance(value, str) else value
    return (_head(len(data), 0, 0, 0xC4) if data is value else _head(len(data), 0xA0, 32, 0xD9)) + data


def _head(length, short, most, first, least=0):
    if length < most:
        return bytes([short | length])
    size = next(size for size in range(least, 3) if length < 1 << (8 << size))
    return bytes([first + size - least]) + length.to_bytes(1 << size, "big")


def unpack(data):
    """Return the value that some bytes encode. Raise Refused for all encodings but `pack`'s."""
    value, rest = _unpack(data)
    require(not rest and pack(value) == data, "an encoding is not canonical")
    return value


def _unpack(data):
    first, data = data[0], data[1:]
    if first < 0x80 or first >= 0xE0:
        return first - (first >= 0xE0) * 0x100, data
    if first in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[first], data
    wide = {0xC4: 1, 0xC5: 2, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD9: 1, 0xDA: 2, 0xDC: 2}.get(first, 0)
    require(wide or 0x90 <= first < 0xC0, "an encoding has a type that no fact has")
    size, data = int.from_bytes(data[:wide], "big") if wide else first & (0x0F if first < 0xA0 else 0x1F), data[wide:]
    if 0xCC <= first <= 0xCF:
        return size, data
    if first < 0xA0 or first == 0xDC:
        found = []
        for _ in range(size):
            value, data = _unpack(data)
            found.append(value)
        return found, data
    return data[:size] if first < 0xC6 and wide else data[:size].decode(), data[size:]


def prefixed(*parts):
    """Return each part after its length in four bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def sha256(*parts):
    """Return SHA-256 of the parts, each after its length."""
    return hashlib.sha256(prefixed(*parts)).digest()


def varint(value):
    """Return unsigned LEB128."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


FIELDS = {  # of the lines of a file, in their order
    "facts.jsonl": ["type", "encoding", "packet", "holder", "evening"],
    "steps.jsonl": ["rule", "premises", "type", "encoding", "answer"],
    "texts.jsonl": ["id", "conclusion", "body"],
}


def rows(files, name):
    """Return the JSON values of a file, one a line, without spaces, a key twice, or fields in another order."""
    found = [json.loads(line) for line in files[name].splitlines()]
    again = (json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in found)
    require("".join(again).encode() == files[name], f"{name}: not canonical JSON, one value a line")
    for row in found if name in FIELDS else ():
        require(
            list(row) == [field for field in FIELDS[name] if field in row], f"{name}: other fields, or another order"
        )
    return found
