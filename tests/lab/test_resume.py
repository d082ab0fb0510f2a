"""A run that is interrupted, however it is, goes on to the result that it would have had, byte for byte."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from parts import ATTACKS, NARROW, OPTIONS, SCHEMES, plan, result, uninterrupted, whole

from attacks.cli import main
from attacks.lab.runs import journal, matrix
from attacks.lab.runs.journal import CellLine, ControlLine, encoded, opened
from attacks.lab.runs.merge import judged
from attacks.lab.runs.workers import TimedOut, limited

ROOT = Path(__file__).parents[2]
LONG = os.environ.get("ESCROW_LAB_PROFILE") == "long"
CLI = [sys.executable, "-c", NARROW, "matrix", "--only", "plain", "--only", "envelope", *OPTIONS]


# --- what is written down is not played again, and what is not is ---


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_file_holds_is_not_played_again_and_the_result_is_the_same(jobs, tmp_path, monkeypatch):
    asked, half = plan(), tmp_path / "half"
    half.write_bytes(b"".join(whole().splitlines(keepends=True)[:4]))
    played = []
    monkeypatch.setattr(matrix, "Evaluation", counting(matrix.Evaluation, played))
    with opened(half, asked.header(), asked.keys) as file:
        assert len(file.known) == 3
        found = matrix.run_plan(asked, jobs=jobs, journal=file)
    assert result(found.kept) == result(uninterrupted().kept)
    if jobs == 1:  # other processes count for themselves
        again = {line.cell_id for line in file.known if isinstance(line, CellLine)} & set(played)
        assert played and not again
    assert result(journal.read(half).lines) == result(uninterrupted().kept)


def counting(evaluation, played):
    class Counting(evaluation):
        def cell(self, attack, *rest):
            if rest:  # not the same attack on plain, which a cell is compared with
                played.append((self.scheme.name, attack.name))
            return super().cell(attack, *rest)

    return Counting


def test_a_complete_file_is_judged_without_playing_anything(tmp_path, monkeypatch):
    monkeypatch.setattr(matrix, "Evaluation", None)
    asked, path = plan(), tmp_path / "complete"
    path.write_bytes(whole())
    with opened(path, asked.header(), asked.keys) as file:
        assert result(matrix.run_plan(asked, journal=file).kept) == result(uninterrupted().kept)
    assert path.read_bytes() == whole()


def test_a_verdict_that_controls_or_rules_unsettle_is_unsettled_after_a_resumption_too(tmp_path):
    """What was idle before the interruption, and controls that failed before it, count after it: not for breaches."""
    lines = uninterrupted().kept
    broken = [
        msgspec.structs.replace(line, failure="it broke the twin") if line.cell_id == ("", ATTACKS[0]) else line
        for line in lines
    ]
    verdicts = {cell.attack: cell for cell in judged(plan().header(), broken).cells}
    assert verdicts[ATTACKS[0]].reason.startswith(f"a control of {ATTACKS[0]} failed: it broke the twin; else ")
    rule = "escrow.e2ee.ratchet.step"
    idle = [msgspec.structs.replace(line, idle=(rule,)) if isinstance(line, CellLine) else line for line in lines]
    silent = [msgspec.structs.replace(line, fired=()) if isinstance(line, ControlLine) else line for line in idle]
    sure = judged(plan().header(), lines).cells
    for cell, before in zip(judged(plan().header(), silent).cells, sure, strict=True):
        opened = before.verdict in ("BREACH", "FAILS", "OUTSIDE MODEL")
        assert cell.verdict == (before.verdict if opened else "INCONCLUSIVE") and rule in cell.reason
    used = [msgspec.structs.replace(line, fired=(rule,)) if isinstance(line, ControlLine) else line for line in idle]
    assert judged(plan().header(), used).cells == sure


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


def test_faults_have_their_exit_codes_and_one_line_each(tmp_path, capsys):
    torn, bad = tmp_path / "bad", [*OPTIONS, "--only", "plain"]
    torn.write_text("not a journal\n")
    assert main(["matrix", *bad, "--resume", str(torn)]) == 4
    assert capsys.readouterr().err == f"escrow-lab: {torn}, line 1: it is no line of escrow-lab/cells/2\n"
    foreign = tmp_path / "foreign"
    foreign.write_bytes(whole())
    assert main(["matrix", *bad, "--resume", str(foreign)]) == 5
    assert capsys.readouterr().err.startswith(f"escrow-lab: {foreign} holds another run: ")
    assert foreign.read_bytes() == whole()
    assert main(["matrix", *bad, "--resume", str(foreign), "-o", str(foreign), "--force"]) == 2
    assert "write the result to another file" in capsys.readouterr().err


def test_two_processes_do_not_write_one_file(tmp_path):
    asked, path = plan(), tmp_path / "shared"
    with opened(path, asked.header(), asked.keys):
        done = command("--resume", path)
        assert (done.returncode, done.stdout) == (2, "")
        assert path.read_bytes() == encoded(asked.header())
        assert done.stderr == f"escrow-lab: {path} is being written by another process; wait for its end\n"


def test_what_took_too_long_is_3_and_is_tried_again(tmp_path):
    path, result_ = tmp_path / "run", tmp_path / "result"
    done = command("--resume", path, "--timeout", "0.001", "--format", "json", "--jobs", "2")
    assert done.returncode == 3 and done.stdout.count('"TIMEOUT"') == len(SCHEMES) * len(ATTACKS)
    assert journal.read(path).lines == ()
    done = command("--resume", path, "--timeout", "600", "--format", "json", "-o", result_)
    assert done.returncode == 0 and result_.read_bytes() == result(uninterrupted().kept)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_time_limit_is_kept_although_a_destructor_swallows_it():
    class Slow:
        def __del__(self):
            time.sleep(0.5)

    with pytest.raises(TimedOut), limited(0.05):
        Slow()


STUCK = '''
"""Stuck."""
import sys, time
from escrow.schemes.plain import Plain
from escrow.scheme import Source

class Stuck(Plain, frozen=True, kw_only=True):
    name = "stuck"
    title = "Stuck"
    source = Source("A", "T", 2026, "all")

def setup(self, *given):
    print("here", file=sys.stderr, flush=True)
    time.sleep(300)

Stuck.setup = setup
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
