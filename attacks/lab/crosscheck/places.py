"""Where in the text of a scheme something stands: functions that were running, and fields of types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import CodeType

from escrow import codec

LIBRARY = Path(codec.__file__).parent
LAB = Path(__file__).parents[1]
FEW = 3  # names of parties that a finding lists


def author(stack: Iterable[CodeType]) -> CodeType | None:
    """Return the innermost running function that is a scheme's; else the library's that called the door."""
    nearest = None
    for code in stack:
        path = Path(code.co_filename)
        if path.is_relative_to(LAB):
            break
        if is_schemes(code):
            return code
        if nearest is None and path.parent not in (LIBRARY, LIBRARY / "primitives"):
            nearest = code
    return nearest


def is_schemes(code: CodeType) -> bool:
    """Return whether a function is a scheme's: one of the library's, or of a third party."""
    path = Path(code.co_filename)
    return not path.is_relative_to(LIBRARY) or path.is_relative_to(LIBRARY / "schemes")


def place_of(code: CodeType) -> str:
    """Return a function's name, file and line."""
    return f"{code.co_qualname} ({Path(code.co_filename).name}, line {code.co_firstlineno})"


@cache
def line_of(kind: type, name: str = "") -> str:
    """Return the file and line of a class, or of a field that it declares; empty if there is no text.

    Of a field that a class of the library declares, it is the class that has it from there.
    """
    for each in kind.__mro__ if name else (kind,):
        try:
            path, (lines, first) = Path(inspect.getfile(each)), inspect.getsourcelines(each)
        except (OSError, TypeError):
            continue
        declared = re.compile(rf"\s+{re.escape(name)}\s*:")
        at = next((at for at, line in enumerate(lines) if declared.match(line)), None) if name else 0
        if at is not None and (each is kind or not path.is_relative_to(LIBRARY)):
            return f"{path.name}, line {first + at}"
    return line_of(kind) if name else ""


def few(names: Iterable[str]) -> str:
    """Return names in words, the first of many."""
    names = sorted(set(names))
    more = len(names) - FEW
    return f"{', '.join(names[:FEW])} and {more} more" if more > 0 else ", ".join(names)
