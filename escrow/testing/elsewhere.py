"""What a scheme's module keeps beside its parties' states: globals, defaults, attributes, closures, caches, contexts.

Two plays under different seeds come before each other: what is there already before the second follows from the
scheme's text, and is nobody's secret. What a cache of results keeps is one only if it is a key or a plaintext.
"""

from __future__ import annotations

import functools
import gc
import inspect
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from contextvars import ContextVar
from threading import local
from types import CellType, GeneratorType, MethodType, ModuleType
from typing import Any

import msgspec

from escrow.crypto import Call

_CACHE = type(functools.lru_cache(lambda: None))
_OPENED = (deque, functools.partial, GeneratorType, MethodType, _CACHE, staticmethod, classmethod)
Kept = tuple[str, bytes, bool]  # by what name, what, and whether as a result of a cache


def kept_by(module: ModuleType) -> Iterator[Kept]:
    """Yield each string that a module's globals, functions, classes and objects keep."""
    waiting: list[tuple[str, Any, bool]] = [
        (name, value, False) for name, value in vars(module).items() if name[:2] != "__"
    ]
    seen: set[int] = set()
    while waiting:
        name, value, cached = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, bytes | bytearray | str):
            yield name, value.encode(errors="replace") if isinstance(value, str) else bytes(value), cached
            continue
        if isinstance(value, _CACHE):
            name, cached = value.__qualname__, True
        waiting += [(each, inside, cached) for each, inside in _inside(name, value, module.__name__)]


def _inside(name: str, value: Any, home: str) -> Iterator[tuple[str, Any]]:
    """Yield what an object holds, with its name; nothing of what belongs to other modules."""
    if isinstance(value, dict):
        yield from ((name, each) for pair in [*value.items()] for each in pair)
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((name, each) for each in value)
    elif isinstance(value, msgspec.Struct):
        yield from ((name, getattr(value, field)) for field in value.__struct_fields__)
        yield name, getattr(value, "__dict__", None)
    elif isinstance(value, type):
        if value.__module__ == home:
            yield from ((f"{value.__qualname__}.{each}", held) for each, held in [*vars(value).items()])
    elif inspect.isfunction(value):
        if value.__module__ == home:
            cells = [cell.cell_contents for cell in value.__closure__ or () if cell != CellType()]
            held = (value.__defaults__, value.__kwdefaults__, value.__dict__, cells)
            yield from ((value.__qualname__, each) for each in held)
    elif isinstance(value, ContextVar):
        yield name, value.get(None)
    elif isinstance(value, local):
        yield name, vars(value)
    elif isinstance(value, _OPENED) or type(value).__module__ == home:
        with suppress(TypeError):
            yield from ((name, each) for each in gc.get_referents(value))


class KeptSecrets:
    """An observer of the door: the keys and plaintexts of a play, and what was drawn."""

    def __init__(self) -> None:
        """Begin with none."""
        self.found: set[bytes] = set()

    def __call__(self, call: Call) -> None:
        """Keep what one operation says."""
        if call.operation == "seal":
            self.found |= {call.inputs[0], call.inputs[3]}
        elif call.operation in ("random", "draw"):
            self.found |= {*call.outputs}

    def has(self, value: bytes) -> bool:
        """Return whether a string is one of them, as it is or in hexadecimal."""
        with suppress(ValueError):
            if bytes.fromhex(value.decode("ascii", "replace")) in self.found:
                return True
        return value in self.found
