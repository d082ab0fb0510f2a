"""A result file in which a value is out of range, or a row appears twice, is refused; so no row hides another."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import forgotten  # noqa: F401 (a fixture that every test uses)
from runs import anatomy, coalition, matrix
from test_compare import overhead

from attacks.cli import main
from attacks.lab.results.types import MemberThreshold, to_json

RESULTS: dict[str, Any] = {
    "matrix": lambda: matrix(),
    "anatomy": lambda: anatomy(
        coalition("alice-phone@0"), coalition("provider@0-1", threshold=MemberThreshold(t=1, of=("a", "b")))
    ),
    "bench": lambda: overhead(),
}
LISTS = {  # those in which a row stands once
    "matrix": [("cells",), ("manifest", "schemes"), ("manifest", "attacks")],
    "anatomy": [("minimal_coalitions",), ("manifest", "schemes")],
    "bench": [("exact",), ("timing", "rows"), ("schemes",)],
}
SETTINGS = ("manifest", "parameters"), ("parameters",)  # whose bounds are the scheme's


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every number in a result, but those of its parameters."""
    if at in SETTINGS:
        return
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from leaves(each, (*at, key))
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield at


def with_value(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = new
    return copy


def at_path(value: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        value = value[key]
    return value


def compared(old: Any, new: Any, folder: Path) -> int:
    for name, value in (("old", old), ("new", new)):
        (folder / name).write_text(json.dumps(value))
    return main(["compare", str(folder / "old"), str(folder / "new")])


@pytest.mark.parametrize("kind", RESULTS)
def test_the_result_that_the_faults_are_planted_in_is_read(kind: str, tmp_path: Path) -> None:
    right = json.loads(to_json(RESULTS[kind]()))
    assert compared(right, right, tmp_path) == 0


@pytest.mark.parametrize("kind", RESULTS)
def test_a_number_out_of_range_is_4_in_either_file(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = json.loads(to_json(RESULTS[kind]()))
    paths = list(leaves(right))
    assert len(paths) > 5
    for at in paths:
        for number in (-(2**63) - 1, -2, 2**64):
            if isinstance(at_path(right, at), float) and number > 0:
                continue  # a time has no bound
            if number == -2 and at[-1] == "seed":
                continue
            wrong = with_value(right, at, number)
            for old, new in ((wrong, right), (right, wrong)):
                assert compared(old, new, tmp_path) == 4, (at, number)
                assert "Traceback" not in (said := capsys.readouterr().err) and said.count("\n") == 1


@pytest.mark.parametrize(("kind", "where"), [(kind, where) for kind, found in LISTS.items() for where in found])
def test_a_row_twice_is_4_in_either_file(
    kind: str, where: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = json.loads(to_json(RESULTS[kind]()))
    listed = at_path(right, where)
    assert listed
    for row in listed:
        for twice in ([row, *listed], [*listed, row]):
            wrong = with_value(right, where, twice)
            for old, new in ((wrong, right), (right, wrong)):
                assert compared(old, new, tmp_path) == 4
                assert "twice" in (said := capsys.readouterr().err) and said.count("\n") == 1


def test_a_row_twice_with_other_values_hides_no_regression(tmp_path: Path) -> None:
    right = json.loads(to_json(matrix()))
    worse = [{**cell, "verdict": "BREACH", "lost": 3} for cell in right["cells"]]
    for cells in ([*worse, *right["cells"]], [*right["cells"], *worse]):
        assert compared(right, {**right, "cells": cells}, tmp_path) == 4
