"""Property: a scheme, an attack and an experiment are added by their own files alone.

They are dropped into a clone; then what loops over the registry passes there, and the gates and pages do, with no other
file changed. ESCROW_LAB_PROFILE=long tries every test and every page.
"""

import os

import dropped_in
import pytest

pytestmark = pytest.mark.early

ME = "tests/repo/test_dropped_in.py"
LONG = os.environ.get("ESCROW_LAB_PROFILE") == "long"
SHORT = ("-p", "tests.support.dropped_only", "--assert=plain")  # to rewrite all files' asserts takes 6 s


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clone")
    dropped_in.clone(folder)
    dropped_in.drop_in(folder)
    yield folder
    assert dropped_in.changed(folder) == ""


def run_tests(clone, *words):
    return dropped_in.run(clone, "-m", "pytest", "-n", "0", "--ignore", ME, *words)


def test_the_tests_pass_those_of_each_new_entry_included(clone):
    done = run_tests(clone, "-vv", "tests", *(() if LONG else SHORT))
    assert done.returncode == 0, done.stdout[-4000:]
    for name in ("dropped-scheme", "dropped-attack", *(["dropped-package"] if LONG else [])):
        assert done.stdout.count(name) > 3


def test_the_gate_passes_and_names_the_unpinned(clone):
    done = dropped_in.run(clone, "-m", "benchmarks.gate", "--committed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "; unpinned: dropped-package, dropped-scheme (" in done.stdout


if LONG:  # the quick commands of the pages are among the tests above

    def test_the_pages_are_as_they_were(clone):
        done = dropped_in.run(clone, "-m", "tools.pages", "--check")
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_committed_must_be_pinned_and_listed_in_the_pages(clone):
    """The pages list every committed entry."""
    files = (dropped_in.SCHEME, dropped_in.PACKAGE, *dropped_in.COPIED.values())
    dropped_in.commit(clone, *files)
    try:
        gate = dropped_in.run(clone, "-m", "benchmarks.gate", "--committed")
        listed = dropped_in.run(clone, "-m", "tools.entries", "attacks")
        page = run_tests(clone, "tests/repo/test_docs.py", "-k", "test_quick_commands and CLI")
    finally:
        dropped_in.forget(clone, *files)
    assert gate.returncode == 1 and "dropped-scheme: committed, and not in expected" in gate.stdout
    assert "dropped-package: committed, and not in expected" in gate.stdout
    assert "dropped-attack" in listed.stdout
    assert page.returncode == 1 and "dropped-" in page.stdout
