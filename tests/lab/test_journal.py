"""A journal is read as it was written, or refused with the number of the line; cut anywhere, it is gone on with."""

import json
import os
import random
import stat
from pathlib import Path

import evidence_plugin
import msgspec
import pytest
from parts import plan, result, uninterrupted, whole

from attacks.lab.results.errors import NotComparable
from attacks.lab.runs import journal, matrix
from attacks.lab.runs.journal import CellLine, Unwritable, encoded, opened, parse
from escrow.errors import Malformed
from escrow.registry import schemes

KINDS = (CellLine, journal.ControlLine)


def test_a_file_that_is_cut_anywhere_keeps_its_whole_lines_and_is_gone_on_with(tmp_path):
    asked, data, path = plan(), whole(), tmp_path / "cut"
    ends = [at + 1 for at, byte in enumerate(data) if byte == 10]
    near = {end + by for end in ends for by in (-2, -1, 0, 1, 2)}
    cuts = sorted({at for at in near if 0 <= at <= len(data)} | set(random.Random(1).sample(range(len(data)), 60)))
    header, lines = asked.header(), uninterrupted().kept
    for cut in cuts:
        path.write_bytes(data[:cut])
        with opened(path, header, asked.keys) as file:
            kept = max(sum(end <= cut for end in ends) - 1, 0)
            assert file.known == lines[:kept], cut
            assert file.torn == (cut not in (0, *ends)), cut
            file.add(lines[kept:])
        assert path.read_bytes() == data, cut


def test_a_write_that_fails_leaves_whole_lines(tmp_path, monkeypatch):
    asked, path, lines = plan(), tmp_path / "full", uninterrupted().kept
    with opened(path, asked.header(), asked.keys) as file:
        file.add(lines[:1])
        before = path.read_bytes()
        monkeypatch.setattr(file, "_file", Full(file._file))
        with pytest.raises(Unwritable, match="No space left on device"):
            file.add(lines[1:])
    assert path.read_bytes() == before


class Full:
    """A file on a disk that is full after ten bytes."""

    def __init__(self, file):
        self.file, self.name = file, file.name

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        if len(data) < 1000:
            raise OSError(28, "No space left on device")
        return self.file.write(data[:-500])


def test_a_file_without_permission_is_not_written(tmp_path):
    path, asked = tmp_path / "forbidden", plan()
    path.write_bytes(whole())
    path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    root = os.geteuid() == 0  # who may write everything, and so becomes nobody for a moment
    header, known = asked.header(), asked.keys
    os.seteuid(65534 if root else os.geteuid())
    try:
        with pytest.raises(Unwritable) as caught, opened(path, header, known):
            pass
    finally:
        os.seteuid(0 if root else os.geteuid())
    assert str(caught.value) == f"{path} cannot be written: Permission denied"
    assert path.read_bytes() == whole()


# --- faults ---


def faulty(tmp_path, data):
    path = tmp_path / "faulty"
    path.write_bytes(data)
    return path


def refused(path, **changes):
    asked, before = plan(**changes), path.read_bytes()
    with pytest.raises((Malformed, NotComparable)) as caught, opened(path, asked.header(), asked.keys):
        pass
    assert path.read_bytes() == before
    return str(caught.value)


def test_one_flipped_bit_anywhere_is_refused_or_leaves_a_line_less():
    """Less: the last line, whose end is gone. Nothing is read that was not written."""
    cell, control = (next(each for each in uninterrupted().kept if type(each) is kind) for kind in KINDS)
    data = encoded(plan().header()) + encoded(cell) + encoded(control)
    read = parse(data, "x")
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            found = parse(bytes(flipped), "x")
        except Malformed as error:
            assert str(error).startswith("x, line ")
        else:
            assert bit // 8 == len(data) - 1 and found.lines == read.lines[:-1] and found.torn


def test_an_altered_line_is_named_by_its_number(tmp_path):
    data = whole()
    altered = data.replace(b'"sent":16', b'"sent":17', 1)
    number = next(n for n, each in enumerate(data.splitlines(), 1) if b'"sent":16' in each)
    assert refused(faulty(tmp_path, altered)).endswith(f"line {number}: it was altered: it does not fit its checksum")


def test_lines_in_another_order_give_the_same_result(tmp_path):
    asked, (header, *lines) = plan(), whole().splitlines(keepends=True)
    random.Random(5).shuffle(lines)
    with opened(faulty(tmp_path, header + b"".join(lines)), asked.header(), asked.keys) as file:
        assert result(file.known) == result(uninterrupted().kept)


def test_a_manifest_in_another_place_is_refused(tmp_path):
    first, second, *rest = whole().splitlines(keepends=True)
    assert "line 1: it is no line of escrow-lab/cells/2 in this place" in refused(
        faulty(tmp_path, b"".join([second, first, *rest]))
    )
    assert "line 3: it is no line of escrow-lab/cells/2 in this place" in refused(
        faulty(tmp_path, b"".join([first, second, first, *rest]))
    )


def test_a_line_that_stands_there_twice_is_refused(tmp_path):
    header, *lines = whole().splitlines(keepends=True)
    said = refused(faulty(tmp_path, b"".join([header, *lines, lines[0]])))
    assert f"line {len(lines) + 2}: " in said and said.endswith("stands in line 2 already")


@pytest.mark.parametrize("data", [b"hello\n", b"hello", b"{}\n", b"\n", b'{"schema":"escrow-lab/matrix/2"}', b"\xff\n"])
def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path, data):
    assert "line 1: " in refused(faulty(tmp_path, data))


def test_a_line_with_a_good_checksum_and_another_encoding_is_refused(tmp_path):
    header, first, *_ = whole().splitlines()
    body = first[: first.rindex(b',"check"')].replace(b'"forged":0', b'"forged":0,"forged":0') + b"}"
    twice = journal._sealed(body)
    assert "not the one encoding" in refused(faulty(tmp_path, header + b"\n" + twice + b"\n"))


def forged(line, **changes):
    return encoded(msgspec.structs.replace(line, **changes))


def test_a_cell_that_is_not_of_the_run_is_refused(tmp_path):
    header, line = encoded(plan().header()), next(each for each in uninterrupted().kept if type(each) is CellLine)
    stranger = msgspec.structs.replace(line.cell, scheme="stranger")
    assert "stranger" in refused(faulty(tmp_path, header + forged(line, cell=stranger)))
    assert "has two keys" in refused(faulty(tmp_path, header + forged(line, key="00")))
    other = msgspec.structs.replace(line.cell, key="00")
    assert "a key that is not of this run" in refused(faulty(tmp_path, header + forged(line, key="00", cell=other)))


def test_a_manifest_that_hangs_not_together_is_refused(tmp_path):
    header = plan().header()
    assert "the rules are not those of the manifest" in refused(faulty(tmp_path, forged(header, rules={})))
    scenario = msgspec.structs.replace(header.manifest.scenario, attack_day=99)
    manifest = msgspec.structs.replace(header.manifest, scenario=scenario)
    assert "attack_day is 99" in refused(faulty(tmp_path, forged(header, manifest=manifest)))


# --- another run ---


def test_a_file_of_another_run_is_refused_and_says_what_differs(tmp_path):
    path, asked = faulty(tmp_path, whole()), plan()
    seeded = msgspec.structs.replace(asked.scenario, seed=7)
    assert "scenario.seed is 2019, not 7" in refused(path, scenario=seeded)
    assert "attacks is" in refused(path, attacks=asked.attacks[:2])
    assert "isolated is false, not true" in refused(path, isolated=True)
    assert 'plain is "plain", not ""' in refused(path, plain=None)
    assert "schemes is" in refused(path, schemes=[schemes()["plain"]])


def test_a_file_from_other_sources_is_refused_and_says_so(tmp_path):
    header = plan().header()
    older = msgspec.structs.replace(header, sources={**header.sources, "escrow-lab": "00"})
    assert refused(faulty(tmp_path, encoded(older))).endswith(
        "of escrow-lab has changed, or a data file that it declares"
    )
    more = msgspec.structs.replace(header, sources={**header.sources, "plugin_other": "00"})
    assert refused(faulty(tmp_path, encoded(more))).endswith("plugin_other is loaded in one of them only")


def test_a_file_of_a_run_with_another_plug_in_is_refused_although_it_did_not_take_part(tmp_path):
    idle = tuple(schemes([Path(evidence_plugin.__file__)]).values())
    assert "plugin_evidence_plugin" in plan(loaded=idle).header().sources
    said = refused(faulty(tmp_path, encoded(plan(loaded=idle).header())))
    assert said.endswith("holds another run: plugin_evidence_plugin is loaded in one of them only")


def test_a_shard_s_file_is_gone_on_with_as_that_shard_only(tmp_path):
    path, asked = tmp_path / "shard", plan()
    with opened(path, asked.header(matrix.Shard(1, 2)), asked.keys):
        pass
    for other in (matrix.WHOLE, matrix.Shard(2, 2), matrix.Shard(1, 3)):
        with pytest.raises(NotComparable, match="it is shard 1/2"), opened(path, asked.header(other), asked.keys):
            pass


HEADERS = {
    "an attack twice": ({"every": ["theft", "theft"]}, "theft twice"),
    "a scheme twice": ({"manifest": {"schemes": ["plain", "plain"]}}, "plain twice"),
    "a day of 2^64": ({"manifest": {"scenario": {"days": 2**64}}}, "days is"),
    **{f"the shard {shard}": ({"shard": shard}, "shard") for shard in ("0/2", "3/2", "-1/2", "1/2/3", "1", "/")},
}


@pytest.mark.parametrize("fault", HEADERS)
def test_a_header_with_a_value_out_of_range_or_twice_is_refused(fault):
    """Its checksum fits, so it is the value that is refused."""
    change, said = HEADERS[fault]
    header = json.loads(msgspec.json.encode(plan().header(), order="deterministic"))
    assert parse(sealed(header), "file").header == plan().header()
    with pytest.raises(Malformed, match=f"file, line 1: .*{said}"):
        parse(sealed(changed(header, change)), "file")


def sealed(line):
    body = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode()
    return journal._sealed(body) + b"\n"


def changed(value, change):
    """A value in which these fields, at any depth, are others."""
    return {**value, **{k: changed(value[k], v) if isinstance(v, dict) else v for k, v in change.items()}}


def test_a_cell_with_a_negative_or_a_huge_count_is_refused():
    first, *_ = whole().split(b"\n")
    line = next(each for each in uninterrupted().kept if isinstance(each, CellLine))
    right = json.loads(msgspec.json.encode(line, order="deterministic"))
    assert parse(first + b"\n" + sealed(right), "file").lines == (line,)
    for count in (-1, 2**53, 2**64):
        wrong = changed(right, {"cell": {"sent": count}})
        with pytest.raises(Malformed, match=r"file, line 2: .*\$.cell.sent"):
            parse(first + b"\n" + sealed(wrong), "file")
