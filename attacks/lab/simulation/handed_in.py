"""Reads the files that anybody hands in: results, scenarios, journals. Nothing about them is trusted."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from escrow.errors import Malformed

T = TypeVar("T")
LARGEST = 1 << 28  # bytes of a file: several hundred times what the default matrix has


def content(path: Path) -> bytes:
    """Return the bytes of a file, or of a pipe that a process writes to.

    Raise Malformed if it cannot be read, has more than LARGEST bytes, or is a pipe that nobody writes to.
    """
    try:
        with open(path, "rb", opener=_opened) as file:
            first = _first_byte(file.fileno(), path) if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode) else b""
            data = first + file.read(LARGEST + 1)
    except OSError as error:
        raise Malformed(f"{path}: {error.strerror}") from None
    if len(data) > LARGEST:
        raise Malformed(f"{path}: it has more than {LARGEST} bytes")
    return data


def _opened(path: str, flags: int) -> int:
    """Open a file without waiting for whoever writes to it, if it is a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _first_byte(pipe: int, path: Path) -> bytes:
    """Return the first byte, if there is one already, of a pipe that is then read as any file.

    Raise Malformed if no process has the pipe open, since no byte would ever come.
    """
    try:
        if not (first := os.read(pipe, 1)):
            raise Malformed(f"{path}: it is a pipe that nobody writes to")
    except BlockingIOError:
        first = b""
    os.set_blocking(pipe, True)
    return first


def decoded(data: bytes, kind: type[T], toml: bool = False) -> T:
    """Return the value that JSON encodes, or TOML.

    Raise ValueError if it is not of this kind, or if a key appears twice in one object: readers differ on which of the
    two they take, so a row could hide behind another.
    """
    try:
        if toml:  # which forbids that a key appears twice
            return msgspec.toml.decode(data, type=kind)
        value = msgspec.json.decode(data, type=kind)
        json.loads(data, object_pairs_hook=_each_once, parse_int=str, parse_float=str)
    except RecursionError as error:
        raise ValueError(str(error)) from None
    return value


def _each_once(pairs: Iterable[tuple[str, Any]]) -> None:
    """Raise ValueError if a key appears twice in an object."""
    seen = set[str]()
    for key, _ in pairs:
        if key in seen:
            raise ValueError(f"the key {key!a} appears twice in one object")
        seen.add(key)
