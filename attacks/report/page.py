"""A page of text: headings, lines and tables for a terminal, or plain where there is none; and the same as Markdown.

All that is written passes `plain`, since titles and reasons may come from a plug-in: no control character of theirs
reaches a terminal. Rich is imported with the first table.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

NARROW, USUAL = 40, 80
WIDE = 100_000  # columns: nothing is folded
ACTIVE = re.compile(r"[\\`*\[\]~|]|(?<!\w)_|_(?!\w)")  # what Markdown does not print as it is
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
BOLD, DIM, ATTENTION = "bold", "dim", "yellow"
_CODES = {BOLD: "1", DIM: "2", ATTENTION: "33"}
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})  # controls, direction marks, surrogates, line separators

Cell = str | tuple[str, str]  # a text, or a text and its style


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def plain(text: str, escape: Callable[[str], str] = _escape) -> str:
    """Return the text with every character that a terminal could obey, or that breaks a line, as an escape."""
    return "".join(escape(each) if unicodedata.category(each) in _UNPRINTABLE else each for each in text)


def join(items: Sequence[str], none: str = "none") -> str:
    """Return a list in words."""
    return ", ".join(items) if items else none


def counted(number: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{number} {what}" + "s" * (number != 1)


def folded(name: str, width: int) -> str:
    """Return a name in lines of at most `width`, folded at hyphens and, where a part is too long, inside it."""
    lines = [""]
    for part in re.split(r"(?<=[- ])", name):
        if lines[-1] and len(lines[-1] + part.rstrip()) > width:
            lines.append("")
        lines[-1] += part
        while len(lines[-1].rstrip()) > width:
            lines[-1:] = [lines[-1][: width - 1] + "-", lines[-1][width - 1 :]]
    return "\n".join(line.rstrip() for line in lines)


def staggered(heads: Sequence[str], step: int, first: int) -> Iterator[str]:
    """Yield the lines of heads that end where their columns do, each `step` wide, from the place `first` on.

    plain  envelope
      │ clipper │
    """
    depth = -(-(max(map(len, heads)) + 1) // step)
    lines = [folded(head, min(depth * step, first + step) - 1).split("\n") for head in heads]
    for level in range(depth):
        for part in range(max((len(each) for each in lines[level::depth]), default=0)):
            line = [" "] * (first + step * len(heads))
            for at, each in enumerate(lines):
                if at % depth <= level:
                    said = f" {each[part]}" if at % depth == level and part < len(each) else "│"
                    end = first + step * (at + 1)
                    line[end - len(said) : end] = said
            yield "".join(line).rstrip()


def escaped(words: str) -> str:
    """Return text for Markdown: on one line, with every character escaped that would be markup."""
    marked = ACTIVE.sub(r"\\\g<0>", plain(words))
    return "".join(ENTITIES.get(each, each) for each in marked)


class Page:
    """Writes to a stream, `width` columns wide."""

    folds = False  # whether what is `folded` takes no room until a reader opens it

    def __init__(self, stream: TextIO, width: int = USUAL, colours: bool = False) -> None:
        self.stream, self.width, self.colours = stream, max(NARROW, width), colours
        self._console: Console | None = None

    def heading(self, text: str) -> None:
        """Write a title."""
        self.line(text, BOLD)

    def gap(self) -> None:
        """Write an empty line."""
        self.stream.write("\n")

    def line(self, text: str, style: str = "", indent: int = 0, hang: int = 2) -> None:
        """Write one sentence, folded to the width; the lines after the first are `hang` columns deeper."""
        begin = " " * indent
        folded = textwrap.wrap(
            plain(text),
            self.width,
            initial_indent=begin,
            subsequent_indent=begin + " " * hang,
            break_on_hyphens=False,
        )
        for each in folded or [""]:
            self.stream.write(self._styled(each, style) + "\n")

    def raw(self, text: str, style: str = "") -> None:
        """Write one line as it is, however long, since its layout has a meaning."""
        self.stream.write(self._styled(plain(text), style) + "\n")

    def aligned(self, text: str) -> None:
        """Write a line of two columns or more; if it is too long, the second is folded, and others are below it."""
        first = len(text) - len(text.lstrip(" "))
        named = re.match(r" *\S+ +", text)
        second = named.end() if named else first
        columns = [text[second:]] if len(text) <= self.width else re.split(r" {4,}", text[second:].rstrip())
        self.line((text[:second] + columns[0]).strip(), indent=first, hang=second - first or 2)
        for column in columns[1:]:
            self.line(column, indent=second, hang=0)

    def fields(self, pairs: Sequence[tuple[str, str]], indent: int = 2) -> None:
        """Write names and values, the values aligned and folded."""
        widest = max(len(name) for name, _ in pairs)
        for name, value in pairs:
            self.line(f"{name:<{widest}}  {value}", indent=indent, hang=widest + 2)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], numbers: Sequence[int] = ()) -> None:
        """Write a table with a rule below its head; where a word would not fit, one block of lines for each row.

        The columns whose numbers are in `numbers` are aligned right.
        """
        from rich.box import SIMPLE_HEAD
        from rich.measure import Measurement
        from rich.table import Table

        head = BOLD if self.colours else ""
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style=head)
        tall = max(column.count("\n") for column in columns)
        for at, column in enumerate(columns):
            title = "\n" * (tall - column.count("\n")) + column
            justify: Literal["left", "right"] = "right" if at in numbers else "left"
            table.add_column(_text(title), justify=justify, overflow="fold")
        for row in rows:
            table.add_row(*(_text(cell) for cell in row))
        console = self._rich()
        if Measurement.get(console, console.options.update(max_width=WIDE), table).minimum > self.width:
            self._blocks(columns, rows)
        else:
            self._print(table)

    def grid(self, heads: Sequence[str], rows: Sequence[Sequence[Cell]], name: int, least: int) -> None:
        """Write a table of many narrow columns behind one of names, at most `name` wide; what does not fit is folded.

        The others are equally wide, at least `least`. Where a head is wider than its column, heads stand on several
        lines in turn, each above the end of its column.
        """
        from rich.table import Table

        room = max(least, (self.width - name) // len(heads) - 1)
        lines = [[max(map(len, _text(cell).plain.split("\n"))) for cell in row] for row in rows]
        name = min(name, max((row[0] for row in lines), default=0))
        wide = min(room, max(*map(len, heads), *(each for row in lines for each in row[1:]), 0))
        table = Table.grid(padding=(0, 0, 0, 1))
        table.add_column(width=name, no_wrap=True)  # the names are folded already
        for _ in heads:
            table.add_column(width=wide + 1, justify="right", overflow="fold")
        for row in rows:
            table.add_row(*(_text(cell) for cell in row))
        for line in staggered(list(map(plain, heads)), wide + 1, name):
            self.raw(line, BOLD)
        self.raw("─" * (name + (wide + 1) * len(heads)))
        self._print(table)

    def _print(self, table: Table) -> None:
        console = self._rich()
        with console.capture() as captured:
            console.print(table)
        for line in captured.get().splitlines():
            self.stream.write(line.rstrip() + "\n")

    def _blocks(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Write each row's first cell, and below it the other cells that say something, each behind its column."""
        for row in rows:
            name, *cells = (each if isinstance(each, str) else each[0] for each in row)
            self.line(" ".join(name.split("\n")), BOLD)
            pairs = [
                (column.replace("\n", " "), " ".join(cell.split("\n")))
                for column, cell in zip(columns[1:], cells, strict=True)
                if cell
            ]
            if pairs:
                self.fields(pairs)

    def fit(self, name: str, width: int) -> str:
        """Return a name for the head of a column that is `width` wide, in several lines if need be."""
        return folded(name, width)

    @contextmanager
    def folded(self, title: str) -> Iterator[None]:
        """Draw what is within; Markdown folds it below this title."""
        yield

    def close(self) -> None:
        """End the page."""

    def _rich(self) -> Console:
        if self._console is None:
            from rich.console import Console

            self._console = Console(
                file=self.stream,
                width=self.width,
                force_terminal=self.colours,
                color_system="standard" if self.colours else None,
                no_color=not self.colours,
                markup=False,
                emoji=False,
                highlight=False,
                legacy_windows=False,
                force_jupyter=False,  # the page is what is drawn, and not the notebook
            )
        return self._console

    def _styled(self, text: str, style: str) -> str:
        if not (self.colours and style):
            return text
        bare = text.lstrip(" ")
        return f"{text[: len(text) - len(bare)]}\x1b[{_CODES[style]}m{bare}\x1b[0m"


def _sentence(text: str) -> str:
    """Return text for the beginning of a line of Markdown, where a heading, list or rule could begin."""
    shown = escaped(text).strip()
    return re.sub(r"^([#+=-])|^(\d+)([.)])", lambda at: f"{at[2] or ''}\\{at[1] or at[3]}", shown)


class MarkdownPage(Page):
    """Writes what is drawn as headings, paragraphs, lists and tables; `close` ends the last of them."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream, WIDE)

    folds = True
    _kind = ""  # what the last line belongs to: blocks of different kinds have an empty line between them

    def heading(self, text: str) -> None:
        """Write a title."""
        self._write("heading", f"### {escaped(text)}")

    def gap(self) -> None:
        """End the block."""
        self._turn("")

    def line(self, text: str, style: str = "", indent: int = 0, hang: int = 2) -> None:
        """Write one sentence: a paragraph, or an item of a list if it is indented."""
        if indent or text.startswith(" "):
            self._write("list", f"{'  ' * (indent // 4)}- {_sentence(text)}")
        else:
            self._turn("")
            self._write("paragraph", _sentence(text))

    def raw(self, text: str, style: str = "") -> None:
        """Write one line as it is."""
        self._write("code", "    " + plain(text))

    def aligned(self, text: str) -> None:
        """Write a line of two columns or more as it is."""
        self.raw(text)

    def fields(self, pairs: Sequence[tuple[str, str]], indent: int = 2) -> None:
        """Write names and values as a list."""
        for name, value in pairs:
            self._write("list", f"{'  ' * (indent // 4)}- **{escaped(name)}** {escaped(value)}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], numbers: Sequence[int] = ()) -> None:
        """Write a table; the lines of a cell stay apart."""
        self._turn("")
        self._write("table", self._row(columns))
        self._write("table", f"|{'|'.join(' ---: ' if at in numbers else ' --- ' for at in range(len(columns)))}|")
        for row in rows:
            self._write("table", self._row([each if isinstance(each, str) else each[0] for each in row]))

    def grid(self, heads: Sequence[str], rows: Sequence[Sequence[Cell]], name: int, least: int) -> None:
        """Write the same as a table."""
        self.table(["", *heads], rows, range(1, len(heads) + 1))

    def fit(self, name: str, width: int) -> str:
        """Return a name as it is."""
        return name

    @contextmanager
    def folded(self, title: str) -> Iterator[None]:
        """Fold what is drawn within, below its title."""
        self._write("html", f"<details><summary>{escaped(title)}</summary>")
        self._turn("")
        yield
        self._turn("")
        self._write("html", "</details>")

    def close(self) -> None:
        """End the page."""
        self._turn("")

    def _row(self, cells: Sequence[str]) -> str:
        return f"| {' | '.join('<br>'.join(map(escaped, each.split(chr(10)))) for each in cells)} |"

    def _write(self, kind: str, text: str) -> None:
        if kind != self._kind:
            self._turn(kind)
        self.stream.write(text + "\n")

    def _turn(self, kind: str) -> None:
        if self._kind:
            self.stream.write("\n")
        self._kind = kind


def _text(cell: Cell) -> Text:
    from rich.text import Text

    text, style = (cell, "") if isinstance(cell, str) else cell
    return Text("\n".join(map(plain, text.split("\n"))), style)
