"""The file that a matrix run writes as it goes on, so that a killed run loses no task that had ended.

The first line of the file says what is run; every further line holds one cell, or the controls of one attack, and the
rules that fired in its plays. Verdicts in it are provisional: they are final after all controls have run and the rules
that fired anywhere are known (`merge.judged`), so a line keeps what was found, not what is concluded from it.

Lines are canonical JSON and end in a checksum of themselves: a guard against accident (a disk, an editor), and none
against whoever alters a line and computes it anew. Bytes after the last line break were cut off when the run was
killed, and are dropped.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from attacks.lab.results.bounds import Result, once
from attacks.lab.results.errors import NotComparable
from attacks.lab.results.types import Cell, Manifest
from attacks.lab.simulation import handed_in
from escrow.errors import Malformed

FIRST: Final = "escrow-lab/cells/1"  # whose cells list no texts
SCHEMA: Final = "escrow-lab/cells/2"
CHECK = b',"check":"%s"}'  # what a line ends in: the beginning of the SHA-256 of all before it, in hexadecimal

CellId = tuple[str, str]  # a scheme and an attack, or no scheme and the attack whose controls are meant


def said(cell_id: CellId) -> str:
    """Return the name of a line as words: "SCHEME under ATTACK", or "the controls of ATTACK"."""
    scheme, attack = cell_id
    return f"{scheme} under {attack}" if scheme else f"the controls of {attack}"


class JournalHeader(Result, frozen=True, kw_only=True):
    """The run: its manifest, and everything else that decides its cells.

    `every` attack's rules join; `rules` are those of each scheme's cells; `sources` are digests by package of all that
    is loaded, plug-ins and the data files that they declare too (attacks.lab.verdict.fingerprints); `plain` is the
    scheme that is compared with. `shard` is I/N, or empty.
    """

    schema: Literal["escrow-lab/cells/2", "escrow-lab/cells/1"] = SCHEMA
    manifest: Manifest
    every: tuple[str, ...]
    rules: dict[str, tuple[str, ...]]
    sources: dict[str, str]
    plain: str = ""
    isolated: bool = False
    shard: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError if an attack appears twice, or the shard is not I/N with I from 1 to N."""
        once("the list of every attack", self.every)
        part, _, parts = self.shard.partition("/")
        if self.shard and not (f"{part}{parts}".isdecimal() and 1 <= int(part or 0) <= int(parts or 0)):
            raise ValueError(f"the shard is {self.shard}, not I/N with I from 1 to N")

    @property
    def cell_ids(self) -> Iterator[CellId]:
        """The cells and controls of the run, one for each line, in the order of the result, controls last."""
        yield from ((scheme, attack) for scheme in self.manifest.schemes for attack in self.manifest.attacks)
        yield from (("", attack) for attack in self.manifest.attacks)


class CellLine(Result, frozen=True, kw_only=True, tag_field="line", tag="cell"):
    """A cell before its controls are judged, and the rules that fire neither in its play nor in the exercise plays."""

    key: str
    cell: Cell
    idle: tuple[str, ...]

    @property
    def cell_id(self) -> CellId:
        """The cell's scheme and attack."""
        return self.cell.scheme, self.cell.attack


class ControlLine(Result, frozen=True, kw_only=True, tag_field="line", tag="control"):
    """The controls of an attack: why they failed, or "", and the rules that fired in their plays."""

    key: str
    attack: str
    failure: str
    fired: tuple[str, ...]

    @property
    def cell_id(self) -> CellId:
        """No scheme, and the attack."""
        return "", self.attack


JournalLine = CellLine | ControlLine


class Contents(NamedTuple):
    """The content of a file: `end` is the offset after its last whole line; `torn` is whether bytes follow it."""

    header: JournalHeader
    lines: tuple[JournalLine, ...]
    end: int
    torn: bool


# --- lines ---


def encoded(line: JournalHeader | JournalLine) -> bytes:
    """Return a line as it is written, with its checksum and the line break."""
    return _sealed(_encode(line)) + b"\n"


def _encode(line: JournalHeader | JournalLine) -> bytes:
    return msgspec.json.encode(line, order="deterministic")


def _sealed(body: bytes) -> bytes:
    open_ended = body[:-1]
    return open_ended + CHECK % hashlib.sha256(open_ended).hexdigest()[:32].encode()


def _decoded(data: bytes, kind: Any, header: JournalHeader | None) -> Any:
    """Return the line in these bytes. Raise Malformed, saying why, if they are not its one encoding.

    Lines of the first schema lack fields that are written now, so only their JSON is compared.
    """
    body = data[: -len(CHECK % bytes(32))] + b"}"
    if CHECK[:10] not in data or not data.startswith(b"{"):
        raise Malformed(f"it is no line of {SCHEMA}")
    if _sealed(body) != data:
        raise Malformed("it was altered: it does not fit its checksum")
    try:
        line = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"it is no line of {SCHEMA} in this place: {error}") from None
    first = (header or line).schema == FIRST
    if (msgspec.json.encode(msgspec.json.decode(body)) if first else _encode(line)) != body:
        raise Malformed(f"it is not the one encoding of a line of {SCHEMA}")
    return line


# --- files ---


def read(path: Path) -> Contents:
    """Return the content of a file. Raise Malformed, naming the file and the line that is wrong."""
    return parse(handed_in.content(path), str(path))


def parse(data: bytes, name: str) -> Contents:
    """Return the content of these bytes, read from the file of that name. Raise Malformed as `read`."""
    *whole, rest = data.split(b"\n")
    found: list[Any] = []
    for number, line in enumerate(whole, 1):
        try:
            found.append(_decoded(line, *((JournalLine, found[0]) if found else (JournalHeader, None))))
        except Malformed as error:
            raise Malformed(f"{name}, line {number}: {error}") from None
    if not found:
        raise Malformed(f"{name}, line 1: there is no manifest, so this is no file that --resume or --shard wrote")
    header, *lines = found
    _check_header(header, name)
    _check_lines(header, lines, name)
    return Contents(header, tuple(lines), len(data) - len(rest), bool(rest))


def _check_header(header: JournalHeader, name: str) -> None:
    try:
        header.manifest.scenario.check()
    except Malformed as error:
        raise Malformed(f"{name}, line 1: {error}") from None
    if header.rules.keys() != set(header.manifest.schemes):
        raise Malformed(f"{name}, line 1: the rules are not those of the manifest's schemes")


def _check_lines(header: JournalHeader, lines: Sequence[JournalLine], name: str) -> None:
    """Raise Malformed for a line that stands there twice, or that the manifest does not list."""
    cell_ids = set(header.cell_ids)
    first: dict[CellId, int] = {}
    for number, line in enumerate(lines, 2):
        where = f"{name}, line {number}: {said(line.cell_id)}"
        if line.cell_id not in cell_ids:
            raise Malformed(f"{where} is not in the manifest")
        if isinstance(line, CellLine) and line.key != line.cell.key:
            raise Malformed(f"{where} has two keys")
        if line.cell_id in first:
            raise Malformed(f"{where} stands in line {first[line.cell_id]} already")
        first[line.cell_id] = number


class Unwritable(Exception):
    """A file cannot be written, or another process writes it; the message says which, and why."""


class Journal:
    """A file that a run continues to write; no other process writes it meanwhile.

    `known` are the lines it held before.
    """

    def __init__(self, file: FileIO, known: tuple[JournalLine, ...], torn: bool) -> None:
        self._file, self.known, self.torn = file, known, torn

    def add(self, lines: Sequence[JournalHeader | JournalLine]) -> None:
        """Append these lines, all or none of them, and return when they are on the disk.

        Raise Unwritable if they cannot be.
        """
        try:
            self._append(b"".join(map(encoded, lines)))
        except OSError as error:
            raise Unwritable(f"{self._file.name!s} cannot be written: {error.strerror}") from error

    def _append(self, data: bytes) -> None:
        before = self._file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[self._file.write(data) :]
        except BaseException:  # also an interruption: the file must keep whole lines
            self._file.truncate(before)
            raise
        os.fsync(self._file.fileno())


@contextmanager
def opened(path: Path, header: JournalHeader, keys: Mapping[CellId, str]) -> Iterator[Journal]:
    """Open the file, begun with this header or, if it began with the same, continued.

    Nothing is changed in a file that is refused.

    Args:
        path: the file.
        header: the run.
        keys: the keys of the run's lines.

    Raises:
        NotComparable: the file holds another run.
        Malformed: the file is no journal.
        Unwritable: the file cannot be written, or another process writes it.
    """
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, "it is no regular file")
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise Unwritable(f"{path} cannot be written: {error.strerror}") from error
    with file:
        _lock(file, path)
        yield _begun(file, path, header, keys)


def _begun(file: FileIO, path: Path, header: JournalHeader, keys: Mapping[CellId, str]) -> Journal:
    file.seek(0)
    data = file.readall()
    if encoded(header).startswith(data) and not data.endswith(b"\n"):  # nothing, or a first line that was cut off
        file.truncate(0)
        journal = Journal(file, (), torn=bool(data))
        journal.add([header])
        return journal
    contents = parse(data, str(path))
    _check_same(path, contents, header, keys)
    file.truncate(contents.end)
    return Journal(file, contents.lines, contents.torn)


def _lock(file: FileIO, path: Path) -> None:
    """Lock the file for this process and not for those that it forks, so that any end of the process frees it.

    Opening the file once more and closing that would free it too; nothing here does so.
    """
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise Unwritable(f"{path} is being written by another process; wait for its end") from None
    except OSError as error:
        raise Unwritable(f"{path} cannot be locked: {error.strerror}") from error


def _check_same(path: Path, contents: Contents, header: JournalHeader, keys: Mapping[CellId, str]) -> None:
    if why := difference(contents.header, header):
        raise NotComparable(f"{path} holds another run: {why}")
    if contents.header.shard != header.shard:
        was, is_ = (f"shard {each.shard}" if each.shard else "no shard" for each in (contents.header, header))
        raise NotComparable(f"{path} holds another part of this run: it is {was}, not {is_}")
    for number, line in enumerate(contents.lines, 2):
        if keys[line.cell_id] != line.key:
            raise Malformed(f"{path}, line {number}: {said(line.cell_id)} has a key that is not of this run")


# --- two runs ---


def difference(there: JournalHeader, here: JournalHeader) -> str:
    """Return in words what decides cells and differs in two runs; "" if nothing does. Shards of one run are equal."""
    for name in sorted(there.sources.keys() | here.sources.keys()):
        if not (name in there.sources and name in here.sources):
            return f"{name} is loaded in one of them only"
        if there.sources[name] != here.sources[name]:
            return f"the source code of {name} has changed, or a data file that it declares"
    one, other = (msgspec.to_builtins(msgspec.structs.replace(each, shard="", rules={})) for each in (there, here))
    found = list(_differing(one, other, ""))
    if not found:
        return "" if there.rules == here.rules else "the rules have changed"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{found[0]}{more}"


def _differing(one: Any, other: Any, where: str) -> Iterator[str]:
    """Yield every place at which two values differ, and the values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from _differing(one.get(name), other.get(name), f"{where}.{name}" if where else name)
    elif one != other:
        yield f"{where.removeprefix('manifest.')} is {_short(one)}, not {_short(other)}"


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
