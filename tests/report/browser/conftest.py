"""A browser for the tests of this folder. Where there is none, one test says so, and it is skipped or fails."""

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from chromium import Chromium, Tab, found, started

from attacks.cli import main
from attacks.lab.comparison import files
from attacks.lab.results.bounds import Result
from attacks.report.html.document import Input, document

collect_ignore_glob = [] if found() else ["test_[!b]*.py"]  # all but test_browser.py


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    path = found()
    assert path is not None
    with started(path) as running:
        yield running


@pytest.fixture
def tab(browser: Chromium) -> Iterator[Tab]:
    page = Tab(browser)
    yield page
    page.close()


@pytest.fixture
def still(browser: Chromium) -> Iterator[Tab]:
    """A tab in which no script runs."""
    page = Tab(browser, scripts=False)
    yield page
    page.close()


PLAYED = {
    "matrix": ("--only", "plain", "--only", "envelope", "--only", "ghost", "--only", "null-eavesdropper"),
    "anatomy": ("envelope",),
}
SMALL = ("--days", "4", "--messages", "16", "--users", "3", "--groups", "1")
ATTACKS = ("--only", "authority-theft", "--only", "ghost-insertion", "--only", "court-key-theft")
NAMES = re.compile(r"\b(envelope|agent|authority-theft)\b")
HOSTILE = "<img src=x onerror=alert(1)>\"'--><script>alert(2)</script></style></title>{{ 7 * 7 }}" + 300 * "w"


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """A small result of each kind, as the commands write them; made once for all workers of pytest-xdist."""
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else None
    folder = shared / "results" if shared else tmp_path_factory.mktemp("results")
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _made(folder)


def _made(folder: Path) -> dict[str, Result]:
    given = {
        "matrix": ["matrix", *PLAYED["matrix"], *ATTACKS, *SMALL],
        "anatomy": ["anatomy", *PLAYED["anatomy"], *SMALL],
        "silence": ["silence", "ghost", *SMALL],
        "bench": ["bench", "--only", "envelope", "--messages", "2", "--repeats", "1"],
    }
    for kind, arguments in given.items():
        if not (folder / kind).exists():
            assert main([*arguments, "--format", "json", "-o", str(folder / kind), "--quiet"]) == 0
    return {kind: files.read(folder / kind) for kind in given}


@pytest.fixture(scope="session")
def report(results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(results, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="session")
def hostile(results: dict[str, Result], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same report of a plug-in whose every name and sentence is markup."""
    changed = {kind: msgspec.convert(spoilt(msgspec.to_builtins(each)), type(each)) for kind, each in results.items()}
    return written(changed, tmp_path_factory.mktemp("hostile") / "report.html")


def written(results: dict[str, Result], page: Path) -> Path:
    inputs = [Input(f"{kind}.json", "0" * 64, each) for kind, each in results.items()]
    page.write_text(document(inputs, "escrow-lab report"), encoding="utf-8")
    return page


def spoilt(value: Any) -> Any:
    """Return data in which every name of the envelope and of its agent, and every sentence, holds markup."""
    if isinstance(value, dict):
        return {NAMES.sub(_marked, key): spoilt(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [spoilt(each) for each in value]
    if not isinstance(value, str):
        return value
    changed = NAMES.sub(_marked, value)
    return changed + HOSTILE if changed == value and value.count(" ") > 2 else changed


def _marked(name: re.Match[str]) -> str:
    return name[0] + HOSTILE
