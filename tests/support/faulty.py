"""A scheme of the project with some of its text replaced: a fault in its design, planted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from escrow import registry
from escrow.scheme import Scheme
from escrow.testing import properties
from escrow.testing.trying import QUICK

PROPERTY = {each.name: each for each in properties.PROPERTIES}
_NUMBER = count()


def with_fault(folder: Path, module: ModuleType, *changes: tuple[str, str]) -> Scheme:
    """Return the module's scheme with each first text, which stands in it once, replaced by the second."""
    assert module.__file__ is not None
    text = Path(module.__file__).read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{text.count(old)} times in {module.__name__}: {old}"
        text = text.replace(old, new)
    path = folder / f"faulty_{module.__name__.rpartition('.')[2]}_{next(_NUMBER)}.py"
    path.write_text(text)
    scheme: Scheme = registry.load_file(path).SCHEME
    return scheme


def fault_found(folder: Path, module: ModuleType, name: str, changes: Sequence[tuple[str, str]]) -> Any:
    """Return what the property of this name says of the module's scheme with these changes."""
    return PROPERTY[name].broken(with_fault(folder, module, *changes), QUICK)
