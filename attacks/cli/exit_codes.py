"""Report an error as one line on stderr and an exit code, the same for every command and format.

0    complete, and the policy of --fail-on is met     4    an input file or plug-in does not verify, parse or load
1    complete, but that policy is not met             5    two runs cannot be compared
2    wrong use of the command line                    70   internal error
3    incomplete                                       130  interrupted;  143  terminated
"""

from __future__ import annotations

import os
import re
import sys
import traceback

import click

from attacks.cli.mistyped import sentence
from attacks.report.page import plain
from escrow.derivation import RuleError
from escrow.errors import Malformed, NotInstalled
from escrow.registry import PREFIX, UnknownName

OK, NOT_MET, USAGE, INCOMPLETE, BAD_INPUT, NOT_COMPARABLE = range(6)
INTERNAL, INTERRUPTED, TERMINATED = 70, 130, 143


class Terminated(BaseException):
    """The process received SIGTERM. Like KeyboardInterrupt, it passes every `except Exception`."""


class CannotWrite(click.ClickException):
    """The output exists already or cannot be written."""

    exit_code = USAGE


class CannotCompare(click.ClickException):
    """Two runs differ in what was run, so that no difference of their results means anything."""

    exit_code = NOT_COMPARABLE


def report(error: BaseException, debug: bool) -> int:
    """Print on stderr what went wrong and return the exit code; with `debug`, print the traceback too."""
    if isinstance(error, BrokenPipeError):
        leave_stdout()
        return OK
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(error.format_message(), file=sys.stderr)
        return USAGE
    if debug and not isinstance(error, click.ClickException):
        traceback.print_exception(error)
    code, message = _classified(error)
    print(f"escrow-lab: {plain(message)}", file=sys.stderr)
    return code


def leave_stdout() -> None:
    """Write to nowhere from now on: the reader closed the pipe (e.g. `head`), and what is buffered is no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _classified(error: BaseException) -> tuple[int, str]:
    """Return (exit code, message) of an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted"
    if isinstance(error, Terminated):
        return TERMINATED, "terminated"
    if isinstance(error, click.UsageError):
        return USAGE, sentence(error)
    if isinstance(error, click.ClickException):
        return NOT_COMPARABLE if isinstance(error, CannotCompare) else USAGE, error.format_message()
    if isinstance(error, UnknownName | NotInstalled):
        return USAGE, str(error.args[0])
    if isinstance(error, Malformed | RuleError):
        return BAD_INPUT, str(error)
    if isinstance(error, OSError) and error.filename is None:
        return USAGE, f"the output cannot be written: {error.strerror or error}"
    return _unexpected(error)


def _unexpected(error: BaseException) -> tuple[int, str]:
    """Return (exit code, message) of a defect: the plug-in's, if its code was running in any process, else ours."""
    cause = f"{type(error).__name__}: {error}"
    files = {getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith(PREFIX)}
    passed = re.findall(r'File "(.+)", line (\d+)', "".join(traceback.format_exception(error)))
    for file, line in reversed(passed):
        if file in files:
            return BAD_INPUT, f"{file}, line {line}: {cause} (--debug shows the traceback)"
    return INTERNAL, f"internal error: {cause} (--debug shows the traceback)"
