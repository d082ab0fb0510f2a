"""A plug-in of pytest for a clone with entries dropped in: it chooses the tests which those entries matter to.

Tests of an entry by itself have its name. Those of all entries at once stand in tests/repo and tests/attacks; what is
asked there of one other entry is not asked again. What is dropped in as a package is a second scheme, and left out. The
matrix that a run of the dropped attack is compared with has two attacks beside it.
"""

from __future__ import annotations

import pytest

from attacks.registry import attacks
from escrow.registry import schemes
from tests.support import dropped_in

BESIDE = ("dropped-attack", "ghost-insertion", "authority-theft")
OTHERS = {name for name in (*schemes(), *attacks()) if name not in dropped_in.ENTRIES}


def matters(item: pytest.Item) -> bool:
    """Return whether a test asks something of what was dropped in."""
    given = getattr(item, "callspec", None)
    values = () if given is None else given.params.values()
    others = any(getattr(each, "name", each) == name for each in values for name in OTHERS)
    at_once = (item.path.parent.name, item.path.stem) == ("attacks", "test_attacks") or item.path.parent.name == "repo"
    own = any(each in item.name for each in dropped_in.ENTRIES)
    unaffected = "dropped-package" in item.name or item.name.startswith("test_type_checkers")
    return (own or (at_once and not others)) and not unaffected


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep these tests alone."""
    config.hook.pytest_deselected(items=[each for each in items if not matters(each)])
    items[:] = [each for each in items if matters(each)]
    for each in items:
        if isinstance(each, pytest.Function) and each.path.stem == "test_procedure":
            each.module.ASKED = BESIDE
