"""Figures over time: a row for each scheme, a column for each question, and in it a bar for each day that was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from attacks.report.svg.elements import alone, element

NAME, COLUMN, BARS = 92, 112, 64  # widths of a name, of a question, and of its bars
LINE, HIGH, TOP = 30, 20, 46  # the height of a row, of the longest bar, and of the head
WIDEST = 12  # of one bar, so that a single day is no block


class Measured(NamedTuple):
    """One figure of one day: as it is printed, and as a share of the texts that it is a number of; None: not asked."""

    shown: str
    share: float | None


def history(days: Sequence[str], questions: Sequence[str], rows: Mapping[str, Sequence[Sequence[Measured]]]) -> str:
    """Return the picture as a file: `rows` are the schemes, each with a list for each question, of a figure a day."""
    drawn = []
    for at, question in enumerate(questions):
        for line, words in enumerate(question.split(", ")):
            drawn.append(element("text", words, x=NAME + at * COLUMN, y=18 + 15 * line, class_="note"))
    for row, (scheme, measured) in enumerate(rows.items()):
        y = TOP + row * LINE
        drawn.append(element("text", scheme, x=0, y=y + HIGH - 5, class_="n"))
        for at, figures in enumerate(measured):
            drawn.append(_figures(days, figures, NAME + at * COLUMN, y, f"{scheme}, {questions[at]}"))
    said = f"{', '.join(questions)}: figures of {', '.join(rows)} on {', '.join(days)}"
    return alone("Results over time", said, NAME + len(questions) * COLUMN, TOP + len(rows) * LINE, drawn)


def _figures(days: Sequence[str], figures: Sequence[Measured], x: float, y: float, what: str) -> Markup:
    """Return the bars of one scheme and question, and the newest figure behind them."""
    step = BARS / max(len(days), BARS // WIDEST)
    said = ", ".join(f"{day}: {each.shown}" for day, each in zip(days, figures, strict=True))
    parts = [element("title", f"{what}: {said}")]
    parts.append(element("rect", x=x, y=y + HIGH, width=step * len(days), height=0.8, class_="s1"))
    for at, each in enumerate(figures):
        if each.share:
            high = max(1, HIGH * min(1, each.share))
            parts.append(
                element("rect", x=x + at * step, y=y + HIGH - high, width=0.8 * step, height=high, class_="s3")
            )
    newest = element("text", figures[-1].shown, x=x + step * len(days) + 4, y=y + HIGH - 3) if figures else ""
    return element("g", *parts, newest)
