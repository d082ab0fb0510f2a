"""Files that anybody hands in: whatever lies at a path, the answer is one line and exit code 4, at once."""

import json
import os
import threading
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from command_line import (
    fake,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
)
from runs import manifest, matrix

from attacks.cli import main
from attacks.lab.results.types import to_json
from attacks.lab.simulation import handed_in
from escrow.errors import Malformed

READERS = {
    "report": ["report"],
    "compare": ["compare", "good.json"],
    "merge": ["merge"],
    "scenario": ["matrix", "--scenario"],
    "baseline": ["matrix", "--fail-on", "regression", "--baseline"],
    "evidence": ["verify"],
    "plug-in": ["schemes", "--plugin"],
}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path)


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


PLACES: dict[str, Callable[[Path], Any]] = {
    "a folder": Path.mkdir,
    "a pipe that nobody writes to": pipe,
    "a link to itself": loop,
    "a link to nothing": lambda path: path.symlink_to("/no/such/it.json"),
    "bytes without end": zeros,
}
CONTENTS = {
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"schema": "escrow-lab/matrix/2"}'.encode("utf-16"),
    "bytes that are no text": b'{"schema": "\xff"}',
    "half a character": b'{"schema": "\\ud800"}',
    "NUL": bytes(100),
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "no number": b'{"schema": NaN}',
    "infinity": b'{"schema": 1e999}',
    "a long number": b"9" * 5_000,
    "null": b"null",
}


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether this is refused as a bad input file is: exit code 4, and one line on stderr that names it."""
    code = main([*arguments, "it.json"])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    return code == 4 and shown.out == "" and "it.json" in shown.err and shown.err.count("\n") == 1


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(handed_in, "LARGEST", 1 << 20)
    fake(monkeypatch, "attacks.lab.runs.matrix", run_matrix=lambda *_, **__: result("HELD"))
    Path("good.json").write_bytes(to_json(matrix()))


READ = [*product(set(READERS) - {"plug-in"}, PLACES)]
RUN = [("plug-in", place) for place in ("a folder", "a link to itself", "a link to nothing")]  # the user's own program


@pytest.mark.parametrize(("reader", "place"), sorted(READ + RUN))
def test_what_is_no_file_is_refused_at_once(reader: str, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    PLACES[place](Path("it.json"))
    assert refused(READERS[reader], capsys)


@pytest.mark.parametrize(("reader", "content"), [*product(READERS, CONTENTS)])
def test_what_is_no_result_no_scenario_and_no_plug_in_is_refused(
    reader: str, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("it.json").write_bytes(CONTENTS[content])
    assert refused(READERS[reader], capsys)


def keys_twice(value: Any, at: str = "") -> list[tuple[str, str]]:
    """The JSON of a value once for each object and key in it, with that key twice there; each with its place."""
    found = []
    for key, inner in value.items() if isinstance(value, dict) else ():
        rest = json.dumps(value)[1:]
        found.append((f"{at}.{key}", f"{{{json.dumps(key)}: {json.dumps(inner)}, {rest}"))
        found += [
            (where, json.dumps({**value, key: "HERE"}).replace('"HERE"', text))
            for where, text in keys_twice(inner, f"{at}.{key}")
        ]
    return found


def test_a_key_twice_hides_nothing_wherever_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.loads(to_json(matrix()))
    tried = keys_twice(whole)
    assert {".cells", ".manifest.scenario.days"} <= {where for where, _ in tried}
    for where, text in tried:
        Path("it.json").write_text(text)
        assert json.loads(text) == whole  # a reader that takes the last of two keys notices nothing
        assert refused(["report"], capsys), where
        assert refused(["compare", "good.json"], capsys), where
    for where, text in keys_twice(whole["manifest"]["scenario"]):
        Path("it.json").write_text(text)
        assert refused(["matrix", "--scenario"], capsys), where


@pytest.mark.parametrize(
    "text",
    ["seed = 1\nseed = 2", "x = " + "[" * 100_000, "\ufeffseed = 1", "seed = nan", "seed = \x00", "days = 1e999"],
)
def test_a_scenario_in_toml_is_read_as_strictly(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("it.json.toml").write_text(text)
    assert main(["matrix", "--scenario", "it.json.toml"]) == 4
    shown = capsys.readouterr()
    assert "it.json.toml is not a scenario" in shown.err and shown.err.count("\n") == 1


def test_a_pipe_that_somebody_writes_to_is_read_to_its_end() -> None:
    data = to_json(matrix(sent=9)) * 20
    os.mkfifo("it.json")
    keep = os.open("it.json", os.O_RDWR)  # as a shell holds the other end of <(…)
    writer = threading.Thread(target=lambda: (os.write(keep, data[:10]), Path("it.json").write_bytes(data[10:])))
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(handed_in.content(Path("it.json"))))
    reader.start()
    writer.start()
    writer.join()
    os.close(keep)
    reader.join(10)
    assert read == [data]


def test_a_file_larger_than_the_limit_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("it.json").write_bytes(b"x" * 100)
    monkeypatch.setattr(handed_in, "LARGEST", 100)
    assert handed_in.content(Path("it.json")) == b"x" * 100
    monkeypatch.setattr(handed_in, "LARGEST", 99)
    with pytest.raises(Malformed, match="more than 99 bytes"):
        handed_in.content(Path("it.json"))


def test_no_journal_is_written_to_a_link_to_itself(capsys: pytest.CaptureFixture[str]) -> None:
    loop(Path("it.json"))
    assert main(["matrix", "--resume", "it.json"]) == 2
    assert "it.json cannot be written" in capsys.readouterr().err


def test_the_manifest_of_these_tests_lists_what_their_matrix_has() -> None:
    assert len(matrix().cells) == len(manifest().schemes) * len(manifest().attacks)
