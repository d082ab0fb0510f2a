"""A fault is put into a process of its own, and a step there notices it or not."""

from pathlib import Path

import pytest

from escrow import warrant
from escrow.registry import schemes
from tools.mutants import __main__ as command
from tools.mutants import page, reach, trial
from tools.mutants import warm as warm_process
from tools.mutants.journal import SOUND
from tools.mutants.operators import Mutant, mutants
from tools.mutants.trial import Asked, Found
from tools.mutants.warm import Warm

MARKED = ["escrow.warrant"]


@pytest.fixture(scope="module")
def warm():
    with Warm() as process:
        yield process


@pytest.fixture(scope="module")
def sound():
    with Warm(MARKED) as process:
        yield process


def chosen(operator: str, text: str) -> Mutant:
    return next(each for each in mutants("escrow.warrant") if each.operator == operator and text in each.text)


def test_a_fault_is_noticed_by_a_property_and_no_file_is_changed(warm):
    before = Path(reach.path_of("escrow.warrant")).read_bytes()
    found = command.tried(Asked(chosen("drop a check", "court's signature"), ["envelope"]), warm)
    assert (found.by, "a forged signature" in found.what) == ("property", True)
    assert Path(reach.path_of("escrow.warrant")).read_bytes() == before


def test_a_fault_is_noticed_by_a_test_alone(tmp_path, warm):
    file = tmp_path / "test_planted.py"
    file.write_text(
        "from escrow import warrant\n\n\ndef test_it():\n    assert warrant._ANSWER == b'escrow-lab answer'\n"
    )
    mutant = chosen("drop a label", "_ANSWER")
    assert command.tried(Asked(None, [], [str(file)]), warm).by == ""
    found = command.tried(Asked(mutant, [], [str(file)]), warm)
    assert found.by == "test"
    assert found.what.endswith("::test_it")


def planted(path: Path, text: str, sound: Warm) -> list[str]:
    """Write a test file. Return the nodes in it that pass without a fault."""
    path.write_text(f"import pytest\nfrom escrow import warrant\n\n{text}")
    found = command.tried(Asked(None, [], [str(path)]), sound)
    return [f"{path}::{step.partition('::')[2]}" for step in found.took]


PASSES, NOTICES, FAILS = (
    f"def test_{name}():\n    assert {what}\n\n\n"
    for name, what in (
        ("passes", "warrant.promises"),
        ("notices", "warrant._ANSWER"),
        ("fails", "not warrant.promises"),
    )
)


def test_a_test_that_fails_without_the_fault_notices_nothing(tmp_path, warm, sound):
    mutant = chosen("drop a label", "_ANSWER")
    nodes = planted(tmp_path / "test_planted.py", FAILS + PASSES, sound)
    assert [each.split("::")[1] for each in nodes] == ["test_passes"]
    assert command.tried(Asked(mutant, [], nodes), warm).by == ""
    gone = nodes[0].replace("test_passes", "test_of_another_name")
    assert command.tried(Asked(mutant, [], [gone]), warm).by == ""
    nodes = planted(tmp_path / "test_planted.py", FAILS + PASSES + NOTICES, sound)
    found = command.tried(Asked(mutant, [], [gone, *nodes]), warm)
    assert found.by == "test"
    assert found.what.endswith("::test_notices")


def test_a_name_that_the_fault_changes_is_left_out_and_the_others_are_run(tmp_path, warm, sound):
    mutant = chosen("drop a label", "_ANSWER")
    text = (
        "@pytest.mark.parametrize('tag', [warrant._ANSWER.decode() or 'none'])\ndef test_it(tag):\n    assert tag\n\n\n"
    )
    nodes = planted(tmp_path / "test_planted.py", text, sound)
    assert command.tried(Asked(mutant, [], nodes), warm).by == ""
    nodes = planted(tmp_path / "test_planted.py", text + NOTICES, sound)
    assert command.tried(Asked(mutant, [], nodes), warm).what.endswith("::test_notices")


def test_a_file_that_the_fault_keeps_from_being_collected_notices_it(tmp_path, warm, sound):
    nodes = planted(tmp_path / "test_planted.py", "1 / len(warrant._ANSWER)\n\n\n" + NOTICES, sound)
    found = command.tried(Asked(chosen("drop a label", "_ANSWER"), [], nodes), warm)
    assert (found.by, "is not collected" in found.what) == ("test", True)


def test_a_fault_that_nothing_looks_at_survives_and_is_reported(warm):
    mutant = chosen("drop a label", "_ANSWER")
    found = command.tried(Asked(mutant, [], []), warm)
    assert found.by == ""
    assert list(page.faults([(mutant, found)], [mutant], {})) == [
        f"nothing notices it, and there is no reason: {mutant.key}"
    ]
    assert list(page.faults([(mutant, found)], [mutant], {mutant.key: "equivalent: one key, one use"})) == []


def test_the_lab_notices_another_number(monkeypatch):
    asked = Asked(mutants("escrow.warrant")[0], numbers={"envelope": {"texts": 3, "verdict": "HELD"}})
    scheme = schemes()["envelope"]
    monkeypatch.setattr(trial, "numbers", lambda *_: {"texts": 3, "verdict": "BREACH"})
    assert trial.Trial(asked).measured(scheme, ()) == "verdict: BREACH, not HELD"
    monkeypatch.setattr(trial, "numbers", lambda *_: {"texts": 3, "verdict": "HELD"})
    assert trial.Trial(asked).measured(scheme, ()) == ""


def test_a_step_that_hangs_notices_the_fault(monkeypatch):
    monkeypatch.setattr(trial, "LEAST", 0.05)
    attempt = trial.Trial(Asked(mutants("escrow.warrant")[0], usual={"test: it": 0.0}))

    def hang():
        while True:
            try:
                sum(range(1000))
            except Exception as error:
                assert error is None

    assert attempt.step("test", "it", hang)
    assert attempt.found.what == "it: it takes more than 0 seconds"


def test_without_a_fault_it_is_known_which_step_runs_which_function(sound):
    found = command.tried(Asked(None, ["envelope"], parts=("property",)), sound)
    assert "property: envelope, mail arrives" in {*found.took} == {*found.reached}
    assert "escrow.warrant:Official.admit" in found.reached["property: envelope, no valid warrant no text"]
    assert "escrow.warrant:Official.admit" not in found.reached["property: envelope, state is typed"]
    found = command.tried(Asked(None, ["plain"], parts=("lab",)), sound)
    assert {*found.took} == {*found.reached} == {"lab: plain"} and found.numbers["plain"]
    found = command.tried(Asked(None, [], ["tests/schemes/test_split_key.py"]), sound)
    assert all(step.startswith("test: tests/schemes/test_split_key.py::test_") for step in found.reached)
    assert any("escrow.warrant:promises" in ran for ran in found.reached.values())


# --- faults that are put into functions that are there already ---


BEFORE = "A = b'a'\n\nclass C:\n    b = 1\n    def f(self):\n        return [d for d in A]\n\ndef g():\n    return C()"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("A = b'a'", "A = b''", None),
        ("b = 1", "b = True", None),
        ("[d for d in A]", "[d for d in A if d]", ["C.f"]),
        ("return C()", "return C", ["g"]),
    ],
)
def test_what_changes_is_told_by_function_unless_it_stands_outside_of_functions(old, new, changed):
    before, after = (compile(each, "a file", "exec") for each in (BEFORE, BEFORE.replace(old, new)))
    found = warm_process.changes(before, after)
    assert (None if found is None else [place.name for place in found]) == changed


def test_a_fault_is_put_only_into_functions_that_did_not_run_before(monkeypatch):
    imported = warm_process.Imported.__new__(warm_process.Imported)
    mutant = chosen("drop a check", "court's signature")
    function = next(each for each in vars(warrant).values() if getattr(each, "__name__", "") == mutant.function)
    code = function.__code__
    imported.ran, imported.functions = {warm_process.place(code)}, {warm_process.place(code): [function]}
    assert not imported.put(mutant)
    imported.ran = set()
    try:
        assert imported.put(mutant)
        assert function.__code__ != code
    finally:
        function.__code__ = code
    assert not imported.put(chosen("drop a label", "_ANSWER"))
    assert not imported.put(mutant._replace(module="escrow.of_no_import"))


def test_a_fault_counts_as_noticed_only_by_a_step_that_passes_without_it(tmp_path, warm):
    file, journal = tmp_path / "test_planted.py", command.Journal(tmp_path / "journal")
    file.write_text(f"import pytest\nfrom escrow import warrant\n\n{FAILS}{NOTICES}")
    fails, notices = (f"{file}::test_{name}" for name in ("fails", "notices"))
    mutant = chosen("drop a label", "_ANSWER")
    assert command.tried(Asked(mutant, [], [fails]), warm).by == "test"
    assert command.noticed(journal, Asked(mutant, [], [fails]), warm).by == ""
    assert command.noticed(journal, Asked(mutant, [], [fails, notices]), warm).what.endswith("::test_notices")


def test_what_an_unchanged_test_file_ran_is_known_in_other_sources(tmp_path, monkeypatch):
    file, path, other = tmp_path / "tests" / "test_planted.py", tmp_path / "journal", f"{SOUND}plain"
    file.parent.mkdir()
    file.write_text(NOTICES)
    monkeypatch.setattr("tools.mutants.journal.ROOT", tmp_path)
    tried = f"{SOUND}tests/test_planted.py"
    for sources in ("of then", "of now", "of tomorrow"):
        monkeypatch.setattr("tools.mutants.journal.digest", lambda sources=sources: sources)
        journal = command.Journal(path)
        known = {**journal.before}
        for each in (tried, other):
            journal.keep(each, Found())
        assert {*known} == {"of then": set(), "of now": {tried, other}, "of tomorrow": {other}}[sources]
        if sources == "of now":
            file.write_text(NOTICES + FAILS)
