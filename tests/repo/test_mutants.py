"""What notices no fault is reported; every reason is of a fault."""

import re
from contextlib import nullcontext
from pathlib import PurePosixPath

import pytest

from escrow.registry import schemes
from tools.mutants import __main__ as command
from tools.mutants import journal as journals
from tools.mutants import page, reach
from tools.mutants.operators import mutants
from tools.mutants.trial import Asked, Found

# --- the command ---


def test_an_interrupted_run_goes_on_where_it_was(tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(command, "noticed", lambda _, asked, __: tried.append(asked) or Found("test", "it"))
    monkeypatch.setattr(command, "Warm", nullcontext)
    some = mutants("escrow.warrant")[:3]
    path = tmp_path / "journal"
    command._all(command.Journal(path), {some[0].key: Asked(some[0])}, 1)
    with path.open("ab") as file:
        file.write(b'{"sources": "cut o')
    again = command.Journal(path)
    command._all(again, {each.key: Asked(each) for each in some}, 1)
    assert [asked.mutant for asked in tried] == some
    assert {each.key for each in some} <= {*command.Journal(path).found}
    command.Journal(path).keep("no fault: envelope", Found(took={"lab: envelope": 3.0}))
    monkeypatch.setattr(journals, "digest", lambda: "changed")
    assert command.Journal(path).found == {}
    assert command.Journal(path).before["no fault: envelope"].took == {"lab: envelope": 3.0}


def test_of_an_earlier_count_only_what_nothing_noticed_is_tried_again(tmp_path, monkeypatch, capsys):
    one, other, third = some = mutants("escrow.warrant")[:3]
    path, tried = tmp_path / "earlier", []
    monkeypatch.setattr(journals, "digest_at", lambda commit: commit)
    monkeypatch.setattr(journals, "digest", lambda: "counted")
    monkeypatch.setattr(journals, "is_unchanged", lambda *_: True)
    monkeypatch.setattr(command, "short", str)
    journal = command.Journal(path)
    for each, found in ((one, Found("test", "a")), (other, Found()), (third, Found())):
        journal.keep(each.key, found)
    journal.keep(f"{command.AGAIN}{third.key}", Found("lab", "b"))
    with path.open("ab") as file:
        file.write(b'{"sources": "cut o')
    found = {one.key: Found("test", "a"), other.key: Found(), third.key: Found("lab", "b")}
    assert command.earlier(path, "counted") == found
    with pytest.raises(SystemExit, match="has no count of the sources of another"):
        command.earlier(path, "another")
    fresh = mutants("escrow.warrant")[3]
    monkeypatch.setattr(command, "choose", lambda *_: [fresh, *some])
    monkeypatch.setattr(page, "reasons", dict)

    def measure(now, chosen, jobs):
        tried.extend(chosen)
        now.found |= {each.key: Found("property", "c") for each in chosen}

    monkeypatch.setattr(command, "measure", measure)
    again = ["--earlier", str(path), "counted", "--journal", str(tmp_path / "now")]
    assert command.main(again) == 0
    assert tried == [fresh, other] and "4 faults were made, and 4 are noticed" in capsys.readouterr().out
    assert command.main([*again, "--sample", "9"]) == 0
    assert tried[2:] == [other] and "3 faults were made, and 3 are noticed" in capsys.readouterr().out
    del tried[:]
    monkeypatch.setattr(journals, "digest", lambda: "on top")
    command.Journal(path2 := tmp_path / "on top").keep(other.key, Found("test", "d"))
    assert command.main([*again, "--earlier", str(path2), "on top"]) == 0
    assert tried == [fresh] and "4 faults were made, and 4 are noticed" in capsys.readouterr().out


SOURCE = (
    "def f(a):\n    return a\n\n\nclass C:\n    def g(self):\n        def h():\n            return 1\n        return h"
)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("\n\n\nclass", "\n\n\n# lines move\nclass", set()),
        ("return a", "return b", {"", "f"}),
        ("return 1", "return 2", {"", "C", "C.g", "C.g.h"}),
        ("def f", "def k", {"", "f"}),
    ],
)
def test_what_an_earlier_count_says_holds_for_functions_that_are_the_same(monkeypatch, tmp_path, old, new, changed):
    file = tmp_path / "made.py"
    file.write_text(SOURCE.replace(old, new))
    monkeypatch.setattr(journals, "ROOT", tmp_path)
    monkeypatch.setattr(journals, "path_of", lambda _: file)
    monkeypatch.setattr(journals, "git", lambda *_: SOURCE.encode())
    names = ("", "f", "C", "C.g", "C.g.h")
    assert {name for name in names if not journals.is_unchanged(f"made | drop | {name} | it", "then")} == changed
    file.unlink()
    assert not journals.is_unchanged("made | drop | f | it", "then")


def test_the_digest_of_a_commit_is_that_of_its_files(monkeypatch, tmp_path):
    monkeypatch.setattr(journals, "ROOT", tmp_path)
    monkeypatch.setattr(journals, "SOURCES", ("made",))
    files = {PurePosixPath(f"made/{name}.py"): name.encode() for name in ("one", "other")}
    (tmp_path / "made").mkdir()
    for path, text in files.items():
        (tmp_path / path).write_bytes(text)
    (tmp_path / "made" / "page.md").write_text("no source")
    author = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    for words in (("init", "--quiet"), ("add", "made"), (*author, "commit", "--quiet", "-m", "made")):
        journals.git(*words)
    (tmp_path / "made" / "one.py").write_text("changed since")
    assert journals.digest_at("HEAD") == journals._digest(files)
    with pytest.raises(SystemExit):
        journals.digest_at("no-such-commit")


def test_numbers_of_other_sources_notice_nothing(tmp_path, monkeypatch):
    journal, mutant = command.Journal(tmp_path / "journal"), mutants("escrow.warrant")[0]
    now = {"envelope": {"texts": 3}}
    monkeypatch.setattr(command, "passing", lambda *_: Found(numbers=now))
    noticed = Found("lab", "", "lab: envelope")
    monkeypatch.setattr(command, "tried", lambda asked, _: noticed if asked.numbers != now else Found())
    assert command.noticed(journal, Asked(mutant, ["envelope"], numbers={"envelope": {"texts": 2}}), None).by == ""
    monkeypatch.setattr(command, "tried", lambda asked, _: noticed)
    assert command.noticed(journal, Asked(mutant, ["envelope"], numbers=now), None).by == "lab"


def test_a_sample_is_the_same_for_the_same_seed_and_unknown_names_are_refused():
    assert command.choose(["escrow.warrant"], [], 4, 1) == command.choose(["escrow.warrant"], [], None, 1)[:4]
    assert command.choose(["escrow.warrant"], [], 4, 1) != command.choose(["escrow.warrant"], [], 4, 2)
    assert {each.operator for each in command.choose([], ["take a default"], None, 0)} == {"take a default"}
    with pytest.raises(SystemExit, match=r"no such module or operator: escrow\.nothing"):
        command.choose(["escrow.nothing"], [], None, 0)


def test_tests_and_schemes_are_found_by_what_they_import():
    assert reach.schemes_that_use("escrow.schemes.split_key") == ("split-key",)
    assert {*reach.schemes_that_use("escrow.warrant")} == {*schemes()}
    assert "tests/schemes/test_split_key.py" in reach.tests_that_import("escrow.schemes.split_key")
    assert "tests/schemes/test_purposes.py" in reach.tests_that_import("escrow.schemes.split_key")
    assert "tests/e2ee/test_fingerprint.py" not in reach.tests_that_import("escrow.schemes.split_key")


# --- reasons, and the page ---


def test_every_reason_is_of_a_fault_that_the_operators_make():
    whole = [each for module in reach.modules() for each in mutants(module)]
    assert list(page.faults([], whole)) == []


def test_reasons_that_do_not_hold_any_more_are_reported():
    mutant, other = mutants("escrow.warrant")[:2]
    given = {mutant.key: "not caught: nobody asks", other.key: "because", "gone": "equivalent: it was"}
    assert list(page.faults([(mutant, Found("test", "it"))], [mutant, other], given)) == [
        f"a reason is given, and it is noticed (test): {mutant.key}",
        "a reason is given for what is no fault: gone",
        f"a reason begins with one of {page.KINDS}: {other.key}",
    ]


def test_the_page_counts_every_fault_once(monkeypatch):
    some = mutants("escrow.warrant")[:4]
    results = list(zip(some, [Found("property", "a"), Found("lab", "b"), Found("test", "c"), Found()], strict=True))
    monkeypatch.setattr(page, "reasons", lambda: {some[3].key: "equivalent: it is the same."})
    text = page.drawn(results, 9, [("0123abcd", 4)], 5)
    assert "of the sources of commit 0123abcd." in text
    assert "4 faults were made, and 3 are noticed: 75.0 %." in text
    assert "| drop a check | 4 | 1 | 1 | 1 | 1 |" in text
    assert "| `escrow.warrant` | drop a check | 4 | 1 | 1 | 1 | 1 |" in text
    assert "That is a random sample, chosen by seed 5: the operators make 9 faults in all." in text
    assert "Of all faults 30.1 % to 95.4 % are noticed, with a confidence of 95 %." in text
    assert "equivalent: it is the same." in text
    assert "At commit 4567cdef that was 2 faults." in page.drawn(results, 9, [("0123abcd", 4), ("4567cdef", 2)], 5)


def test_the_page_names_a_commit_only_if_its_sources_were_counted(monkeypatch):
    answers = {"status": b"", "rev-parse": b"0123abcd\n"}
    monkeypatch.setattr(command, "git", lambda *words: answers[words[0]])
    assert command.commit() == "0123abcd"
    answers["status"] = b" M escrow/warrant.py\n"
    with pytest.raises(SystemExit, match=r"--write counts what is committed, and this is not: M escrow/warrant\.py"):
        command.commit()


def test_the_page_that_is_kept_says_what_was_counted():
    text = page.PAGE.read_text(encoding="utf-8")
    tried = int(re.search(r"(\d+) faults were made, and \d+ are noticed", text)[1])
    made = re.search(r"the operators make (\d+) faults in all", text)
    assert re.search(r"of the sources of commit [0-9a-f]{12}\.", text)
    assert sum(map(int, re.findall(r"^\| [a-z ]+ \| (\d+) \|", text, re.M))) == tried <= int(made[1] if made else tried)
