"""A result of which rows are missing is drawn, or refused in one line; it is no internal error."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import forgotten  # noqa: F401 (a fixture that every test uses)
from test_result_files import RESULTS, at_path, with_value

from attacks.cli import main
from attacks.lab.results.types import to_json


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lists(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every list that is not empty, in a result."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from lists(inner, (*at, key))
    if isinstance(value, list) and value:
        yield at


@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_of_which_a_row_or_a_whole_list_is_missing_is_drawn_or_refused(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = json.loads(to_json(RESULTS[kind]()))
    Path("it.json").write_text(json.dumps(whole))
    assert main(["report", "it.json"]) == 0
    tried = list(lists(whole))
    assert len(tried) > 2
    for at in tried:
        for rest in ([], at_path(whole, at)[1:]):
            capsys.readouterr()
            Path("it.json").write_text(json.dumps(with_value(whole, at, rest)))
            assert main(["report", "it.json"]) in (0, 4), at
            assert capsys.readouterr().err.count("\n") <= 1, at
            assert main(["compare", "it.json", "it.json"]) in (0, 4, 5), at


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        ("matrix", ("cells",)),
        ("matrix", ("manifest", "attacks")),
        ("bench", ("exact",)),
        ("bench", ("schemes",)),
        ("anatomy", ("minimal_coalitions", 0, "members")),
    ],
)
def test_a_result_with_other_rows_than_it_lists_is_not_drawn(
    kind: str, at: tuple[Any, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = json.loads(to_json(RESULTS[kind]()))
    rest = at_path(whole, at)[1:]
    Path("it.json").write_text(json.dumps(with_value(whole, at, rest)))
    assert main(["report", "it.json"]) == 4
    shown = capsys.readouterr()
    assert shown.out == "" and "it.json" in shown.err and shown.err.count("\n") == 1
