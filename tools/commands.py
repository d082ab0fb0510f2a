"""The commands that pages print: each is run, and compared with what is printed about it.

A page prints commands in `console` blocks, with their output; in other blocks; in the workflows of YAML blocks; and on
lines of their own below a sentence, whose numbers they show. They run in the order of the page, in one folder, so that
what one writes is there for the next. `(exit N)` below a command is its exit code; nothing means 0.

A command that installs something or takes long runs in a step of `.ci/run` instead, which must have the same text; what
can be run neither here nor there is an error. Each command here is a process that is forked off this one, because
starting Python takes longer than most of them.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, NamedTuple

from attacks import registry
from attacks.lab.runs import experiment
from escrow.registry import schemes
from tools import entries

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
PART = re.compile(
    r"^```(?P<language>\w*)\n(?P<block>.*?)^```$|^ *`(?P<alone>(?:escrow-lab|python) [^`\n]+)`$", re.S | re.M
)
BEGINS = re.compile(r"(escrow-lab|python3?|pip|sed|mkdir|\.ci/run|\.venv/bin/[\w-]+) |\.ci/run$|\.venv/bin/[\w-]+$")
HERE = ("escrow-lab", "sed", "mkdir")  # programs that run here; any other runs in .ci/run
ALIKE = r" --format \w+| -o \S+| --matrix \S+| --no-progress| --committed"  # options of .ci/run that change no result
EXIT = re.compile(r"\(exit (\d+)\)")
NUMBER = re.compile(r"(?<![\w^.,-])\d{1,3}(?:,\d{3})+(?![\w^-])|(?<![\w^.,-])\d+(?![\w^-])")
CHANGING = re.compile(r"\b\d+(\.\d+)? ?(s|ms|µs)\b|(?<=\w )\d+\.\d+\.\d+\b|^ +\d+\.\d+\.\d+\b")  # times, versions
DIGEST = re.compile(r"\b[0-9a-f]{64}\b")  # of evidence, whose cell's key covers all sources
MASKED = ("bench", "doctor")  # commands that print times or versions
LONG = 300  # processor seconds, on a slow machine, too; what takes longer belongs into .ci/run
SUMMARY = {"GITHUB_STEP_SUMMARY": "summary.md"}  # what a workflow finds in its environment


class Printed(NamedTuple):
    """A command of a page: the text, the exit code that the page gives, and the numbers that its output must have.

    `output`: the page prints its output, the exit code included.
    """

    text: str
    code: int = 0
    numbers: tuple[str, ...] = ()
    output: bool = False


class Ran(NamedTuple):
    """What a command printed on both streams, and its exit code."""

    output: str
    code: int


@dataclass
class Replay:
    """A page with the outputs that its commands have now, what is wrong beside them, and what each command took.

    `took` has processor seconds.
    """

    text: str = ""
    wrong: list[str] = field(default_factory=list)
    took: list[tuple[float, str]] = field(default_factory=list)


# --- what a page prints ---


def commands(text: str) -> Iterator[Printed]:
    """Yield every command of a page, in order. Raise ValueError for a line of a block that is none."""
    for part in PART.finditer(text):
        yield from _of(text, part)


def _of(text: str, part: re.Match[str]) -> Iterator[Printed]:
    """Yield the commands of one part of a page."""
    if part["alone"]:
        sentence = re.split(r"^- ", text[: part.start()], flags=re.M)[-1]
        yield Printed(part["alone"], 0, tuple(_numbers(re.sub(r"`[^`]*`", "", sentence))))
    elif part["language"] == "console":
        lines = part["block"].splitlines()
        yield from (Printed(line.removeprefix("$ "), output=True) for line in lines if line.startswith("$ "))
    elif part["language"] == "yaml":
        yield from map(Printed, (line for script in scripts(part["block"]) for line in script.splitlines()))
    elif part["language"] in ("", "sh", "bash") and BEGINS.match(re.sub(r"(#.*\n)+", "", part["block"])):
        yield from _with_codes(part["block"].replace("\\\n", "").splitlines())


def _numbers(text: str) -> list[str]:
    """Return the whole numbers of a text, without the commas between their thousands."""
    return [each.replace(",", "") for each in NUMBER.findall(text)]


def _with_codes(lines: list[str]) -> list[Printed]:
    """Return the commands of these lines, each with the exit code below it."""
    found: list[Printed] = []
    for line in lines:
        if code := EXIT.fullmatch(line.strip()):
            found[-1] = found[-1]._replace(code=int(code[1]))
        elif BEGINS.match(line):
            found.append(Printed(" ".join(line.split())))
        elif line and not line.startswith("#"):
            raise ValueError(f"a block of commands has a line that is none: {line}")
    return found


def scripts(block: str) -> list[str]:
    """Return the shell scripts of a workflow: `run: one line`, `run: >` folded into one, `run: |` line by line."""
    found = []
    for spaces, marked, text in re.findall(r"^( *)(- )?run: (.*)$", block, re.M):
        if text not in (">", "|"):
            found.append(text)
            continue
        below = block.split(f"run: {text}\n", 1)[1] if block.count(f"run: {text}\n") == 1 else ""
        assert below, "two scripts that begin alike: tell them apart here first"
        depth = len(spaces) + len(marked)
        lines = re.match(rf"(?: {{{depth + 1},}}\S.*\n)+", below)
        assert lines, f"nothing below run: {text}"
        found.append((" " if text == ">" else "\n").join(line.strip() for line in lines[0].splitlines()))
    return found


# --- who runs it ---


def step_of(command: str) -> str:
    """Return the title of the step of .ci/run that runs this command; "" if none does.

    It may have options that say only where a result goes or comes from (ALIKE).
    """
    words = re.compile(rf"(?:^|&& |\(){re.escape(_bare(command))}(?:{ALIKE})*(?=$| &&|\))")
    title = ""
    for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines():
        if named := re.fullmatch(r'step "(.*)"', line):
            title = named[1]
        elif title and words.search(_bare(line.strip())):
            return title
    return ""


def _bare(line: str) -> str:
    """Return a line without the folders of environments, in which a program runs: `.venv/bin/python` is `python`."""
    return re.sub(r'"?(?:\$\w+/)?\.?venv/bin/([\w-]+)"?', r"\1", line)


def left(printed: Printed) -> list[str]:
    """Return the parts of a command that run here: those with an output in the page, and what .ci/run does not run.

    Raise LookupError if a part can run neither here nor there.
    """
    parts = [part for part in printed.text.split(" && ") if printed.output or not step_of(part)]
    for part in parts:
        if part.split()[0] not in HERE:
            raise LookupError(f"no step of .ci/run has `{part}`")
    return parts


# --- running ---


def replay(text: str, folder: Path) -> Replay:
    """Run the commands of a page, one after another, in this folder.

    The outputs in console blocks are replaced by those of now; whatever else differs is in `wrong`.
    """
    found = Replay()
    end = 0
    for part in PART.finditer(text):
        shown = ""
        for printed in _of(text, part):
            try:
                ran = [_timed(each, folder, found) for each in left(printed)]
            except LookupError as error:
                found.wrong.append(str(error))
                continue
            if printed.output:
                shown += f"$ {printed.text}\n{''.join(each.output for each in ran)}"
            else:
                found.wrong += _differing(printed, ran)
        found.text += text[end : part.start()] + (f"```console\n{shown}```" if shown else part[0])
        end = part.end()
    found.text += text[end:]
    return found


def _differing(printed: Printed, ran: list[Ran]) -> Iterator[str]:
    """Yield how a command whose output the page does not print differs from what the page says."""
    code = next((each.code for each in ran if each.code), 0)
    output = "".join(each.output for each in ran)
    if code != printed.code:
        yield f"`{printed.text}` exits with {code}, not {printed.code}: {output[-300:].strip()}"
    numbers = set(_numbers(output))
    if missing := [each for each in printed.numbers if each not in numbers]:
        yield f"`{printed.text}` does not print {', '.join(missing)}"


def _timed(command: str, folder: Path, found: Replay) -> Ran:
    """Run a command and note what it took; a long one is wrong here."""
    before = os.times()
    ran = run(command, folder)
    after = os.times()
    took = after.children_user + after.children_system - before.children_user - before.children_system
    found.took.append((took, command))
    if took > LONG:
        found.wrong.append(f"`{command}` takes {took:.0f} seconds here; let a step of .ci/run have it")
    return ran


def run(command: str, folder: Path) -> Ran:
    """Run a command in a folder: escrow-lab in a fork of this process, other programs as they are.

    Times and digests in its output are masked; the exit code stands below it where that is not 0. `| head -n N` and
    `>> FILE` at the end are understood.
    """
    line, _, target = command.partition(" >> ")
    words = shlex.split(line)
    head = int(words[-1]) if "|" in words else 0
    words = words[: words.index("|")] if head else words
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if words[0] == "escrow-lab":
            code = _forked(words[1:], folder, out.fileno(), err.fileno())
        else:
            code = subprocess.run(words, cwd=folder, stdout=out, stderr=err, check=False).returncode
        printed, said = (_read(stream) for stream in (out, err))
    if target:
        with (folder / SUMMARY.get(target.strip('"$'), target)).open("a", encoding="utf-8") as file:
            file.write(printed)
        printed = ""
    lines = [DIGEST.sub("…", line) for line in (printed + said).splitlines()]
    if words[1] in MASKED:
        lines = [CHANGING.sub("…", line) for line in lines]
    lines = [*lines[:head], "…"] if head else lines
    shown = [*lines, f"(exit {code})"] if code else lines
    return Ran("".join(f"{line.rstrip()}\n" for line in shown), code)


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


def _forked(arguments: list[str], folder: Path, out: int, err: int) -> int:
    """Run escrow-lab with the entries that have a place in the pages, in a fork of this process."""
    _loaded()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        for number, to in ((1, out), (2, err)):
            os.dup2(to, number)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (it lives as long as the process)
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (likewise)
        os.chdir(folder)
        os.environ |= {"COLUMNS": "80", "NO_COLOR": "1"} | SUMMARY
        code = entries.main(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


@cache
def _loaded() -> None:
    """Import what most commands need, once, before they are forked off."""
    for found in (schemes, registry.attacks, experiment.experiments):
        found()
