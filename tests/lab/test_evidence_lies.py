"""Nothing in a folder of evidence can be changed unnoticed: not one bit, nor all of it, sealed anew."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
from contextlib import suppress

import evidence_cases
import pytest
from evidence_cases import PLUGIN, complaint, edit, forged, fresh, lay, plugins, rows, swap
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks.lab.evidence import folder as evidence_folder
from attacks.lab.evidence.writing import verify
from escrow.errors import Malformed

folders, copied = evidence_cases.folders, evidence_cases.copied

# --- one bit anywhere ---


@pytest.mark.parametrize("case", ["passive", "active", "officials answer"])
def test_a_flipped_bit_anywhere_is_named(copied, case):
    folder, dice = copied(case), random.Random(7)
    for path in sorted(folder.iterdir()):
        good = path.read_bytes()
        for at in sorted({0, len(good) - 1, *dice.sample(range(len(good)), min(40, len(good)))}):
            bad = bytearray(good)
            bad[at] ^= 1 << dice.randrange(8)
            path.write_bytes(bad)
            assert complaint(folder, plugged=plugins(case)).startswith((path.name, "MANIFEST"))
        path.write_bytes(good)
    assert verify(folder, plugins=plugins(case))


def test_a_flipped_bit_in_a_name_is_named(copied):
    folder = copied("passive")
    for path in sorted(folder.iterdir()):
        for at in range(len(path.name)):
            for bit in (1, 2, 4):
                name = path.name[:at] + chr(ord(path.name[at]) ^ bit) + path.name[at + 1 :]
                if "/" not in name and name not in (".", ".."):
                    path.rename(folder / name)
                    assert re.match(re.escape(f"{path.name}: missing"), complaint(folder)) or name in complaint(folder)
                    (folder / name).rename(path)
    other = folder.with_name("0" + folder.name[1:] if folder.name[0] != "0" else "1" + folder.name[1:])
    assert complaint(folder.rename(other)).startswith("MANIFEST: its SHA-256 is ")


def test_a_file_cut_short_is_named(copied):
    folder = copied("active")
    for path in sorted(folder.iterdir()):
        good = path.read_bytes()
        for length in {0, 1, len(good) // 2, len(good) - 1}:
            path.write_bytes(good[:length])
            assert complaint(folder).startswith((path.name, "MANIFEST"))
        path.write_bytes(good)


def test_a_file_that_is_missing_added_or_no_file_is_named(copied, tmp_path):
    folder = copied("passive")
    (folder / "more.txt").write_bytes(b"")
    assert complaint(folder) == "'more.txt': not listed in MANIFEST"
    (folder / "more.txt").unlink()
    (folder / "two\nlines").write_bytes(b"")
    assert complaint(folder) == r"'two\nlines': not listed in MANIFEST"
    (folder / "two\nlines").unlink()
    facts = folder / "facts.jsonl"
    shutil.move(facts, tmp_path / "elsewhere")
    assert complaint(folder) == "facts.jsonl: missing"
    facts.symlink_to(tmp_path / "elsewhere")
    assert complaint(folder) == "facts.jsonl: a link"
    facts.unlink()
    facts.mkdir()
    assert complaint(folder) == "facts.jsonl: no regular file"
    facts.rmdir()
    os.mkfifo(facts)
    assert complaint(folder) == "facts.jsonl: no regular file"
    facts.unlink()
    facts.touch()
    os.truncate(facts, 1 << 40)  # a hole: nothing of it is read
    assert complaint(folder).startswith(f"facts.jsonl: {1 << 40} bytes, not ")
    shutil.move(tmp_path / "elsewhere", facts)
    assert verify(folder)


def test_a_folder_that_is_none_is_named(tmp_path):
    assert "No such file" in complaint(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    assert "Not a directory" in complaint(tmp_path / "file")
    assert complaint(tmp_path) == "MANIFEST: missing"
    (tmp_path / "MANIFEST").touch()
    os.truncate(tmp_path / "MANIFEST", 1 << 40)
    assert complaint(tmp_path) == f"MANIFEST: {1 << 40} bytes, not at most {evidence_folder.LISTING}"


@pytest.mark.parametrize(
    "line",
    ["../passwd", "/etc/passwd", "a/b", ".hidden", "", "MANIFEST", "é", "a\tb", "x" * 101],
)
def test_a_manifest_lists_plain_names_only(tmp_path, line):
    manifest = f"{hashlib.sha256(b'').hexdigest()}  0  {line}\n".encode()
    folder = tmp_path / hashlib.sha256(manifest).hexdigest()
    folder.mkdir()
    (folder / "MANIFEST").write_bytes(manifest)
    assert complaint(folder).startswith("MANIFEST, line 1: ")


# --- a folder that somebody sealed anew ---

ANSWER = {"by": ["agent-1"], "checks": []}
OF_ALL: dict[str, object] = {}  # plain has none of its own
OTHERS = {"n": 3, "t": 1}
STEP = b'{"rule":"","premises":[],"type":"","encoding":""}'


def again(name):
    """The first line of a file stands there twice."""
    return lambda files: files.update({name: files[name].splitlines(True)[0] + files[name]})


def drop(name, line):
    """One line of a file is left out."""

    def change(files):
        kept = files[name].splitlines(True)
        del kept[line]
        files[name] = b"".join(kept)

    return change


def more_facts(files):
    """A fact more, at the end, so that every step and text has another number."""
    given = len(files["facts.jsonl"].splitlines())
    free = b'{"type":"escrow.e2ee.ratchet.Slot","encoding":"93a4536c6f74c40000","packet":0}\n'
    files["facts.jsonl"] += free
    moved(files, lambda number: number + (number >= given))


def reordered(files):
    """Two steps that do not need each other in each other's place, and all numbers to match."""
    steps, given = files["steps.jsonl"].splitlines(True), len(files["facts.jsonl"].splitlines())
    at = next(at for at, step in enumerate(steps[1:], 1) if given + at - 1 not in json.loads(step)["premises"])
    steps[at - 1], steps[at] = steps[at], steps[at - 1]
    files["steps.jsonl"] = b"".join(steps)
    swapped = {given + at - 1: given + at, given + at: given + at - 1}
    moved(files, lambda number: swapped.get(number, number))


def moved(files, to):
    """Every number of a fact or step is another."""
    for name, field in (("steps.jsonl", "premises"), ("texts.jsonl", "conclusion")):
        for line, row in enumerate(map(json.loads, files[name].splitlines())):
            number = row[field]
            edit(name, line, **{field: list(map(to, number)) if field == "premises" else to(number)})(files)


def unplayable(files):
    """A device with the name of an official."""
    scenario = json.loads(files["scenario.json"])
    scenario["users"][-1]["devices"].append("dealer")
    edit("scenario.json", 0, users=scenario["users"])(files)


def excluding(files):
    """The cell counts and lists three excluded texts."""
    row = json.loads(files["cell.json"])
    first = int(row["texts"]["reached"].split("-")[0])
    row |= {"excluded": 3, "texts": row["texts"] | {"excluded": f"{first}-{first + 2}"}}
    files["cell.json"] = json.dumps(row, separators=(",", ":"), sort_keys=True).encode() + b"\n"


LIES = {
    "another type's bytes": (edit("facts.jsonl", -3, encoding="00"), r"facts.jsonl, line \d+: not a "),
    "capitals": (swap("facts.jsonl", b'"encoding":"9', b'"encoding":"A'), "facts.jsonl, line 1: .*hexadecimal"),
    "no type": (edit("facts.jsonl", 0, type="builtins.eval"), "facts.jsonl, line 1: no fact is of the type"),
    "no fact": (edit("facts.jsonl", 0, type="escrow.e2ee.device.Device"), "no fact is of the type"),
    "somebody else's": (edit("facts.jsonl", 0, packet=None, holder="agent-2", evening=0), "not seize 'agent-2'"),
    "half a place": (edit("facts.jsonl", 0, packet=None, evening=0), "does not seize None"),
    "two places": (edit("facts.jsonl", 0, holder="agent-1", evening=0), "facts.jsonl, line 1: .* in two places"),
    "nobody's": (edit("facts.jsonl", 0, packet=None), r"steps.jsonl, line \d+: premise 0 was taken from no one"),
    "no rule": (edit("steps.jsonl", 0, rule="os.system"), "steps.jsonl, line 1: 'os.system' is no rule"),
    "no rule either": (edit("steps.jsonl", 0, rule="escrow.e2ee.ratchet.decrypt"), "is no rule"),
    "another rule": (edit("steps.jsonl", 0, rule="escrow.e2ee.ratchet.open_message"), "takes 2 premises, not 3"),
    "too few premises": (edit("steps.jsonl", -1, premises=[]), "takes 1 premises, not 0"),
    "too few members": (edit("steps.jsonl", 0, premises=[0]), "steps.jsonl, line 1: .* takes a "),
    "a later premise": (edit("steps.jsonl", 0, premises=[9999, 1, 2]), "a premise does not precede it"),
    "a negative premise": (edit("steps.jsonl", 0, premises=[-1, 1, 2]), "a premise does not precede it"),
    "other premises": (edit("steps.jsonl", -1, premises=[0]), "takes a Plaintext, not Capsule"),
    "another result": (edit("steps.jsonl", -1, encoding="00"), "steps.jsonl, line .*: not a Text"),
    "a result of another type": (edit("steps.jsonl", -1, type="escrow.e2ee.ratchet.Slot"), "not a Slot"),
    "a fact twice": (again("facts.jsonl"), "facts.jsonl, line 2: this fact stands in an earlier line too"),
    "a fact that nothing needs": (
        lambda files: more_facts(files),
        r"facts.jsonl, line \d+: no text rests on this line",
    ),
    "a step that nothing needs": (drop("texts.jsonl", -1), r".*.jsonl, line \d+: no text rests on this line"),
    "another order": (reordered, r"steps.jsonl, line \d+: this line stands in another's place"),
    "an answer": (edit("steps.jsonl", -1, answer=ANSWER), "steps.jsonl: an official answers, but authority-theft"),
    "another text": (
        edit("texts.jsonl", 0, body="00" * 32),
        "texts.jsonl, line 1: text 0 is not the one that",
    ),
    "no text": (edit("texts.jsonl", 0, conclusion=0), "line 1: text 0 is not what number 0 concludes"),
    "no conclusion": (edit("texts.jsonl", 0, conclusion=10**9), "texts.jsonl, line 1: "),
    "a text beyond": (
        edit("texts.jsonl", -1, id=2**40),
        "texts.jsonl: text .* is proven, and statement.json says",
    ),
    "an evening beyond": (
        edit("statement.json", 0, coalition=[{"principal": "agent-1", "evenings": [2**64]}]),
        "statement.json: the evenings of 'agent-1'",
    ),
    "an evening twice": (
        edit("statement.json", 0, coalition=[{"principal": "agent-1", "evenings": [0, 0]}]),
        "statement.json: the evenings of 'agent-1'",
    ),
    "an evening of a fact beyond": (
        edit("facts.jsonl", 0, packet=None, holder="agent-1", evening=2**40),
        "facts.jsonl: an evening is not",
    ),
    "a negative count": (edit("statement.json", 0, opened=-1), "opened"),
    "a text twice": (again("texts.jsonl"), "texts.jsonl, line 2: texts are not in order"),
    "more than opened": (edit("statement.json", 0, opened=[0]), "texts.jsonl: text 1 is proven, and statement.json"),
    "a set out of order": (edit("statement.json", 0, opened=[1, 0]), "statement.json: opened are not some of"),
    "a set beyond": (edit("statement.json", 0, reached=[2**40]), "statement.json: reached are not some of"),
    "none reached": (edit("statement.json", 0, reached=[]), "statement.json: texts are opened or excluded that no"),
    "none proven": (lay("texts.jsonl", b""), "texts.jsonl: statement.json says that texts are opened, and none"),
    "no evening": (
        edit("statement.json", 0, coalition=[{"principal": "agent-1", "evenings": []}]),
        "does not take 'agent-1'",
    ),
    "another scheme": (
        edit("statement.json", 0, scheme="plain", parameters=OF_ALL),
        "claim.json: plain claims something else",
    ),
    "no scheme": (
        edit("statement.json", 0, scheme="../plain"),
        "statement.json: no scheme or attack is called '../plain'",
    ),
    "fewer rules": (edit("statement.json", 0, attacks=["authority-theft"]), "the rules of .* are left out"),
    "no attack": (edit("statement.json", 0, attacks=["os"]), "statement.json: no scheme or attack is called 'os'"),
    "no rules": (edit("statement.json", 0, attacks=[]), "the rules of 'authority-theft' are left out"),
    "another parameter": (edit("statement.json", 0, parameters=OTHERS), "claim.json: split-key claims something else"),
    "another kind": (edit("statement.json", 0, parameters=OTHERS | {"t": "2"}), "split-key does not take these"),
    "a deep parameter": (edit("statement.json", 0, parameters=OTHERS | {"t": [[[[1]]]]}), "does not take these"),
    "fewer parameters": (edit("statement.json", 0, parameters={"t": 2}), "split-key has other parameters"),
    "another pass": (edit("statement.json", 0, **{"pass": "served"}), "not judged by the pass served"),
    "no pass": (edit("statement.json", 0, **{"pass": "without window"}), "statement.json, line 1: "),
    "another seed": (edit("scenario.json", 0, seed=7), "texts.jsonl, line 1: text 0 is not the one that"),
    "no play": (unplayable, "scenario.json: it cannot be played: .*called dealer"),
    "a seizure that the attack does not make": (
        edit("statement.json", 0, coalition=[{"principal": "carol-phone", "evenings": [0]}]),
        "statement.json: authority-theft does not take 'carol-phone@0'",
    ),
    "held": (swap("verdict.txt", b"AS CLAIMED", b"HELD"), "verdict.txt: HELD, but 20 texts are opened"),
    "no such verdict": (swap("verdict.txt", b"AS CLAIMED", b"FINE"), "verdict.txt: Invalid enum value 'FINE'"),
    "a verdict of two lines": (swap("verdict.txt", b"\n", b"\n\n"), "verdict.txt: not one line"),
    "a verdict that paints": (swap("verdict.txt", b" open ", b"\x1b[31m"), "verdict.txt: not one line"),
    "a verdict in the counts": (
        swap("cell.json", b'"sent"', b'"reason":"all is well","sent"'),
        "cell.json, line 1: not canonical",
    ),
    "excluded texts": (excluding, "cell.json: it counts 3 excluded texts, and statement.json"),
    "excluded texts that it does not list": (edit("cell.json", 0, excluded=3), "cell.json: .*excluded 3, and lists 0"),
    "more texts sent": (edit("cell.json", 0, sent=300), "cell.json: it counts 300 texts sent"),
    "fewer texts sent than it lists": (edit("cell.json", 0, sent=3), "cell.json: a cell lists the texts .*, of 3"),
    "an unknown field": (edit("cell.json", 0, zzz=1), "cell.json: .*unknown field"),
    "no scenario": (edit("scenario.json", 0, lossy=["nobody"]), "scenario.json: .*'nobody'"),
    "a file missing": (lambda files: files.pop("claim.json"), "claim.json: missing"),
    "a file of another kind": (lay("run.sh", b"rm"), "run.sh: no file of a proof"),
    "a plug-in that nobody gave": (lay("x.py", b"1"), "x.py: the proof needs this plug-in"),
    "spaces": (swap("cell.json", b":", b": "), "cell.json, line 1: not canonical JSON"),
    "a key twice": (swap("cell.json", b"{", b'{"scheme":"x",'), "cell.json, line 1: not canonical JSON"),
    "two values": (swap("cell.json", b"\n", b"\n{}\n"), "cell.json: 2 values where one should be"),
    "no value": (lay("cell.json", b""), "cell.json: 0 values where one should be"),
    "no last newline": (lay("steps.jsonl", STEP), "steps.jsonl: its last line"),
    "an empty line": (lay("steps.jsonl", STEP + b"\n\n"), "steps.jsonl, line 2: "),
    "wrong UTF-8": (lay("steps.jsonl", b'{"rule":"\xff","premises":[]}\n'), "steps.jsonl, line 1: "),
    "a lone surrogate": (lay("steps.jsonl", b'{"rule":"\\ud800","premises":[]}\n'), "steps.jsonl, line 1: "),
    "deep nesting": (lay("statement.json", b'{"parameters":' + b"[" * 100_000 + b"\n"), "statement.json, line 1: "),
    "a huge number": (swap("texts.jsonl", b'"id":0', b'"id":' + b"9" * 5000), "texts.jsonl, line 1: "),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_that_is_sealed_is_found_where_it_stands(copied, lie):
    change, reason = LIES[lie]
    assert re.search(reason, complaint(forged(copied("passive"), change)))


REPLAYED = {
    "another packet": (
        edit("facts.jsonl", 0, packet=0),
        "facts.jsonl, line 1: packet 0 is not the first that contains it",
    ),
    "never held": (edit("facts.jsonl", 0, packet=None, holder="agent-1", evening=0), "state of agent-1 on evening 0"),
    "another count": (edit("cell.json", 0, lost=3), "cell.json: the replay gives another lost"),
    "another key": (edit("cell.json", 0, key="0" * 64), "cell.json: the replay gives another key"),
    "other words": (swap("verdict.txt", b" open ", b" read "), "cell.json: the replay gives another reason"),
    "another verdict": (swap("verdict.txt", b"AS CLAIMED", b"BREACH"), "the replay gives another verdict"),
    "another version": (edit("statement.json", 0, version="0"), "statement.json: only version '0'"),
}


@pytest.mark.parametrize("lie", REPLAYED)
def test_what_only_a_replay_finds(copied, lie):
    change, reason = REPLAYED[lie]
    folder = forged(copied("passive"), change)
    assert verify(folder)
    assert re.search(reason, complaint(folder, replay=True))


@pytest.mark.parametrize("field", ["by", "checks"])
def test_a_replay_finds_an_answer_that_an_official_would_not_give(copied, field):
    folder = copied("officials answer")
    at, step = next(each for each in enumerate(rows(folder, "steps.jsonl")) if "answer" in each[1])
    folder = forged(folder, edit("steps.jsonl", at, answer=step["answer"] | {field: ["court"]}))
    assert verify(folder, False, [PLUGIN])
    assert f"steps.jsonl, line {at + 1}: " in complaint(folder, True, [PLUGIN])


def test_an_official_is_asked_with_the_key_that_the_warrant_names(copied):
    folder = copied("officials answer")
    at, key = next(each for each in enumerate(rows(folder, "facts.jsonl")) if "AuthorityKey" in each[1]["type"])
    other = key["encoding"][:-2] + f"{int(key['encoding'][-2:], 16) ^ 1:02x}"
    free = forged(folder, edit("facts.jsonl", at, encoding=other))
    assert re.search(r"steps.jsonl, line \d+: premise \d+ was taken from no one", complaint(free, False, [PLUGIN]))
    heard = forged(free, edit("facts.jsonl", at, packet=0))
    assert "the key that is shown is not the one that the warrant names" in complaint(heard, False, [PLUGIN])


def test_the_source_of_a_plug_in_is_read_and_never_loaded(copied, tmp_path):
    folder = copied("officials answer")
    needed = f"{PLUGIN.name}: the proof needs this plug-in; read it, then add --plugin {folder / PLUGIN.name}"
    assert complaint(folder) == needed
    other = tmp_path / PLUGIN.name
    other.write_text(PLUGIN.read_text() + "\n")
    assert complaint(folder, plugged=[other]) == f"{PLUGIN.name}: the plug-in {other} has other contents"
    call = f"from attacks.lab.evidence.writing import verify; from pathlib import Path; f = Path({str(folder)!r})"
    assert "texts follow" in fresh(f"{call}; print(verify(f, False, [f / {PLUGIN.name!r}]))")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_hostile_bytes_that_are_sealed_end_in_one_line_or_in_the_same_texts(folders, data):
    good = folders(data.draw(st.sampled_from(["devices", "active"])))
    files = {path.name: path.read_bytes() for path in good.iterdir() if path.name != "MANIFEST"}
    bodies = [row["body"] for row in rows(good, "texts.jsonl")]
    name = data.draw(st.sampled_from(["facts.jsonl", "steps.jsonl", "texts.jsonl", "statement.json"]))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    byte = data.draw(st.sampled_from(b'0123456789abcdef",:[]{}-\x00\xff'))
    files[name] = files[name][:at] + bytes([byte]) + files[name][at + 1 :]
    with suppress(FileExistsError):
        folder = good.parent / "hostile" / evidence_folder.put(good.parent / "hostile", files)
        try:
            verify(folder)
        except Malformed as refused:
            assert "\n" not in str(refused)
        else:
            assert [row["body"] for row in rows(folder, "texts.jsonl")] == bodies
        finally:
            shutil.rmtree(folder)
