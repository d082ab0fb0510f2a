"""A run that is interrupted, however it is, goes on to the result that it would have had, byte for byte."""

import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from parts import ATTACKS, NARROW, OPTIONS, SCHEMES, plan, uninterrupted

from attacks.cli import main
from attacks.lab import journal, matrix
from attacks.lab.comparison.difference import NotComparable
from attacks.lab.journal import CellLine, Unwritable, encoded, opened, parse
from attacks.lab.merge import judged
from attacks.lab.results import to_json
from escrow.errors import Malformed
from escrow.registry import schemes

ROOT = Path(__file__).parent.parent
LONG = os.environ.get("ESCROW_LAB_PROFILE") == "long"
CLI = [sys.executable, "-c", NARROW, "matrix", "--only", "plain", "--only", "envelope", *OPTIONS]


def whole():
    """The file of an uninterrupted run."""
    return encoded(plan().head()) + b"".join(map(encoded, uninterrupted().kept))


def result(lines):
    return to_json(judged(plan().head(), lines))


# --- what is written down is not played again, and what is not is ---


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_file_holds_is_not_played_again_and_the_result_is_the_same(jobs, tmp_path, monkeypatch):
    asked, half = plan(), tmp_path / "half"
    half.write_bytes(b"".join(whole().splitlines(keepends=True)[:4]))
    played = []
    monkeypatch.setattr(matrix, "Bench", counting(matrix.Bench, played))
    with opened(half, asked.head(), asked.keys) as file:
        assert len(file.known) == 3
        found = matrix.run_plan(asked, jobs=jobs, journal=file)
    assert result(found.kept) == result(uninterrupted().kept)
    if jobs == 1:  # other processes count for themselves
        again = {line.place for line in file.known if isinstance(line, CellLine)} & set(played)
        assert played and not again
    assert result(journal.read(half).lines) == result(uninterrupted().kept)


def counting(bench, played):
    class Counting(bench):
        def cell(self, attack, *rest):
            if rest:  # not the same attack on plain, which a cell is compared with
                played.append((self.scheme.name, attack.name))
            return super().cell(attack, *rest)

    return Counting


def test_a_complete_file_is_judged_without_playing_anything(tmp_path, monkeypatch):
    monkeypatch.setattr(matrix, "Bench", None)
    asked, path = plan(), tmp_path / "complete"
    path.write_bytes(whole())
    with opened(path, asked.head(), asked.keys) as file:
        assert result(matrix.run_plan(asked, journal=file).kept) == result(uninterrupted().kept)
    assert path.read_bytes() == whole()


def test_a_file_that_is_cut_anywhere_keeps_its_whole_lines_and_is_gone_on_with(tmp_path):
    asked, data, path = plan(), whole(), tmp_path / "cut"
    ends = [at + 1 for at, byte in enumerate(data) if byte == 10]
    near = {end + by for end in ends for by in (-2, -1, 0, 1, 2)}
    cuts = sorted({at for at in near if 0 <= at <= len(data)} | set(random.Random(1).sample(range(len(data)), 150)))
    head, lines = asked.head(), uninterrupted().kept
    for cut in cuts:
        path.write_bytes(data[:cut])
        with opened(path, head, asked.keys) as file:
            kept = max(sum(end <= cut for end in ends) - 1, 0)
            assert file.known == lines[:kept], cut
            assert file.torn == (cut not in (0, *ends)), cut
            file.add(lines[kept:])
        assert path.read_bytes() == data, cut


def test_a_verdict_that_controls_or_rules_unsettle_is_unsettled_after_a_resumption_too(tmp_path):
    """What fired before the interruption, and controls that failed before it, count after it."""
    lines = uninterrupted().kept
    broken = [
        msgspec.structs.replace(line, failure="it broke the twin") if line.place == ("", ATTACKS[0]) else line
        for line in lines
    ]
    verdicts = {cell.attack: cell for cell in judged(plan().head(), broken).cells}
    assert verdicts[ATTACKS[0]].reason == f"a control of {ATTACKS[0]} failed: it broke the twin"
    rule = "escrow.e2ee.ratchet.step"
    idle = [msgspec.structs.replace(line, fired=tuple(set(line.fired) - {rule})) for line in lines]
    cells = judged(plan().head(), idle).cells
    assert {cell.verdict for cell in cells} == {"INCONCLUSIVE"} and all(rule in cell.reason for cell in cells)
    once = [*idle[:-1], msgspec.structs.replace(idle[-1], fired=(rule,))]
    assert not any(rule in cell.reason for cell in judged(plan().head(), once).cells)


def test_a_write_that_fails_leaves_whole_lines(tmp_path, monkeypatch):
    asked, path, lines = plan(), tmp_path / "full", uninterrupted().kept
    with opened(path, asked.head(), asked.keys) as file:
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


# --- faults ---


def faulty(tmp_path, data):
    path = tmp_path / "faulty"
    path.write_bytes(data)
    return path


def refused(path, **changes):
    asked, before = plan(**changes), path.read_bytes()
    with pytest.raises((Malformed, NotComparable)) as caught, opened(path, asked.head(), asked.keys):
        pass
    assert path.read_bytes() == before
    return str(caught.value)


def test_one_flipped_bit_anywhere_is_refused_or_leaves_a_line_less():
    """Less: the last line, whose end is gone. Nothing is read that was not written."""
    cell, control = (next(each for each in uninterrupted().kept if type(each) is kind) for kind in KINDS)
    data = encoded(plan().head()) + encoded(cell) + encoded(control)
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


KINDS = (CellLine, journal.ControlLine)


def test_an_altered_line_is_named_by_its_number(tmp_path):
    data = whole()
    altered = data.replace(b'"sent":16', b'"sent":17', 1)
    number = next(n for n, each in enumerate(data.splitlines(), 1) if b'"sent":16' in each)
    assert refused(faulty(tmp_path, altered)).endswith(f"line {number}: it was altered: it does not fit its checksum")


def test_lines_in_another_order_give_the_same_result(tmp_path):
    asked, (head, *lines) = plan(), whole().splitlines(keepends=True)
    random.Random(5).shuffle(lines)
    with opened(faulty(tmp_path, head + b"".join(lines)), asked.head(), asked.keys) as file:
        assert result(file.known) == result(uninterrupted().kept)


def test_a_manifest_in_another_place_is_refused(tmp_path):
    first, second, *rest = whole().splitlines(keepends=True)
    assert "line 1: it is no line of escrow-lab/cells/1 in this place" in refused(
        faulty(tmp_path, b"".join([second, first, *rest]))
    )
    assert "line 3: it is no line of escrow-lab/cells/1 in this place" in refused(
        faulty(tmp_path, b"".join([first, second, first, *rest]))
    )


def test_a_line_that_stands_there_twice_is_refused(tmp_path):
    head, *lines = whole().splitlines(keepends=True)
    said = refused(faulty(tmp_path, b"".join([head, *lines, lines[0]])))
    assert f"line {len(lines) + 2}: " in said and said.endswith("stands in line 2 already")


@pytest.mark.parametrize("data", [b"hello\n", b"hello", b"{}\n", b"\n", b'{"schema":"escrow-lab/matrix/1"}', b"\xff\n"])
def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path, data):
    assert "line 1: " in refused(faulty(tmp_path, data))


def test_a_line_with_a_good_checksum_and_another_encoding_is_refused(tmp_path):
    head, first, *_ = whole().splitlines()
    body = first[: first.rindex(b',"check"')].replace(b'"forged":0', b'"forged":0,"forged":0') + b"}"
    twice = journal._sealed(body)
    assert "not the one encoding" in refused(faulty(tmp_path, head + b"\n" + twice + b"\n"))


def forged(line, **changes):
    return encoded(msgspec.structs.replace(line, **changes))


def test_a_cell_that_is_not_of_the_run_is_refused(tmp_path):
    head, line = encoded(plan().head()), next(each for each in uninterrupted().kept if type(each) is CellLine)
    stranger = msgspec.structs.replace(line.cell, scheme="stranger")
    assert "stranger" in refused(faulty(tmp_path, head + forged(line, cell=stranger)))
    assert "has two keys" in refused(faulty(tmp_path, head + forged(line, key="00")))
    other = msgspec.structs.replace(line.cell, key="00")
    assert "a key that is not of this run" in refused(faulty(tmp_path, head + forged(line, key="00", cell=other)))


def test_a_manifest_that_hangs_not_together_is_refused(tmp_path):
    head = plan().head()
    assert "the rules are those of other schemes" in refused(faulty(tmp_path, forged(head, rules={})))
    scenario = msgspec.structs.replace(head.manifest.scenario, attack_day=99)
    manifest = msgspec.structs.replace(head.manifest, scenario=scenario)
    assert "attack_day is 99" in refused(faulty(tmp_path, forged(head, manifest=manifest)))


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
    head = plan().head()
    older = msgspec.structs.replace(head, sources={**head.sources, "escrow-lab": "00"})
    assert refused(faulty(tmp_path, encoded(older))).endswith("the sources of escrow-lab are others")


def test_a_shard_s_file_is_gone_on_with_as_that_shard_only(tmp_path):
    path, asked = tmp_path / "shard", plan()
    with opened(path, asked.head(matrix.Shard(1, 2)), asked.keys):
        pass
    for other in (matrix.WHOLE, matrix.Shard(2, 2), matrix.Shard(1, 3)):
        with pytest.raises(NotComparable, match="it is shard 1/2"), opened(path, asked.head(other), asked.keys):
            pass


# --- keys: known before, and covering all that decides ---

KEYS = """
import sys
from attacks.lab.keys import cell_key, control_key
from attacks.lab.scenario import default
from attacks.registry import attacks
from escrow.registry import load_file, schemes
from pathlib import Path
found = schemes([Path(each) for each in sys.argv[2:]])
every = [attacks()["null-eavesdropper"]]
print(cell_key(found[sys.argv[1]], every[0], default(), every, found["plain"]), control_key(every[0], every))
"""


def keys(root, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", KEYS, *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True).stdout


def test_a_key_changes_with_every_source_that_decides_and_with_no_other(tmp_path):
    for package in ("escrow", "attacks"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "vectors*"))
    shutil.copytree(ROOT / "escrow" / "vectors", tmp_path / "escrow" / "vectors")
    first = keys(tmp_path, "plain")
    for deciding, file in [
        (True, "escrow/e2ee/ratchet.py"),
        (True, "attacks/lab/claims.py"),
        (False, "attacks/cli/health.py"),
    ]:
        with (tmp_path / file).open("a") as source:
            source.write("# changed\n")
        second = keys(tmp_path, "plain")
        assert all((one != other) == deciding for one, other in zip(first.split(), second.split(), strict=True)), file
        first = second


PLUGIN = """
from escrow.schemes.plain import Plain
from escrow.scheme import Source
import helper

class Mine(Plain, frozen=True, kw_only=True):
    name = "mine"
    title = "Mine"
    source = Source("A", "T", 2026, "all")
    level: int = 1

SCHEME = Mine()
"""


def test_a_key_changes_with_a_plug_in_and_with_what_it_imports(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "helper.py").write_text("import further\n")
    (tmp_path / "further.py").write_text("")
    here = f"{tmp_path}{os.pathsep}{ROOT}"
    seen = {asked(here, tmp_path)}
    for name in ("mine.py", "helper.py", "further.py"):
        with (tmp_path / name).open("a") as source:
            source.write("# changed\n")
        seen.add(asked(here, tmp_path))
    assert len(seen) == 4
    (tmp_path / "beside.py").write_text("# nobody imports it\n")
    assert asked(here, tmp_path) in seen


def asked(path, folder):
    command = [sys.executable, "-c", KEYS, "mine", str(folder / "mine.py")]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()[0]


def test_a_key_changes_with_parameters_scenario_rules_and_plain():
    from attacks.lab.keys import cell_key, control_key
    from attacks.registry import attacks
    from escrow.registry import with_parameters

    scheme, base = schemes()["split-key"], plan()
    null, device = (attacks()[name] for name in ATTACKS[:2])
    given = [
        (scheme, null, base.scenario, [null]),
        (with_parameters(scheme, ["split-key.t=3"]), null, base.scenario, [null]),
        (schemes()["envelope"], null, base.scenario, [null]),
        (scheme, null, msgspec.structs.replace(base.scenario, seed=7), [null]),
        (scheme, device, base.scenario, [null]),
        (scheme, null, base.scenario, [null, device]),
        (scheme, null, base.scenario, [null], base.plain),
    ]
    found = [cell_key(*each) for each in given] + [control_key(null, [null]), control_key(null, [null, device])]
    assert len(set(found)) == len(found) and found[0] == cell_key(*given[0])


def test_every_line_has_the_key_that_was_known_before():
    known = plan().keys
    assert {line.place: line.key for line in uninterrupted().kept} == known
    assert all(line.cell.key == line.key for line in uninterrupted().kept if isinstance(line, CellLine))


# --- the command ---


def command(*arguments, **settings):
    return subprocess.run([*CLI, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, **settings)


def test_what_cannot_be_written_is_2_in_one_line(tmp_path, capsys):
    os.mkfifo(tmp_path / "fifo")
    for path, why in [
        (tmp_path, "no regular file"),
        (tmp_path / "fifo", "no regular file"),
        (tmp_path / "no" / "folder", "No such file or directory"),
    ]:
        assert main(["matrix", "--smoke", "--resume", str(path)]) == 2
        said = capsys.readouterr().err
        assert said == f"escrow-lab: {path} cannot be written: {said.partition('written: ')[2]}" and why in said


def test_a_file_without_permission_is_not_written(tmp_path):
    path, asked = tmp_path / "forbidden", plan()
    path.write_bytes(whole())
    path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    root = os.geteuid() == 0  # who may write everything, and so becomes nobody for a moment
    head, known = asked.head(), asked.keys
    os.seteuid(65534 if root else os.geteuid())
    try:
        with pytest.raises(Unwritable) as caught, opened(path, head, known):
            pass
    finally:
        os.seteuid(0 if root else os.geteuid())
    assert str(caught.value) == f"{path} cannot be written: Permission denied"
    assert path.read_bytes() == whole()


def test_faults_have_their_exit_codes_and_one_line_each(tmp_path, capsys):
    torn, bad = tmp_path / "bad", [*OPTIONS, "--only", "plain"]
    torn.write_text("not a journal\n")
    assert main(["matrix", *bad, "--resume", str(torn)]) == 4
    assert capsys.readouterr().err == f"escrow-lab: {torn}, line 1: it is no line of escrow-lab/cells/1\n"
    foreign = tmp_path / "foreign"
    foreign.write_bytes(whole())
    assert main(["matrix", *bad, "--resume", str(foreign)]) == 5
    assert capsys.readouterr().err.startswith(f"escrow-lab: {foreign} holds another run: ")
    assert foreign.read_bytes() == whole()
    assert main(["matrix", *bad, "--resume", str(foreign), "-o", str(foreign), "--force"]) == 2
    assert "write the result to another file" in capsys.readouterr().err


def test_two_processes_do_not_write_one_file(tmp_path):
    asked, path = plan(), tmp_path / "shared"
    with opened(path, asked.head(), asked.keys):
        done = command("--resume", path)
        assert (done.returncode, done.stdout) == (2, "")
        assert path.read_bytes() == encoded(asked.head())
        assert done.stderr == f"escrow-lab: {path} is being written by another process; wait for its end\n"


def test_what_took_too_long_is_3_and_is_tried_again(tmp_path):
    path, result_ = tmp_path / "run", tmp_path / "result"
    done = command("--resume", path, "--timeout", "0.001", "--format", "json", "--jobs", "2")
    assert done.returncode == 3 and done.stdout.count('"TIMEOUT"') == len(SCHEMES) * len(ATTACKS)
    assert journal.read(path).lines == ()
    done = command("--resume", path, "--timeout", "600", "--format", "json", "-o", result_)
    assert done.returncode == 0 and result_.read_bytes() == result(uninterrupted().kept)


STUCK = '''
"""Stuck."""
import sys, time
from escrow.schemes.plain import Plain
from escrow.scheme import Source

class Stuck(Plain, frozen=True, kw_only=True):
    name = "stuck"
    title = "Stuck"
    source = Source("A", "T", 2026, "all")

def cast(self, users, court):
    print("here", file=sys.stderr, flush=True)
    time.sleep(300)

Stuck.cast = cast
SCHEME = Stuck()
'''


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_signal_leaves_whole_lines(tmp_path, name, code, jobs):
    """One scheme plays to its end, another one is stuck; what was done is there when the signal has come."""
    (tmp_path / "stuck.py").write_text(STUCK.replace('"stuck"', '"a-stuck"'))
    path = tmp_path / "run"
    options = ["--plugin", tmp_path / "stuck.py", "--only", "a-stuck", "--resume", path, "--jobs", jobs]
    with subprocess.Popen([*CLI, *map(str, options)], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: path.exists() and path.read_bytes().count(b"\n") > 1 + (jobs == "2"), process)
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=60)
    assert process.returncode == code
    found = journal.read(path)
    assert found.lines and not found.torn


def wait_for(there, process, seconds=120):
    end = time.monotonic() + seconds
    while not there() and process.poll() is None:
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no alarms")
def test_workers_of_a_killed_process_end_too(tmp_path):
    """The process alone is killed; its workers hold the other end of stderr until they end."""
    (tmp_path / "stuck.py").write_text(STUCK)
    options = ["--plugin", str(tmp_path / "stuck.py"), "--only", "stuck", "--jobs", "2"]
    with subprocess.Popen([*CLI, *options], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == process.stderr.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL


# --- kill -9 ---


def test_kills_at_random_points_lose_nothing(tmp_path):
    """Rounds of one matrix, each killed again and again until it ends, until so many kills have hit a process."""
    kills, dice = (50 if LONG else 4), random.Random(9)
    whole_, hit, rounds = result(uninterrupted().kept), 0, 0
    while hit < kills:
        rounds += 1
        path, out = tmp_path / f"run-{rounds}", tmp_path / f"result-{rounds}"
        asked = ["--resume", path, "--format", "json", "-o", out]
        for _ in range(dice.randrange(3, 9)):
            hit += killed([*asked, "--jobs", 1 + dice.randrange(2)], path, dice)
        held = journal.read(path).lines if path.exists() and path.stat().st_size else ()
        if not out.exists():
            done = command(*asked)
            assert done.returncode == 0, done.stderr
            assert f"{len(held)} lines were there" in done.stderr
        assert out.read_bytes() == whole_
        assert result(journal.read(path).lines) == whole_
        assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    assert rounds > 1 and hit >= kills


def killed(arguments, path, dice):
    """Start it, kill it with all its workers after up to three more lines and a moment; whether that hit it."""
    before = lines_in(path)
    more = dice.randrange(4)
    with subprocess.Popen(
        [*CLI, *map(str, arguments)], cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        wait_for(lambda: lines_in(path) >= before + more, process)
        time.sleep(dice.random() * 0.4)
        hit = process.poll() is None
        if hit:
            os.killpg(process.pid, signal.SIGKILL)
    assert hit or process.returncode in (0, 2)
    return hit


def lines_in(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0
