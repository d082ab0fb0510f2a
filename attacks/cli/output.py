"""Where a result is written, and whether in colours: stdout, or a file that is complete or does not exist."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import IO, Any, TextIO

from attacks.cli.exit_codes import CannotWrite

STDOUT = "-"
PLAINER = "escrow-lab-plainer"  # an error handler of str.encode, for text that people read
IN_ASCII = dict(
    zip("└├│─┼·–−×…→≤≥", ("`", "|", "|", "-", "+", ".", "-", "-", "x", "...", "->", "<=", ">="), strict=True)
)


def check_destination(path: str, force: bool) -> None:
    """Raise CannotWrite if `path` cannot be written; called before a long run, so that its result is not lost."""
    if path == STDOUT:
        return
    target = Path(os.path.realpath(path))
    try:
        target.exists()
    except OSError as error:  # as of a name that is too long
        raise CannotWrite(f"{path} cannot be written: {error.strerror}") from None
    if target.exists() and not target.is_file():
        raise CannotWrite(f"{path} is not a regular file; write to another file, or to stdout (-o -)")
    if target.exists() and not force:
        raise CannotWrite(f"{path} exists; write to another file, or overwrite it with --force")
    if not target.parent.is_dir():
        raise CannotWrite(f"{path} cannot be written: there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK):
        raise CannotWrite(f"{path} cannot be written: no permission in {target.parent}")


@contextmanager
def opened(path: str, force: bool, stdout: TextIO) -> Iterator[TextIO]:
    """Yield the stream of a result: stdout, or a temporary file that is renamed to `path` when it is complete."""
    if path == STDOUT:
        yield stdout
        return
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        try:
            with temporary.open("x", encoding="utf-8", newline="\n") as stream:
                with suppress(OSError):  # a file system without locks
                    _locked(stream)
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            check_destination(path, force)
            temporary.replace(target)
            _sweep(target)
        except OSError as error:
            raise CannotWrite(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _sweep(target: Path) -> None:
    """Remove what killed processes left of this file, half written: nobody holds its lock."""
    for left in target.parent.glob(f".{escape(target.name)}.*.tmp"):
        with suppress(OSError), left.open("r+b") as stream:
            if _locked(stream):
                left.unlink()


def _locked(stream: IO[Any]) -> bool:
    """Lock a file until it is closed. Return False where there are no locks. Raise OSError if another holds it."""
    if sys.platform == "win32":
        return False
    import fcntl

    fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return True


def colours(choice: str, stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether to write colours: --color decides, then NO_COLOR, FORCE_COLOR, and whether it is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return draws(stream, environment)


def draws(stream: TextIO = sys.stderr, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the stream is a terminal that can move its cursor, as a progress bar needs."""
    return stream.isatty() and environment.get("TERM") != "dumb"


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for characters that the locale lacks: a drawing's in ASCII, others as escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(
        IN_ASCII.get(each) or each.encode("ascii", "backslashreplace").decode() for each in lacking
    ), error.end


codecs.register_error(PLAINER, _plainer)
