"""Shards of one matrix are that matrix: merged, they give its result byte for byte, or say what is missing."""

import itertools
import json
import re

import msgspec
import pytest
from parts import ATTACKS, OPTIONS, SCHEMES, plan, uninterrupted

from attacks.cli import main
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.types import to_json
from attacks.lab.runs import journal
from attacks.lab.runs.journal import CellLine, ControlLine, encoded, parse
from attacks.lab.runs.matrix import Shard, run_matrix, run_plan
from attacks.lab.runs.merge import judged, merged, missing
from attacks.registry import attacks
from escrow.errors import Malformed
from escrow.registry import schemes


def shard(number, of):
    """A shard's file as it would be written, its lines taken from the uninterrupted run."""
    part = Shard(number, of)
    mine = {(task.scheme.name if task.scheme else "", each.name) for task in plan().tasks(part) for each in task.run}
    return file(plan().header(part), *(line for line in uninterrupted().kept if line.cell_id in mine))


def file(*lines):
    return b"".join(map(encoded, lines))


def join(*files):
    return merged([(f"file-{number}", parse(data, f"file-{number}")) for number, data in enumerate(files)])


@pytest.mark.parametrize("of", [1, 2, 3, 5, 7, 40])
def test_shards_share_every_cell_and_every_control_out_once(of):
    lines = [each.cell_id for number in range(1, of + 1) for each in parse(shard(number, of), "x").lines]
    assert sorted(lines) == sorted(plan().header().cell_ids)


@pytest.mark.parametrize("of", [2, 3, 4])
def test_shards_are_of_nearly_the_same_size_and_share_out_every_scheme(of):
    sizes = [len(plan().tasks(Shard(number, of))) for number in range(1, of + 1)]
    assert max(sizes) - min(sizes) <= 1
    if of == 2:
        assert all({t.scheme.name for t in plan().tasks(Shard(n, 2)) if t.scheme} == set(SCHEMES) for n in (1, 2))


def test_attacks_that_share_a_play_stay_together_in_every_sharding():
    for of in range(1, 8):
        tasks = [task for number in range(1, of + 1) for task in plan().tasks(Shard(number, of)) if task.scheme]
        assert sorted(len(task.run) for task in tasks) == [1, 1, 2, 2]


def test_what_a_shard_holds_does_not_depend_on_what_is_known():
    part, lines = Shard(1, 2), uninterrupted().kept
    all_, left = plan().tasks(part), plan().tasks(part, lines[:1])
    assert {task.name for task in plan().tasks(part, lines)} == set()
    assert sum(len(task.run) for task in all_) - sum(len(task.run) for task in left) in (0, 1)


@pytest.mark.parametrize("of", [2, 3])
def test_merged_shards_are_the_unsharded_matrix_in_any_order(of):
    asked = plan()
    whole = run_matrix(asked.schemes, asked.attacks, asked.scenario, plain=asked.plain)
    for order in itertools.permutations(range(1, of + 1)):
        header, lines = join(*(shard(number, of) for number in order))
        assert to_json(judged(header, lines)) == to_json(whole)
        assert missing(header, lines) == []


def test_shards_that_are_really_played_hold_what_the_unsharded_run_holds():
    played = [line for number in (1, 2) for line in run_plan(plan(), shard=Shard(number, 2), jobs=number).kept]
    assert sorted(map(encoded, played)) == sorted(map(encoded, uninterrupted().kept))


def test_the_same_cell_in_two_files_is_one_and_two_different_ones_are_refused():
    one = shard(1, 2)
    header, lines = join(one, one, shard(2, 2))
    assert to_json(judged(header, lines)) == to_json(judged(header, uninterrupted().kept))
    line = next(each for each in parse(one, "x").lines if isinstance(each, CellLine))
    other = msgspec.structs.replace(line, cell=msgspec.structs.replace(line.cell, sent=line.cell.sent + 1))
    with pytest.raises(Malformed, match=f"file-1 and file-0 contradict each other on {journal.said(line.cell_id)}"):
        join(one, file(plan().header(), other))


def test_a_cell_is_the_same_whatever_other_cells_stand_beside_it():
    """Its verdict rests on its own line, and on that of its attack's controls."""
    lines, header = uninterrupted().kept, plan().header()
    whole = {(cell.scheme, cell.attack): cell for cell in judged(header, lines).cells}
    for line in lines:
        if isinstance(line, CellLine):
            own = [line, *(each for each in lines if each.cell_id == ("", line.cell.attack))]
            alone = [cell for cell in judged(header, own).cells if cell.verdict != "ERROR"]
            assert alone == [whole[line.cell_id]]


def test_files_of_two_runs_are_not_merged():
    seeded = plan(scenario=msgspec.structs.replace(plan().scenario, seed=7))
    with pytest.raises(NotComparable, match=r"file-1 and file-0 hold different runs: scenario.seed is 7, not 2019"):
        join(shard(1, 2), file(seeded.header()))
    with pytest.raises(NotComparable, match="isolated is true, not false"):
        join(shard(1, 2), file(plan(isolated=True).header()))


def test_an_attack_that_applies_to_no_scheme_of_the_run_needs_no_controls_and_no_other_is_spared():
    foreign = plan(attacks=[attacks()[name] for name in ("rogue-leaf", "null-eavesdropper")])
    kept = run_plan(foreign).kept
    assert [line.attack for line in kept if isinstance(line, ControlLine)] == ["null-eavesdropper"]
    assert missing(foreign.header(), kept) == []
    cells = [line for line in kept if isinstance(line, CellLine)]
    assert missing(foreign.header(), cells) == [("", "null-eavesdropper")]
    verdicts = {cell.attack: cell.verdict for cell in judged(foreign.header(), kept).cells}
    assert verdicts == {"rogue-leaf": "NOT_APPLICABLE", "null-eavesdropper": "HELD"}
    native = plan(attacks=[attacks()["rogue-leaf"]], schemes=[schemes()["clipper"]])
    assert [task.applies(task.run[0]) for task in native.tasks() if task.scheme is None] == [True]


def test_a_cell_without_its_controls_is_no_result():
    """Else a merge that lacks a shard would read like a verdict."""
    cells = [line for line in uninterrupted().kept if isinstance(line, CellLine)]
    found = judged(plan().header(), cells).cells
    assert {cell.verdict for cell in found} == {"INCONCLUSIVE"}
    assert {cell.reason.partition(";")[0] for cell in found} == {
        f"the controls of {name} were not run" for name in ATTACKS
    }


# --- the command ---


@pytest.fixture
def files(tmp_path):
    for number in (1, 2):
        (tmp_path / f"{number}.jsonl").write_bytes(shard(number, 2))
    return [str(tmp_path / f"{number}.jsonl") for number in (1, 2)]


def test_the_command_writes_the_matrix_in_every_format(files, capsys):
    whole = judged(plan().header(), uninterrupted().kept)
    assert main(["merge", *files, "--format", "json"]) == 0
    assert capsys.readouterr().out.encode() == to_json(whole)
    for format_ in ("table", "jsonl", "md", "csv"):
        assert main(["merge", *files, "--format", format_]) == 0
        told = capsys.readouterr()
        names = ("plain",) if format_ == "table" else SCHEMES  # a table folds longer ones
        assert told.err == "" and all(name in told.out for name in names)
        if format_ == "table":  # of numbers
            assert f"{len(whole.cells)} cells: " in told.out
        else:
            verdicts = "BREACH|FAILS|HELD|AS CLAIMED|AS PLAIN|OUTSIDE MODEL|CONCEDED"
            assert len(re.findall(verdicts, told.out)) >= len(whole.cells)
    assert main(["merge", *files, "--fail-on", "breach"]) == any(cell.verdict == "BREACH" for cell in whole.cells)


def test_missing_cells_are_3_and_listed(files, capsys):
    assert main(["merge", files[0], "--format", "json"]) == 3
    told = capsys.readouterr()
    gone = missing(*join(shard(1, 2)))
    assert gone and told.err == f"no file holds {', '.join(map(journal.said, gone))}\n"
    verdicts = {(cell["scheme"], cell["attack"]): cell["verdict"] for cell in json.loads(told.out)["cells"]}
    assert {cell_id for cell_id, verdict in verdicts.items() if verdict == "ERROR"} == {
        each for each in gone if each[0]
    }


def test_a_torn_last_line_is_a_missing_one(tmp_path, files, capsys):
    torn = tmp_path / "torn"
    torn.write_bytes(shard(2, 2)[:-7])
    assert main(["merge", files[0], str(torn)]) == 3
    assert capsys.readouterr().err.count(", ") == 0
    assert main(["merge", *files, str(torn)]) == 0


FAULTS = {
    "empty": (b"", "line 1: there is no manifest"),
    "text": (b"hello\n", "line 1: it is no line of escrow-lab/cells/2"),
    "another result": (b'{"schema": "escrow-lab/matrix/2"}\n', "line 1: it is no line of escrow-lab/cells/2"),
    "binary": (b"\0" * 4096, "line 1: there is no manifest"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_none_is_4_in_one_line(fault, tmp_path, files, capsys):
    data, said = FAULTS[fault]
    (tmp_path / "bad").write_bytes(data)
    assert main(["merge", *files, str(tmp_path / "bad")]) == 4
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith(f"escrow-lab: {tmp_path / 'bad'}, {said}")
    assert shown.err.count("\n") == 1


def test_what_cannot_be_read_is_4_and_two_runs_are_5(tmp_path, files, capsys):
    assert main(["merge", str(tmp_path)]) == 4
    assert main(["merge", str(tmp_path / "nothing")]) == 4
    seeded = plan(scenario=msgspec.structs.replace(plan().scenario, seed=7))
    (tmp_path / "other").write_bytes(file(seeded.header()))
    assert main(["merge", *files, str(tmp_path / "other")]) == 5
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and "Is a directory" in said[0] and "No such file" in said[1] and "seed is 7" in said[2]


SHARDS = {
    "0/2": "is not a shard",
    "3/2": "is not a shard",
    "1": "is not a shard",
    "1/0": "is not a shard",
    "-1/2": "is not a shard",
    "१/२": "is not a shard",
}


@pytest.mark.parametrize("given", SHARDS)
def test_a_shard_that_is_none_is_2(given, capsys):
    assert main(["matrix", *OPTIONS, "--shard", given]) == 2
    assert SHARDS[given] in capsys.readouterr().err


def test_options_that_make_no_sense_of_a_shard_are_2(capsys):
    assert main(["matrix", *OPTIONS, "--shard", "1/2", "--format", "json"]) == 2
    assert main(["matrix", *OPTIONS, "--shard", "1/2", "--fail-on", "breach"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "`escrow-lab merge` writes json" in said[0] and "give --fail-on to `escrow-lab merge`" in said[1]


def test_a_shard_says_that_it_is_one_and_two_of_them_are_the_matrix(tmp_path, monkeypatch, capsys):
    """Through the command line, one shard to a file of its own, the other one resumed."""
    everybody = {attack.name: attack for attack in plan().attacks}
    monkeypatch.setattr("attacks.registry.attacks", lambda plugins=(): everybody)
    options = ["matrix", *OPTIONS, "--only", "plain", "--only", "envelope", "--jobs", "1"]
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert main([*options, "--shard", "1/2", "-o", one]) == 0
    assert main([*options, "--shard", "2/2", "--resume", two]) == 0
    assert capsys.readouterr().out == ""
    shards = [journal.read(path).header.shard for path in map(type(tmp_path), (one, two))]
    assert shards == ["1/2", "2/2"]
    assert main(["merge", one, two, "--format", "json"]) == 0
    told = capsys.readouterr().out
    assert main([*options, "--format", "json"]) == 0
    assert capsys.readouterr().out == told
