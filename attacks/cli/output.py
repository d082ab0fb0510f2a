"""Where a result goes, and in which colours: stdout, or a file that is whole or not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from attacks.cli.exit_codes import CannotWrite

STDOUT = "-"


def check_destination(path: str, force: bool) -> None:
    """CannotWrite where `path` could not be written at the end of a long run: better to know now."""
    if path == STDOUT:
        return
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        raise CannotWrite(f"{path} is no regular file; write to another one, or to stdout (-o -)")
    if target.exists() and not force:
        raise CannotWrite(f"{path} exists; write to another file, or overwrite it with --force")
    if not target.parent.is_dir():
        raise CannotWrite(f"{path} cannot be written: there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK):
        raise CannotWrite(f"{path} cannot be written: no permission in {target.parent}")


@contextmanager
def opened(path: str, force: bool, stdout: TextIO) -> Iterator[TextIO]:
    """The stream of a result: stdout, or a temporary file that becomes `path` when all of it is written."""
    if path == STDOUT:
        yield stdout
        return
    target = Path(path).resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        try:
            with temporary.open("x", encoding="utf-8", newline="\n") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            check_destination(path, force)
            temporary.replace(target)
        except OSError as error:
            raise CannotWrite(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def colours(choice: str, stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to write colours: as chosen, as NO_COLOR and FORCE_COLOR have it, or else on terminals but dumb ones."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"


def draws(stream: TextIO = sys.stderr, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a progress bar can be drawn on a stream."""
    return stream.isatty() and environment.get("TERM") != "dumb"
