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
from evidence_cases import PLUGIN, SMALL, complaint, edit, forged, fresh, lay, plugins, rows, swap
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
    os.truncate(facts, evidence_folder.LARGEST + 1)
    assert complaint(folder) == f"facts.jsonl: larger than {evidence_folder.LARGEST} bytes"
    shutil.move(tmp_path / "elsewhere", facts)
    assert verify(folder)


def test_a_folder_that_is_none_is_named(tmp_path):
    assert "No such file" in complaint(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    assert "Not a directory" in complaint(tmp_path / "file")
    assert complaint(tmp_path) == "MANIFEST: missing"


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

ANSWER = {"by": ["agent-1"], "checks": [], "type": "x", "encoding": ""}
OF_ALL: dict[str, object] = {}  # plain has none of its own
OTHERS = {"n": 3, "t": 1}
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
    "other premises": (edit("steps.jsonl", -1, premises=[0]), "takes a Plaintext, not Message"),
    "no result": (edit("steps.jsonl", -1, result=3), "none of which is number 3"),
    "an answer": (edit("steps.jsonl", -1, answer=ANSWER), "steps.jsonl: an official answers, but authority-theft"),
    "another text": (edit("texts.jsonl", 0, body="00" * 32), "texts.jsonl, line 1: text 0 is not what number"),
    "another digest": (edit("texts.jsonl", 0, sha256="00" * 32), "texts.jsonl, line 1: the SHA-256 of text 0"),
    "no text": (edit("texts.jsonl", 0, conclusion=0), "line 1: text 0 is not what number 0 concludes"),
    "no conclusion": (edit("texts.jsonl", 0, conclusion=10**9), "texts.jsonl, line 1: "),
    "a text beyond": (edit("texts.jsonl", -1, id=2**40), "texts.jsonl: .* not one of the scenario's"),
    "an evening beyond": (
        edit("statement.json", 0, coalition=[{"principal": "agent-1", "evenings": [2**64]}]),
        "statement.json: the evenings of agent-1",
    ),
    "an evening twice": (
        edit("statement.json", 0, coalition=[{"principal": "agent-1", "evenings": [0, 0]}]),
        "statement.json: the evenings of agent-1",
    ),
    "an evening of a fact beyond": (
        edit("facts.jsonl", 0, packet=None, holder="agent-1", evening=2**40),
        "facts.jsonl: an evening is not",
    ),
    "a negative count": (edit("statement.json", 0, opened=-1), "opened"),
    "a text twice": (edit("texts.jsonl", 1, id=0), "texts.jsonl, line 2: texts are not in order"),
    "more than opened": (edit("statement.json", 0, opened=3), "statement.json: more texts are proven"),
    "no evening": (edit("statement.json", 0, coalition=[{"principal": "agent-1", "evenings": []}]), "on no evening"),
    "another scheme": (
        edit("statement.json", 0, scheme="plain", parameters=OF_ALL),
        "cell.json: it is of another scheme",
    ),
    "no scheme": (
        edit("statement.json", 0, scheme="../plain"),
        "statement.json: no scheme or attack is called '../plain'",
    ),
    "no attack": (edit("statement.json", 0, attacks=["os"]), "statement.json: no scheme or attack is called 'os'"),
    "no rules": (edit("statement.json", 0, attacks=[]), "the rules of 'authority-theft' are left out"),
    "another parameter": (edit("statement.json", 0, parameters=OTHERS), "claim.json: split-key claims something else"),
    "another kind": (edit("statement.json", 0, parameters=OTHERS | {"t": "2"}), "split-key does not take these"),
    "a deep parameter": (edit("statement.json", 0, parameters=OTHERS | {"t": [[[[1]]]]}), "does not take these"),
    "fewer parameters": (edit("statement.json", 0, parameters={"t": 2}), "split-key has other parameters"),
    "another pass": (edit("statement.json", 0, **{"pass": "served"}), "not judged by the pass served"),
    "no pass": (edit("statement.json", 0, **{"pass": "without window"}), "statement.json, line 1: "),
    "an unknown field": (edit("cell.json", 0, more=1), "cell.json, line 1: .*unknown field"),
    "no scenario": (edit("scenario.json", 0, lossy=["nobody"]), "scenario.json: .*'nobody'"),
    "a file missing": (lambda files: files.pop("claim.json"), "claim.json: missing"),
    "a file of another kind": (lay("run.sh", b"rm"), "run.sh: no file of a proof"),
    "a plug-in that nobody gave": (lay("x.py", b"1"), "x.py: the proof needs this plug-in"),
    "spaces": (swap("cell.json", b":", b": "), "cell.json, line 1: not canonical JSON"),
    "a key twice": (swap("cell.json", b"{", b'{"scheme":"x",'), "cell.json, line 1: not canonical JSON"),
    "two values": (swap("cell.json", b"\n", b"\n{}\n"), "cell.json, line 2: "),
    "no value": (lay("cell.json", b""), "cell.json: 0 values where one should be"),
    "no last newline": (lay("steps.jsonl", b'{"rule":"","premises":[]}'), "steps.jsonl: its last line"),
    "an empty line": (lay("steps.jsonl", b'{"rule":"","premises":[]}\n\n'), "steps.jsonl, line 2: "),
    "wrong UTF-8": (lay("steps.jsonl", b'{"rule":"\xff","premises":[]}\n'), "steps.jsonl, line 1: "),
    "a lone surrogate": (lay("steps.jsonl", b'{"rule":"\\ud800","premises":[]}\n'), "steps.jsonl, line 1: "),
    "deep nesting": (lay("statement.json", b'{"parameters":' + b"[" * 100_000 + b"\n"), "statement.json, line 1: "),
    "a huge number": (swap("texts.jsonl", b'"id":0', b'"id":' + b"9" * 5000), "texts.jsonl, line 1: "),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_that_is_sealed_is_found_where_it_stands(copied, lie):
    change, reason = LIES[lie]
    assert re.search(reason, complaint(forged(copied("passive"), change)))


def unplayable(files):
    """A device with the name of an official."""
    scenario = json.loads(files["scenario.json"])
    scenario["users"][-1]["devices"].append("dealer")
    edit("scenario.json", 0, users=scenario["users"])(files)


REPLAYED = {
    "another packet": (
        edit("facts.jsonl", 0, packet=0),
        "facts.jsonl, line 1: packet 0 is not the first that contains it",
    ),
    "never held": (edit("facts.jsonl", 0, packet=None, holder="agent-1", evening=0), "state of agent-1 on evening 0"),
    "another seed": (edit("scenario.json", 0, seed=7), "cell.json: the replay gives another .*key"),
    "no play": (unplayable, "scenario.json: it cannot be played: .*called dealer"),
    "another cell": (edit("cell.json", 0, verdict="HELD", excluded=3), "the replay gives another verdict, excluded"),
    "another count": (edit("statement.json", 0, opened=21), "statement.json: the coalition opens 20 texts"),
    "another version": (edit("statement.json", 0, version="0"), "statement.json: only version '0'"),
}


@pytest.mark.parametrize("lie", REPLAYED)
def test_what_only_a_replay_finds(copied, lie):
    change, reason = REPLAYED[lie]
    folder = forged(copied("passive"), change)
    assert verify(folder)
    assert re.search(reason, complaint(folder, replay=True))


def test_a_replay_finds_a_seizure_that_the_attack_does_not_make(copied):
    folder, early = copied("active"), SMALL.attack_day - 1
    [statement] = rows(folder, "statement.json")
    coalition = [{"principal": "provider", "evenings": [early]}, *statement["coalition"]]
    folder = forged(folder, edit("statement.json", 0, coalition=coalition))
    assert verify(folder)
    assert f"does not take provider@{early}" in complaint(folder, replay=True)


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
