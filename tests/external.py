"""Vectors too large to ship: read from the folder that ESCROW_LAB_VECTORS names, or else skipped, saying so."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "ESCROW_LAB_VECTORS"


def vectors(relative: str) -> Any:
    """The JSON file `relative` of that folder. A folder that lacks the file is an error, not a skip."""
    if not (folder := os.environ.get(VARIABLE)):
        pytest.skip(f"{VARIABLE} names no folder of external vectors")
    return json.loads((Path(folder) / relative).read_text())


def wycheproof(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(group, test) of every case of Wycheproof's `name`, in the file's order."""
    for group in vectors(f"wycheproof/testvectors_v1/{name}_test.json")["testGroups"]:
        for test in group["tests"]:
            yield group, test
