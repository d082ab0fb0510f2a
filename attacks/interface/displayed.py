"""Results that show themselves: as text, as HTML in a notebook, as rows, and as a file."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable
from html import escape
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, Generic, TypeVar

from attacks.lab.results.bounds import Result
from attacks.lab.results.silences import Silences
from attacks.lab.results.types import Anatomy, Matrix, to_json
from attacks.report.anatomy import PICTURES, pictures
from attacks.report.page import USUAL, MarkdownPage, Page
from attacks.report.rows import FORMATS, flat, written
from escrow.errors import Malformed

R_co = TypeVar("R_co", bound=Result, covariant=True)
WIDE = 120  # columns of a notebook


def preformatted(text: str) -> str:
    """Return text as HTML that keeps its lines; whatever it holds, it stays text."""
    return f'<pre style="white-space: pre; overflow-x: auto; line-height: 1.2">{escape(text)}</pre>'


def embedded(svg: str, said: str) -> str:
    """Return a drawing as HTML: an image, since the style within it would else change the page around it."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{escape(said)}" style="max-width: 100%" src="data:image/svg+xml;base64,{data}">'


class Displayed(Generic[R_co]):
    """A result of the laboratory. `data` is the result itself, the same as in the file that a command writes."""

    def __init__(self, data: R_co, said: str, draw: Callable[[Page], None]) -> None:
        """Keep a result, what it is in a few words, and what draws it on a page."""
        self.data, self._said, self._draw = data, said, draw

    def __repr__(self) -> str:
        """Return what this is, in a few words."""
        return f"<{self._said}>"

    def __str__(self) -> str:
        """Return what the command line prints, 80 columns wide."""
        return self.text()

    def text(self, width: int = USUAL) -> str:
        """Return what the command line prints on a terminal of so many columns."""
        stream = StringIO()
        self._draw(Page(stream, width))
        return stream.getvalue().removesuffix("\n")

    def _repr_html_(self) -> str:
        """Return the same for a notebook; an anatomy is also drawn, and silence sets are a table."""
        if isinstance(self.data, Silences):
            from attacks.report.html.document import silence_table  # here, because it imports jinja2

            return silence_table(self.data)
        drawn = embedded(pictures(self.data)["svg"](), self._said) if isinstance(self.data, Anatomy) else ""
        return drawn + preformatted(self.text(WIDE))

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the result: the columns of the command line's CSV, with numbers as numbers.

        A result that holds rows of several kinds says in `record` of which each is.
        """
        columns, rows = flat(self.data)
        return [{column: each.get(column) for column in columns} for each in rows]

    def to_frame(self) -> Any:
        """Return the rows as a pandas DataFrame, or as they are if pandas is not installed."""
        try:
            pandas = import_module("pandas")
        except ImportError:
            return self.rows()
        return pandas.DataFrame(self.rows())

    def save(self, path: str | Path) -> Path:
        """Write the result into a file, over an older one, and return its path.

        The name's ending says how: .json (all of it, for `load` and for the commands), .html (a page for a browser, of
        a matrix, an anatomy or silence sets), .svg and .dot (the drawing of an anatomy), .csv, .jsonl, .md, or .txt.

        Raises:
            Malformed: the name has another ending, or no page is drawn of such a result.
            OSError: the file cannot be written.
        """
        target = Path(path)
        format_ = target.suffix.removeprefix(".")
        if format_ == "txt":
            text = self.text() + "\n"
        elif format_ == "md":
            page = MarkdownPage(stream := StringIO())
            self._draw(page)
            page.close()
            text = stream.getvalue()
        elif format_ in PICTURES and isinstance(self.data, Anatomy):
            text = pictures(self.data)[format_]()
        elif format_ == "html":
            text = self._page(target)
        elif format_ in FORMATS:
            text = "".join(written(self.data, format_, terminal=False))
        else:
            endings = ", ".join(f".{each}" for each in ("txt", "html", *FORMATS))
            raise Malformed(f"{target}: give it a name that ends in one of {endings}")
        target.write_text(text, encoding="utf-8", newline="\n")
        return target

    def _page(self, target: Path) -> str:
        """Return the page that `report` draws of the result's JSON, if that were a file beside the page."""
        from attacks.report.html.document import Input, document  # here, because it imports jinja2

        if not isinstance(self.data, Matrix | Anatomy | Silences):
            raise Malformed(f"{target}: a page is drawn of a matrix, an anatomy or silence sets, not of {self!r}")
        file = target.with_suffix(".json").name
        digest = hashlib.sha256(to_json(self.data)).hexdigest()
        return document([Input(file, digest, self.data)], shlex.join(["escrow-lab", "report", file, "-o", target.name]))
