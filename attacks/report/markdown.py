"""The same pages as Markdown, for people who read a pull request or the summary of a job on GitHub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from attacks.report.page import Cell, Page, plain
from attacks.report.rows import escaped

WIDE = 100_000  # columns: nothing is folded


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
            self._write("list", f"- {escaped(text.strip())}")
        else:
            self._turn("")
            self._write("paragraph", escaped(text))

    def raw(self, text: str, style: str = "") -> None:
        """Write one line as it is."""
        self._write("code", "    " + plain(text))

    def aligned(self, text: str) -> None:
        """Write a line of two columns or more as it is."""
        self.raw(text)

    def fields(self, pairs: Sequence[tuple[str, str]], indent: int = 2) -> None:
        """Write names and values as a list."""
        for name, value in pairs:
            self._write("list", f"- **{escaped(name)}** {escaped(value)}")

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], numbers: Sequence[int] = (), close: bool = False
    ) -> None:
        """Write a table; the lines of a cell stay apart."""
        self._turn("")
        self._write("table", self._row(columns))
        self._write("table", f"|{'|'.join(' ---: ' if at in numbers else ' --- ' for at in range(len(columns)))}|")
        for row in rows:
            self._write("table", self._row([each if isinstance(each, str) else each[0] for each in row]))

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
