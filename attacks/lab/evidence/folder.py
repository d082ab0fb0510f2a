"""The files of a proof: their content, and a folder in which any flipped bit is detected.

MANIFEST lists every file with its SHA-256, size and name; the SHA-256 of MANIFEST is the folder's name.
  statement.json   scheme, parameters, attack, whose rules joined, coalition, pass, and the sets of texts by number
  claim.json       what the scheme's source says about who may open what
  cell.json        the counts of the cell of the matrix
  verdict.txt      the cell's verdict in words: no step rests on it
  scenario.json    what was played
  facts.jsonl      the facts given, numbered from 0, and where each was taken
  steps.jsonl      which rule, applied to which numbers, gives what; a step's own number follows those of the facts
  texts.jsonl      the texts that follow, each with the number of the step that shows it
  NAME.py          the source of a plug-in, to be read; nothing here is ever loaded
docs/evidence.md specifies them for whoever writes another verifier. All but MANIFEST and verdict.txt is canonical JSON,
one value a line. Reading trusts nothing: every error is Malformed, in one line that begins with the file's name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from attacks.lab.adversary.coalitions import Seizure
from attacks.lab.results.bounds import Count, Evening, Result
from attacks.lab.results.types import Cell
from attacks.lab.simulation.scenario import Scenario
from escrow import __version__
from escrow.errors import Malformed
from escrow.scheme import SET_UP

MANIFEST = "MANIFEST"
STATEMENT, CLAIM, CELL, VERDICT = "statement.json", "claim.json", "cell.json", "verdict.txt"
SCENARIO = "scenario.json"
FACTS, STEPS, TEXTS = "facts.jsonl", "steps.jsonl", "texts.jsonl"
FILES = frozenset({STATEMENT, CLAIM, CELL, VERDICT, SCENARIO, FACTS, STEPS, TEXTS})
LARGEST = 1 << 26  # bytes of all files of a folder
MOST = 100  # files in a folder
LISTING = 1 << 15  # bytes of a manifest: 100 lines of at most 178 bytes fit
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")
_LINE = re.compile(rf"([0-9a-f]{{64}})  (0|[1-9][0-9]{{0,8}})  ({_NAME.pattern})")

T = TypeVar("T")


class ProofStatement(Result, frozen=True, kw_only=True):
    """The statement that a proof proves. `attacks` are those whose rules joined.

    Each seizure is on any one of its evenings (-1: set-up). Of the texts' numbers, in order: `opened` are all that the
    coalition opens, also those left out of the folder because there are too many; `reached` all that any corruptions of
    the attack open, and `excluded` those of them that the claim grants to no coalition that does.
    """

    schema: Literal["escrow-lab/evidence/3"] = "escrow-lab/evidence/3"
    version: str = __version__
    scheme: str
    parameters: dict[str, Any]
    attack: str
    attacks: tuple[str, ...]
    label_pass: Literal["mathematics", "served"] = msgspec.field(name="pass")
    coalition: tuple[Seizure, ...]
    opened: tuple[Count, ...]
    reached: tuple[Count, ...]
    excluded: tuple[Count, ...]


class GivenFact(Result, frozen=True, kw_only=True, omit_defaults=True):
    """A fact by its type's full name and its encoding (hexadecimal), and where it was taken.

    It was first told in a packet (its number), or held in the state of a principal on an evening (-1: set-up), or it is
    free: bookkeeping that only bounds a search, or a key that anyone can make.
    """

    type: str
    encoding: str
    packet: Count | None = None
    holder: str | None = None
    evening: Evening | None = None


class OfficialAnswer(Result, frozen=True, kw_only=True):
    """The officials that give an answer, each with a secret that is not in the folder, after these checks."""

    by: tuple[str, ...]
    checks: tuple[str, ...]


class ProofStep(Result, frozen=True, kw_only=True, omit_defaults=True):
    """A rule (full name), applied to facts and steps by their numbers, gives a fact: its type and encoding.

    The members of a threshold rule come last. For an official's answer, `rule` names the checks, and the premises are
    what the official is shown: the request, the warrant, and the key that signs.
    """

    rule: str
    premises: tuple[int, ...]
    type: str
    encoding: str
    answer: OfficialAnswer | None = None


class ProvenText(Result, frozen=True, kw_only=True):
    """A text by its number in the scenario, its bytes (hexadecimal), and the number of what shows it."""

    id: Count
    conclusion: Count
    body: str


class Dossier(NamedTuple):
    """The content of a folder, decoded."""

    statement: ProofStatement
    cell: Cell
    scenario: Scenario
    facts: list[GivenFact]
    steps: list[ProofStep]
    texts: list[ProvenText]


def read(files: Mapping[str, bytes]) -> Dossier:
    """Decode the files of a folder. Raise Malformed if one is missing or its content is not allowed."""
    if missing := sorted(FILES - files.keys()):
        raise Malformed(f"{missing[0]}: missing")
    scenario = only(files, SCENARIO, Scenario)
    try:
        scenario.check()
    except Malformed as error:
        raise Malformed(f"{SCENARIO}: {error}") from None
    dossier = Dossier(
        only(files, STATEMENT, ProofStatement),
        _cell(files),
        scenario,
        lines(files, FACTS, GivenFact),
        lines(files, STEPS, ProofStep),
        lines(files, TEXTS, ProvenText),
    )
    if wrong := next(_out_of_range(dossier), ""):
        raise Malformed(wrong)
    return dossier


def cell_files(cell: Cell) -> dict[str, bytes]:
    """Return the files of a cell: its counts, and its verdict with the reason as one line of text."""
    counts = msgspec.to_builtins(cell)
    words = f"{counts.pop('verdict')}: {counts.pop('reason')}\n"
    return {CELL: to_bytes([counts]), VERDICT: words.encode()}


def _cell(files: Mapping[str, bytes]) -> Cell:
    verdict, colon, reason = files[VERDICT].decode("utf-8", "replace").removesuffix("\n").partition(": ")
    if not colon or not reason.isprintable():
        raise Malformed(f"{VERDICT}: not one line with a verdict, a colon and the reason")
    counts = only(files, CELL, dict[str, Any])
    try:
        cell = msgspec.convert(counts | {"verdict": verdict, "reason": reason}, Cell)
    except (msgspec.ValidationError, ValueError) as error:
        raise Malformed(f"{VERDICT if '$.verdict' in str(error) else CELL}: {one_line(error)}") from None
    if cell_files(cell) != {name: files[name] for name in (CELL, VERDICT)}:
        raise Malformed(f"{CELL}: not the one encoding of a cell, or {VERDICT} is not")
    return cell


def _out_of_range(dossier: Dossier) -> Iterator[str]:
    """Yield texts and evenings that the scenario does not have, sets that are not valid, and repeated entries."""
    texts, days = dossier.scenario.messages, dossier.scenario.days
    statement = dossier.statement
    for name in ("opened", "reached", "excluded"):
        numbers = getattr(statement, name)
        if any(number >= texts for number in numbers) or list(numbers) != sorted(set(numbers)):
            yield f"{STATEMENT}: {name} are not some of the scenario's {texts} texts, each once, in order"
    for seizure in statement.coalition:
        evenings = seizure.evenings
        if len(set(evenings)) < len(evenings) or any(not SET_UP <= evening < days for evening in evenings):
            yield f"{STATEMENT}: the evenings of {seizure.principal!a} are not days -1 to {days - 1}, each once"
    if len(set(statement.coalition)) < len(statement.coalition):
        yield f"{STATEMENT}: a member of the coalition stands there twice"
    if any(fact.evening is not None and fact.evening >= days for fact in dossier.facts):
        yield f"{FACTS}: an evening is not one of days -1 to {days - 1}"


# --- canonical JSON ---


def to_bytes(values: Iterable[object]) -> bytes:
    """Return canonical JSON, one value a line."""
    return b"".join(msgspec.json.encode(value, order="deterministic") + b"\n" for value in values)


def lines(files: Mapping[str, bytes], name: str, kind: type[T]) -> list[T]:
    """Return the values of a file with one on each line. Raise Malformed if it is not canonical."""
    data, decoder = files[name], msgspec.json.Decoder(kind)
    found = []
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else (), 1):
        try:
            value = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise Malformed(f"{name}, line {number}: {one_line(error)}") from None
        if to_bytes([value]) != line + b"\n":
            raise Malformed(f"{name}, line {number}: not canonical JSON")
        found.append(value)
    if to_bytes(found) != data:
        raise Malformed(f"{name}: its last line does not end")
    return found


def one_line(error: Exception) -> str:
    """Return an error's text on one line, because it may quote hostile bytes."""
    return " ".join(str(error).split()) or type(error).__name__


def only(files: Mapping[str, bytes], name: str, kind: type[T]) -> T:
    """Return the value of a file that holds one. Raise Malformed if it holds another number."""
    found = lines(files, name, kind)
    if len(found) != 1:
        raise Malformed(f"{name}: {len(found)} values where one should be")
    return found[0]


# --- the folder ---


def put(directory: Path, files: Mapping[str, bytes]) -> str:
    """Write the files into a new folder inside `directory` and return its name, the digest of their manifest.

    Raises:
        OSError: the folder exists or cannot be written; no partial folder is left.
    """
    manifest = "".join(f"{_sha256(files[name])}  {len(files[name])}  {name}\n" for name in sorted(files)).encode()
    digest = _sha256(manifest)
    target, partial = directory / digest, directory / f".{digest}.{os.getpid()}"
    if target.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    directory.mkdir(parents=True, exist_ok=True)
    partial.mkdir()
    try:
        for name, data in {**files, MANIFEST: manifest}.items():
            (partial / name).write_bytes(data)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return digest


def get(directory: Path) -> dict[str, bytes]:
    """Return the files of a folder. Raise Malformed unless its name is the digest of what it holds.

    Every size is compared with the manifest's before a byte is read, and holes in a file count as bytes.
    """
    try:
        with os.scandir(directory) as entries:
            found = sorted(each.name for each in islice(entries, MOST + 2))
        folder = directory.resolve().name
    except OSError as error:
        raise Malformed(f"{directory}: {error.strerror}") from None
    if MANIFEST not in found and len(found) <= MOST + 1:
        raise Malformed(f"{MANIFEST}: missing")
    manifest = _read(directory, MANIFEST)
    if _sha256(manifest) != folder:
        raise Malformed(f"{MANIFEST}: its SHA-256 is {_sha256(manifest)}, and the folder is not called that")
    listed = {name: (digest, size) for digest, size, name in _listed(manifest)}
    for name in found:
        if name not in listed and name != MANIFEST:
            raise Malformed(f"{name!a}: not listed in {MANIFEST}")
    if (total := sum(size for _, size in listed.values())) > LARGEST:
        raise Malformed(f"{MANIFEST}: it lists {total} bytes, more than {LARGEST}")
    files = {}
    for name, (digest, size) in listed.items():
        files[name] = data = _read(directory, name, size)
        if _sha256(data) != digest:
            raise Malformed(f"{name}: {len(data)} bytes whose SHA-256 is not the one in {MANIFEST}")
    return files


def _listed(manifest: bytes) -> Iterator[tuple[str, int, str]]:
    """Yield (SHA-256, size, name) of each line, names ascending."""
    *rows, rest = manifest.decode("ascii", "replace").split("\n")
    before = ""
    for number, row in enumerate(rows, 1):
        match = _LINE.fullmatch(row)
        if match is None or match[3] <= before or match[3] == MANIFEST or number > MOST:
            raise Malformed(f"{MANIFEST}, line {number}: not SHA-256, size and name, or not in the order of names")
        before = match[3]
        yield match[1], int(match[2]), match[3]
    if rest:
        raise Malformed(f"{MANIFEST}: its last line does not end")


def _read(directory: Path, name: str, size: int | None = None) -> bytes:
    """Return the bytes of a regular file in this folder, `size` if it is given; no link is followed."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(directory / name, flags)
        try:
            there = os.fstat(descriptor)
            if not stat.S_ISREG(there.st_mode):
                raise Malformed(f"{name}: no regular file")
            if there.st_size > LISTING if size is None else there.st_size != size:
                raise Malformed(f"{name}: {there.st_size} bytes, not {f'at most {LISTING}' if size is None else size}")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(there.st_size)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise Malformed(f"{name}: missing") from None
    except OSError as error:
        raise Malformed(f"{name}: {'a link' if error.errno == errno.ELOOP else error.strerror}") from None


def is_name(name: str) -> bool:
    """Return whether a manifest can list a file of this name."""
    return _NAME.fullmatch(name) is not None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
