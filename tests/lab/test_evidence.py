"""Evidence: whoever has the folder derives the texts again, in a process that never saw the play."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import evidence_cases
import pytest
from evidence_cases import CASES, PLUGIN, SMALL, complaint, fresh, make, plugins, rows

from attacks import registry as attack_registry
from attacks.lab.evidence import folder as evidence_folder
from attacks.lab.evidence import writing
from attacks.lab.evidence.writing import verify, write
from escrow import registry
from escrow.registry import UnknownName

folders = evidence_cases.folders


@pytest.mark.parametrize("case", [case for case in CASES if case != "in the middle"])
def test_a_fresh_process_derives_the_texts_again_and_finds_what_they_came_from(folders, case):
    folder, plugged = folders(case), f"[Path({str(PLUGIN)!r})]" if plugins(case) else "[]"
    told, replayed = fresh(
        "from pathlib import Path\nfrom attacks.lab.evidence.writing import verify\n"
        f"for replay in (False, True): print(verify(Path({str(folder)!r}), replay, {plugged}).summary)"
    ).splitlines()
    facts, steps, texts = (len(rows(folder, f"{name}.jsonl")) for name in ("facts", "steps", "texts"))
    assert texts == len(rows(folder, "statement.json")[0]["opened"])
    follow = f"{texts} texts follow from {facts} facts in {steps} steps"
    assert told.startswith(follow if texts else "no text is opened, so there is nothing to derive")
    assert told.endswith("the sets and the verdict are unchecked")
    assert re.search(r"; replayed: .*the sets and the cell are the same", replayed)
    assert ("every fact found where it was taken" in replayed) == (texts > 0 and case != "not seedable")
    assert ("facts and answers are unchecked" in replayed) == (case == "not seedable")


def test_a_text_that_a_seized_state_holds_is_found_by_a_replay_only(folders):
    folder = folders("in the middle")
    assert complaint(folder) == "texts.jsonl: text 0 is given, not derived, so only a replay finds it; add --replay"
    shown = verify(folder, replay=True)
    assert shown.summary.startswith("20 texts follow from 25 facts in 5 steps; replayed: every fact found")
    assert (shown.unchecked, shown.replayed) == (0, True)


def test_what_verify_says_names_all_that_was_proven(folders):
    shown, given = verify(folders("passive")), len(rows(folders("passive"), "facts.jsonl"))
    evenings = ("set-up", 0, 1, 2, 3)
    members = ", ".join(f"{agent}@{evening}" for agent in ("agent-1", "agent-3") for evening in evenings)
    assert (shown.scheme, shown.attack, shown.coalition) == ("split-key", "authority-theft", members)
    assert shown.parameters == "n=3, t=2"
    assert shown.verdict.startswith("AS CLAIMED: ")
    assert re.fullmatch(r"3 users, 4 days, 20 texts, seed 2019, SHA-256 [0-9a-f]{64}", shown.scenario)
    assert (shown.replayed, shown.unchecked) == (False, given)


def test_the_facts_are_those_of_whom_the_attack_takes(folders):
    def taken(case):
        return {(each.get("holder"), each.get("evening")) for each in rows(folders(case), "facts.jsonl")}

    assert taken("passive") == {(None, None), ("agent-1", -1), ("agent-3", -1)}
    assert {who for who, _ in taken("active")} == {None, "provider"}
    assert min(on for _, on in taken("active") if on is not None) >= SMALL.attack_day
    assert len({who for who, _ in taken("devices")}) == 2
    assert taken("nothing") == set()
    assert all(rows(folders(case), "steps.jsonl") for case in ("passive", "devices", "active"))


def test_answers_of_officials_are_trusted_until_they_are_asked_again(folders):
    folder = folders("officials answer")
    answers = [step["answer"] for step in rows(folder, "steps.jsonl") if "answer" in step]
    assert {name for answer in answers for name in answer["by"]} <= {"agent-1", "agent-2", "agent-3"}
    assert all({"court's signature", "target", "window"} < set(answer["checks"]) for answer in answers)
    assert f", {len(answers)} answers of 'agent-1, agent-2" in verify(folder, False, [PLUGIN]).summary
    assert "every answer given again" in verify(folder, True, [PLUGIN]).summary
    assert not any("Share" in fact["type"] for fact in rows(folder, "facts.jsonl"))


@pytest.mark.parametrize("case", ["passive", "active"])
def test_the_same_bytes_each_time_whatever_the_hash_seed(folders, case, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(Path(evidence_cases.__file__).parent)!r})\nfrom pathlib import Path\n"
        f"from evidence_cases import make\nprint(make({case!r}, Path({str(tmp_path)!r})).name)"
    )
    for seed in ("1", "2"):
        assert fresh(code, PYTHONHASHSEED=seed).strip() == folders(case).name
        shutil.rmtree(tmp_path / folders(case).name)


# --- writing ---


def test_a_folder_that_exists_is_left_alone(folders):
    folder = folders("devices")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileExistsError) as refused:
        make("devices", folder.parent)
    assert refused.value.filename == str(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_nothing_half_written_is_left_where_writing_fails(monkeypatch, tmp_path):
    write_bytes = Path.write_bytes

    def fail(path, data):
        if path.name == "steps.jsonl":
            raise OSError(28, "No space left on device", str(path))
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        evidence_folder.put(tmp_path, {"facts.jsonl": b"", "steps.jsonl": b""})
    assert not list(tmp_path.iterdir())


def test_of_too_many_texts_the_first_are_proven_that_the_claim_excludes(monkeypatch, tmp_path):
    monkeypatch.setattr(writing, "MOST_TEXTS", 2)
    folder = make("active", tmp_path)
    opened = len(rows(folder, "statement.json")[0]["opened"])
    assert opened > len(rows(folder, "texts.jsonl")) == 2
    assert verify(folder, True).summary.startswith(f"2 of {opened} texts that are opened follow from ")


def test_of_a_folder_too_large_half_the_texts_go_until_it_fits(monkeypatch, tmp_path):
    monkeypatch.setattr(writing, "MOST_BYTES", 12_000)
    folder = make("passive", tmp_path)
    assert sum(path.stat().st_size for path in folder.iterdir() if path.name != "MANIFEST") <= 12_000
    assert 0 < len(rows(folder, "texts.jsonl")) < SMALL.messages
    assert verify(folder)


@pytest.mark.parametrize(
    ("case", "coalition", "reason"),
    [
        ("devices", "mallory", "no principal is called 'mallory'"),
        ("devices", "alice-phone@7", "the evenings of the scenario are 0 to 3"),
        ("devices", "alice-phone,court", "device-compromise does not take court; it takes alice-laptop, alice-phone"),
        ("active", "provider@0-1", "does not take provider@0-1; it takes provider@1-3"),
        ("nothing", "provider", "it takes nobody"),
    ],
)
def test_a_coalition_that_the_attack_does_not_take_is_refused(tmp_path, case, coalition, reason):
    with pytest.raises(UnknownName, match=reason):
        make(case, tmp_path, coalition)
    assert not list(tmp_path.iterdir())


def test_a_plug_in_of_an_odd_name_is_refused(tmp_path):
    odd = tmp_path / "odd$name.py"
    odd.write_text("")
    scheme, attack = registry.schemes()["plain"], attack_registry.attacks()["null-eavesdropper"]
    with pytest.raises(UnknownName, match="rename it"):
        write(tmp_path / "out", scheme, attack, SMALL, [attack], None, [odd])
