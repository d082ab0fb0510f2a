"""Where results go, whole or not at all, and what a terminal gets."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import (
    EVIL,
    SCRIPT,
    SMALL,
    forgotten,  # noqa: F401 (a fixture that every test uses)
    result,
    run,
    written,
)

from attacks.cli import main, output
from attacks.cli.invocation import Invocation
from attacks.report import rows

# --- where results go ---


def test_a_file_is_written_whole_and_overwritten_only_if_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "schemes.json"
    assert main(["schemes", "--format", "json", "-o", str(path)]) == 0
    first = path.read_bytes()
    assert json.loads(first)["schema"] == "escrow-lab/cards/1" and capsys.readouterr().out == ""
    assert main(["attacks", "--format", "json", "-o", str(path)]) == 2 and path.read_bytes() == first
    assert main(["attacks", "--format", "json", "-o", str(path), "--force"]) == 0 and path.read_bytes() != first
    assert [each.name for each in tmp_path.iterdir()] == ["schemes.json"]


def test_a_run_that_fails_loses_nothing_written_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(page: Any, **_: Any) -> None:
        page.line("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "kept"
    path.write_text("before")
    monkeypatch.setattr("attacks.report.cards.draw_list", failing)
    assert main(["schemes", "-o", str(path), "--force"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert path.read_text() == "before" and [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("before")
    link.symlink_to(real)
    assert main(["schemes", "-o", str(link), "--force"]) == 0
    assert link.is_symlink() and real.read_text().startswith("name")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_what_a_killed_process_left_goes_and_what_another_is_writing_stays(tmp_path: Path) -> None:
    target, dead, live = (tmp_path / name for name in ("a.json", ".a.json.1.tmp", ".a.json.2.tmp"))
    dead.touch()
    hold = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); input()"
    )
    program = [sys.executable, "-c", hold, str(live)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "\n"
        with output.opened(str(target), False, sys.stdout) as stream:
            stream.write("whole")
        other.communicate("\n")
    assert target.read_text() == "whole" and live.exists() and not dead.exists()


def test_a_full_disk_is_2() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*SCRIPT, "schemes"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "escrow-lab: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("arguments", [["--help"], ["matrix", "--help"], ["schemes"], ["schemes", "--format", "json"]])
def test_a_reader_who_has_left_is_no_failure(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*SCRIPT, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_who_has_left_does_not_hide_what_became_worse(tmp_path: Path) -> None:
    for name in ("HELD", "BREACH"):
        (tmp_path / name).write_text("".join(rows.written(result(name), "json", False)))
    reading, writing = os.pipe()
    os.close(reading)
    compare = ["compare", str(tmp_path / "HELD"), str(tmp_path / "BREACH")]
    done = subprocess.run([*SCRIPT, *compare], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_it_with_its_own_code(tmp_path: Path, name: str, code: int) -> None:
    path = written(tmp_path, "slow.py", "import time\nprint('here', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen([*SCRIPT, "schemes", "--plugin", path], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and process.stderr.readline() == "here\n"
        process.send_signal(getattr(signal, name))
        _, shown = process.communicate(timeout=30)
    said = {130: "escrow-lab: interrupted\n", 143: "escrow-lab: terminated\n"}[code]
    assert (process.returncode, shown) == (code, said)


def test_an_interrupted_run_leaves_no_worker_and_no_file(tmp_path: Path) -> None:
    stuck = EVIL + "\n\nimport time\n\ndef cast(self, users, court):\n    print(flush=True)\n    time.sleep(60)\n"
    path = written(tmp_path, "evil.py", stuck + "Evil.cast = cast\n")
    options = ["--plugin", path, "--only", "evil", "--jobs", "2", "-o", str(tmp_path / "out"), *SMALL]
    with subprocess.Popen(
        [*SCRIPT, "matrix", *options], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None and process.stderr.readline() == "\n"
        os.killpg(process.pid, signal.SIGINT)
        _, shown = process.communicate(timeout=30)  # ends when no worker holds the other end any more
    assert process.returncode == 130 and shown.strip() == "escrow-lab: interrupted"
    assert [each.name for each in tmp_path.iterdir()] == ["evil.py"]


def test_what_a_plug_in_prints_goes_to_stderr(tmp_path: Path) -> None:
    done = run("schemes", "--format", "json", "--plugin", written(tmp_path, "evil.py", EVIL + "print('chatter')\n"))
    assert json.loads(done.stdout)["cards"] and done.stderr == "chatter\n"


def test_a_locale_without_our_characters_is_no_reason_to_stop() -> None:
    done = run("show", "split-key", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and "\\u03c0" in done.stdout


# --- the terminal ---


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_are_as_chosen_or_as_the_environment_has_it(
    choice: str, environment: dict[str, str], terminal: bool, expected: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    assert output.colours(choice, stream, environment) is expected
    assert output.draws(stream, environment) is (terminal and environment.get("TERM") != "dumb")


def test_a_bar_is_drawn_on_a_terminal_only_and_never_if_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    with Invocation().progress() as progress:
        assert progress is None
    monkeypatch.setattr("attacks.cli.invocation.draws", lambda stream: True)
    for silent in (Invocation(quiet=True), Invocation(no_progress=True)):
        with silent.progress() as progress:
            assert progress is None
    with Invocation().progress() as progress:
        assert progress is not None
        progress(1, 2, "plain [bold]\x1b[2J")
