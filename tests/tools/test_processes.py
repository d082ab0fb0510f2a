"""The tests run on all cores by default; benchmarks in one process, which alone writes their times."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEST = "import os\n\ndef test_one():\n    print('by', os.environ.get('PYTEST_XDIST_WORKER', 'nobody else'))\n"
BENCHMARK = "def test_one(benchmark):\n    benchmark(lambda: None)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The settings of this project and its two conftest files, around one test and one benchmark."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder, text in (("tests", TEST), ("benchmarks", BENCHMARK)):
        (tmp_path / folder).mkdir()
        shutil.copy(ROOT / folder / "conftest.py", tmp_path / folder)
        (tmp_path / folder / f"test_{folder}.py").write_text(text)
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-rP", *arguments]
    done = subprocess.run(command, cwd=project, env=kept, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "by"),
    [
        ([], "gw"),
        (["-n", "0"], "nobody else"),
        (["tests/test_tests.py"], "nobody else"),
    ],
    ids=" ".join,
)
def test_folders_of_tests_run_on_all_cores(project, arguments, by):
    assert f"by {by}" in run(project, *arguments)


@pytest.mark.parametrize("asked", [["benchmarks"], ["tests", "benchmarks"]], ids=" ".join)
def test_benchmarks_run_in_one_process_and_write_their_times(project, asked):
    """Also beside the tests: several processes would be green and write nothing."""
    run(project, *asked, "--benchmark-json", "times.json")
    assert [each["name"] for each in json.loads((project / "times.json").read_text())["benchmarks"]] == ["test_one"]
