"""Results as rows: a record a line, comma-separated values, or a table for GitHub; derived from the results' types.

The rows of a result are its tuples of results: a matrix has cells, a list of schemes has cards. A result that holds two
kinds, as a bench holds counts and times, says in `record` of which kind each row is; one that holds none is a row.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from attacks.lab.results.bounds import Result
from attacks.lab.results.rows import Row, Value, fixed, in_order, is_detail, row
from attacks.lab.results.types import to_json
from attacks.report.page import escaped, plain

RECORD = "record"
LIST = ";"
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r]")  # a cell that begins so is a formula to some spreadsheet


class Rows(NamedTuple):
    """Rows of one type, and the name of the field that holds them."""

    name: str
    kind: type[Result]
    rows: tuple[Result, ...]


def tables(result: Result) -> list[Rows]:
    """Return the rows of a result, kind by kind, or the result itself if it holds none."""
    return list(_held(result, "")) or [Rows("", type(result), (result,))]


def flat(result: Result) -> tuple[list[str], list[Row]]:
    """Return the columns of all kinds that have rows, and the rows; with several kinds, the first names a row's kind.

    If no kind has rows, the columns are those of all.
    """
    held = tables(result)
    found = [(name, kind, [row(each) for each in rows]) for name, kind, rows in held]
    found = [each for each in found if each[2]] or found
    columns = list(dict.fromkeys(column for _, kind, rows in found for column in in_order(kind, rows)))
    if len(held) == 1:
        return columns, found[0][2]
    return [RECORD, *columns], [Row({RECORD: name} | each) for name, _, rows in found for each in rows]


def _held(result: Result, before: str) -> Iterator[Rows]:
    for field in msgspec.structs.fields(result):
        value, kind = getattr(result, field.name), field.type
        if isinstance(value, Result) and not is_detail(type(value)):
            yield from _held(value, f"{before}{field.encode_name}.")
        elif get_origin(kind) is tuple and not is_detail(kind) and _is_result(get_args(kind)[0]):
            yield Rows(before + field.encode_name, get_args(kind)[0], value)


def _is_result(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Result)


# --- formats ---


def written(result: Result, format_: str, terminal: bool) -> Iterator[str]:
    """Yield a result in a format, line by line; for a terminal, control characters are escaped."""
    return FORMATS[format_](result, terminal)


def _json(result: Result, terminal: bool) -> Iterator[str]:
    for line in to_json(result).decode().removesuffix("\n").split("\n"):
        yield _shown(line, terminal) + "\n"


def _jsonl(result: Result, terminal: bool) -> Iterator[str]:
    """Yield one row a line, as canonical JSON."""
    held = tables(result)
    for name, _, rows in held:
        mark = f"{json.dumps(RECORD)}:{json.dumps(name)}," if len(held) > 1 else ""
        for each in rows:
            line = msgspec.json.encode(each, order="deterministic").decode()
            yield _shown("{" + mark + line[1:], terminal) + "\n"


def _shown(line: str, terminal: bool) -> str:
    """Return a line of JSON, with the characters escaped that a terminal may obey and JSON does not escape."""
    return plain(line, lambda each: json.dumps(each)[1:-1]) if terminal else line


def _csv(result: Result, terminal: bool) -> Iterator[str]:
    """Yield the columns of all kinds that have rows, below one header; quoted as in RFC 4180, lines end in LF."""
    columns, rows = flat(result)
    yield _line(columns)
    for each in rows:
        yield _line([each.get(column) for column in columns])


def _line(values: Sequence[Value]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([plain(_neutral(value)) for value in values])
    return stream.getvalue()


def _neutral(value: Value) -> str:
    """Return a value for a spreadsheet: text that would be a formula there begins with a single quote."""
    if isinstance(value, tuple):
        return LIST.join(map(_neutral, value))
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else text(value)


def _md(result: Result, terminal: bool) -> Iterator[str]:
    """Yield a table for each kind of row, without the columns that are blank in all rows."""
    held = tables(result)
    for number, (name, kind, rows) in enumerate([each for each in held if each.rows] or held):
        if len(held) > 1:
            yield "\n" * bool(number) + f"**{name}**\n\n"
        yield from _table(kind, [_gathered(kind, row(each)) for each in rows])


def _gathered(kind: type[Result], flat: Row) -> Row:
    """Return the row with each mapping in one cell, since its many columns are hard to read."""
    own, cells = set(fixed(kind)), Row()
    for name, value in flat.items():
        if name in own:
            cells[name] = value
        else:
            mapping, _, key = name.partition(".")
            cells[mapping] = (*_as_tuple(cells.get(mapping)), f"{key} {text(value)}")
    return cells


def _as_tuple(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else ()


def _table(kind: type[Result], rows: list[Row]) -> Iterator[str]:
    columns = [name for name in in_order(kind, rows) if not rows or any(text(each.get(name)) for each in rows)]
    yield _piped(columns)
    yield f"| {' | '.join('---:' if _numbers(rows, name) else '---' for name in columns)} |\n"
    for each in rows:
        yield _piped([_rounded(each.get(name)) for name in columns])


def _rounded(value: Value) -> str:
    return f"{value:.3f}" if isinstance(value, float) else text(value)


def _numbers(rows: list[Row], name: str) -> bool:
    held = [value for each in rows if (value := each.get(name)) is not None]
    return bool(held) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in held)


def _piped(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |\n"


def text(value: Value) -> str:
    """Return a value as the text of a cell: lists joined by semicolons, empty if absent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return LIST.join(map(text, value)) if isinstance(value, tuple) else str(value)


FORMATS: dict[str, Callable[[Result, bool], Iterator[str]]] = {"json": _json, "jsonl": _jsonl, "md": _md, "csv": _csv}
